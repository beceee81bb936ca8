"""Bundles of models, as tests compare them."""
from pathlib import Path

from cache.models.bundle_file import STAMPS, read_arrays


def without_stamps(path: Path) -> bytes:
    """What two trainings have in common: the stamps are the last bytes."""
    return path.read_bytes()[:-len(read_arrays(path)[STAMPS])]
