"""What is worth doing for a tag, in few words: read off its results, so that a person need not."""
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log2

from cache.text import plural
from stage2.judging.label_audit import MOST_SUSPECTS
from stage2.judging.results import CurvePoint, Suspect, TagResult
from stage2.metrics import DECISION

FLAGRANT = 0.9  # a contradiction times the average precision of the model that contradicts
WIDE = 0.25  # of an interval of the average precision: whether the tag is good cannot be said
STILL_RISING = 0.02  # of average precision, by each doubling of images
# A share and a number of the false alarms that say something, if they carry the same other tag.
OFTEN, FEW = 0.3, 3
WEAK = 0.95  # of average precision: above it, there is little left to win
MOST_STEPS = 2


@dataclass(frozen=True)
class Step:
    text: str
    other_tag: str | None = None  # the one that the text ends with


def unmeasured(result: TagResult) -> str | None:
    """Why there is no average precision; None if there is one."""
    if result.best.metrics["average_precision"].value is not None:
        return None
    in_words = {0: "no image", 1: "one image"}
    if result.images in in_words:
        return f"{in_words[result.images]}: nothing to measure on"
    others = len(result.rows) - result.images
    return f"{in_words.get(others, 'few images')} without the tag: nothing to measure on"


def taken_for(result: TagResult, tags_of: Mapping[int, Sequence[str]]) -> list[tuple[str, int]]:
    """(other tag, how many of its images are false alarms), the most first."""
    probabilities = result.best.calibration.unseen
    if probabilities is None:
        return []
    false_alarms = result.rows[(probabilities >= DECISION) & ~result.is_tag].tolist()
    counts = Counter(tag for row in false_alarms for tag in tags_of.get(row, ()))
    return sorted(counts.items(), key=lambda tag_and_count: (-tag_and_count[1], tag_and_count[0]))


def rise(result: TagResult, curve: Sequence[CurvePoint]) -> float:
    """Of average precision by each doubling of images, in the last step of the tag's learning curve."""
    measured = [
        (point.images, point.by_tag[result.tag])
        for point in curve if point.images and result.tag in point.by_tag
    ]
    if len(measured) < 2:
        return 0.0
    (fewer, before), (more, after) = measured[-2:]
    return (after - before) / log2(more / fewer)


def next_steps(
    result: TagResult, suspects: Sequence[Suspect], curve: Sequence[CurvePoint],
    confused: Sequence[tuple[str, int]],
) -> list[Step]:
    """The most useful first. confused: as of taken_for()."""
    steps = [*_labels(result, suspects), *_images(result, curve), *_confusion(result, confused)]
    if steps:
        return steps[:MOST_STEPS]
    value = result.best.metrics["average_precision"].value
    return [Step("look at its misses")] if value is not None and value < WEAK else []


def _labels(result: TagResult, suspects: Sequence[Suspect]) -> list[Step]:
    trust = result.best.metrics["average_precision"].value or 0
    contradictions = [abs(suspect.labelled - suspect.probability) for suspect in suspects]
    flagrant = sum(contradiction * trust >= FLAGRANT for contradiction in contradictions)
    if not flagrant:
        return []
    if flagrant == MOST_SUSPECTS:  # no more have been looked for
        return [Step(f"check {flagrant} or more labels")]
    return [Step(f"check {plural(flagrant, 'label')}")]


def _images(result: TagResult, curve: Sequence[CurvePoint]) -> list[Step]:
    estimate = result.best.metrics["average_precision"]
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return [Step("add images")]
    if estimate.high - estimate.low > WIDE:
        return [Step(f"add images: only {result.images}")]
    if estimate.value < WEAK and rise(result, curve) >= STILL_RISING:
        return [Step("add images: still rising")]
    return []


def _confusion(result: TagResult, confused: Sequence[tuple[str, int]]) -> list[Step]:
    value, probabilities = result.best.metrics["average_precision"].value, result.best.calibration.unseen
    if not confused or value is None or probabilities is None or value >= WEAK:
        return []
    alarms = int(((probabilities >= DECISION) & ~result.is_tag).sum())
    other, count = confused[0]
    return [Step("tell apart from", other)] if count >= max(FEW, OFTEN * alarms) else []
