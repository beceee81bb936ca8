"""Bytes of one file -> pixels, hash_id and look. Needs Pillow with its plugins and NumPy, never torch.

Runs inside a decoder process (worker.py): everything here may meet hostile bytes.
"""
import io
import os
import warnings

from PIL import (
    AvifImagePlugin,  # noqa: F401  importing a plugin registers its format
    BmpImagePlugin,  # noqa: F401
    GifImagePlugin,  # noqa: F401
    Image,
    ImageFile,
    JpegImagePlugin,  # noqa: F401
    MpoImagePlugin,  # noqa: F401
    PngImagePlugin,  # noqa: F401
    PpmImagePlugin,  # noqa: F401
    TiffImagePlugin,  # noqa: F401
    UnidentifiedImageError,
    WebPImagePlugin,  # noqa: F401
)

from cache.formats import heif, heif_film
from cache.formats.first_frame import first_frame, orientation
from cache.formats.jxl import open_jxl
from cache.formats.raw import SensorPicture, open_raw
from cache.formats.signatures import (
    HEAD_BYTES,
    HEIC_SEQUENCE,
    JXL,
    PICTURE,
    RAW,
    signature_of,
    why_no_picture,
)
from cache.formats.tiff_directories import TiffDirectories
from cache.limits import Limits, Skip, skip_for
from cache.pixels.pixel_hash import hash_ids
from cache.pixels.seen import Seen

# As Pillow calls them. JPEG brings MPO, the phones' pairs of JPEGs.
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "PPM", "AVIF", "HEIF")
BYTES_PER_PIXEL = {  # as Pillow keeps them; modes not named here take 4
    "1": 1, "L": 1, "P": 1,
    "LA": 2, "PA": 2, "La": 2,
    "RGB": 3, "YCbCr": 3, "LAB": 3, "HSV": 3,
}


def prepare_process() -> None:
    """Set Pillow up for decoding. These are globals of the process: only one that does nothing else may call
    this."""
    warnings.simplefilter("ignore")
    os.environ["OMP_NUM_THREADS"] = "1"  # LibRaw's; there is a process for each core
    Image.MAX_IMAGE_PIXELS = None  # open_image() checks the size itself, against limits a person can raise
    heif.register()


def open_image(data: bytes, limits: Limits) -> ImageFile.ImageFile:
    """Read the header only. Raises Skip for what is no picture or too large a one."""
    if not data:
        raise Skip("empty")
    try:
        image = _opened(data, limits)
    except Skip:
        raise
    except UnidentifiedImageError:
        raise _unidentified(data) from None
    except Exception as error:
        raise skip_for(error) from None
    limits.judge(*image.size, image.mode, decoded_bytes(image))
    return image


def _opened(data: bytes, limits: Limits) -> ImageFile.ImageFile:
    signature = signature_of(data[:HEAD_BYTES])
    kind = signature.kind if signature else None
    tiff = TiffDirectories(data)
    if kind == RAW or tiff.are_raw():
        return open_raw(data, limits)
    if kind == JXL:
        return open_jxl(data, limits)
    if kind == HEIC_SEQUENCE:
        file = io.BytesIO(heif_film.with_picture(data))
    else:
        file = io.BytesIO(tiff.with_picture_first())
    return Image.open(file, formats=[name for name in FORMATS if name in Image.OPEN])


def _unidentified(data: bytes) -> Skip:
    head = data[:HEAD_BYTES]
    no_picture = why_no_picture(head)
    if no_picture is not None:
        return no_picture
    signature = signature_of(head)
    if signature is not None and signature.kind in (PICTURE, HEIC_SEQUENCE, JXL):
        return Skip("damaged", "unreadable header")
    return Skip("not_an_image")


def decoded_bytes(image: Image.Image) -> int:
    if isinstance(image, SensorPicture):
        return image.decoded_bytes
    return image.width * image.height * BYTES_PER_PIXEL.get(image.mode, 4)


def decode(image: ImageFile.ImageFile) -> tuple[dict, Seen]:
    """Decode the first frame: its identity, which is JSON, and what crop() takes. An identity is hash_id,
    old_hash_id (what older tools wrote of palette images, else None), type, width, height,
    orientation. Raises Skip if the pixels cannot be decoded."""
    turned = orientation(image) if image.format == "TIFF" else 1  # by loading it
    try:
        frame = first_frame(image)
    except Skip:
        raise
    except Exception as error:
        raise skip_for(error) from None
    if isinstance(image, SensorPicture):
        hash_id, old_hash_id = image.hash_id(frame.look), None
    else:
        hash_id, old_hash_id = hash_ids(*frame)
    file_format = str(image.format).lower()
    identity = {
        "hash_id": hash_id,
        "old_hash_id": old_hash_id,
        "type": "jpeg" if file_format == "mpo" else file_format,
        "width": image.width,
        "height": image.height,
        "orientation": frame.look.orientation if turned == 1 else turned,
    }
    return identity, Seen(frame.image, frame.look)
