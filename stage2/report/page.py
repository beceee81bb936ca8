"""reports/index.html of stage 2: which tags are good, which are not, why, and what to do about it. One file that opens offline."""
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from cache.decoder.limits import Limits
from cache.pages.html_page import write_page
from cache.text import on_one_line, plural
from stage2.judging.label_audit import MOST_SUSPECTS
from stage2.judging.results import CurvePoint, Suggestion, Suspect, TagResult
from stage2.metrics import DECISION
from stage2.report.dataset_section import dataset_section
from stage2.report.label_section import Contradiction, contradictions
from stage2.report.pictures import PagePictures, Paths
from stage2.report.plots import TagPlots, learning_curve, our_style
from stage2.report.tag_section import METRIC_ROWS, TagSection, tag_plots, tag_section

TEMPLATES = Path(__file__).parent / "templates"
MOST_LISTED = 24  # of the labels to check, and of the pictures to label next
GOOD = 0.9  # of average precision


@dataclass(frozen=True)
class Report:
    """All that the page shows."""

    encoder: str  # model:weights
    width: int  # features of a vector
    pictures: int  # that carry any tag
    folds: int
    results: list[TagResult]  # by name
    images_of: dict[str, int]  # of all tags of the dataset, other-training and other-validation too
    shared: dict[tuple[str, str], int]  # images that two tags have in common, if any
    learning_curve: list[CurvePoint]
    suspects: dict[str, list[Suspect]]  # by tag, the most contradictory first
    suggestions: list[Suggestion]
    hash_ids: Sequence[str]  # by row of the metadata matrix
    find_paths: Paths


def write_report_page(path: str | os.PathLike, report: Report, limits: Limits = Limits()) -> None:
    tags_of = _tags_of(report.results)
    ranked = sorted(report.results, key=_best_first)
    sections = [tag_section(number, result, tags_of, report.learning_curve, report.suspects.get(result.tag, ()))
                for number, result in enumerate(ranked)]
    quality = {section.result.tag: section.average_precision or 0.0 for section in sections}
    contradicted = contradictions(report.suspects, tags_of, quality)
    audit, queue = contradicted[:MOST_LISTED], report.suggestions[:MOST_LISTED]
    pictures = _pictures(report, audit, queue, sections, limits)
    with our_style():
        plots = TagPlots()
        write_page(
            path, TEMPLATES, "report.html", report=report, sections=sections, headline=_headline(ranked), good=GOOD,
            promised=any(result.best.promises for result in ranked), audit=audit, queue=queue,
            contradicted=len(contradicted), most_suspects=MOST_SUSPECTS,
            dataset=dataset_section(report.images_of, report.shared), curve=_curve(report.learning_curve), pictures=pictures,
            thumbnails=pictures.embedded, plots_of=lambda section: tag_plots(section, plots), metric_rows=METRIC_ROWS,
            plural=plural, decision=DECISION,
            number_of={section.result.tag: section.number for section in sections}, one_line=on_one_line,
            labels=lambda row: ", ".join(map(on_one_line, tags_of.get(row, ()))),
            model_types=list(dict.fromkeys(model_type for result in ranked for model_type in result.models)))


def _pictures(
    report: Report, audit: Sequence[Contradiction], queue: Sequence[Suggestion], sections: Sequence[TagSection], limits: Limits,
) -> PagePictures:
    strips = [[report.hash_ids[shown.row] for shown in strip.pictures] for section in sections for strip in section.strips]
    known = {each.hash_id: each.file_path for each in queue if each.file_path}
    return PagePictures([[[report.hash_ids[each.row] for each in audit]], [[each.hash_id for each in queue]], strips],
                        lambda hash_ids: {**report.find_paths(hash_ids), **known}, limits)


def _tags_of(results: Iterable[TagResult]) -> dict[int, list[str]]:
    """By row of the metadata matrix."""
    tags_of: dict[int, list[str]] = {}
    for result in results:
        for row in result.rows[result.is_tag].tolist():
            tags_of.setdefault(row, []).append(result.tag)
    return tags_of


def _best_first(result: TagResult) -> tuple:
    value = result.best.metrics["average_precision"].value
    return (value is None, -(value or 0), result.tag)


def _headline(ranked: Sequence[TagResult]) -> str:
    values = [value for result in ranked if (value := result.best.metrics["average_precision"].value) is not None]
    if not values:
        return "Nothing could be measured: that takes two images of a tag and two others."
    good, unmeasured = sum(value >= GOOD for value in values), len(ranked) - len(values)
    reached = f"{good:,} of {plural(len(values), 'tag')} {'reaches' if good == 1 else 'reach'} an average precision of {GOOD}."
    return f"{reached} {plural(unmeasured, 'tag')} could not be measured." if unmeasured else reached


def _curve(points: Sequence[CurvePoint]) -> Markup | None:
    if len(points) < 2:
        return None
    said = "; ".join(f"{point.mean:.3f} with {point.images:,}" for point in points)
    return learning_curve("curve", f"Mean average precision by number of images to learn from: {said}", points)
