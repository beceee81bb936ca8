"""The same corners in the same places: corners (Harris and Stephens 1988) as a set of cells of the picture,
and the share of two such sets that is common (Jaccard), estimated by MinHash (Broder 1997)."""
from collections.abc import Iterator

import cv2
import numpy as np

from companions.cluster.methods.all_over import all_over
from companions.cluster.methods.buckets import counted, entries, numbers_of, pairs_in_buckets
from companions.cluster.methods.method import DIGITS, Features, Pair

CORNERS = 200
APART, QUALITY = 8, 0.00001  # pixels between two; of the strongest corner's strength
GRID = 32  # cells across and down a square
FEWEST = 12  # corners: fewer say nothing of a picture
BANDS, ROWS = 42, 3  # half of the corners in common: offered 996 times in 1,000; none: 20 times
_drawn = np.random.RandomState(18)  # its numbers are promised never to change
_RANKS = np.array([_drawn.permutation(GRID * GRID) for _ in range(BANDS * ROWS)], dtype="<u2")
_FACTORS = _drawn.randint(1, 2**62, ROWS).astype(np.uint64)


class MinHash:
    name, version, threshold, side = "minhash", 1, 0.45, 256

    def features(self, picture: np.ndarray) -> bytes:
        """The least rank of its cells in each of the orders; nothing for a picture of too few corners."""
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        corners = cv2.goodFeaturesToTrack(grey, 0, QUALITY, APART, useHarrisDetector=True)
        if corners is None or len(corners) < FEWEST:
            return b""
        places = corners.reshape(-1, 2)
        chosen = all_over(places, -np.arange(len(places)), grey.shape)[:CORNERS]  # they come strongest first
        cells = (places[chosen] * GRID / self.side).astype(int) @ (1, GRID)
        return _RANKS[:, cells].min(axis=1).tobytes()

    def pairs(self, features: Features, threshold: float) -> Iterator[Pair]:
        codes, counts = np.zeros(0, np.uint64), np.zeros(0, np.uint16)
        for band in range(BANDS):
            codes, counts = counted(codes, counts, pairs_in_buckets(_entries(features, band)))
        for first, second in numbers_of(codes):
            similarity = self.similarity(*features.of([first, second]))
            if similarity >= threshold:
                yield Pair(first, second, similarity)

    def similarity(self, first: bytes, second: bytes) -> float:
        if not first or not second:
            return float(first == second)
        same = np.frombuffer(first, "<u2") == np.frombuffer(second, "<u2")
        return round(float(same.mean()), DIGITS)


def _entries(features: Features, band: int) -> np.ndarray:
    of_pictures = [np.zeros(0, np.uint64)]
    for start, blobs in features.blocks():
        for number, blob in enumerate(blobs, start):
            if blob:
                ranks = np.frombuffer(blob, "<u2", ROWS, 2 * ROWS * band).astype(np.uint64)
                of_pictures.append(entries(np.atleast_1d(ranks @ _FACTORS), number))
    return np.concatenate(of_pictures)
