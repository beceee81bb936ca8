"""What is wanted of a picture: the one description of it, on both sides of the decoder's pipe."""
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class CropSpec:
    """How a model wants its picture: `size` pixels square, the rest as in open_clip's preprocess config."""

    size: int
    resize_mode: str = "shortest"  # or "longest", "squash"
    interpolation: str = "bicubic"  # or "bilinear", "nearest"
    fill: int = 0  # grey value, 0 to 255, around a picture that is resized by its longest side


class Wanted(NamedTuple):
    """What is made of a picture besides its hash."""

    crop: CropSpec | None = None
    thumbnail: bool = False
