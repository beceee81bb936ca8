"""Encoders of open_clip: its models, its loader for weights (hub, local cache, checkpoint), its
preprocessing."""
import os

import open_clip
import torch
from torch import nn

from cache.encoders.causes import cause_of
from cache.encoders.loaded import Loaded, in_float32, ready
from cache.encoders.loading import EMBEDDED
from cache.encoders.quiet import quiet
from cache.pixels.crop_spec import CropSpec
from cache.refusal import Refused

TWO_WAYS_OUT = (
    "use the embedded encoder (--clip_model EfficientNet-Lite0-MS --pretrained imagenet) "
    "or a local checkpoint (--pretrained /path/to/checkpoint)"
)
# Pictures a core embeds at once; with 4 the weights are read from memory too often (2 % slower), 16 gain
# nothing.
PART = 8


class ImageTower(nn.Module):
    """Normalised float32 (n, 3, size, size) -> (n, d), as the model's encode_image gives it."""

    def __init__(self, model: "open_clip.CLIP"):
        super().__init__()
        self.model = model

    def lower(self, dtype: torch.dtype) -> "ImageTower":
        return self.to(dtype)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.model.encode_image(pictures.to(next(self.parameters()).dtype))


def load(clip_model: str, pretrained: str, device: torch.device) -> Loaded:
    """The image tower. Raises Refused for unknown names, models that it cannot serve, and weights not to be
    had."""
    model = whole_model(clip_model, pretrained, TWO_WAYS_OUT)
    settings = open_clip.get_model_preprocess_cfg(model)
    return in_float32(
        ready(ImageTower(model), device),
        crop_spec=_crop_spec(settings), mean=settings["mean"], std=settings["std"], device=device, part=PART,
    )


def whole_model(clip_model: str, pretrained: str, way_out: str) -> "open_clip.CLIP":
    """Both towers, float32. Raises Refused for unknown names, and for weights not to be had; then the message
    ends with `way_out`. What is no fault of the names, the network or the machine is a bug, and raised as it
    is."""
    settings = _settings_of(clip_model, pretrained)
    try:
        with quiet():
            return open_clip.create_model(
                clip_model,
                pretrained,
                # open_clip 3 only warns when weights trained with QuickGELU (OpenAI's) meet a plain GELU
                # model; the vectors would be wrong.
                force_quick_gelu=settings.get("quick_gelu", False),
                require_pretrained=True,
            )
    except Exception as error:
        cause = cause_of(error)
        if cause is None:
            raise
        raise Refused(f"cannot load the weights {pretrained} of {clip_model}: {cause}; {way_out}") from None


def _settings_of(clip_model: str, pretrained: str) -> dict:
    """What open_clip knows about these weights; nothing of a checkpoint on disk. Raises Refused for unknown
    names."""
    if clip_model not in open_clip.list_models():
        known = f"neither {EMBEDDED[0]} nor one of open_clip.list_models()"
        raise Refused(f"unknown --clip_model {clip_model}: {known}")
    if pretrained.startswith("sha256-"):
        way_out = "name its file: --pretrained /path/to/checkpoint"
        raise Refused(f"the vectors are of a checkpoint known as {pretrained}; {way_out}")
    settings = open_clip.get_pretrained_cfg(clip_model, pretrained)
    if not settings and not os.path.isfile(pretrained):
        known = ", ".join(open_clip.list_pretrained_tags_by_model(clip_model)) or "none"
        meaningless = f"--pretrained {pretrained} is no checkpoint on disk and no weights of {clip_model}"
        raise Refused(f"{meaningless} (known: {known})")
    return settings


def _crop_spec(settings: dict) -> CropSpec:
    size = settings["size"]
    sides = {size} if isinstance(size, int) else set(size)
    if len(sides) > 1:
        raise Refused(f"models with pictures of {size} pixels are not supported, only square ones")
    # open_clip takes "random" as bicubic, too.
    interpolation = "bilinear" if settings["interpolation"] == "bilinear" else "bicubic"
    return CropSpec(sides.pop(), settings["resize_mode"], interpolation, settings["fill_color"])
