"""reports/index.html of stage 2: what it says of every tag, that it needs nothing but itself, and that names do nothing in it."""
import base64
import io
import re
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sklearn.metrics import average_precision_score

from cache.decoder.image_decoder import hash_ids
from stage2.judging.held_out import HeldOut
from stage2.judging.label_audit import MOST_SUSPECTS
from stage2.judging.promises import promises
from stage2.judging.results import CurvePoint, ModelResult, Suggestion, Suspect, TagResult
from stage2.learning.calibration import FROM_TEXT, FROM_TRAINING, SIGMOID, Calibration
from stage2.metrics import METRICS, NOTHING, Estimate, Resamples, metrics_of
from stage2.report import curves
from stage2.report import pictures as page_pictures
from stage2.report.dataset_section import Pair, dataset_section
from stage2.report.label_section import contradictions
from stage2.report.next_steps import Step, next_steps, taken_for
from stage2.report.page import Report, tag_sections, write_report_page
from tests.drawing import drawn, png, write
from tests.html_tree import Element, read_page

TYPES = ("ovr-logistic-regression", "ovr-svm")
ROWS = 120
HASHES = [hash_ids(drawn(row))[0] if row < ROWS else f"{row:03}" * 40 for row in range(1000)]
GONE = "f" * 128
HOSTILE = ["<script>alert(1)</script>", "x" * 200, "كلب وقطة", "🐈‍⬛", "two\nlines", "\u202eesrever", "'\"><img src=x onerror=alert(1)>",
           "{{ 7 * 7 }} &amp; $x^2$", "https://example.org/a.png", "url(#a)"]


def tag_result(tag: str, is_tag: np.ndarray, weight: float = 3.0, held_out: int = 6, targets: bool = False) -> TagResult:
    """The second type is a little better than the first. weight: how far both tell the tag from others."""
    random, rows, models = np.random.default_rng(len(tag)), np.arange(len(is_tag)), {}
    for place, model_type in enumerate(TYPES):
        unseen = 1 / (1 + np.exp(2 - (weight + place) * is_tag - random.normal(size=len(is_tag))))
        metrics = Resamples(rows, 20).estimates(rows, is_tag, unseen)
        scores = HeldOut(random.random(held_out), random.random(3 * held_out) / 2, None)
        models[model_type] = ModelResult(model_type, Calibration(SIGMOID, 1, 0, unseen, 0.2, 0.1), metrics, scores,
                                         promises(is_tag, unseen, rows, 0.6, 0.99) if targets else None)
    return TagResult(tag, rows, is_tag, models)


def unmeasured_result(tag: str, is_tag: np.ndarray) -> TagResult:
    """One or no image of the tag."""
    nothing, kind = HeldOut(np.empty(0), np.empty(0), None), FROM_TRAINING if is_tag.any() else FROM_TEXT
    return TagResult(tag, np.arange(len(is_tag)), is_tag, {
        model_type: ModelResult(model_type, Calibration(kind, 1, 0, None, None, None), dict.fromkeys(METRICS, NOTHING), nothing, None)
        for model_type in TYPES[:1 + is_tag.any()]})


def every(number: int, of: int = 6, rows: int = ROWS) -> np.ndarray:
    return np.arange(rows) % of == number


def report(results: list[TagResult], paths: dict[str, str] | None = None, **more) -> Report:
    values = {
        "encoder": "M:p", "width": 512, "pictures": ROWS, "folds": 5, "results": results, "shared": {}, "learning_curve": [],
        "images_of": {result.tag: result.images for result in results}, "suspects": {}, "suggestions": [], "hash_ids": HASHES,
        "find_paths": lambda hash_ids: {hash_id: paths[hash_id] for hash_id in hash_ids if hash_id in (paths or {})},
    }
    return Report(**{**values, **more})


def written(tmp_path: Path, *arguments, **more) -> Element:
    facts = report(*arguments, **more)
    write_report_page(tmp_path / "index.html", facts, tag_sections(facts))
    return read_page(tmp_path / "index.html")


def cells(row: Element) -> list[str]:
    return [cell.text for cell in row.children if isinstance(cell, Element)]


