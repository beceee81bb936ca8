"""reports/index.html of stage 2: which tags are good, which are not, why, and what to do about it. One file
that opens offline."""
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from markupsafe import Markup

from cache.limits import Limits
from cache.pages.html_page import write_page
from cache.pages.thumbnails import Kept
from cache.text import FEW, on_one_line, plural
from stage2.judging.results import Contradiction, CurvePoint, Suggestion, TagResult
from stage2.judging.worlds import AMONG, holds, why_untried
from stage2.learning.tagged_rows import OTHER_TRAINING
from stage2.metrics import DECISION
from stage2.report.dataset_section import dataset_section
from stage2.report.pictures import Paths, ReportPictures
from stage2.report.plots import TagPlots, learning_curve_plot, our_style
from stage2.report.tag_section import METRIC_ROWS, TagSection, tag_section

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
    to_check: list[Contradiction]  # of all tags, the most suspect first
    suggestions: list[Suggestion]
    hash_ids: Sequence[str]  # by row of the metadata matrix
    find_paths: Paths

    @cached_property
    def ranked(self) -> list[TagResult]:
        """The best first."""
        return sorted(self.results, key=_best_first)

    @cached_property
    def tags_of(self) -> dict[int, list[str]]:
        """By row of the metadata matrix."""
        tags_of: dict[int, list[str]] = {}
        for result in self.results:
            for row in result.rows[result.is_tag].tolist():
                tags_of.setdefault(row, []).append(result.tag)
        return tags_of

    @cached_property
    def to_check_of(self) -> Counter[str]:
        """How many of the labels to check speak of each tag."""
        return Counter(
            tag for contradiction in self.to_check
            for tag in {*contradiction.labelled, *contradiction.looks_like})


def tag_sections(report: Report, drawn: Callable[[], object] = lambda: None) -> list[TagSection]:
    """A section for each tag, the best first, with its plots; drawn() is called after each."""
    sections = []
    with our_style():
        plots = TagPlots()
        for number, result in enumerate(report.ranked):
            to_check = report.to_check_of[result.tag]
            sections.append(
                tag_section(number, result, report.tags_of, report.learning_curve, to_check, plots=plots))
            drawn()
    return sections


def write_report_page(
    path: str | os.PathLike, report: Report, sections: Sequence[TagSection], kept: Kept,
    limits: Limits = Limits(),
) -> None:
    """sections: those of tag_sections(). kept: thumbnails, also of pictures that are gone."""
    to_check, queue = report.to_check[:MOST_LISTED], report.suggestions[:MOST_LISTED]
    pictures = _pictures(report, to_check, queue, sections, kept=kept, limits=limits)

    others_taught = OTHER_TRAINING in report.images_of

    def labels(row: int) -> str:
        return ", ".join(map(on_one_line, report.tags_of.get(row, ())))

    write_page(
        path, TEMPLATES, "report.html",
        report=report, sections=sections, to_check=to_check, queue=queue, pictures=pictures,
        thumbnails=pictures.embedded,
        headline=_headline(report.ranked),
        dataset=dataset_section(report.images_of, report.shared),
        curve=_curve(report.learning_curve),
        number_of={section.result.tag: section.number for section in sections},
        model_types=list(dict.fromkeys(name for result in report.ranked for name in result.models)),
        promised=any(result.best.promises for result in report.ranked),
        tried=any(result.best.calibration.strangers is not None for result in report.ranked),
        others_taught=others_taught, about_worlds=_about_worlds(report.ranked, others_taught), among=AMONG,
        labels=labels, one_line=on_one_line, plural=plural,
        few=FEW, metric_rows=METRIC_ROWS, decision=DECISION, good=GOOD)


def _pictures(
    report: Report, contradictions: Sequence[Contradiction], queue: Sequence[Suggestion],
    sections: Sequence[TagSection], *, kept: Kept, limits: Limits,
) -> ReportPictures:
    to_check = [report.hash_ids[contradiction.row] for contradiction in contradictions]
    to_label = [suggestion.hash_id for suggestion in queue]
    strips = [
        [report.hash_ids[shown.row] for shown in strip.pictures]
        for section in sections for strip in section.strips
    ]
    known = {suggestion.hash_id: suggestion.file_path for suggestion in queue if suggestion.file_path}
    return ReportPictures(
        [[to_check], [to_label], strips], lambda hash_ids: {**report.find_paths(hash_ids), **known},
        kept, limits)


def _best_first(result: TagResult) -> tuple:
    value = result.best.metrics["average_precision"].value
    return (value is None, -(value or 0), result.tag)


def _headline(results: Sequence[TagResult]) -> str:
    values = [result.best.metrics["average_precision"].value for result in results]
    measured = [value for value in values if value is not None]
    if not measured:
        return "Nothing could be measured: that takes two images of a tag and two others."
    good = sum(value >= GOOD for value in measured)
    verb = "reaches" if good == 1 else "reach"
    reached = f"{good:,} of {plural(len(measured), 'tag')} {verb} an average precision of {GOOD}."
    unmeasured = len(values) - len(measured)
    return f"{reached} {plural(unmeasured, 'tag')} could not be measured." if unmeasured else reached


def _about_worlds(results: Sequence[TagResult], others_taught: bool) -> list[str]:
    """Whom a yes holds among, and what could not be tried, as sentences."""
    whom = holds(results, others_taught)
    untried = "; ".join(why_untried(results))
    return [f"{line[0].upper()}{line[1:]}." for line in (whom, untried) if line]


def _curve(points: Sequence[CurvePoint]) -> Markup | None:
    if len(points) < 2:
        return None
    values = "; ".join(f"{point.mean:.3f} with {point.images:,}" for point in points)
    label = f"Mean average precision by number of images to learn from: {values}"
    with our_style():
        return learning_curve_plot("curve", label, points)
