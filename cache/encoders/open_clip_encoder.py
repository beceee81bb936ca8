"""Encoders of open_clip: its models, its loader for weights (hub download, local cache, checkpoint on disk), its preprocessing."""
import os

import open_clip
import torch
from torch import nn

from cache.decoder.crop_spec import CropSpec
from cache.refusal import Refused

TWO_WAYS_OUT = (
    "use the embedded encoder (--clip_model EfficientNet-Lite0-MS --pretrained imagenet) "
    "or a local checkpoint (--pretrained /path/to/checkpoint)"
)
PART = 8  # pictures a core embeds at once; with 4 the weights are read from memory too often (2 % slower), 16 gain nothing


class ImageTower(nn.Module):
    """Normalised float32 (n, 3, size, size) -> (n, d), as the model's encode_image gives it."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def lower(self, dtype: torch.dtype) -> "ImageTower":
        return self.to(dtype)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.model.encode_image(pictures.to(next(self.parameters()).dtype))


def load(clip_model: str, pretrained: str) -> tuple[nn.Module, CropSpec, tuple, tuple]:
    """The image tower with its crop, mean and standard deviation. Raises Refused for unknown names and weights not to be had."""
    model = whole_model(clip_model, pretrained, TWO_WAYS_OUT)
    settings = open_clip.get_model_preprocess_cfg(model)
    return ImageTower(model), _crop_spec(settings), settings["mean"], settings["std"]


def whole_model(clip_model: str, pretrained: str, way_out: str) -> nn.Module:
    """Both towers, float32. Raises Refused for unknown names, and for weights not to be had: then the message ends with `way_out`."""
    if clip_model not in open_clip.list_models():
        raise Refused(f"unknown --clip_model {clip_model}: neither EfficientNet-Lite0-MS nor one of open_clip.list_models()")
    tag = open_clip.get_pretrained_cfg(clip_model, pretrained)
    if pretrained.startswith("sha256-"):
        raise Refused(f"the vectors are of a checkpoint known as {pretrained}; name its file: --pretrained /path/to/checkpoint")
    if not tag and not os.path.isfile(pretrained):
        known = ", ".join(open_clip.list_pretrained_tags_by_model(clip_model)) or "none"
        raise Refused(f"--pretrained {pretrained} is no checkpoint on disk and no weights of {clip_model} (known: {known})")
    try:
        # open_clip 3 only warns when weights trained with QuickGELU (OpenAI's) meet a plain GELU model; the vectors would be wrong.
        return open_clip.create_model(clip_model, pretrained, force_quick_gelu=tag.get("quick_gelu", False), require_pretrained=True)
    except Exception as error:
        raise Refused(f"cannot load the weights {pretrained} of {clip_model}: {_cause(error, pretrained)}; {way_out}") from None


def _cause(error: Exception, pretrained: str) -> str:
    if os.path.isfile(pretrained):
        return f"the file is no checkpoint of this model ({type(error).__name__})"
    return "they are not in the local cache, and the Hugging Face hub cannot be reached or does not have them"


def _crop_spec(settings: dict) -> CropSpec:
    size = settings["size"]
    sides = {size} if isinstance(size, int) else set(size)
    if len(sides) > 1:
        raise Refused(f"models with pictures of {size} pixels are not supported, only square ones")
    interpolation = "bilinear" if settings["interpolation"] == "bilinear" else "bicubic"  # open_clip takes "random" as bicubic, too
    return CropSpec(sides.pop(), settings["resize_mode"], interpolation, settings["fill_color"])
