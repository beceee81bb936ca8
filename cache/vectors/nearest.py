"""Which vectors are most like one, out of a stream of any length: memory holds a part of it."""
import heapq
from collections.abc import Iterable
from itertools import islice

import numpy as np

ROWS_AT_ONCE = 4096  # of 1,824 features 30 MB
SMALLEST_LENGTH = 1e-12  # of two vectors, multiplied: below, one of them points nowhere


def nearest(
    query: np.ndarray, vectors: Iterable[tuple[str, np.ndarray]], count: int,
) -> list[tuple[float, str]]:
    """(cosine, name) of the `count` vectors most like `query` (d,), the best first, equal ones by name
    backwards. Vectors of another width are passed over."""
    best: list[tuple[float, str]] = []
    comparable = ((name, vector) for name, vector in vectors if vector.shape == query.shape)
    while part := list(islice(comparable, ROWS_AT_ONCE)):
        names, rows = zip(*part, strict=True)
        likeness = cosines(np.stack(rows), query).tolist()
        best = heapq.nlargest(count, [*best, *zip(likeness, names, strict=True)])
    return best


def cosines(matrix: np.ndarray, query: np.ndarray) -> np.ndarray:
    """Of each row of the matrix (n, d) and the query (d,): (n,); 0 where either has no length."""
    lengths = np.linalg.norm(matrix, axis=1) * np.linalg.norm(query)
    return matrix @ query / np.maximum(lengths, SMALLEST_LENGTH)
