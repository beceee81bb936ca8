"""What the doctor has found, kept in a private database on disk: memory grows neither with the findings nor with the pictures."""
import json
import os
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from cache.reader.source_file import Picture

# Kind and heading of what a person has to mend, and of what is good to know. Programs read the kinds: they stay as they are.
PROBLEMS = {
    "skipped": "would be skipped",
    "damaged": "of ours, but damaged or not usable",
    "mismatch": "vectors and models that do not belong together",
}
NOTES = {
    "mislabelled": "mislabelled, read by their content",
    "sideways": "sideways, read upright",
    "contradiction": "the same pixels under different tags",
    "duplicate": "duplicates, the same pixels",
    "untagged": "in no tag folder",
    "few": "tags with a single picture, too few to measure anything",
    "stale": "file caches that are behind the files",
    "foreign": "databases that these tools did not make",
    "busy": "in use, not looked at",
    "leftover": "of a run that was interrupted, or is under way",
    "system": "of the operating system, skipped and no loss",
    "results": "results of stages 3 and 4, not looked into",
}
PATHS_NAMED = 3  # in one line


@dataclass(frozen=True)
class Finding:
    kind: str
    path: str
    detail: str  # for a person
    facts: dict = field(default_factory=dict)  # for a program, beside the detail

    def as_dict(self) -> dict:
        return {"kind": self.kind, "path": self.path, "detail": self.detail, **self.facts}


class Findings:
    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()  # of what was looked at, and of each kind of finding
        self.reasons: Counter[str] = Counter()  # of what would be skipped
        self._connection = sqlite3.connect("", isolation_level=None)
        self._connection.executescript(
            """CREATE TABLE finding(position INTEGER PRIMARY KEY, kind TEXT, path TEXT, detail TEXT, facts TEXT);
               CREATE INDEX finding_kind ON finding(kind);
               CREATE TABLE picture(position INTEGER PRIMARY KEY, hash_id TEXT, tag TEXT, file_path TEXT, absolute_path TEXT);
               CREATE INDEX picture_hash_id ON picture(hash_id);""")

    def __enter__(self) -> "Findings":
        return self

    def __exit__(self, *error) -> None:
        self._connection.close()

    def add(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            self.counts[finding.kind] += 1
            row = (finding.kind, finding.path, finding.detail, json.dumps(finding.facts))
            self._connection.execute("INSERT INTO finding VALUES (NULL, ?, ?, ?, ?)", row)

    def add_picture(self, picture: Picture) -> None:
        row = (picture.hash_id, picture.file.folder, picture.file.file_path, picture.file.absolute_path)
        self._connection.execute("INSERT INTO picture VALUES (NULL, ?, ?, ?, ?)", row)

    def of(self, kind: str, most: int = -1) -> Iterator[Finding]:
        """In the order they were found, all of them or at most so many."""
        rows = self._connection.execute("SELECT path, detail, facts FROM finding WHERE kind = ? ORDER BY position LIMIT ?", (kind, most))
        return (Finding(kind, path, detail, json.loads(facts)) for path, detail, facts in rows)

    def total(self, kinds: Iterable[str]) -> int:
        return sum(self.counts[kind] for kind in kinds)

    def duplicates(self) -> Iterator[Finding]:
        """The pictures added that have a hash in common, those of one hash as one finding."""
        query = "SELECT hash_id, count(DISTINCT tag) FROM picture GROUP BY hash_id HAVING count(*) > 1 ORDER BY min(position)"
        for hash_id, tags in self._connection.execute(query):
            rows = self._connection.execute("SELECT file_path, absolute_path FROM picture WHERE hash_id = ? ORDER BY position", (hash_id,))
            paths = list(_different_files(rows))
            if len(paths) > 1:
                kind = "contradiction" if tags > 1 else "duplicate"
                yield Finding(kind, paths[0], f"= {named(paths[1:], ' = ')}", {"hash_id": hash_id, "paths": paths})

    def about_tags(self, source: str) -> Iterator[Finding]:
        """What stage 1 would leave out of a tagged dataset, and stage 2 not learn."""
        loose = self._connection.execute("SELECT count(*) FROM picture WHERE tag IS NULL").fetchone()[0]
        if loose:
            detail = f"{loose:,} of {self.counts['picture']:,} pictures; stage 1 leaves them out, or takes all with --no-tagged_dataset"
            yield Finding("untagged", source, detail, {"pictures": loose})
        few = self._connection.execute(
            "SELECT tag, file_path FROM picture WHERE tag IS NOT NULL GROUP BY tag HAVING count(DISTINCT hash_id) = 1 ORDER BY tag")
        for tag, path in few:
            yield Finding("few", os.path.dirname(path), f"the tag {tag} has one picture, two are needed", {"tag": tag})


def named(paths: list[str], separator: str = ", ", total: int | None = None) -> str:
    """The first of them, and how many more there are."""
    more = (total or len(paths)) - PATHS_NAMED
    return separator.join(paths[:PATHS_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _different_files(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    """The paths of different files on disk: links to one file are no duplicates."""
    seen = set()
    for file_path, absolute_path in rows:
        try:
            status = os.stat(absolute_path)
            file = (status.st_dev, status.st_ino)
        except OSError:  # inside a ZIP
            file = absolute_path
        if file not in seen:
            seen.add(file)
            yield file_path
