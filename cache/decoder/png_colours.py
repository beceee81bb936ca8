"""What a PNG says about its colours without an ICC profile (its chunks gAMA and cHRM), as an ICC profile."""
import struct

import numpy as np

SRGB_GAMMA = 0.45455  # how a PNG says sRGB where it has no chunk for it (PNG, 11.3.2.5)
SRGB = (0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)  # x and y of white, red, green and blue
NEAR = 0.005
TAGS = (b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC")
HEADER = ">I4xI4s4s4s12x4s28x3i"  # size, version, class, space, connection, signature, white
VERSION = 0x04200000
D50 = (0.9642, 1.0, 0.8249)  # the white of every profile, as XYZ
# From XYZ to the responses of the eye's cones, which are scaled from one white to the other (Bradford).
CONES = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def profile_of_chunks(info: dict) -> bytes:
    """From what Pillow keeps of the chunks. Empty without gAMA, beside a chunk sRGB, and where they say sRGB.
    cHRM alone counts for nothing, as in browsers."""
    gamma = info.get("gamma")
    if not gamma or "srgb" in info:
        return b""
    colours = info.get("chromaticity", SRGB)
    if abs(gamma - SRGB_GAMMA) < NEAR and np.allclose(colours, SRGB, rtol=0, atol=NEAR):
        return b""
    try:
        with np.errstate(all="ignore"):
            return _profile(1 / gamma, _to_xyz(np.reshape(colours, (4, 2))))
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


def _profile(exponent: float, lights: np.ndarray) -> bytes:
    """Of a display with these lights and one power as its curves (ICC.1:2010, 7 and 8.3.3)."""
    tags = [_numbers(b"XYZ ", *light) for light in lights.T]
    tags += [_numbers(b"para", 0, exponent)] * 3  # kind 0: a power
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
