"""Raw photographs: the preview that the camera made where it is large, else what the sensor saw.

LibRaw reads them (`pip install rawpy`). A preview is a JPEG like any other. What the sensor saw is developed
at half its size: each 2 x 2 values become one pixel, so that no colour between them has to be guessed. (Where
there are values of each colour for each pixel, at its own.)
"""
import io
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from typing import Any, cast

import numpy as np
from PIL import ExifTags, Image, ImageFile

from cache.formats.first_frame import bare_exif
from cache.limits import Limits, Skip
from cache.pixels.look import Look
from cache.pixels.turning import SIDEWAYS

FORMAT = "RAW"  # as Pillow would call it
NEEDED = "raw photograph: pip install rawpy"
FOREIGN = "raw photograph of a camera that LibRaw does not know"

SMALLEST_PREVIEW = 1000  # pixels of its longer side
ORIENTATIONS = {0: 1, 1: 2, 2: 4, 3: 3, 4: 5, 5: 8, 6: 6, 7: 7}  # LibRaw's flips as EXIF has them
SRGB_CURVE = (2.4, 12.92)  # its power, and the slope of its straight part (IEC 61966-2-1)
BLANK_ROWS = 64  # more than the margin of 0 that some cameras write
BYTES_PER_VALUE, MOST_LAYERS = 2, 4


def open_raw(data: bytes, limits: Limits) -> ImageFile.ImageFile:
    """Its preview, opened, or a SensorPicture. Raises Skip where rawpy is not installed, and where LibRaw
    does not know the camera, cannot read the file, or finds a sensor of too many pixels."""
    try:
        import rawpy  # noqa: F401
    except ImportError:
        raise Skip("unsupported_type", NEEDED) from None
    with _reasons():
        picture = SensorPicture(io.BytesIO(data))
    preview = _preview(picture, data)
    if preview is not None:
        picture.raw.close()
        return preview
    limits.judge(*picture.sensor_size, "raw", picture.decoded_bytes)
    return picture


class SensorPicture(ImageFile.ImageFile):
    """A raw photograph that is developed when it is loaded: RGB, in sRGB, by the white balance of its camera,
    lying as the sensor lay."""

    format = FORMAT
    raw: Any  # rawpy.RawPy
    sensor_size: tuple[int, int]  # with its margins
    decoded_bytes: int  # of the sensor's values
    orientation: int

    def _open(self) -> None:
        import rawpy

        self.raw = rawpy.imread(cast(io.BytesIO, self.fp))
        sizes = self.raw.sizes
        is_flat = self.raw.raw_type == rawpy.RawType.Flat
        layers, step = (1, 2) if is_flat else (MOST_LAYERS, 1)
        self.sensor_size = sizes.raw_width, sizes.raw_height
        self.decoded_bytes = sizes.raw_width * sizes.raw_height * layers * BYTES_PER_VALUE
        self._mode, self._size = "RGB", (sizes.iwidth // step, sizes.iheight // step)
        self.orientation = ORIENTATIONS.get(sizes.flip, 1)
        self.info["exif"] = _exif(self.orientation)
        self._values = blake2b()

    def load(self) -> Any:
        if self.raw is not None:
            with _reasons(), self.raw as raw:
                _refuse_blank(raw.raw_image_visible)
                self._values.update(np.ascontiguousarray(raw.raw_image, "<u2").data)
                self._develop(raw)
            self.raw = None
        return Image.Image.load(self)

    def _develop(self, raw: Any) -> None:
        """Its brightness is left as the camera exposed it: stretching it would depend on single pixels."""
        pixels = raw.postprocess(
            half_size=True, use_camera_wb=True, no_auto_bright=True, gamma=SRGB_CURVE, output_bps=8,
            user_flip=0,
        )
        picture = Image.fromarray(pixels)
        self.im, self._size = picture.im, picture.size

    def hash_id(self, look: Look) -> str:
        """Of what the sensor saw: the pixels may be others with another version of LibRaw, and so may be what
        it makes of the camera's notes, white balance and all."""
        digest = self._values.copy()
        for piece in look.digested():
            digest.update(piece)
        return digest.hexdigest()


def _refuse_blank(values: np.ndarray) -> None:
    """Of some files that are cut off LibRaw leaves the rest 0, and says nothing. Even darkness has noise."""
    rows = min(BLANK_ROWS, len(values) // 4)
    if not values[len(values) - rows:].any():
        raise Skip("damaged", f"nothing in the last {rows} rows of the sensor")


@contextmanager
def _reasons() -> Iterator[None]:
    """What a file is left out for when LibRaw raises an error within."""
    import rawpy

    try:
        yield
    except rawpy.LibRawFileUnsupportedError:
        raise Skip("unsupported_type", FOREIGN) from None
    except (rawpy.LibRawMemPoolOverflowError, rawpy.LibRawUnsufficientMemoryError) as error:
        raise MemoryError from error
    except rawpy.LibRawError as error:
        raise Skip("damaged", f"LibRaw: {_text(error)}") from None


def _text(error: Exception) -> str:
    text = error.args[0] if error.args else b""
    return text.decode(errors="replace") if isinstance(text, bytes) else str(text)


def _preview(picture: SensorPicture, data: bytes) -> ImageFile.ImageFile | None:
    """The largest, as LibRaw chooses it; None if that is small or no JPEG, or has a header that cannot be
    read. Its pixels come later: one that is cut off behind its header is damaged, whatever the sensor saw."""
    import rawpy

    try:
        thumbnail = picture.raw.extract_thumb()
        if thumbnail.format != rawpy.ThumbFormat.JPEG:
            return None
        preview = Image.open(io.BytesIO(_as_written(thumbnail.data, data)), formats=["JPEG"])
    except (rawpy.LibRawError, rawpy.NotSupportedError, OSError, SyntaxError):
        return None
    if max(preview.size) < SMALLEST_PREVIEW:
        return None
    preview.format = FORMAT
    if not _says_how_it_lies(preview):
        preview.info["exif"] = _exif(_orientation_of(preview, picture))
    return preview


def _as_written(jpeg: bytes, data: bytes) -> bytes:
    """Without the EXIF that LibRaw makes for a preview that does not begin with one. The first two bytes are
    LibRaw's in any case."""
    if jpeg[2:4] != b"\xff\xe1" or jpeg[2:66] in data:
        return jpeg
    return jpeg[:2] + jpeg[4 + int.from_bytes(jpeg[4:6], "big"):]


def _says_how_it_lies(preview: Image.Image) -> bool:
    try:
        return bare_exif(preview).get(ExifTags.Base.Orientation) in ORIENTATIONS.values()
    except Exception:  # of what is no EXIF
        return False


def _orientation_of(preview: Image.Image, picture: SensorPicture) -> int:
    """That of the sensor; but a preview that is high where the sensor is wide has been turned already."""
    is_turned = _is_high(preview) != _is_high(picture) and picture.orientation in SIDEWAYS
    return 1 if is_turned else picture.orientation


def _is_high(picture: Image.Image) -> bool:
    return picture.height > picture.width


def _exif(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return exif.tobytes()
