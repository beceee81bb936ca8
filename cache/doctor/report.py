"""What the doctor has found, as text for a person or as JSON for a program; both in pieces, one line each."""
from collections.abc import Iterable, Iterator

import orjson

from cache.doctor.findings import NOTES, PROBLEMS, Finding, Findings
from cache.text import on_one_line, plural

LINES = 20  # of one kind of finding
WIDEST_PATH = 60
LOOKED_AT = {  # what is counted: its name in text, its key in JSON
    "picture": ("picture", "pictures"),
    "archive": ("ZIP", "archives"),
    "database": ("database", "databases"),
    "metadata": ("metadata JSON", "metadata"),
    "model": ("model", "models"),
}


def text_report(path: str, findings: Findings) -> Iterator[str]:
    yield _looked_at(findings)
    yield ""
    for kind, heading in {**PROBLEMS, **NOTES}.items():
        if findings.counts[kind]:
            yield from _of_one_kind(kind, heading, findings)
    if findings.total(PROBLEMS) + findings.total(NOTES):
        yield ""
    yield _summary(findings)


def _looked_at(findings: Findings) -> str:
    counts = ((findings.counts[kind], name) for kind, (name, _) in LOOKED_AT.items())
    return ", ".join(plural(count, name) for count, name in counts if count) or "0 pictures"


def _of_one_kind(kind: str, heading: str, findings: Findings) -> Iterator[str]:
    count = findings.counts[kind]
    reasons = _reasons(findings) if kind == "skipped" else ""
    yield f"{heading}: {count:,}{reasons}"
    yield from _lines(list(findings.of(kind, LINES)))
    if count > LINES:
        yield f"  ... and {count - LINES:,} more (--json names all)"


def _reasons(findings: Findings) -> str:
    """How many files for which reason, where there are several."""
    if len(findings.reasons) < 2:
        return ""
    counts = ", ".join(f"{count:,} {reason}" for reason, count in findings.reasons.most_common())
    return f" ({counts})"


def _lines(findings: list[Finding]) -> Iterator[str]:
    paths = [on_one_line(finding.path) for finding in findings]
    width = min(WIDEST_PATH, max(map(len, paths)))
    for path, finding in zip(paths, findings, strict=True):
        yield f"  {path:{width}}  {on_one_line(finding.detail)}".rstrip()


def _summary(findings: Findings) -> str:
    problems, notes = findings.total(PROBLEMS), findings.total(NOTES)
    problems_said = plural(problems, "problem") if problems else "no problems"
    notes_said = plural(notes, "note") if notes else "nothing to note"
    return f"{problems_said}, {notes_said}"


def json_report(path: str, findings: Findings) -> Iterator[str]:
    """One object; a finding at a time, since there may be a great many."""
    looked_at = {key: findings.counts[kind] for kind, (_, key) in LOOKED_AT.items()}
    yield orjson.dumps({"path": path, **looked_at}).decode().removesuffix("}") + ', "problems": ['
    yield from _separated(finding for kind in PROBLEMS for finding in findings.of(kind))
    yield '], "notes": ['
    yield from _separated(finding for kind in NOTES for finding in findings.of(kind))
    yield "]}"


def _separated(findings: Iterable[Finding]) -> Iterator[str]:
    """Every line but the last ends with a comma."""
    waiting = None
    for finding in findings:
        if waiting:
            yield waiting + ","
        waiting = orjson.dumps(finding.as_dict()).decode()
    if waiting:
        yield waiting
