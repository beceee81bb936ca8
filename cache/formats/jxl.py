"""JPEG XL (`pip install pillow-jxl-plugin`): judged by its header, since the plugin decodes as it opens."""
import io
from typing import Any

from PIL import Image, ImageFile, UnidentifiedImageError

from cache.formats.jxl_header import read_header
from cache.limits import Limits, Skip

FORMAT = "JXL"  # as the plugin calls it
NEEDED = "JPEG XL picture: pip install pillow-jxl-plugin"
ANIMATION = "JPEG XL animation"  # of which the plugin has the last frame only
MOST_MEMORY = 16  # bytes a pixel that libjxl takes: 7 where it was kept with losses, 16 without


def open_jxl(data: bytes, limits: Limits) -> ImageFile.ImageFile:
    """Raises Skip where the plugin is not installed, for too many pixels and for animations,
    UnidentifiedImageError where there is no header."""
    try:
        import pillow_jxl  # noqa: F401
    except ImportError:
        raise Skip("unsupported_type", NEEDED) from None
    return JxlPicture(data, limits)


class JxlPicture(ImageFile.ImageFile):
    """A JPEG XL that is decoded when it is loaded, and upright then; of one that keeps a JPEG that very JPEG.
    Before, it has the size that is stored, a mode of as many bands or more, and says nothing of colours."""

    format = FORMAT

    def __init__(self, data: bytes, limits: Limits):
        self._data, self._limits = data, limits
        super().__init__(io.BytesIO(data))

    def _open(self) -> None:
        width, height, is_animated, has_more_channels = read_header(self._data)
        self._limits.judge(width, height, FORMAT, width * height * (4 if has_more_channels else 3))
        if is_animated:
            raise Skip("unsupported_type", ANIMATION)
        self._size, self._mode = (width, height), "RGBA" if has_more_channels else "RGB"

    def load(self) -> Any:
        if self._data:
            image = self._decoded()
            self.im, self._size, self._mode, self.info = image.im, image.size, image.mode, image.info
            self._data = b""
        return Image.Image.load(self)

    def _decoded(self) -> Image.Image:
        from pillow_jxl import JpegXLImagePlugin

        JpegXLImagePlugin.DECODE_THREADS = 0  # each would have its share of the address space
        try:
            image = Image.open(io.BytesIO(self._data), formats=[FORMAT])
        except (RuntimeError, UnidentifiedImageError):  # whatever it was: libjxl does not say
            if self.width * self.height * MOST_MEMORY > self._limits.decoder_memory:
                raise MemoryError from None
            raise Skip("damaged", "not to be decoded") from None
        image.load()
        if isinstance(image, JpegXLImagePlugin.JXLImageFile) and not image.jpeg:
            image.info.pop("exif", None)  # its own header has turned its pixels (18181-2, Exif box)
        return image
