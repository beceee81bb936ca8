"""Bytes of one file -> pixels and hash_id. Needs Pillow and NumPy only, never torch.

Runs inside a decoder process (worker.py): everything here may meet hostile bytes.
"""
import io
import warnings
from hashlib import blake2b

from PIL import (
    AvifImagePlugin,  # noqa: F401  importing a plugin registers its format
    BmpImagePlugin,  # noqa: F401
    ExifTags,
    GifImagePlugin,  # noqa: F401
    Image,
    JpegImagePlugin,  # noqa: F401
    MpoImagePlugin,  # noqa: F401
    PngImagePlugin,  # noqa: F401
    PpmImagePlugin,  # noqa: F401
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,  # noqa: F401
)

from cache.decoder.limits import MIB, Limits, Skip, skip_for
from cache.decoder.signatures import HEAD_BYTES, HEIF, OTHER, PICTURE, signature_of
from cache.decoder.strips import strips

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
    Image.MAX_IMAGE_PIXELS = None  # open_image() checks the size itself, against limits a person can raise
    try:
        import pillow_heif
    except ImportError:
        return  # optional: pip install pillow-heif
    pillow_heif.register_heif_opener()


def open_image(data: bytes, limits: Limits) -> Image.Image:
    """Read the header only. Raises Skip for what is no picture or too large a one."""
    if not data:
        raise Skip("empty")
    try:
        image = Image.open(io.BytesIO(data), formats=[name for name in FORMATS if name in Image.OPEN])
    except UnidentifiedImageError:
        raise _unidentified(data[:HEAD_BYTES]) from None
    except Exception as error:
        raise skip_for(error) from None
    width, height = image.size
    if width * height > limits.max_pixels or decoded_bytes(image) > limits.max_decoded_mib * MIB:
        raise Skip("too_many_pixels", f"{width} x {height} {image.mode}")
    return image


def _unidentified(head: bytes) -> Skip:
    signature = signature_of(head)
    if signature is not None and signature.kind == OTHER:
        return Skip("unsupported_type", signature.name)
    if signature is not None and signature.kind == HEIF and "HEIF" not in Image.OPEN:
        return Skip("unsupported_type", "HEIC picture: pip install pillow-heif")
    if signature is not None and signature.kind in (PICTURE, HEIF):
        return Skip("damaged", "unreadable header")
    return Skip("not_an_image")


def decoded_bytes(image: Image.Image) -> int:
    return image.width * image.height * BYTES_PER_PIXEL.get(image.mode, 4)


def decode(image: Image.Image) -> dict:
    """Decode the first frame. Returns its identity, which is JSON: hash_id, old_hash_id (of palette images,
    else None), type, width, height, orientation. Raises Skip if the pixels cannot be decoded."""
    # Loading turns a TIFF, and forgets that it did.
    turned = _orientation(image) if image.format == "TIFF" else None
    try:
        image.load()
    except Exception as error:
        raise skip_for(error) from None
    hash_id, old_hash_id = hash_ids(image)
    file_format = str(image.format).lower()
    return {
        "hash_id": hash_id,
        "old_hash_id": old_hash_id,
        "type": "jpeg" if file_format == "mpo" else file_format,
        "width": image.width,
        "height": image.height,
        "orientation": turned or _orientation(image),
    }


def _orientation(image: Image.Image) -> int:
    """As its EXIF has it, 1 (upright) to 8; 1 where that says nothing, or nothing that can be understood."""
    try:
        tags = image.tag_v2 if isinstance(image, TiffImagePlugin.TiffImageFile) else image.getexif()
        orientation = tags.get(ExifTags.Base.Orientation)
    except Exception:
        return 1
    return orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1


def hash_ids(image: Image.Image) -> tuple[str, str | None]:
    """BLAKE2b of the pixels in the file's own mode. A palette image's indices alone say little, so its
    palette follows them; the digest of the indices alone is what older tools wrote and comes second."""
    digest = blake2b()
    for box in strips(image):  # tobytes() of the whole would hold its bytes twice
        digest.update(image.crop(box).tobytes())
    if image.mode not in ("P", "PA"):
        return digest.hexdigest(), None
    old_hash_id = digest.hexdigest()
    digest.update(bytes(image.getpalette("RGB") or b""))
    return digest.hexdigest(), old_hash_id
