"""Whether the results of stages 3 and 4 will fit on the disk: asked before anything is scored, not found out after an hour."""
import os
import shutil
from collections import Counter
from pathlib import Path

from cache.image_limits import MIB
from cache.refusal import Refused

# Bytes per score, measured with 100,000 pictures x 60 models and paths of 40 characters.
ROW_BYTES = 1_250  # in each table: the row with its indexes, and once more in the journal until the run is over
SORTING_BYTES = 150  # in the temporary folder, while indexes are built
TEXT_BYTES = 100  # in output.json
LINK_BYTES = 60  # in the folder of a bin


def refuse_if_too_little(needs: list[tuple[str, int]], advice: str) -> None:
    """needs: folders and bytes. Raises Refused if a file system has less than all its folders need together."""
    wanted: Counter[int] = Counter()
    folders: dict[int, Path] = {}
    for folder, count in needs:
        existing = _nearest_existing(Path(folder).resolve())
        device = os.stat(existing).st_dev
        wanted[device] += count
        folders.setdefault(device, existing)
    for device, count in wanted.items():
        free = shutil.disk_usage(folders[device]).free
        if count > free:
            raise Refused(f"the results need about {count // MIB:,} MiB, and the disk of {folders[device]} has {free // MIB:,} MiB free; "
                          f"{advice}")


def _nearest_existing(path: Path) -> Path:
    return path if path.exists() else _nearest_existing(path.parent)
