"""The two worlds in which a model is judged, in words: whom a promise holds among, and which tags could not
be tried among strangers."""
from collections.abc import Iterator, Sequence

from cache.models.cards import OTHERS, TAGS, Worlds
from cache.text import first_few, on_one_line
from stage2.flags import CLOSED, STRANGERS
from stage2.judging.results import ModelResult, TagResult
from stage2.learning.tagged_rows import OTHER_TRAINING
from stage2.learning.task import FEWEST_KINDS

AMONG = {CLOSED: "among pictures like these", STRANGERS: "among strangers"}
FEWEST_TAGS = 1 + FEWEST_KINDS
OTHERS_OF_ANYTHING = f"a folder {OTHER_TRAINING} of anything"
IF_CLOSED = "or --world closed, if every new picture surely carries one of the tags"


def holds(results: Sequence[TagResult], others_taught: bool) -> str | None:
    """Whom a yes keeps its promise among; None where no model ever says yes."""
    for result in results:
        for model in result.models.values():
            if model.promises and model.promises.yes_from is not None:
                return Worlds(decides_in=model.world, tried_on=tried_on(model, others_taught)).yes_holds
    return None


def tried_on(model: ModelResult, others_taught: bool) -> str | None:
    """Whose pictures stood for strangers, see cache.models.cards; None where none could."""
    if model.calibration.strangers is None:
        return None
    return OTHERS if others_taught else TAGS


def why_untried(results: Sequence[TagResult]) -> Iterator[str]:
    """Of the tags that were measured, but lack strangers, where these decide: that it is so, and what to
    add."""
    untried = [result for result in results if _untried(result)]
    if not untried:
        return
    promised = any(result.best.promises for result in untried)
    few = sum(result.images > 0 for result in results) < FEWEST_TAGS
    which = "" if few else f" of {first_few([on_one_line(result.tag) for result in untried])}"
    said = f"yes is never said{which}: not tried" if promised else f"not tried{which}"
    reason = "" if few else ", since their other pictures carry several tags"
    add = f"add tags ({FEWEST_TAGS} are enough), {OTHERS_OF_ANYTHING}" if few else f"add {OTHERS_OF_ANYTHING}"
    yield f"{said} among strangers, pictures of kinds that nobody has taught{reason}"
    yield f"{add}, {IF_CLOSED}" if promised else add


def _untried(result: TagResult) -> bool:
    return result.best.world == STRANGERS and result.best.calibration.lacks_strangers
