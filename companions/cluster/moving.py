"""Originals move into the output, and back: the one thing here that touches the input, only when asked.

    go_on()    moves what the journal names and is not moved yet, also after a run that was killed
    undo()     moves all back, also what a killed run or a killed undo has left

Where a run was killed between two whole copies, the next one compares them, and removes the one that is in
the wrong place.
"""
import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING

from cache.files.listed_folder import write_listing
from cache.files.run_lock import locked
from cache.files.whole_file import make_folder
from cache.progress import PATIENCE, progress_bar
from cache.refusal import Refused
from cache.text import printable
from companions.cluster.journal import MOVED, MOVING, UNDOING, Journal, Move, journal_in
from companions.cluster.placing import CHANGED, GONE, PLACED, Left, Placed, Unfit
from companions.cluster.transfer import InTheWay, settle, transfer

if TYPE_CHECKING:
    from tqdm import tqdm

# Of one file or its folder; all others, a full disk among them, end the run.
OF_ONE_FILE = (
    errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR, errno.EEXIST, errno.EIO)


def is_cut_short(output: str, command: str) -> bool:
    """Whether the output is that of the same command, killed while it moved originals: then go_on()."""
    journal = journal_in(Path(output).resolve())
    return journal is not None and (journal.state, journal.command) == (MOVING, command)


def go_on(output: str) -> Placed:
    """Move what the journal in the output names and is not moved yet; without one nothing is done."""
    final = Path(output).resolve()
    with only_writer_of(final):
        journal = journal_in(final)
        if journal is None or journal.state != MOVING:
            return Placed()
        placed = _carried_out(
            journal, progress_bar(journal.count, "files", "moving", delay=PATIENCE), _moved)
        if placed.files:
            journal.enter(MOVED)
        else:
            _forget(journal)
    return placed


def undo(output: str) -> Placed:
    """Move the originals in the output back to where they were. Those that something else has taken the place
    of stay, are named, and a further undo tries again."""
    final = Path(output).resolve()
    if not final.is_dir():
        raise Refused(f"there is no folder {output}")
    with only_writer_of(final):
        journal = journal_in(final)
        if journal is None:
            raise Refused(f"{output} holds no moved originals; there is nothing to undo")
        if journal.state != UNDOING:
            journal = journal.enter(UNDOING)
        placed = _carried_out(
            journal, progress_bar(journal.count, "files", "moving back", delay=PATIENCE), _moved_back)
        if all(left.why == GONE for left in placed.left):
            _forget(journal)
    return placed


def refuse_moved_originals(output: Path) -> None:
    """Raises Refused for an output that no run may replace."""
    journal = journal_in(output)
    if journal is None:
        return
    undone = f"this puts them back: python -m companions.cluster undo {output}"
    if journal.state == MOVING:
        raise Refused(f"--output {output} is of another command, cut short while it moved originals there; "
                      f"that one goes on, {undone}")
    raise Refused(f"--output {output} holds originals that were moved there; {undone}")


@contextmanager
def only_writer_of(output: Path) -> Iterator[None]:
    """One run at a time replaces an output, or moves originals into it or out of it. The lock lies beside it:
    the output itself may be replaced meanwhile."""
    make_folder(output.parent)
    lock = locked(output.with_name(f".{output.name}.run.lock"))
    if lock is None:
        raise Refused(f"another run is writing into {output}; wait until it has ended")
    try:
        yield
    finally:
        lock.release()


def _carried_out(journal: Journal, bar: "tqdm", step: Callable[[Journal, Move, str], None]) -> Placed:
    placed = Placed()
    with bar:
        for number, move in enumerate(journal.moves()):
            try:
                step(journal, move, f".moving-{journal.token}-{number}")
                placed.files += 1
            except (Unfit, InTheWay) as unfit:
                placed.left.append(Left(printable(move.source), str(unfit)))
            bar.update()
    return placed


def _moved(journal: Journal, move: Move, half: str) -> None:
    start, end = move.source, str(journal.output / move.target)
    status = _status(start)
    is_as_planned = status and (status.st_size, status.st_mtime_ns) == (move.size, move.mtime_ns)
    _from_to(journal, start, end, half, None if is_as_planned else CHANGED)


def _moved_back(journal: Journal, move: Move, half: str) -> None:
    _from_to(journal, str(journal.output / move.target), move.source, half, None)


def _from_to(journal: Journal, start: str, end: str, half: str, obstacle: str | None) -> None:
    """Raises Unfit or InTheWay if it stays at the start. half: the name of a copy that is not finished, on
    either side; obstacle: why what lies at the start is not to be moved."""
    _check_inside(journal, start, end)
    for folder in {os.path.dirname(start), os.path.dirname(end)}:
        with suppress(OSError):
            os.unlink(os.path.join(folder, half))
    status = _status(start)
    if status is None:
        if _status(end) is None:
            raise Unfit(GONE)
        return
    if not S_ISREG(status.st_mode):
        raise Unfit("no longer a file")
    is_taken = os.path.lexists(end)
    if obstacle and not is_taken:
        raise Unfit(obstacle)
    try:
        if not is_taken:
            transfer(start, end, os.path.join(os.path.dirname(end), half))
        elif not settle(start, end):
            raise InTheWay(end)
    except OSError as error:
        if error.errno not in OF_ONE_FILE:
            raise
        raise Unfit(error.strerror) from None


def _check_inside(journal: Journal, *paths: str) -> None:
    """A link that has been put into the output leads nobody out of it."""
    for path in paths:
        folder = os.path.dirname(path)
        if folder.startswith(f"{journal.output}{os.sep}") and os.path.realpath(folder) != folder:
            raise Unfit("its folder in the output has become a link")


def _status(path: str) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except OSError:
        return None


def _forget(journal: Journal) -> None:
    """No original is in the output any longer: it is a result like others, that a run may replace."""
    placed = journal.output / PLACED
    for folder in (*placed.glob("*"), placed):
        with suppress(OSError):  # somebody has put something into it
            os.rmdir(folder)
    write_listing(journal.output, journal.listing)
    journal.delete()
