"""What the doctor has found: its kinds, their words for a person, and the facts for a program."""
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from cache.reader.source_file import Picture
from cache.refusal import Refused
from cache.stores.finding_listing import FindingListing
from cache.text import first_few

# Kind and heading of what a person has to mend, and of what is good to know. Programs read the kinds.
PROBLEMS = {
    "skipped": "would be skipped",
    "damaged": "of ours, but damaged or not usable",
    "mismatch": "vectors and models that do not belong together",
}
NOTES = {
    "mislabelled": "mislabelled, read by their content",
    "sideways": "sideways, read upright",
    "guessed_names": "ZIPs that do not say how names in them are written",
    "contradiction": "the same pixels under different tags",
    "duplicate": "duplicates, the same pixels",
    "untagged": "in no tag folder",
    "few": "tags with a single picture, too few to measure anything",
    "cardless": "models without their card, which decide nothing",
    "slow": "bundles of models that do not save time",
    "gone": "models of tags that the dataset does not have",
    "stale": "file caches that are behind the files",
    "foreign": "databases that these tools did not make",
    "busy": "in use, not looked at",
    "leftover": "of a run that was interrupted, or is under way",
    "other_file": "videos and notes beside photographs: skipped",
    "hidden": "hidden, or made by a program: skipped without --include_hidden",
    "results": "results of stages 3 and 4, not looked into",
}


@dataclass(frozen=True)
class Finding:
    kind: str
    path: str
    detail: str = ""  # for a person
    facts: dict = field(default_factory=dict)  # for a program, beside the detail

    def as_dict(self) -> dict:
        return {"kind": self.kind, "path": self.path, "detail": self.detail, **self.facts}


class Findings:
    """All findings of one examination. What needs all pictures to be known is asked for at its end."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()  # of what was looked at, and of each kind of finding
        self.reasons: Counter[str] = Counter()  # of what would be skipped
        self._listing = FindingListing()

    def __enter__(self) -> "Findings":
        return self

    def __exit__(self, *error: object) -> None:
        self._listing.close()

    def add(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            self.counts[finding.kind] += 1
            self._listing.add_finding(finding.kind, finding.path, finding.detail, finding.facts)

    def add_picture(self, picture: Picture) -> None:
        self._listing.add_picture(picture)

    def of(self, kind: str, most: int = -1) -> Iterator[Finding]:
        """In the order they were found, all of them or at most so many."""
        return (Finding(kind, *columns) for columns in self._listing.findings(kind, most))

    def total(self, kinds: Iterable[str]) -> int:
        return sum(self.counts[kind] for kind in kinds)

    def duplicates(self) -> Iterator[Finding]:
        """The pictures added that have a hash in common, those of one hash as one finding."""
        for hash_id, paths, tags in self._listing.shared_hashes():
            kind = "contradiction" if tags > 1 else "duplicate"
            facts = {"hash_id": hash_id, "paths": paths}
            yield Finding(kind, paths[0], f"= {first_few(paths[1:], ' = ')}", facts)

    def about_tags(self, source: str) -> Iterator[Finding]:
        """What stage 1 would leave out of a tagged dataset, and of what stage 2 could measure nothing."""
        loose = self._listing.untagged_count()
        if loose:
            share = f"{loose:,} of {self.counts['picture']:,} pictures"
            detail = f"{share}; stage 1 leaves them out, or takes all with --no-tagged_dataset"
            yield Finding("untagged", source, detail, {"pictures": loose})
        for tag, path in self._listing.tags_of_one_picture():
            detail = f"the tag {tag} has one picture: it is learnt, but two are needed to measure anything"
            yield Finding("few", os.path.dirname(path), detail, {"tag": tag})


def refusal_of(path: str, refusal: Refused) -> Finding:
    """As a finding, whose path is not repeated in the text."""
    return Finding("damaged", path, reason_of(path, refusal))


def reason_of(path: str, refusal: Refused) -> str:
    return str(refusal).removeprefix(f"{path} ")
