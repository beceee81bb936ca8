"""ICC profiles drawn as bytes: of RGB by primaries and a curve, of grey by a curve, of CMYK by a table."""
import struct
from collections.abc import Callable
from itertools import product

import numpy as np

D50 = (0.9642, 1.0, 0.8249)  # the white that every profile is about, as XYZ
D65 = (0.3127, 0.3290)  # white points and primaries as CIE xy
WHITE_OF_PROPHOTO = (0.3457, 0.3585)
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])

SRGB_PRIMARIES = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
SWAPPED_PRIMARIES = ((0.30, 0.60), (0.15, 0.06), (0.64, 0.33))
P3_PRIMARIES = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
REC_2020_PRIMARIES = ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046))
ADOBE_PRIMARIES = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
PROPHOTO_PRIMARIES = ((0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001))

Curve = Callable[[np.ndarray], np.ndarray]  # of 0 to 1: what is stored -> light


def srgb_curve(stored: np.ndarray) -> np.ndarray:
    return np.where(stored <= 0.04045, stored / 12.92, ((stored + 0.055) / 1.055) ** 2.4)


def gamma(exponent: float) -> Curve:
    return lambda stored: stored**exponent


def rgb_profile(primaries, curve: Curve = srgb_curve, white=D65) -> bytes:
    matrix = rgb_to_xyz_d50(primaries, white)
    tags = {name: _xyz(column) for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), matrix.T, strict=True)}
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), _curve(curve))
    return _profile(b"mntr", b"RGB ", b"XYZ ", tags)


def grey_profile(curve: Curve) -> bytes:
    return _profile(b"mntr", b"GRAY", b"XYZ ", {b"kTRC": _curve(curve)})


def cmyk_profile(to_rgb: Callable[[np.ndarray], np.ndarray], grid: int = 7) -> bytes:
    """to_rgb: shares of ink (n, 4) -> sRGB (n, 3), both 0 to 1."""
    inks = np.array(list(product(np.linspace(0, 1, grid), repeat=4)))
    lab = _xyz_to_lab(srgb_curve(to_rgb(inks)) @ rgb_to_xyz_d50(SRGB_PRIMARIES, D65).T)
    # Lab as 16 bits: 0xFF00 is L* 100, 0x8000 is a* or b* 0.
    table = np.round((lab + [0, 128, 128]) * [652.8, 256, 256]).clip(0, 65535).astype(">u2")
    straight = np.array([0, 65535], ">u2").tobytes()
    head = struct.pack(">4s4x4B9i2H", b"mft2", 4, 3, grid, 0, *_fixed(np.eye(3).ravel()), 2, 2)
    lut = head + 4 * straight + table.tobytes() + 3 * straight
    return _profile(b"prtr", b"CMYK", b"Lab ", {b"A2B0": lut})


def printed(inks: np.ndarray) -> np.ndarray:
    """What inks that let some light through look like: (..., 4) -> sRGB (..., 3), all 0 to 1."""
    return (1 - 0.85 * inks[..., :3]) * (1 - 0.9 * inks[..., 3:])


def rgb_to_xyz_d50(primaries, white) -> np.ndarray:
    """Columns: the XYZ of red, green and blue light, adapted from `white` to D50 (Bradford)."""
    columns = np.array([(x / y, 1, (1 - x - y) / y) for x, y in primaries]).T
    x, y = white
    white_xyz = np.array([x / y, 1, (1 - x - y) / y])
    columns = columns * np.linalg.solve(columns, white_xyz)
    cones = np.diag((BRADFORD @ D50) / (BRADFORD @ white_xyz))
    return np.linalg.inv(BRADFORD) @ cones @ BRADFORD @ columns


def _xyz_to_lab(xyz: np.ndarray) -> np.ndarray:
    ratios = xyz / D50
    x, y, z = np.where(ratios > 216 / 24389, np.cbrt(ratios), (24389 / 27 * ratios + 16) / 116).T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


def _fixed(numbers) -> list[int]:
    return [round(float(number) * 65536) for number in numbers]


def _xyz(values) -> bytes:
    return struct.pack(">4s4x3i", b"XYZ ", *_fixed(values))


def _curve(curve: Curve) -> bytes:
    entries = np.round(curve(np.linspace(0, 1, 1024)) * 65535).astype(">u2")
    return struct.pack(">4s4xI", b"curv", len(entries)) + entries.tobytes()


def _profile(kind: bytes, space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    name = b"drawn\0"
    tags = {
        b"desc": struct.pack(">4s4xI", b"desc", len(name)) + name + bytes(78),
        b"cprt": b"text" + bytes(4) + b"none\0",
        b"wtpt": _xyz(D50),
        **tags,
    }
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for tag, data in tags.items():
        table += struct.pack(">4sII", tag, start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    names = kind, space, connection, b"acsp"
    head = struct.pack(">I4xI4s4s4s12x4s28x3i", start + len(body), 0x02400000, *names, *_fixed(D50))
    return head.ljust(128, b"\0") + table + body


SRGB = rgb_profile(SRGB_PRIMARIES)
DISPLAY_P3 = rgb_profile(P3_PRIMARIES)
ADOBE_RGB = rgb_profile(ADOBE_PRIMARIES, gamma(563 / 256))
PROPHOTO_RGB = rgb_profile(PROPHOTO_PRIMARIES, gamma(1.8), WHITE_OF_PROPHOTO)
SWAPPED = rgb_profile(SWAPPED_PRIMARIES)
DARK_GREY = grey_profile(gamma(3.0))
CMYK = cmyk_profile(printed)
