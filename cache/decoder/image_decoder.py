"""Bytes of one file -> pixels, hash_id and the uint8 crop an encoder takes. Needs Pillow and NumPy only, never torch.

Runs inside a decoder process (decoder_worker.py): everything here may meet hostile bytes.
"""
import io
from collections.abc import Iterator
from hashlib import blake2b

import numpy as np
from PIL import (
    AvifImagePlugin,  # noqa: F401  importing a plugin registers its format
    BmpImagePlugin,  # noqa: F401
    ExifTags,
    GifImagePlugin,  # noqa: F401
    Image,
    ImageOps,
    JpegImagePlugin,  # noqa: F401
    MpoImagePlugin,  # noqa: F401
    PngImagePlugin,  # noqa: F401
    PpmImagePlugin,  # noqa: F401
    TiffImagePlugin,  # noqa: F401
    UnidentifiedImageError,
    WebPImagePlugin,  # noqa: F401
)

from cache.decoder.crop_spec import CropSpec
from cache.decoder.limits import MIB, Limits, Skip
from cache.decoder.signatures import IMAGE_MAGIC, UNREAD_MAGIC

FORMATS = ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "PPM", "AVIF"]  # JPEG brings MPO, the phones' pairs of JPEGs
try:
    import pillow_heif

    pillow_heif.register_heif_opener()
    FORMATS.append("HEIF")
except ImportError:
    pass  # optional: pip install pillow-heif

BYTES_PER_PIXEL = {"1": 1, "L": 1, "P": 1, "LA": 2, "PA": 2, "La": 2, "RGB": 3, "YCbCr": 3, "LAB": 3, "HSV": 3}  # others: 4
RESAMPLING = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR, "nearest": Image.Resampling.NEAREST}
STRIP_PIXELS = 1_000_000  # converted at once
LONGEST_RATIO = 64  # longer strips are cut before resizing: 64 x 224 x 224 pixels are 10 MB

Image.MAX_IMAGE_PIXELS = None  # open_image() checks the size itself, against limits a person can raise


def open_image(data: bytes, limits: Limits) -> Image.Image:
    """Read the header only. Raises Skip for what is no picture or too large a one."""
    if not data:
        raise Skip("empty")
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        raise _unidentified(data) from None
    except Exception as error:
        raise _failed(error) from None
    width, height = image.size
    if width * height > limits.max_pixels or decoded_bytes(image) > limits.max_decoded_mib * MIB:
        raise Skip("too_many_pixels", f"{width} x {height} {image.mode}")
    return image


def decoded_bytes(image: Image.Image) -> int:
    return image.width * image.height * BYTES_PER_PIXEL.get(image.mode, 4)


def decode(image: Image.Image) -> dict:
    """Decode the first frame; returns its identity: hash_id, old_hash_id (palette images, else None), type, width, height, orientation."""
    turned = _orientation(image) if image.format == "TIFF" else None  # loading turns a TIFF, and forgets that it did
    try:
        image.load()
    except Exception as error:
        raise _failed(error) from None
    hash_id, old_hash_id = hash_ids(image)
    image_type = "jpeg" if image.format == "MPO" else image.format.lower()
    return {
        "hash_id": hash_id, "old_hash_id": old_hash_id, "type": image_type, "width": image.width, "height": image.height,
        "orientation": turned or _orientation(image),
    }


def _orientation(image: Image.Image) -> int:
    """As its EXIF has it, 1 (upright) to 8; 1 where that says nothing, or nothing that can be understood."""
    try:
        found = (image.tag_v2 if image.format == "TIFF" else image.getexif()).get(ExifTags.Base.Orientation)
    except Exception:
        return 1
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def hash_ids(image: Image.Image) -> tuple[str, str | None]:
    """BLAKE2b of the pixels in the file's own mode. A palette image's indices alone say little, so its palette follows them;
    the digest of the indices alone is what older tools wrote and comes second."""
    digest = blake2b()
    for box in _strips(image):  # tobytes() of the whole would hold its bytes twice
        digest.update(image.crop(box).tobytes())
    if image.mode not in ("P", "PA"):
        return digest.hexdigest(), None
    old_hash_id = digest.hexdigest()
    digest.update(bytes(image.getpalette("RGB") or b""))
    return digest.hexdigest(), old_hash_id


def crop(image: Image.Image, spec: CropSpec) -> np.ndarray:
    """The upright picture as a model sees it: uint8, shape (size, size, 3). Raises Skip if the pixels cannot be converted."""
    try:
        picture = to_rgb(upright(image))
        return np.asarray(_resized(picture, spec))
    except Exception as error:
        raise _failed(error) from None


def upright(image: Image.Image) -> Image.Image:
    """Turn a sideways phone photo; EXIF that cannot be read or written again leaves it as it is."""
    try:
        ImageOps.exif_transpose(image, in_place=True)
    except Exception:
        pass  # the pixels are good: an upside-down picture is worth more than none
    return image


