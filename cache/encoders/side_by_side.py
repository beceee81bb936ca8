"""A batch on the CPU: parts of it, each on a core of its own.

Cores that share one layer wait for each other at its end, and wait long where decoders run beside them: 6 %
of a whole run on two cores.
"""
import functools
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from cache.encoders.loaded import Loaded, embed

# Two batches would take the cores from each other, and the number of torch's threads is the process's.
_ONE_BATCH = threading.Lock()


def embed_side_by_side(loaded: Loaded, crops: np.ndarray) -> np.ndarray:
    """uint8 (n, size, size, 3) -> float32 (n, d), in the order of the crops."""
    import torch

    with _ONE_BATCH:
        parts = np.array_split(crops, _part_count(len(crops), loaded.part, _cores()))
        streams = min(_cores(), len(parts))
        threads_each = _cores() // streams
        try:
            with ThreadPoolExecutor(streams, "encoder", torch.set_num_threads, (threads_each,)) as threads:
                return np.concatenate(list(threads.map(lambda part: embed(loaded, part), parts)))
        finally:
            # torch hands the number that was set last to threads yet to come.
            torch.set_num_threads(_cores())


@functools.cache
def _cores() -> int:
    """As many threads as torch would use. Asked once: while a batch is embedded, torch gives other threads
    another answer."""
    import torch

    return torch.get_num_threads()


def _part_count(pictures: int, part: int, cores: int) -> int:
    """Parts of at most `part` pictures; as many for each core, unless that would halve them."""
    count = max(1, -(-pictures // part))
    even = -(-count // cores) * cores
    return even if 2 * (pictures // even) >= part else count
