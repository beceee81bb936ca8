"""The support vectors of many models, each once, however many models have it."""
from collections.abc import Sequence
from hashlib import blake2b

import numpy as np

from cache.models.score_forms import RadialRow

DIGEST_BYTES = 16


class SharedRows:
    """Rows are the same if their bits are. They are kept as float32 where that loses nothing: what stage 2
    learns from is float32."""

    def __init__(self, width: int):
        self._places: dict[bytes, int] = {}  # by the digest of a row
        self._blocks = [np.empty((0, width), np.float32)]

    def places_of(self, forms: Sequence[RadialRow]) -> list[np.ndarray]:
        """Where the support vectors of each form stand in rows(). What forms hold in one matrix is looked at
        once: a thousand models of 8,000 pictures name 300,000 rows."""
        by_matrix: dict[int, list[RadialRow]] = {}
        for form in forms:
            by_matrix.setdefault(id(form.support), []).append(form)
        place_of = {matrix: self._place_of_row(sharing) for matrix, sharing in by_matrix.items()}
        return [place_of[id(form.support)][form.places] for form in forms]

    def _place_of_row(self, sharing: Sequence[RadialRow]) -> np.ndarray:
        """For every row of their one matrix; -1 for those that none of these has."""
        support = sharing[0].support
        used = np.unique(np.concatenate([form.places for form in sharing]))
        vectors = np.ascontiguousarray(support[used], np.float64)
        before = len(self._places)
        places = [self._places.setdefault(_digest(vector), len(self._places)) for vector in vectors]
        _, first = np.unique(places, return_index=True)
        is_new = np.array(places, np.int64)[first] >= before
        self._blocks.append(as_narrow_as_exact(vectors[first[is_new]]))
        place_of_row = np.full(len(support), -1)
        place_of_row[used] = places
        return place_of_row

    def rows(self) -> np.ndarray:
        """float32 (n, width) if that holds them all, else float64"""
        return np.concatenate(self._blocks)


def as_narrow_as_exact(values: np.ndarray) -> np.ndarray:
    """float32 if that is the same numbers, else float64."""
    with np.errstate(over="ignore"):
        narrow = values.astype(np.float32)
    return narrow if np.array_equal(narrow, values) else values


def _digest(vector: np.ndarray) -> bytes:
    return blake2b(vector.data, digest_size=DIGEST_BYTES).digest()
