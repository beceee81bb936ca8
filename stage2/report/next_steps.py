"""What is worth doing for a tag, in few words: read off its results, so that a person need not."""
from collections.abc import Sequence
from dataclasses import dataclass
from math import log2

from cache.text import plural
from stage2.judging.promises import OUT_OF_REACH, UNTRIED
from stage2.judging.results import CurvePoint, Judged, TagResult
from stage2.learning.tagged_rows import OTHER_TRAINING
from stage2.metrics import DECISION

WIDE = 0.25  # of an interval of the average precision: whether the tag is good cannot be said
STILL_RISING = 0.02  # of average precision, by each doubling of images
# A share and a number of the false alarms that say something, if they carry the same other tag.
OFTEN, FEW = 0.3, 3
MANIFOLD = 2  # times the images that there are: nobody adds more for a yes
LOST = 0.05  # of a tag's pictures: as many are unsure only because strangers may come
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
    result: TagResult, to_check: int, curve: Sequence[CurvePoint],
    confused: Sequence[tuple[str, int]], strangers: Sequence[tuple[str, int]] = (),
) -> list[Step]:
    """The most useful first. to_check: how many of the labels to check speak of the tag; confused, strangers:
    as of taken_for() and strangers_taken_for()."""
    steps = [
        *_untried(result), *_labels(to_check), *_images(result, curve), *_unsure(result, confused, strangers),
        *_confusion(result, confused)]
    if steps:
        return steps[:MOST_STEPS]
    value = result.best.metrics["average_precision"].value
    return [Step("look at its misses")] if value is not None and value < WEAK else []


def _untried(result: TagResult) -> list[Step]:
    """Whatever else is done, no picture is called yes until strangers can be tried."""
    promised = result.best.promises
    if promised and promised.precision.outcome == UNTRIED:
        return [Step(f"add tags, or {OTHER_TRAINING}")]
    return []


def _labels(to_check: int) -> list[Step]:
    return [Step(f"check {plural(to_check, 'label')}")] if to_check else []


def _unsure(
    result: TagResult, confused: Sequence[tuple[str, int]], strangers: Sequence[tuple[str, int]],
) -> list[Step]:
    """What would let more pictures of the tag be called yes, where that was promised."""
    model, promised = result.best, result.best.promises
    if not promised:
        return []
    decides = model.by_world[model.world]
    lost = decides is not model.closed and (
        promised.yes_from is None or _called_yes(result, model.closed) - _called_yes(result, decides) >= LOST)
    if strangers and lost:
        kind, count = strangers[0]
        often = count >= max(FEW, OFTEN * sum(count for _, count in strangers))
        return [Step("show more kinds like", kind) if often else Step(f"add {OTHER_TRAINING}")]
    if promised.precision.outcome == OUT_OF_REACH and not confused:  # by pictures without a tag
        return [Step("add a tag for what is taken for it")]
    return []


def _called_yes(result: TagResult, judged: Judged) -> float:
    """The share of the tag's pictures."""
    probabilities, promised = result.best.calibration.unseen, judged.promises
    if probabilities is None or promised is None or promised.yes_from is None:
        return 0.0
    return float((probabilities[result.is_tag] >= promised.yes_from).mean())


def _images(result: TagResult, curve: Sequence[CurvePoint]) -> list[Step]:
    more = result.best.promises.precision.more_needed if result.best.promises else None
    if more and more <= MANIFOLD * result.images:
        return [Step(f"add about {plural(more, 'image')} for a yes")]
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
