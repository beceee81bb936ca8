"""Whether the results of stages 3 and 4 will fit on the disk: asked before anything is scored, not found out after an hour."""
import os
import shutil
import tempfile
from collections import Counter
from pathlib import Path

from cache.decoder.limits import MIB
from cache.refusal import Refused

# Bytes per score, from 100,000 pictures x 60 models with paths of 40 characters, rounded up.
ROW_BYTES = 1_450  # in each table: the row with its indexes, and once more in the journal, with the indexes of as many rows from before
SORTING_BYTES = 310  # in SQLite's temporary folder: the listing of the run, and the sorting for these indexes
TEXT_BYTES = 100  # in output.json
CSV_BYTES = 250  # in scores.csv, where every line has the path and the hash
LINK_BYTES = 60  # in the folder of a bin; where there are no hard links, it is a whole copy


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


def sqlite_temporary_folder() -> str:
    """Not quite Python's: https://www.sqlite.org/tempfiles.html, section 5."""
    candidates = [os.environ.get("SQLITE_TMPDIR"), os.environ.get("TMPDIR"), "/var/tmp", "/usr/tmp", "/tmp"]
    return next((folder for folder in candidates if folder and os.path.isdir(folder) and os.access(folder, os.W_OK)), tempfile.gettempdir())


def _nearest_existing(path: Path) -> Path:
    return path if path.exists() else _nearest_existing(path.parent)
