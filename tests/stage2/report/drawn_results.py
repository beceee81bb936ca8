"""Drawn results of stage 2 and their page, read back."""
from pathlib import Path

import numpy as np

from cache.pixels.pixel_hash import hash_ids
from cache.stores.kept_thumbnails import KeptThumbnails
from stage2.judging.held_out import HeldOut
from stage2.judging.promises import promises
from stage2.judging.results import Judged, ModelResult, TagResult
from stage2.learning.calibration import FROM_TEXT, FROM_TRAINING, SIGMOID, Calibration
from stage2.metrics import METRICS, NOTHING, Resamples
from stage2.report.page import Report, tag_sections, write_report_page
from tests.drawing import drawn
from tests.html_tree import Element, read_page

TYPES = ("ovr-logistic-regression", "ovr-svm")
ROWS = 120
HASHES = [hash_ids(drawn(row))[0] if row < ROWS else f"{row:03}" * 40 for row in range(1000)]
GONE = "f" * 128
HOSTILE = [
    "<script>alert(1)</script>", "x" * 200, "كلب وقطة", "🐈‍⬛", "two\nlines", "\u202eesrever",
    "'\"><img src=x onerror=alert(1)>", "{{ 7 * 7 }} &amp; $x^2$", "https://example.org/a.png", "url(#a)"]


def tag_result(
    tag: str, is_tag: np.ndarray, weight: float = 3.0, held_out: int = 6, targets: bool = False,
) -> TagResult:
    """The second type is a little better than the first. weight: how far both tell the tag from others."""
    random, rows, models = np.random.default_rng(len(tag)), np.arange(len(is_tag)), {}
    for place, model_type in enumerate(TYPES):
        unseen = 1 / (1 + np.exp(2 - (weight + place) * is_tag - random.normal(size=len(is_tag))))
        strangers = np.where(is_tag, unseen, unseen ** 0.7)
        calibration = Calibration(SIGMOID, 1, 0, unseen, 0.2, 0.1, strangers)
        scores = HeldOut(random.random(held_out), random.random(3 * held_out) / 2, None)
        closed, among_strangers = (judged(is_tag, said, targets) for said in (unseen, strangers))
        models[model_type] = ModelResult(model_type, calibration, scores, closed, among_strangers)
    return TagResult(tag, rows, is_tag, models)


def judged(is_tag: np.ndarray, probabilities: np.ndarray, targets: bool) -> Judged:
    rows = np.arange(len(is_tag))
    metrics = Resamples(rows, 20).estimates(rows, is_tag, probabilities)
    return Judged(metrics, promises(is_tag, probabilities, rows, 0.6, 0.99) if targets else None)


def unmeasured_result(tag: str, is_tag: np.ndarray) -> TagResult:
    """One or no image of the tag."""
    held_out = HeldOut(np.empty(0), np.empty(0), None)
    calibration = Calibration(FROM_TRAINING if is_tag.any() else FROM_TEXT, 1, 0, None, None, None)
    nothing = Judged(dict.fromkeys(METRICS, NOTHING), None)
    models = {
        model_type: ModelResult(model_type, calibration, held_out, nothing, nothing)
        for model_type in TYPES[:1 + is_tag.any()]
    }
    return TagResult(tag, np.arange(len(is_tag)), is_tag, models)


def every(number: int, of: int = 6, rows: int = ROWS) -> np.ndarray:
    return np.arange(rows) % of == number


def report(results: list[TagResult], paths: dict[str, str] | None = None, **more) -> Report:
    """paths: of pictures by their hashes; more: other facts than the usual ones."""
    def find_paths(hash_ids):
        return {hash_id: paths[hash_id] for hash_id in hash_ids if hash_id in (paths or {})}

    usual = {
        "encoder": "M:p", "width": 512, "pictures": ROWS, "folds": 5, "results": results, "shared": {},
        "images_of": {result.tag: result.images for result in results}, "learning_curve": [],
        "to_check": [], "suggestions": [], "hash_ids": HASHES, "find_paths": find_paths,
    }
    return Report(**{**usual, **more})


def written(tmp_path: Path, *arguments, **more) -> Element:
    facts = report(*arguments, **more)
    write_report_page(tmp_path / "index.html", facts, tag_sections(facts), KeptThumbnails())
    return read_page(tmp_path / "index.html")


def cells(row: Element) -> list[str]:
    return [cell.text for cell in row.children if isinstance(cell, Element)]


def table(element: Element) -> list[list[str]]:
    return [cells(row) for row in element.all("tr")]


def section_of(page: Element, name: str) -> Element:
    [section] = [section for section in page.all("section") if section.attributes["id"] == name]
    return section


def three(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def all_elements(element: Element):
    for child in element.children:
        if isinstance(child, Element):
            yield child
            yield from all_elements(child)