def to_rgb(image: Image.Image) -> Image.Image:
    """Any mode -> RGB: 16 bits are scaled, not clipped; transparency becomes white, as a page would show it. In strips: the steps between
    would take several times the memory of the picture."""
    if image.mode == "RGB" and not image.has_transparency_data:
        return image
    low, high = _range(image)
    result = Image.new("RGB", image.size)
    for box in _strips(image):
        result.paste(_strip_to_rgb(image.crop(box), low, high), box)
    return result


def _strips(image: Image.Image) -> Iterator[tuple[int, int, int, int]]:
    rows = max(1, STRIP_PIXELS // image.width)
    return ((0, top, image.width, min(top + rows, image.height)) for top in range(0, image.height, rows))


def _range(image: Image.Image) -> tuple[float, float]:
    """What becomes black and what becomes white: of pixels with a decimal point, whose scale is their own, the extremes."""
    if image.mode != "F":
        return 0.0, 65535.0
    strips = (np.nan_to_num(np.asarray(image.crop(box))) for box in _strips(image))
    lows, highs = zip(*((float(strip.min()), float(strip.max())) for strip in strips), strict=True)
    return min(lows), max(highs)


def _strip_to_rgb(strip: Image.Image, low: float, high: float) -> Image.Image:
    if strip.mode.startswith("I") or strip.mode == "F":
        return _grey(np.nan_to_num(np.asarray(strip).astype(np.float32)), low, high).convert("RGB")
    if strip.has_transparency_data:
        white = Image.new("RGBA", strip.size, "white")
        return Image.alpha_composite(white, strip.convert("RGBA")).convert("RGB")
    return strip.convert("RGB")


def _grey(values: np.ndarray, low: float, high: float) -> Image.Image:
    scale = 255.0 / max(high - low, 1e-12)
    return Image.fromarray(np.clip((values - low) * scale, 0, 255).astype(np.uint8))


def _resized(picture: Image.Image, spec: CropSpec) -> Image.Image:
    resampling = RESAMPLING[spec.interpolation]
    if spec.resize_mode == "squash":
        return picture.resize((spec.size, spec.size), resampling)
    if spec.resize_mode == "longest":
        return _padded(picture, spec, resampling)
    return _centre(picture, spec.size, resampling)


def _centre(picture: Image.Image, size: int, resampling) -> Image.Image:
    """Shortest side to `size`, then the centre: torchvision's Resize and CenterCrop with their rounding. The ends of a strip are cut
    off first, or 65,500 x 1 pixels would become 14 million x 224. (Resizing only the box of the centre is not the same to the bit.)"""
    short = min(picture.size)
    if max(picture.size) > LONGEST_RATIO * short:
        picture = _centre_box(picture, *(min(side, LONGEST_RATIO * short) for side in picture.size))
    width, height = (size if side == short else int(size * side / short) for side in picture.size)
    return _centre_box(picture.resize((width, height), resampling), size, size)


def _centre_box(picture: Image.Image, width: int, height: int) -> Image.Image:
    left, top = round((picture.width - width) / 2), round((picture.height - height) / 2)
    return picture.crop((left, top, left + width, top + height))


def _padded(picture: Image.Image, spec: CropSpec, resampling) -> Image.Image:
    """Longest side to `size`, the rest filled: open_clip's ResizeKeepRatio(longest=1) and CenterCropOrPad."""
    left, top, right, bottom = box_in_square(*picture.size, spec.size)
    square = Image.new("RGB", (spec.size, spec.size), (spec.fill,) * 3)
    square.paste(picture.resize((right - left, bottom - top), resampling), (left, top))
    return square


def box_in_square(width: int, height: int, size: int) -> tuple[int, int, int, int]:
    """Where the whole picture lies in the crop of resize mode "longest"."""
    ratio = max(width, height) / size
    width, height = (max(1, round(side / ratio)) for side in (width, height))
    left, top = (size - width) // 2, (size - height) // 2
    return left, top, left + width, top + height


def _unidentified(data: bytes) -> Skip:
    for magic, name in UNREAD_MAGIC.items():
        if data.startswith(magic):
            return Skip("unsupported_type", name)
    if data[4:8] == b"ftyp" and data[8:12] in (b"heic", b"heix", b"mif1"):
        return Skip("unsupported_type", "HEIC picture: pip install pillow-heif")
    of_a_picture = data.startswith(IMAGE_MAGIC) or data[4:8] == b"ftyp" and data[8:12] in (b"avif", b"avis")
    return Skip("damaged", "unreadable header") if of_a_picture else Skip("not_an_image")


def _failed(error: Exception) -> Skip:
    if isinstance(error, MemoryError):
        return Skip("too_many_pixels", "more memory than a decoder may have")
    return Skip("damaged", f"{type(error).__name__}: {error}"[:200])
