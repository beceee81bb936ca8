"""What a file says about its colours, as an ICC profile.

It may hold one, or the numbers of CICP (PNG, AVIF, HEIC), or gAMA and cHRM (PNG).
"""
import io
import re
import struct
from typing import cast

import numpy as np
from PIL import ImageFile

WHITE = (0.3127, 0.3290)  # D65, of all primaries below
SRGB = (*WHITE, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)  # x and y of white, red, green and blue
PRIMARIES = {  # by their number in CICP (H.273)
    1: SRGB,
    9: (*WHITE, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    12: (*WHITE, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
}
POWER, SRGB_CURVE = 0, (3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)  # ICC's parametricCurveType
CURVES = {4: (POWER, 2.2), 8: (POWER, 1.0), 13: SRGB_CURVE}  # by their number in CICP, but for HDR
VIDEO = (1, 6, 14, 15)  # curves of cameras, which browsers show as those of screens
CURVES_OF_PNG = {**CURVES, **dict.fromkeys(VIDEO, (POWER, 2.4))}
CURVES_OF_HEIF = {**CURVES, **dict.fromkeys((2, *VIDEO), SRGB_CURVE)}  # AVIF, too; 2: not said

SRGB_GAMMA = 0.45455  # how a PNG says sRGB where it has no chunk for it (PNG, 11.3.2.5)
NEAR = 0.005

CHUNK = re.compile(rb"\x00\x00\x00\x04cICP(.)(.)\x00", re.DOTALL)  # of a PNG
BOX = re.compile(rb"colrnclx\x00(.)\x00(.)", re.DOTALL)  # of an AVIF
NO_NCLX = {"color_primaries": 0, "transfer_characteristics": 0}  # what pi_heif gives of a HEIC's box
TAGS = (b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC")
HEADER = ">I4xI4s4s4s12x4s28x3i"  # size, version, class, space, connection, signature, white
VERSION = 0x04200000
D50 = (0.9642, 1.0, 0.8249)  # the white of every profile, as XYZ
# From XYZ to the responses of the eye's cones, which are scaled from one white to the other (Bradford).
CONES = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def declared_profile(image: ImageFile.ImageFile) -> bytes:
    """What an opened picture goes by, before it is loaded; empty if it says nothing. Of several declarations
    that counts which browsers go by."""
    icc = image.info.get("icc_profile")
    if not isinstance(icc, bytes):
        icc = b""
    if image.format == "PNG":
        numbers = _numbers_in(CHUNK, _before(b"IDAT", image))
        return _by_number(*numbers, CURVES_OF_PNG) or icc or _by_chunks(image.info)
    if image.format == "AVIF":
        return icc or _by_number(*_numbers_in(BOX, _before(b"mdat", image)), CURVES_OF_HEIF)
    if image.format == "HEIF":
        nclx = image.info.get("nclx_profile", NO_NCLX)
        return icc or _by_number(nclx["color_primaries"], nclx["transfer_characteristics"], CURVES_OF_HEIF)
    return icc


def _before(pixels: bytes, image: ImageFile.ImageFile) -> bytes:
    data = cast(io.BytesIO, image.fp).getvalue()
    end = data.find(pixels)
    return data[:end] if end >= 0 else data  # no copy of what stands behind: a decoder's memory is limited


def _numbers_in(pattern: re.Pattern[bytes], head: bytes) -> tuple[int, int]:
    """Of primaries and curve; 0 where there are none."""
    numbers = pattern.search(head)
    return (ord(numbers[1]), ord(numbers[2])) if numbers else (0, 0)


def _by_number(primaries: int, curve: int, curves: dict[int, tuple]) -> bytes:
    if primaries not in PRIMARIES or curve not in curves:
        return b""
    return _profile(curves[curve], _to_xyz(np.reshape(PRIMARIES[primaries], (4, 2))))


def _by_chunks(info: dict) -> bytes:
    """From what Pillow keeps of a PNG's gAMA and cHRM. Empty without gAMA, beside a chunk sRGB, and where
    they mean sRGB. cHRM alone counts for nothing, as in browsers."""
    gamma = info.get("gamma")
    if not gamma or "srgb" in info:
        return b""
    colours = info.get("chromaticity", SRGB)
    if abs(gamma - SRGB_GAMMA) < NEAR and np.allclose(colours, SRGB, rtol=0, atol=NEAR):
        return b""
    try:
        with np.errstate(all="ignore"):
            return _profile((POWER, 1 / gamma), _to_xyz(np.reshape(colours, (4, 2))))
    except (ArithmeticError, ValueError, struct.error):  # colours that are none; LinAlgError is a ValueError
        return b""


def _to_xyz(colours: np.ndarray) -> np.ndarray:
    """Columns: red, green and blue light as XYZ under D50, from xy of white, red, green and blue."""
    x, y = colours.T
    xyz = np.array([x / y, np.ones(4), (1 - x - y) / y])
    white, lights = xyz[:, 0], xyz[:, 1:]
    lights = lights * np.linalg.solve(lights, white)
    scaled = CONES @ lights * ((CONES @ D50) / (CONES @ white))[:, None]
    return np.linalg.solve(CONES, scaled)


def _profile(curve: tuple, lights: np.ndarray) -> bytes:
    """Of a display with these lights and one curve for all (ICC.1:2010, 7, 8.3.3 and 10.18)."""
    tags = [_numbers(b"XYZ ", *light) for light in lights.T]
    tags += [_numbers(b"para", *curve)] * 3
    start = 128 + 4 + 12 * len(tags)
    table = struct.pack(">I", len(tags))
    for name, tag in zip(TAGS, tags, strict=True):
        table += struct.pack(">4sII", name, start, len(tag))
        start += len(tag)
    header = struct.pack(HEADER, start, VERSION, b"mntr", b"RGB ", b"XYZ ", b"acsp", *_fixed(*D50))
    return header.ljust(128, b"\0") + table + b"".join(tags)


def _numbers(kind: bytes, *values: float) -> bytes:
    return struct.pack(f">4s4x{len(values)}i", kind, *_fixed(*values))


def _fixed(*values: float) -> list[int]:
    return [round(value * 65536) for value in values]
