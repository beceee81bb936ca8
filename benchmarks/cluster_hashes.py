"""Near pairs among perceptual hashes of 20,000 and 100,000 pictures: all found, how soon, in what memory.

    python -m benchmarks.cluster_hashes    # a minute, most of it for drawing them and comparing all with all

The pictures are drawn with as much of fine and coarse as photographs have (amplitudes fall with frequency),
so that their hashes collide as real ones do; one in a hundred is a copy with some bits of its hash flipped.
"""
import tracemalloc
from collections.abc import Iterator
from itertools import islice

import numpy as np

from benchmarks.measure import Measurement, report, seconds
from companions.cluster.methods.image_hash import SMALL, ImageHash
from companions.cluster.methods.method import Pair

FEW, MANY = 20_000, 100_000
PLANTED = 100  # one in so many
TURNS = 3
MOST_SECONDS, MOST_GROWTH, MOST_MIB = 15.0, (MANY / FEW) ** 1.5, 100.0
CONTRAST = 50  # standard deviation of brightness
METHOD = ImageHash()
MOST_FLIPPED = round((1 - METHOD.threshold) * 64)
AT_ONCE = 1000


class Drawn(list):
    """Features in memory, as methods.method.Features."""

    def of(self, numbers: list[int]) -> list[bytes]:
        return [self[number] for number in numbers]

    def blocks(self) -> Iterator[tuple[int, list[bytes]]]:
        for start in range(0, len(self), AT_ONCE):
            yield start, self[start:start + AT_ONCE]


def pictures(chance: np.random.Generator) -> Iterator[np.ndarray]:
    rows, columns = np.meshgrid(np.fft.fftfreq(SMALL), np.fft.rfftfreq(SMALL), indexing="ij")
    frequency = np.hypot(rows, columns)
    frequency[0, 0] = np.inf
    while True:
        waves = chance.standard_normal((2, AT_ONCE, *frequency.shape)) / frequency
        drawn = np.fft.irfft2(waves[0] + 1j * waves[1], (SMALL, SMALL))
        drawn *= CONTRAST / drawn.std((1, 2), keepdims=True)
        grey = np.clip(128 + drawn, 0, 255).astype(np.uint8)
        yield from np.repeat(grey[..., None], 3, axis=-1)


def drawn_features(count: int) -> Drawn:
    chance = np.random.default_rng(7)
    features = [METHOD.features(picture) for picture in islice(pictures(chance), count)]
    for copy in chance.choice(count, count // PLANTED, replace=False):
        bits = chance.choice(64, chance.integers(MOST_FLIPPED + 1), replace=False)
        code = int.from_bytes(features[chance.integers(count)], "big") ^ sum(1 << int(bit) for bit in bits)
        features[copy] = code.to_bytes(8, "big")
    return Drawn(features)


def near_pairs(features: Drawn) -> set[tuple[int, int]]:
    """All compared with all."""
    codes = np.frombuffer(b"".join(features), ">u8").astype(np.uint64)
    pairs = set()
    for distance in range(1, len(codes)):
        near = np.flatnonzero(np.bitwise_count(codes[distance:] ^ codes[:-distance]) <= MOST_FLIPPED)
        pairs.update((place, place + distance) for place in near.tolist())
    return pairs


def measure() -> Iterator[Measurement]:
    few, many = drawn_features(FEW), drawn_features(MANY)
    spent_few, spent_many = quickest(few), quickest(many)
    for features in (few, many):
        pairs, truth = [pair[:2] for pair in METHOD.pairs(features, METHOD.threshold)], near_pairs(features)
        assert len(pairs) == len(set(pairs)), "a pair is told twice"
        yield Measurement(
            f"imagehash, {len(features):,} pictures, near pairs found", len(truth & set(pairs)), "pairs",
            "all compared with all", len(truth), len(truth & set(pairs)) / len(truth), "= 1")
    yield Measurement(
        f"imagehash, pairs of {MANY:,} pictures", spent_many, "s", "fifteen seconds", MOST_SECONDS,
        spent_many / MOST_SECONDS, "<= 1")
    yield Measurement(
        f"imagehash, growth from {FEW:,} to {MANY:,} pictures", spent_many / spent_few, "times",
        "n to the power of 1.5", MOST_GROWTH, spent_many / spent_few / MOST_GROWTH, "<= 1")
    peak = peak_mib(many)
    yield Measurement(
        f"imagehash, memory of the search among {MANY:,}", peak, "MiB", "1 KB a picture", MOST_MIB,
        peak / MOST_MIB, "<= 1")


def quickest(features: Drawn) -> float:
    return min(seconds(lambda: _search(features)) for _ in range(TURNS))


def _search(features: Drawn) -> list[Pair]:
    return list(METHOD.pairs(features, METHOD.threshold))


def peak_mib(features: Drawn) -> float:
    tracemalloc.start()
    _search(features)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 2 ** 20


if __name__ == "__main__":
    report(measure())
