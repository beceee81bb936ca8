"""What the file of all models means to a person: whether it still saves time. Of no harm whatever is wrong
with it: the .pkl files hold the same models."""
import os
from collections.abc import Iterable
from dataclasses import dataclass

from cache.doctor.findings import Finding, reason_of
from cache.models.bundle import read_bundle
from cache.refusal import Refused
from cache.text import plural

LOADS_SLOWLY = "loading takes longer, and the next training writes it anew"


@dataclass(frozen=True)
class CheckedBundle:
    path: str
    files: set[str]  # names of its models
    changed: int  # how many of them are not as they were

    def finding(self, models: Iterable[str]) -> Finding | None:
        """models: paths of those that a bundle can hold, wherever they lie."""
        folder = os.path.dirname(self.path)
        beside = {os.path.basename(path) for path in models if os.path.dirname(path) == folder}
        counts = {"changed": self.changed, "lacking": len(beside - self.files)}
        words = {"changed": "changed since", "lacking": "not in it"}
        said = ", ".join(f"{plural(count, 'model')} {words[name]}" for name, count in counts.items() if count)
        return Finding("slow", self.path, f"{said}; {LOADS_SLOWLY}", counts) if said else None


def check_bundle(path: str) -> CheckedBundle:
    """Raises Refused for one that cannot be used."""
    bundle = read_bundle(path)
    return CheckedBundle(path, bundle.files, len(list(bundle.changed(os.path.dirname(path)))))


def unusable(path: str, refusal: Refused) -> Finding:
    return Finding("slow", path, f"{reason_of(path, refusal)}; {LOADS_SLOWLY}")
