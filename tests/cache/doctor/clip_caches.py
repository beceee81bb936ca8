"""Clip caches to be examined."""

import numpy as np

from cache.reader.batches import Batch
from cache.stores.clip_table import ClipTable


def vectors(path: str, model: str = "tiny:w", rows: int = 6, width: int = 16) -> str:
    with ClipTable(path, create=True) as table:
        batch = Batch([], {f"{number:0128}": np.ones(width, np.float32) for number in range(rows)})
        table.add(batch, model, "fp32")
    return path
