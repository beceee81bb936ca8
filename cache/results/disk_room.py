"""Whether the results of stages 3 and 4 will fit on the disk: asked before anything is scored, not an hour
later."""
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from cache.limits import MIB
from cache.reader.image_source import walk
from cache.reader.source_file import SourceFile
from cache.refusal import Refused
from cache.results.settings import CACHE_FOLDER, ScoreSettings, ScoringStage
from cache.stores.score_table import ScoreTable

# Bytes per score, from 100,000 pictures x 60 models with paths of 40 characters, rounded up.
# In each table: a row with its indexes, and again in the journal, with the indexes of an earlier row.
ROW_BYTES = 1_450
SORTING_BYTES = 310  # in SQLite's temporary folder: the listing of the run, and the sorting for these indexes
# A table of an older version grows by its rows of today, and so does the journal: 1.8 times its file.
TIMES_OLDER = 2
TEXT_BYTES = 100  # in output.json
CSV_BYTES = 250  # in scores.csv, where every line has the path and the hash
LINK_BYTES = 60  # in the folder of a bin; where there are no hard links, it is a whole copy


def refuse_too_little_room(
    stage: ScoringStage, settings: ScoreSettings, output: str, models: int, tables: Sequence[ScoreTable],
) -> None:
    """Raises Refused if the results under so many models will not fit. An estimate from one listing, in
    which nothing is decoded; but inner ZIPs are unpacked for it. 100,000 files take 2 s."""
    files = size = 0
    largest = settings.limits.max_member_mib * MIB
    for item in walk(settings.source, stage.archives, limits=settings.limits):
        if isinstance(item, SourceFile) and item.size <= largest:
            files, size = files + 1, size + item.size
    scores = files * models
    text_bytes = TEXT_BYTES + (CSV_BYTES if settings.csv else 0)
    older_bytes = sum(table.bytes_of_older() for table in tables)
    needs = [
        (CACHE_FOLDER, scores * len(tables) * ROW_BYTES + older_bytes * TIMES_OLDER),
        (_sqlite_temporary_folder(), scores * SORTING_BYTES + older_bytes // 2),
        (output, scores * text_bytes),
    ]
    _refuse_if_too_little(needs, "make room")
    if settings.place:
        needs.append((output, size + scores * LINK_BYTES))
        _refuse_if_too_little(needs, "make room, or score without placing the pictures (--place none)")


def _refuse_if_too_little(needs: list[tuple[str, int]], advice: str) -> None:
    """needs: folders and bytes. Raises Refused if a file system has less than all its folders need
    together."""
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
            raise Refused(
                f"the results need about {count // MIB:,} MiB, "
                f"and the disk of {folders[device]} has {free // MIB:,} MiB free; {advice}")


def _sqlite_temporary_folder() -> str:
    """Not quite Python's: https://www.sqlite.org/tempfiles.html, section 5."""
    for folder in (os.environ.get("SQLITE_TMPDIR"), os.environ.get("TMPDIR"), "/var/tmp", "/usr/tmp", "/tmp"):
        if folder and os.path.isdir(folder) and os.access(folder, os.W_OK):
            return folder
    return tempfile.gettempdir()


def _nearest_existing(path: Path) -> Path:
    return path if path.exists() else _nearest_existing(path.parent)
