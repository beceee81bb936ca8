"""A batch on the CPU: parts of it, each on a core of its own.

Cores that share one layer wait for each other at its end, and wait long where decoders run beside them: 6 %
of a whole run on two cores.
"""
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from cache.encoders.loaded import Loaded, embed

Result = TypeVar("Result")

# Two batches would take the cores from each other, and each would take the other's number of threads for the
# program's.
_ONE_BATCH = threading.Lock()


def embed_side_by_side(loaded: Loaded, crops: np.ndarray) -> np.ndarray:
    """uint8 (n, size, size, 3) -> float32 (n, d), in the order of the crops."""
    import torch

    with _ONE_BATCH:
        cores = _cores()
        parts = np.array_split(crops, _part_count(len(crops), loaded.part, cores))
        streams = min(cores, len(parts))
        threads_each = cores // streams
        try:
            with ThreadPoolExecutor(streams, "encoder", torch.set_num_threads, (threads_each,)) as threads:
                return np.concatenate(list(threads.map(lambda part: embed(loaded, part), parts)))
        finally:
            _in_a_fresh_thread(torch.set_num_threads, cores)


def _cores() -> int:
    """As many threads as the program lets torch use. Asked between batches: torch hands the number that was
    set last to threads yet to come, and a thread that began to use torch within a batch keeps that of the
    batch."""
    import torch

    return _in_a_fresh_thread(torch.get_num_threads)


def _in_a_fresh_thread(call: Callable[..., Result], *arguments: object) -> Result:
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(call, *arguments).result()


def _part_count(pictures: int, part: int, cores: int) -> int:
    """Parts of at most `part` pictures; as many for each core, unless that would halve them."""
    count = max(1, -(-pictures // part))
    even = -(-count // cores) * cores
    return even if 2 * (pictures // even) >= part else count
