"""How an encoder wants its pictures: the one description of a crop, on both sides of the decoder's pipe."""
from dataclasses import dataclass

from PIL import (
    AvifImagePlugin,  # noqa: F401  importing a plugin registers its format
    BmpImagePlugin,  # noqa: F401
    GifImagePlugin,  # noqa: F401
    JpegImagePlugin,  # noqa: F401
    MpoImagePlugin,  # noqa: F401
    PngImagePlugin,  # noqa: F401
    PpmImagePlugin,  # noqa: F401
    TiffImagePlugin,  # noqa: F401
    WebPImagePlugin,  # noqa: F401
)


@dataclass(frozen=True)
class CropSpec:
    """How a model wants its picture: `size` pixels square; resize_mode, interpolation and fill as in open_clip's preprocess config."""

    size: int
    resize_mode: str = "shortest"
    interpolation: str = "bicubic"
    fill: int = 0
