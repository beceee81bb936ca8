"""Whether the results of stages 3 and 4 will fit on the disk: asked before millions of links are placed, not found out after an hour."""
import os
import shutil
from collections import Counter
from pathlib import Path

from cache.image_limits import MIB
from cache.refusal import Refused

# Measured with 100,000 pictures x 60 models; paths of 40 characters, as a rule.
LINK_BYTES = 160  # per picture and model: an entry in a bin's folder, a line of output.json
ROW_BYTES = 1_250  # per picture, model and table: the row with its indexes, and once more in the journal until the run is over


def refuse_if_too_little(needs: list[tuple[str, int]]) -> None:
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
                          "make room, or score without placing the pictures (--place none)")


def _nearest_existing(path: Path) -> Path:
    return path if path.exists() else _nearest_existing(path.parent)
