"""DNGs drawn by hand: a sensor sees what it is told, with a preview or without. How other raw files begin."""
from fractions import Fraction

import numpy as np

from tests.cache.formats.tiff_files import REDUCED, Directory, Value, of_picture, tiff_of
from tests.drawing import drawn

CFA, LINEAR_RAW, JPEG_COMPRESSION, YCBCR = 32803, 34892, 7, 6
WHITE_LEVEL = 16383  # 14 bits
# From XYZ to linear sRGB (IEC 61966-2-1): a camera with this matrix sees as screens show.
TO_SRGB = (3.2406, -1.5372, -0.4986, -0.9689, 1.8758, 0.0415, 0.0557, -0.2040, 1.0570)
D65 = 21

TIFF_HEAD = b"II*\0\x10\0\0\0"
HEADS = {
    "CR2": TIFF_HEAD + b"CR\2\0",
    "CRW": b"II\x1a\0\0\0HEAPCCDR",
    "IIQ": TIFF_HEAD + b"IIIICwaR",
    "IIQ of older cameras": b"MM\0*\0\0\0\x10MMMMRawT",
    "MRW": b"\0MRM\0\0\x0a\x0c",
    "X3F": b"FOVb\0\2\2\0",
    "CR3": b"\0\0\0\x18ftypcrx \0\0\0\1crx isom",
    "RAF": b"FUJIFILMCCD-RAW 0201",
    "ORF": b"IIRO\x08\0\0\0",
    "ORF of a C-5050": b"IIRS\x08\0\0\0",
    "ORF of an E-10": b"MMOR\0\0\0\x08",
    "RW2": b"IIU\0\x18\0\0\0",
}


def camera_tags(neutral: tuple[float, float, float] = (1, 1, 1), orientation: int = 1) -> dict[int, Value]:
    """Of the first directory. `neutral`: what the sensor sees of something white."""
    return {
        271: "Maker", 272: "Model", 274: orientation, 50706: bytes([1, 4, 0, 0]), 50708: "Maker Model",
        50721: tuple(Fraction(round(number * 10_000), 10_000) for number in TO_SRGB),
        50728: tuple(Fraction(round(number * 10_000), 10_000) for number in neutral), 50778: D65,
    }


def sensor(linear: np.ndarray, **tags: Value) -> Directory:
    """`linear`: light of 0 to 1, (height, width, 3), which red, green, green and blue sensors in turn see."""
    values = np.round(linear * WHITE_LEVEL).astype("<u2")
    mosaic = values[..., 1].copy()
    mosaic[::2, ::2], mosaic[1::2, 1::2] = values[::2, ::2, 0], values[1::2, 1::2, 2]
    height, width = mosaic.shape
    entries = {
        254: 0, 256: width, 257: height, 258: 16, 259: 1, 262: CFA, 277: 1, 278: height,
        33421: (2, 2), 33422: bytes([0, 1, 1, 2]), 50714: 0, 50717: WHITE_LEVEL,
        **{int(name[1:]): value for name, value in tags.items()},
    }
    return Directory(entries, mosaic.tobytes())


def preview(jpeg: bytes, size: tuple[int, int], **tags: Value) -> Directory:
    entries = {
        254: REDUCED, 256: size[0], 257: size[1], 258: (8, 8, 8), 259: JPEG_COMPRESSION, 262: YCBCR, 277: 3,
        278: size[1], **{int(name[1:]): value for name, value in tags.items()},
    }
    return Directory(entries, jpeg)


def dng(linear: np.ndarray, jpeg: bytes = b"", size: tuple[int, int] = (0, 0), **camera) -> bytes:
    """As Adobe writes them: a thumbnail, below it the sensor's values and perhaps a preview."""
    thumbnail = of_picture(drawn(3, size=(32, 24)), t254=REDUCED)
    thumbnail.tags.update(camera_tags(**camera))
    thumbnail.below = [sensor(linear), *([preview(jpeg, size)] if jpeg else [])]
    return tiff_of(thumbnail)


def bare_dng(linear: np.ndarray, changes: dict[str, Value] | None = None, **camera) -> bytes:
    """As phones write them: one directory. `changes`: tags of it, t256=1 and so on."""
    whole = sensor(linear, **changes or {})
    whole.tags.update(camera_tags(**camera))
    return tiff_of(whole)


def linear_dng(linear: np.ndarray, **camera) -> bytes:
    """Three colours for each pixel, as programs write it that have put several exposures together."""
    whole = sensor(linear, t262=LINEAR_RAW, t277=3, t258=(16, 16, 16))
    whole.tags = {tag: value for tag, value in whole.tags.items() if tag not in (33421, 33422)}
    whole.tags.update(camera_tags(**camera))
    whole.strip = np.round(linear * WHITE_LEVEL).astype("<u2").tobytes()
    return tiff_of(whole)


def light(colour: tuple[float, float, float], size: tuple[int, int] = (64, 48)) -> np.ndarray:
    return np.full((size[1], size[0], 3), colour, np.float32)
