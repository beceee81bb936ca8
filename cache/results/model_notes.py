"""What a person has to know of the models of a run: which were left out, which decide nothing, whom a yes of
the others holds among, whose high scores strangers get, too, which are of tags that are gone. A few lines,
however many models there are."""
import os
from collections.abc import Iterator, Sequence

from cache.models.tag_models import TagModel
from cache.models.undecided import Undecided, why_undecided
from cache.refusal import Refused
from cache.stores.tag_list import read_tags
from cache.text import FEW, first_few, on_one_line, plural

TRAINED_BEFORE = (
    "trained before strangers were tried: yes keeps its promise only while every new picture carries one of "
    "the tags; train again")


def model_notes(models: Sequence[TagModel], refusals: Sequence[Refused], tag_list: str) -> list[str]:
    """models: those that score; refusals: of the others; tag_list: where that of the dataset would lie."""
    notes = [*_left_out(refusals), *_undecided(models), *_yes_holds(models), *_strangers_in_high_bins(models),
             *_of_tags_gone(models, tag_list)]
    return [on_one_line(note) for note in notes]


def _left_out(refusals: Sequence[Refused]) -> Iterator[str]:
    for refusal in refusals[:FEW]:
        yield f"skipped model: {refusal}"
    if len(refusals) > FEW:
        yield f"... and {plural(len(refusals) - FEW, 'more skipped model')}; the doctor names all"


def _undecided(models: Sequence[TagModel]) -> Iterator[str]:
    reasons = [why_undecided(model) for model in models]
    for reason in Undecided:
        of_this = [model for model, why in zip(models, reasons, strict=True) if why is reason]
        if of_this:
            which = f"all {len(models):,}" if len(of_this) == len(models) else _named(of_this)
            yield f"models {reason.kind} ({reason.advice}): {which}"


def _yes_holds(models: Sequence[TagModel]) -> Iterator[str]:
    """One line if all hold among the same pictures, else one for each, with their models."""
    deciding = [model for model in models if model.thresholds and model.thresholds.yes_from is not None]
    by_words: dict[str, list[TagModel]] = {}
    for model in deciding:
        by_words.setdefault(model.worlds.yes_holds or TRAINED_BEFORE, []).append(model)
    for words, of_this in by_words.items():
        yield words if len(by_words) == 1 else f"{words}: {_named(of_this)}"


def _strangers_in_high_bins(models: Sequence[TagModel]) -> Iterator[str]:
    differing = [model for model in models if model.worlds.differ]
    if differing:
        yield f"high bins hold strangers, too, pictures of kinds that were not taught: {_named(differing)}"


def _named(models: Sequence[TagModel]) -> str:
    return first_few([f"{model.tag_name} ({model.model_type})" for model in models])


def _of_tags_gone(models: Sequence[TagModel], tag_list: str) -> Iterator[str]:
    if not os.path.isfile(tag_list):
        return
    try:
        tags = read_tags(tag_list)
    except Refused as refusal:
        yield f"whether the dataset still has the tags of the models is not known: {refusal}"
        return
    gone = sorted({model.tag_name for model in models if not model.from_text} - tags)
    if gone:
        advice = "scored all the same; delete them if they are not wanted"
        yield f"models of tags that {tag_list} does not have ({advice}): {first_few(gone)}"
