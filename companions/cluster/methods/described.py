"""A picture as its keypoints: where they lie, 256 bits of each, and the picture itself very small; as bytes.

Bytes: height and width of the small picture and the number of points, uint16 little-endian; the small
picture; the points as uint16 in 64ths of a pixel, x before y; 32 bytes of descriptor each.
"""
import struct
from dataclasses import dataclass

import cv2
import numpy as np

SIDE = 512  # longer side of the frame in which points are told
SMALL_SIDE = 64  # and of the small picture
BYTES = 32  # of a descriptor
_PARTS = 64  # of a pixel: SIDE of them fit into 16 bits
_HEAD = struct.Struct("<HHH")


@dataclass(frozen=True)
class Described:
    """points: float32 (n, 2), x and y from 0 to SIDE; bits: uint8 (n, 32); small: uint8 (height, width)."""

    points: np.ndarray
    bits: np.ndarray
    small: np.ndarray

    @property
    def frame(self) -> tuple[float, float]:
        """Width and height, in the units of the points."""
        height, width = self.small.shape
        return width * SIDE / SMALL_SIDE, height * SIDE / SMALL_SIDE

    def as_bytes(self) -> bytes:
        places = np.rint(self.points * _PARTS).astype("<u2")
        head = _HEAD.pack(*self.small.shape, len(places))
        return b"".join([head, self.small.tobytes(), places.tobytes(), self.bits.tobytes()])


def described(blob: bytes) -> Described:
    height, width, count = _HEAD.unpack_from(blob)
    rest = np.frombuffer(blob, np.uint8, offset=_HEAD.size)
    small, places, bits = np.split(rest, [height * width, height * width + 4 * count])
    points = places.view("<u2").astype(np.float32).reshape(count, 2) / _PARTS
    return Described(points, bits.reshape(count, BYTES), small.reshape(height, width))


def first_bits(blob: bytes, most: int) -> np.ndarray:
    """uint8 (n, 32): the descriptors of its first points, without the rest."""
    height, width, count = _HEAD.unpack_from(blob)
    begin = _HEAD.size + height * width + 4 * count
    return np.frombuffer(blob, np.uint8, BYTES * min(count, most), begin).reshape(-1, BYTES)


def made_small(grey: np.ndarray) -> np.ndarray:
    height, width = (max(1, round(length * SMALL_SIDE / max(grey.shape))) for length in grey.shape)
    return cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA)