def table(element: Element) -> list[list[str]]:
    return [cells(row) for row in element.all("tr")]


def three(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


@pytest.fixture
def three_tags() -> list[TagResult]:
    return [tag_result("bad", every(0), 0.5, targets=True), tag_result("good", every(1), 8, targets=True),
            unmeasured_result("one", np.arange(ROWS) == 5)]


def test_tags_are_ranked_with_all_their_numbers_and_one_that_could_not_be_measured_says_why(tmp_path, three_tags):
    bad, good, _ = three_tags
    page = written(tmp_path, three_tags)
    assert table(page.one("table", "ranking")) == [
        ["Tag", "Images", "0 average precision 1", "Average precision", "ROC AUC", "F1", "Calibration error", "Promises", "Worth doing"],
        *([result.tag, "20 16.7 %", "",
           *(" ".join(three(model.metrics[name].value) for model in result.models.values()) for name in METRICS), promised, steps]
          for result, promised, steps in ((good, "yes from 0.417 no: +279 images", ""),
                                          (bad, "yes: +10 images no: +279 images", "add images: only 20"))),
        ["one", "1 0.8 %", "one image: nothing to measure on", "", "", "", "", "add images"]]
    bold = [span.text for row in page.one("table", "ranking").all("tr") for span in row.all("span", "best")]
    assert bold == [three(result.best.metrics["average_precision"].value) for result in (good, bad)]
    [lead] = page.all("p", "lead")
    assert lead.text == "1 of 2 tags reaches an average precision of 0.9. 1 tag could not be measured. The weakest: bad 0.60"


def test_whiskers_stand_where_the_numbers_say(tmp_path, three_tags):
    page = written(tmp_path, three_tags)
    bad = three_tags[0]
    whiskers = list(page.all("span", "whiskers"))[1]
    estimates_of = [model.metrics["average_precision"] for model in bad.models.values()]
    assert [whiskers.attributes["style"], *(span.attributes["style"] for span in whiskers.all("span"))] == [
        f"--chance: {bad.base_rate:.4f}",
        *(f"--value: {each.value:.4f}; --low: {each.low:.4f}; --high: {each.high:.4f}" for each in estimates_of)]


def test_a_tags_section_has_what_was_measured_out_of_fold_and_on_the_images_held_out(tmp_path, three_tags):
    bad = three_tags[0]
    section = list(written(tmp_path, three_tags).all("details"))[1]
    assert section.one("summary").text == f"bad 20 images, average precision 0.600 {_interval(bad.best.metrics['average_precision'])}"
    metrics, by_threshold = section.all("table")
    names = {"accuracy": "accuracy", "true_positive_rate": "share of the tag found", "false_positive_rate": "share of others called it"}
    expected = [["", *TYPES], ["", *["out of fold interval", "held out"] * 2]]
    for name, words in {**METRICS, **names}.items():
        row = [words]
        for model in bad.models.values():
            unseen = model.calibration.unseen
            estimate = model.metrics.get(name) or Estimate(
                HeldOut(unseen[bad.is_tag], unseen[~bad.is_tag], None).metrics()[name], None, None)
            scores = model.held_out.scores()
            held_out = {**metrics_of(model.held_out.is_tag(), scores), **model.held_out.metrics()}[name]
            row += [f"{three(estimate.value)} {_interval(estimate)}".strip(), three(getattr(held_out, "value", held_out))]
        expected.append(row)
    expected[2][2::2] = [three(model.held_out.metrics()["average_precision"]) for model in bad.models.values()]
    assert table(metrics) == expected
    unseen = bad.best.calibration.unseen
    assert table(by_threshold) == [["ovr-svm"], ["yes from", "called", "precision", "recall"], *(
        [f"{at / 10}", f"{(unseen >= at / 10).sum()}", three(bad.is_tag[unseen >= at / 10].mean() if (unseen >= at / 10).any() else None),
         three((unseen[bad.is_tag] >= at / 10).mean())] for at in range(1, 10))]
    assert [text.text for text in section.all("dd")] == [text for model in bad.models.values() for text in (
        model.calibration.in_words(), *(promise.in_words() for _, promise in model.promises.by_title()))]


def _interval(estimate: Estimate) -> str:
    return "" if estimate.low is None else f"{estimate.low:.3f}–{estimate.high:.3f}"


def test_tags_with_one_image_or_none_and_nothing_held_out_have_a_page_too(tmp_path):
    page = written(tmp_path, [unmeasured_result("none", np.zeros(0, bool)), unmeasured_result("one", np.arange(ROWS) == 5)])
    assert [section.one("summary").text for section in page.all("details")] == ["none 0 images, not measured", "one 1 image, not measured"]
    assert page.one("p", "lead").text == "Nothing could be measured: that takes two images of a tag and two others."
    assert list(page.all("svg")) == []
    [cats] = written(tmp_path, [tag_result("cats", every(0), held_out=0)]).all("details")
    assert {row[place] for row in table(next(cats.all("table")))[2:] for place in (2, 4)} == {"–"}


def test_the_page_needs_nothing_but_itself_and_every_link_and_reference_in_it_leads_somewhere(tmp_path, three_tags):
    page = written(tmp_path, three_tags, learning_curve=[CurvePoint(k, 2, 0.5, 0.4, 0.6, {"bad": 0.4}) for k in (0, 5, 10)])
    text = (tmp_path / "index.html").read_text()
    elements = list(_all(page))
    ids = [element.attributes["id"] for element in elements if "id" in element.attributes]
    assert max(Counter(ids).values()) == 1
    links = {element.attributes[name] for element in elements for name in ("href", "src", "action") if name in element.attributes}
    assert {link[1:] for link in links} <= set(ids)
    assert {link[0] for link in links} == {"#"}
    assert set(re.findall(r"url\(#([^)]*)\)", text)) <= set(ids)
    assert re.findall(r"url\((?!#|data:image/jpeg;base64,)", text) == []
    assert not {element.tag for element in elements} & {"script", "link", "img", "iframe", "object", "embed", "base", "image"}
    assert (text.count("<style"), "http" in text, "@import" in text) == (1, False, False)
    plots = list(page.all("svg"))
    assert len(plots) == 7
    assert [plot.attributes["role"] for plot in plots] == ["img"] * 7
    assert len({plot.attributes["aria-label"] for plot in plots}) == 7


def _all(element: Element):
    for child in element.children:
        if isinstance(child, Element):
            yield child
            yield from _all(child)


def test_plots_say_what_their_axes_are_and_take_the_colours_of_the_page(tmp_path):
    page = written(tmp_path, [tag_result("cats", every(0, of=3))])
    words = [[text.text for text in plot.all("text")] for plot in page.all("svg")]
    assert [[word for word in each if not re.fullmatch(r"[\d.]+k?", word)] for each in words] == [
        ["recall", "precision"], ["probability", "share that carries the tag"], ["probability", "images"]]
    styles = [element.attributes.get("style", "") for plot in page.all("svg") for element in _all(plot)]
    assert {colour for style in styles for colour in re.findall(r"(?:fill|stroke): ([^;]+)", style)} == {
        "none", "currentColor", "var(--series-1)", "var(--series-2)"}


def test_plots_compare_the_tags_images_with_those_of_no_tag_where_there_are_some(tmp_path):
    def label(outside: np.ndarray | None) -> tuple[str, str]:
        result = tag_result("cats", every(0))
        result.models["ovr-svm"] = replace(result.best, held_out=replace(result.best.held_out, outside_scores=outside))
        *_, last = written(tmp_path, [result]).all("figure")
        return last.one("figcaption").text, last.one("svg").attributes["aria-label"]

    unseen = tag_result("cats", every(0)).best.calibration.unseen
    found, alarms = (unseen[every(0)] >= 0.5).sum(), (unseen[~every(0)] >= 0.5).sum()
    begins = f"Probabilities of cats: from 0.5 on are {found} of 20 images of it and"
    assert label(None) == ("Probabilities by ovr-svm 20 images of the tag; grey: 100 others", f"{begins} {alarms} of 100 others")
    assert label(np.array([0.1, 0.6, 0.7])) == (
        "Probabilities by ovr-svm 20 images of the tag; grey: 3 images of no tag", f"{begins} 2 of 3 images of no tag")


def test_a_report_of_tags_known_by_their_text_alone_has_a_page(tmp_path):
    page = written(tmp_path, [unmeasured_result("cats", np.zeros(0, bool))], images_of={})
    assert [section.attributes["id"] for section in page.all("section")] == ["tags", "each"]
    assert page.one("dd").text == "none: the text alone says how likely the tag is"


def test_names_are_shown_as_they_are_and_do_nothing(tmp_path):
    tags = [tag_result(tag, every(place, len(HOSTILE)), place) for place, tag in enumerate(HOSTILE)]
    paths = {hash_id: f"/gone/{HOSTILE[row % len(HOSTILE)].replace('/', '')}{row}" for row, hash_id in enumerate(HASHES)}
    suspects = {result.tag: [Suspect(place, result.tag, True, 0.01), Suspect(place + 1, result.tag, False, 0.99)]
                for place, result in enumerate(tags)}
    shared = dict.fromkeys(pairwise(HOSTILE), 3)
    page = written(tmp_path, tags, paths, suspects=suspects, shared=shared, encoder="<b>M:p\n", suggestions=[
        Suggestion(HASHES[place], path, HOSTILE[place], 0.5, 1, 1) for place, path in enumerate(["/a/<i>.png", None, "/b/\u202eb.png"])])
    shown = {tag.replace("\n", "\\n").replace("\u202e", "\\u202e") for tag in HOSTILE}
    rows = [row for row in page.one("table", "ranking").all("tr") if list(row.all("a"))]
    assert {row.one("th").text for row in rows} == shown
    assert {section.one("h3").text for section in page.all("details")} == shown
    assert {line.one("span", "name").text for line in page.one("ul", "bars").all("li")} == shown
    assert not {element.tag for element in _all(page)} & {"script", "img", "b", "i"}
    assert "\u202e" not in (tmp_path / "index.html").read_text()


def test_the_same_results_give_the_same_page_whatever_matplotlib_is_set_to(tmp_path, three_tags):
    pages = []
    for settings in ({}, {"font.size": 20, "svg.fonttype": "path", "axes.facecolor": "red", "text.usetex": True, "axes.grid": False}):
        with matplotlib.rc_context(settings):
            before = dict(matplotlib.rcParams)
            written(tmp_path, three_tags)
            assert dict(matplotlib.rcParams) == before
        pages.append((tmp_path / "index.html").read_bytes())
    assert pages[0] == pages[1]


def test_each_picture_is_embedded_once_and_one_that_is_gone_has_no_preview(tmp_path):
    write(tmp_path, {f"{row}.png": png(row) for row in range(0, ROWS, 2)})
    write(tmp_path, {"0.png": png(999)})  # another picture by now: it must not be shown as that one
    paths = {hash_id: str(tmp_path / f"{row}.png") for row, hash_id in enumerate(HASHES[:ROWS])}
    page = written(tmp_path, [tag_result("cats", every(0, 3)), tag_result("dogs", every(1, 3))], paths,
                   suggestions=[Suggestion(HASHES[4], paths[HASHES[4]], "cats", 0.5, 1, 1), Suggestion(GONE, None, "cats", 0.4, 0.8, 1)])
    parts = (tmp_path / "index.html").read_text().split("url(data:image/jpeg;base64,")[1:]
    embedded = [base64.b64decode(part.split(")")[0]) for part in parts]
    assert len(embedded) == len(set(embedded)) > 10
    assert {Image.open(io.BytesIO(data)).size for data in embedded} == {(112, 93)}
    tiles = {(tile.attributes["title"], tile.one("span", "thumbnail").attributes["class"].split()[1])
             for tile in page.all("li") if list(tile.all("span", "thumbnail"))}
    names = [name for name, _ in tiles]
    assert len(names) == len(set(names))  # always the same class
    assert {name for name, shown in tiles if shown == "missing"} == {
        name for name in names if name == GONE[:12] or Path(name).stem == "0" or int(Path(name).stem) % 2}


def test_a_page_of_a_hundred_tags_shows_a_picture_of_each_and_embeds_no_more_than_it_should(tmp_path, monkeypatch):
    asked = []
    tags = [tag_result(f"tag {number:02}", every(number, 100, 1000)) for number in range(100)]
    page = written(tmp_path, tags, find_paths=lambda hash_ids: asked.append(list(hash_ids)) or {})
    [hash_ids] = asked
    assert len(hash_ids) == len(set(hash_ids)) == page_pictures.MOST_THUMBNAILS
    assert [len(list(page.all(tag))) for tag in ("details", "svg")] == [100, 300]
    assert min(len(list(section.one("div", "strips").all("li"))) for section in page.all("details")) >= 2
    assert len((tmp_path / "index.html").read_bytes()) < 4_000_000


@st.composite
def scored(draw) -> tuple[np.ndarray, np.ndarray]:
    """Labels of both kinds, and probabilities with ties."""
    probabilities = draw(st.lists(st.sampled_from([0, 0.1, 0.3, 0.7, 1]) | st.floats(0, 1), min_size=2, max_size=60))
    labels = draw(st.lists(st.booleans(), min_size=len(probabilities), max_size=len(probabilities)))
    labels[:2] = [True, False]
    return np.array(labels), np.array(probabilities, float)


@given(scored())
def test_the_area_under_the_curve_of_precision_and_recall_is_the_average_precision(drawn):
    is_tag, probabilities = drawn
    recall, precision = curves.precision_recall(is_tag, probabilities).T
    area = np.trapezoid(precision, recall)
    assert area == pytest.approx(average_precision_score(is_tag, probabilities), abs=curves.TOLERANCE)
    assert (recall[0], recall[-1]) == (0, 1)


@given(st.integers(0, 10_000), st.integers(3, 3000), st.integers(3, 250))
def test_a_thinned_line_keeps_its_ends_and_runs_past_every_point_that_it_leaves_out(seed, count, most):
    random = np.random.default_rng(seed)
    points = np.stack([np.sort(random.random(count)), random.normal(size=count).cumsum() / 30], 1)
    thin = curves.thinned(points, most)
    places = np.searchsorted(points[:, 0], thin[:, 0])
    assert len(thin) <= most
    assert np.array_equal(points[places], thin)
    assert (places[0], places[-1]) == (0, count - 1)
    if len(thin) < most:
        assert max((_distance(points[place], thin) for place in random.integers(0, count, 20)), default=0) <= curves.TOLERANCE + 1e-12


def _distance(point: np.ndarray, line: np.ndarray) -> float:
    shares = np.linspace(0, 1, 401)[:, None]
    return min(np.linalg.norm(start + shares * (end - start) - point, axis=1).min() - np.linalg.norm(end - start) / 800
               for start, end in pairwise(line))


def test_a_long_curve_is_thinned_to_what_can_be_seen(tmp_path):
    random = np.random.default_rng(0)
    is_tag = random.random(10_000) < 0.2
    probabilities = random.random(10_000) ** (2 - is_tag)
    recall, precision = curves.precision_recall(is_tag, probabilities).T
    assert len(recall) <= curves.MOST_CORNERS
    assert np.trapezoid(precision, recall) == pytest.approx(average_precision_score(is_tag, probabilities), abs=curves.TOLERANCE)


@given(scored())
def test_bins_of_plots_hold_every_image_once(drawn):
    is_tag, probabilities = drawn
    said, was, counts = curves.reliability(is_tag, probabilities).T
    assert counts.sum() == len(is_tag) == curves.histogram(probabilities).sum()
    assert counts @ was == pytest.approx(is_tag.sum())
    assert counts @ said == pytest.approx(probabilities.sum())


def test_a_picture_in_the_wrong_folder_is_one_picture_to_look_at_and_a_weak_model_counts_less():
    suspects = {"cats": [Suspect(1, "cats", True, 0.1), Suspect(2, "cats", True, 0.05)], "dogs": [Suspect(1, "dogs", False, 0.8)],
                "weak": [Suspect(3, "weak", True, 0.0), Suspect(4, "weak", False, 1.0)]}
    found = contradictions(suspects, {1: ["cats"], 2: ["cats", "pets"], 3: ["weak"]}, {"cats": 0.9, "dogs": 0.8, "weak": 0.2})
    assert [(each.row, each.labelled, each.looks_like) for each in found] == [
        (1, {"cats": 0.1}, {"dogs": 0.8}), (2, {"cats": 0.05, "pets": None}, {}), (3, {"weak": 0.0}, {}), (4, {}, {"weak": 1.0})]


def test_labels_and_suggestions_name_the_tag_and_both_opinions(tmp_path):
    cats, dogs = tag_result("cats", every(0)), tag_result("dogs", every(1))
    page = written(tmp_path, [cats, dogs], {HASHES[0]: "/p/wrong.png"},
                   suggestions=[Suggestion(HASHES[119], "/q/new.png", "dogs", 0.5, 1, 1)],
                   suspects={"cats": [Suspect(0, "cats", True, 0.02)], "dogs": [Suspect(0, "dogs", False, 0.97)]})
    tiles = [[tile.text for tile in section.all("li")] for section in page.all("section") if section.attributes["id"] in ("labels", "next")]
    assert tiles == [["cats label yes, model 0.02 dogs label no, model 0.97 p/wrong.png"], ["dogs model 0.50 q/new.png"]]


def test_a_picture_is_named_with_its_folder_and_nothing_else_of_its_path_is_in_the_page(tmp_path):
    paths = {hash_id: f"/photos/2024/{'cats' if row % 2 else 'dogs.zip'}/IMG_{row}.png" for row, hash_id in enumerate(HASHES[:ROWS])}
    page = written(tmp_path, [tag_result("cats", every(0))], paths, suspects={"cats": [Suspect(0, "cats", True, 0.02)]})
    tiles = [tile for tile in page.all("li") if list(tile.all("span", "thumbnail"))]
    assert len(tiles) > 10
    for tile in tiles:
        assert f"/photos/2024/{tile.attributes['title']}" in paths.values()
        assert tile.one("span", "file").text == tile.attributes["title"]
    assert "2024" not in (tmp_path / "index.html").read_text()


@pytest.mark.parametrize(("count", "said"), [
    (24, None), (207, "The first 24 of 207; all in label-audit.json, of each tag at most 24.")])
def test_where_not_all_labels_to_check_are_listed_the_page_says_where_they_are(tmp_path, count, said):
    cats = tag_result("cats", every(0, rows=1000))
    page = written(tmp_path, [cats], suspects={"cats": [Suspect(row, "cats", True, 0.02) for row in range(count)]})
    [section] = [section for section in page.all("section") if section.attributes["id"] == "labels"]
    assert len(list(section.all("li"))) == 24
    about = section.one("p", "about").text
    assert about.endswith(said or "spoils what is learnt.")


def test_a_single_tag_and_picture_are_not_said_to_be_several_and_the_page_says_what_it_counts_as_a_hit(tmp_path):
    page = written(tmp_path, [tag_result("cats", every(0))], pictures=1)
    assert page.one("title").text == "Report on 1 tag · image-tagging-tools"
    assert page.one("main").one("p", "note").text.startswith("1 picture, 1 tag, vectors of M:p")
    [each] = [section for section in page.all("section") if section.attributes["id"] == "each"]
    assert "Hits, misses and false alarms are counted at a probability of 0.5" in each.one("p", "about").text


def test_folders_of_no_tag_are_told_apart_from_the_tags(tmp_path):
    images_of = {"cats": 4, "dogs": 2, "other-training": 500, "other-validation": 0}
    page = written(tmp_path, [tag_result("cats", every(0))], images_of=images_of)
    [section] = [section for section in page.all("section") if section.attributes["id"] == "dataset"]
    assert section.one("p", "about").text == (
        "The largest tag has 2.0 times as many images as the smallest, those held out included. No image carries two tags. "
        "Images of no tag: 500 in other-training, 0 in other-validation.")
    assert [line.text for line in section.one("ul", "bars").all("li")] == ["cats 4", "dogs 2"]


def test_what_is_worth_doing_follows_from_the_results():
    result = tag_result("shirts", every(0))
    curve = [CurvePoint(images, 1, 0.5, 0.5, 0.5, {"shirts": 0.5 + images / 100}) for images in (0, 5, 10, 20)]
    suspects = [Suspect(1, "shirts", False, 0.999), Suspect(2, "shirts", False, 0.6)]
    confused = [("coats", 9)]

    def steps(low: float, value: float, high: float, *more) -> list[Step]:
        for model in result.models.values():
            model.metrics["average_precision"] = Estimate(value, low, high)
        return next_steps(result, *more)

    assert steps(0.9, 0.92, 0.94, suspects, curve, confused) == [Step("check 1 label"), Step("add images: still rising")]
    assert steps(0.8, 0.82, 0.84, suspects, curve[:2], confused) == [Step("tell apart from", "coats")]
    assert steps(0.6, 0.8, 0.9, [], curve, confused) == [Step("add images: only 20"), Step("tell apart from", "coats")]
    assert steps(0.9, 0.92, 0.94, [], [], []) == [Step("look at its misses")]
    assert steps(0.98, 0.99, 1, [], curve, []) == []
    assert steps(0.98, 0.99, 1, [Suspect(1, "shirts", False, 0.999)] * MOST_SUSPECTS, [], []) == [Step("check 24 or more labels")]


def test_false_alarms_are_counted_by_the_tags_that_they_carry():
    result = tag_result("cats", every(0), 0)
    result.best.calibration.unseen[1:6] = 0.9
    assert taken_for(result, {row: ["pets", "dogs"][:row] for row in range(1, ROWS)}) == [("pets", 6), ("dogs", 5)]


def test_a_single_false_alarm_is_not_said_to_be_images(tmp_path):
    cats, birds = tag_result("cats", every(0), 9), tag_result("birds", np.arange(ROWS) % 6 > 0)
    cats.best.calibration.unseen[:] = cats.is_tag
    cats.best.calibration.unseen[1] = 0.9
    [section] = [section for section in written(tmp_path, [cats, birds]).all("details") if section.one("h3").text == "cats"]
    assert "False alarms by their own tag: birds 1." in [text.text for text in section.all("p")]


def test_tags_that_share_images_are_a_matrix_of_few_tags_and_a_list_of_the_strongest_of_many(tmp_path):
    few = dataset_section({"a": 4, "b": 2, "c": 3}, {("a", "b"): 2})
    assert few.sizes == [("a", 4), ("c", 3), ("b", 2)]
    assert (few.imbalance, few.together) == (2.0, ["a", "b"])
    pair = Pair("a", "b", 2, 0.5)
    assert few.pairs == {("a", "b"): pair, ("b", "a"): pair}
    names = [f"t{number:02}" for number in range(40)]
    many = dataset_section(dict.fromkeys(names, 50), {tags: number for number, tags in enumerate(pairwise(names), 1)})
    assert many.together == []
    assert [pair.images for pair in many.pairs.values()] == list(range(39, 19, -1))
    page = written(tmp_path, [tag_result("a", every(0)), tag_result("b", every(1))], shared={("a", "b"): 7})
    assert table(page.one("table", "matrix")) == [["", "a", "b"], ["a", "", "7"], ["b", "7", ""]]


def test_the_learning_curve_is_drawn_and_told(tmp_path):
    points = [CurvePoint(0, 2, 0.5, 0.4, 0.6, {"cats": 0.4, "dogs": 0.6}), CurvePoint(5, 1, 0.7, 0.7, 0.7, {"dogs": 0.7})]
    page = written(tmp_path, [tag_result("cats", every(0)), tag_result("dogs", every(1))], learning_curve=points)
    [section] = [section for section in page.all("section") if section.attributes["id"] == "examples"]
    assert table(section.one("table")) == [
        ["Images", "Tags", "Worst", "Mean", "Best"], ["0", "2", "0.400", "0.500", "0.600"], ["5", "1", "0.700", "0.700", "0.700"]]
    said = "Mean average precision by number of images to learn from: 0.500 with 0; 0.700 with 5"
    assert section.one("svg").attributes["aria-label"] == said
    assert {"0", "5", "images of a tag to learn from", "average precision"} <= {text.text for text in section.one("svg").all("text")}
    by_tag = {section.one("h3").text: [table(each) for each in section.one("div", "facts").all("table")] for section in page.all("details")}
    assert by_tag == {"cats": [], "dogs": [[["images", "0", "5"], ["average precision", "0.60", "0.70"]]]}
