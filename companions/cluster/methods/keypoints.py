"""Pictures as hundreds of their points: two are alike if these fit, and the pictures where they lie.

ORB (Rublee et al. 2011) is quick; SIFT (Lowe 2004), here as bits, finds also what was turned, mirrored or
framed.
"""
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter

import cv2
import numpy as np

from companions.cluster.methods.all_over import all_over
from companions.cluster.methods.described import SIDE, Described, described, made_small
from companions.cluster.methods.keypoint_index import offered
from companions.cluster.methods.method import DIGITS, Features, Pair
from companions.cluster.methods.sift_bits import mirrored_bits, sift_bits
from companions.cluster.methods.verification import share_that_fits

DETECTED = 2000  # points, the strongest, of which those from all over the picture are kept
EDGES = (20, 5)  # grey levels that a corner of ORB differs by; the second for pictures that have few
FEW = 250
FAINT = 0.02  # contrast of SIFT's points; at its usual .04 skies and fog have none
TOGETHER = 64  # pictures whose features are in memory at once, besides the one they are compared with

cv2.setNumThreads(1)


class Orb:
    name, version, threshold, side = "orb", 1, 0.1, SIDE
    points = 400
    farthest = 64  # bits of 256 between descriptors of one point
    fewest = 10  # points that fit; unlike pictures reach 9

    def features(self, picture: np.ndarray) -> bytes:
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        keypoints, bits = self.detected(grey)
        points = np.array([keypoint.pt for keypoint in keypoints]).reshape(-1, 2)
        strength = np.array([keypoint.response for keypoint in keypoints])
        chosen = all_over(points, strength, grey.shape)[:self.points]
        return Described(points[chosen], bits[chosen], made_small(grey)).as_bytes()

    def detected(self, grey: np.ndarray) -> tuple[Sequence[cv2.KeyPoint], np.ndarray]:
        for edge in EDGES:
            orb = cv2.ORB.create(nfeatures=DETECTED, fastThreshold=edge)
            keypoints, bits = orb.detectAndCompute(grey, None)
            if len(keypoints) >= FEW:
                break
        return keypoints, np.zeros((0, 32), np.uint8) if bits is None else bits

    def looks(self, bits: np.ndarray) -> list[np.ndarray]:
        return [bits]

    def pairs(self, features: Features, threshold: float) -> Iterator[Pair]:
        for first, pairs in groupby(offered(features, self.looks), key=itemgetter(0)):
            seconds = [second for _, second in pairs]
            for start in range(0, len(seconds), TOGETHER):
                yield from self.verified(features, first, seconds[start:start + TOGETHER], threshold)

    def verified(
        self, features: Features, first: int, seconds: Sequence[int], threshold: float,
    ) -> Iterator[Pair]:
        here, *blobs = features.of([first, *seconds])
        for second, blob in zip(seconds, blobs, strict=True):
            similarity = self.similarity(here, blob)
            if similarity >= threshold:
                yield Pair(first, second, similarity)

    def similarity(self, first: bytes, second: bytes) -> float:
        """Points that fit, as a share of those that could."""
        if first == second:
            return 1.0
        pictures = map(described, sorted((first, second)))  # RANSAC is not the same both ways
        return round(self.share(*pictures), DIGITS)

    def share(self, first: Described, second: Described) -> float:
        return share_that_fits(first, second, self.farthest, self.fewest)


class Sift(Orb):
    name = "sift"
    farthest = 76
    fewest = 8  # unlike pictures that look alike where these lie: none of 1,500 pairs

    def detected(self, grey: np.ndarray) -> tuple[Sequence[cv2.KeyPoint], np.ndarray]:
        sift = cv2.SIFT.create(nfeatures=DETECTED, contrastThreshold=FAINT)
        keypoints, descriptors = sift.detectAndCompute(grey, None)
        return keypoints, sift_bits(np.zeros((0, 128), np.float32) if descriptors is None else descriptors)

    def looks(self, bits: np.ndarray) -> list[np.ndarray]:
        return [bits, mirrored_bits(bits)]

    def share(self, first: Described, second: Described) -> float:
        return max(super().share(first, second), super().share(mirrored(first), second))


def mirrored(picture: Described) -> Described:
    points = np.column_stack([picture.frame[0] - picture.points[:, 0], picture.points[:, 1]])
    return Described(points.astype(np.float32), mirrored_bits(picture.bits), picture.small[:, ::-1])
