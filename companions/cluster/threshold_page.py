"""Which threshold? thresholds.json and thresholds.html: what each one would find, and the pairs on both sides
of it, from one run at a low threshold."""
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from cache.files.whole_file import whole_file
from cache.limits import Limits
from cache.pages.html_page import write_page
from cache.pages.thumbnails import Kept
from cache.text import on_one_line, plural
from companions.cluster.picture_rows import TEMPLATES, Rows, embedded
from companions.cluster.thresholds import STEPS, Step, Suggestion, curve, pairs_to_show

THRESHOLDS, PAGE = "thresholds.json", "thresholds.html"
MOST_SHOWN = 6  # pairs on each side of the threshold


def write_suggestion(
    folder: str | os.PathLike, suggestion: Suggestion, *, kept: Kept, lies_in: str | os.PathLike,
    limits: Limits = Limits(),
) -> None:
    """Both files. lies_in: the folder in which they will be found, from where the links of the page lead."""
    steps, shown = curve(suggestion), pairs_to_show(suggestion.pairs)
    with whole_file(Path(folder) / THRESHOLDS) as file:
        file.writelines(_json_lines(suggestion, steps))
    numbers = list(dict.fromkeys(number for pair in shown for number in (pair.first, pair.second)))
    pictures = embedded(suggestion.members, numbers, kept, limits)
    rows = Rows(suggestion.members, list(pictures), lies_in)
    row_of = {number: row for row, number in enumerate(numbers)}
    data = {
        **rows.head,
        "steps": [[step.pairs, step.clusters, step.files, step.largest] for step in steps],
        "low": steps[0].threshold,
        "own": suggestion.threshold,
        "pictures": [rows.picture(number) for number in numbers],
        "pairs": [[pair.similarity, row_of[pair.first], row_of[pair.second]] for pair in shown],
        "thumbnails": list(pictures.values()),
        "most_shown": MOST_SHOWN,
    }
    write_page(
        Path(folder) / PAGE, TEMPLATES, "thresholds.html",
        title=f"Which threshold for {on_one_line(suggestion.source)}?", suggestion=suggestion,
        summary=_summary(suggestion, len(shown)), plots=_plots(steps), steps=steps, steps_in_all=STEPS,
        data=data, results=THRESHOLDS)


def _json_lines(suggestion: Suggestion, steps: Sequence[Step]) -> Iterator[bytes]:
    head = {
        "method": suggestion.method,
        "threshold": suggestion.threshold,
        "pictures": suggestion.pictures,
        "looked_at": len(suggestion.members),
    }
    yield orjson.dumps(head)[:-1] + b',\n"curve":['
    for number, step in enumerate(steps):
        yield (b",\n" if number else b"\n") + orjson.dumps(asdict(step))
    yield b"\n]}\n"


def _summary(suggestion: Suggestion, shown: int) -> list[str]:
    looked_at = plural(len(suggestion.members), "picture")
    if suggestion.is_sample:
        share = (len(suggestion.members) / suggestion.pictures) ** 2
        of_all = (
            f"A random sample of {looked_at} stands for all {suggestion.pictures:,}: of the pairs of these, "
            f"it has about one in {round(1 / share):,}.")
    else:
        of_all = f"All {looked_at}." if len(suggestion.members) != 1 else "1 picture."
    pairs = plural(len(suggestion.pairs), "pair")
    found = f"{pairs} of at least {suggestion.low:g} by {suggestion.method}"
    some = f"; {shown:,} of every similarity can be looked at" if shown < len(suggestion.pairs) else ""
    return [of_all, f"{found}{some}. Clusters are those of --linkage chain, copies included."]


@dataclass(frozen=True)
class Plot:
    heading: str
    key: str  # of the figure in a step
    path: str  # of an SVG of 1000 x 100
    most: int
    is_logarithmic: bool


def _plots(steps: Sequence[Step]) -> list[Plot]:
    return [
        _plot("Pairs", "pairs", [step.pairs for step in steps], logarithmic=True),
        _plot("Clusters", "clusters", [step.clusters for step in steps]),
        _plot("Files in clusters", "files", [step.files for step in steps]),
        _plot("Largest cluster", "largest", [step.largest for step in steps]),
    ]


def _plot(heading: str, key: str, values: Sequence[int], *, logarithmic: bool = False) -> Plot:
    """A line of steps: from one threshold to the next it keeps the height of the second, down from which
    pairs count."""
    def height(value: int) -> float:
        share = math.log1p(value) / math.log1p(most) if logarithmic else value / most
        return round(100 - 100 * share, 1)

    most = max(*values, 1)
    first = STEPS + 1 - len(values)
    path = [f"M{first} {height(values[0]):g}"]
    for number, (before, value) in enumerate(zip(values, values[1:], strict=False), first):
        if value != before:
            path.append(f"H{number}V{height(value):g}")
    return Plot(heading, key, f"{''.join(path)}H{STEPS}", most, logarithmic)
