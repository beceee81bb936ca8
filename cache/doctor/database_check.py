"""What an examination of a database means to a person: findings, and the vectors that a clip cache has."""
from collections.abc import Iterator
from dataclasses import dataclass, field

from cache.doctor.findings import Finding, refusal_of
from cache.refusal import Refused
from cache.stores.database_examination import Examination, examine
from cache.stores.file_changes import FileChanges
from cache.stores.untouched_database import change_mark
from cache.text import first_few

TRIES = 3


@dataclass(frozen=True)
class Checked:
    findings: list[Finding]
    widths: dict[str, int] = field(default_factory=dict)  # {encoder: features of its vectors} of a clip cache


def check_database(path: str) -> Checked:
    """Looks again if the file changes meanwhile: what is only half written would pass for damage."""
    for _ in range(TRIES):
        try:
            before = change_mark(path)
            checked = _checked_once(path)
            if not checked.findings or change_mark(path) == before:
                return checked
        except OSError:
            continue  # a file that was there a moment ago is gone, or there is no room for a copy
    return Checked([Finding("busy", path, "look again when the run is over")])


def _checked_once(path: str) -> Checked:
    try:
        examination = examine(path)
    except Refused as refusal:
        return Checked([refusal_of(path, refusal)])
    return Checked(list(_findings(path, examination)), examination.widths)


def _findings(path: str, examination: Examination) -> Iterator[Finding]:
    match examination.verdict:
        case "empty":
            yield Finding("leftover", path, "a database without any table")
        case "foreign":
            yield Finding("foreign", path, "not made by these tools")
        case "damaged" | "busy":
            yield from (Finding(examination.verdict, path, fault) for fault in examination.faults)
    if examination.file_changes:
        yield from _stale(path, examination.file_changes)


def _stale(path: str, changes: FileChanges) -> Iterator[Finding]:
    behind = changes.gone + changes.changed
    if behind:
        counts = f"of {changes.files:,} files {changes.gone:,} gone, {changes.changed:,} changed"
        facts = {"files": changes.files, "gone": changes.gone, "changed": changes.changed}
        yield Finding("stale", path, f"{counts}: {first_few(changes.paths, total=behind)}", facts)
