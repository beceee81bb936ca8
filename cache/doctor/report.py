"""What the doctor has found, as text for a person or as JSON for a program; both in pieces, one line each."""
from collections.abc import Iterable, Iterator

import orjson

from cache.doctor.findings import NOTES, PROBLEMS, Finding, Findings
from cache.text import on_one_line, plural

LINES = 20  # of one kind of finding
WIDEST_PATH = 60
LOOKED_AT = {"picture": "pictures", "archive": "archives", "database": "databases", "metadata": "metadata", "model": "models"}


def text_report(path: str, findings: Findings) -> Iterator[str]:
    yield _looked_at(findings)
    yield ""
    for kind, heading in {**PROBLEMS, **NOTES}.items():
        count = findings.counts[kind]
        if count:
            yield f"{heading}: {count:,}{_by_reason(findings) if kind == 'skipped' else ''}"
            yield from _lines(list(findings.of(kind, LINES)))
        if count > LINES:
            yield f"  ... and {count - LINES:,} more (--json names all)"
    if findings.total(PROBLEMS) + findings.total(NOTES):
        yield ""
    yield _summary(findings)


def _by_reason(findings: Findings) -> str:
    return f" ({', '.join(f'{count:,} {reason}' for reason, count in findings.reasons.most_common())})" if len(findings.reasons) > 1 else ""


def json_report(path: str, findings: Findings) -> Iterator[str]:
    """One object; a finding at a time, since there may be a great many."""
    looked_at = {name: findings.counts[kind] for kind, name in LOOKED_AT.items()}
    yield orjson.dumps({"path": path, **looked_at}).decode().removesuffix("}") + ', "problems": ['
    yield from _separated(finding for kind in PROBLEMS for finding in findings.of(kind))
    yield '], "notes": ['
    yield from _separated(finding for kind in NOTES for finding in findings.of(kind))
    yield "]}"


def _looked_at(findings: Findings) -> str:
    names = {"picture": "picture", "archive": "ZIP", "database": "database", "metadata": "metadata JSON", "model": "model"}
    counted = [plural(findings.counts[kind], name) for kind, name in names.items() if findings.counts[kind]]
    return ", ".join(counted) or "0 pictures"


def _lines(findings: list[Finding]) -> Iterator[str]:
    paths = [on_one_line(finding.path) for finding in findings]
    width = min(WIDEST_PATH, max(map(len, paths)))
    return (f"  {path:{width}}  {on_one_line(finding.detail)}".rstrip() for path, finding in zip(paths, findings, strict=True))


def _summary(findings: Findings) -> str:
    problems, notes = findings.total(PROBLEMS), findings.total(NOTES)
    return f"{plural(problems, 'problem') if problems else 'no problems'}, {plural(notes, 'note') if notes else 'nothing to note'}"


def _separated(findings: Iterable[Finding]) -> Iterator[str]:
    """Every line but the last ends with a comma."""
    waiting = None
    for finding in findings:
        if waiting:
            yield waiting + ","
        waiting = orjson.dumps(finding.as_dict()).decode()
    if waiting:
        yield waiting
