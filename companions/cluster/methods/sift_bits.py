"""SIFT descriptors as bits that know their mirror image: 128 that mirroring leaves, 128 that it turns over.

A descriptor counts edges in 4 x 4 cells by 8 directions, along the direction of its keypoint. Mirrored, its
rows are in reverse order and its directions negated, so that every number has a partner. Bits are the signs
of random sums: of sums of partners, less what these are on average, and of their differences. All numbers
are whole: the same bits on every machine.
"""
import numpy as np

HALF = 128  # bits of each kind
SEED = 18
_ROOT = 16  # of 255 is 256: roots as whole numbers (Arandjelovic and Zisserman 2012: roots compare better)
# Of the roots over 50 photographs, by outer or inner row, outer or inner column, and angle from 0 to 180.
_AVERAGE = np.array([
    [[67, 46, 36, 43, 55], [117, 68, 43, 43, 54]],
    [[83, 51, 40, 50, 69], [150, 83, 50, 54, 72]],
])
_RINGS = [0, 1, 1, 0]
_ANGLES = [0, 1, 2, 3, 4, 3, 2, 1]
_NUMBERS = np.arange(128).reshape(4, 4, 8)
_UPPER = _NUMBERS[:2].ravel()  # the partners of the upper rows are the lower ones
_LOWER = _NUMBERS[::-1, :, -np.arange(8)][:2].ravel()
_USUAL = 2 * _AVERAGE[np.ix_(_RINGS, _RINGS, _ANGLES)].ravel()[_UPPER]
_drawn = np.random.RandomState(SEED)  # its numbers are promised never to change
_SIGNS = _drawn.randint(0, 2, (2, 64, HALF)).astype(np.float32) * 2 - 1


def sift_bits(descriptors: np.ndarray) -> np.ndarray:
    """float32 (n, 128), as OpenCV gives them -> uint8 (n, 32)."""
    roots = np.rint(_ROOT * np.sqrt(descriptors))
    upper, lower = roots[:, _UPPER], roots[:, _LOWER]
    sums = [(upper + lower - _USUAL).astype(np.float32) @ _SIGNS[0], (upper - lower) @ _SIGNS[1]]
    return np.packbits(np.concatenate(sums, axis=1) > 0, axis=1)


def mirrored_bits(bits: np.ndarray) -> np.ndarray:
    """Those of the same points, had the picture been mirrored."""
    return bits ^ np.repeat(np.array([0, 255], np.uint8), HALF // 8)
