"""reports/index.html of stage 2: what it says of every tag, that it needs nothing but itself, and that names
do nothing in it."""
import re
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from stage2.judging.held_out import HeldOut
from stage2.judging.results import Contradiction, CurvePoint, Suggestion, TagResult
from stage2.metrics import METRICS, Estimate, metrics_of
from tests.html_tree import Element
from tests.stage2.report.drawn_results import (
    HASHES,
    HOSTILE,
    ROWS,
    TYPES,
    all_elements,
    every,
    section_of,
    table,
    tag_result,
    three,
    unmeasured_result,
    written,
)


def test_tags_are_ranked_with_all_their_numbers_and_one_without_any_says_why(tmp_path, three_tags):
    bad, good, _ = three_tags
    page = written(tmp_path, three_tags)

    def metrics(result: TagResult) -> list[str]:
        worlds = [("closed", "average_precision"), ("strangers", "average_precision"), ("closed", "f1"),
                  ("closed", "calibration_error")]
        return [
            " ".join(three(getattr(model, world).metrics[name].value) for model in result.models.values())
            for world, name in worlds]

    assert table(page.one("table", "ranking")) == [
        ["Tag", "Images", "0 average precision 1",
         "like these", "among strangers", "F1", "Calibration error", "Promises", "Worth doing"],
        ["good", "20 16.7 %", "", *metrics(good), "yes from 0.542 no: +279 images", ""],
        ["bad", "20 16.7 %", "", *metrics(bad), "yes: +20 images no: +279 images",
         "add about 20 images for a yes"],
        ["one", "1 0.8 %", "one image: nothing to measure on", "", "", "", "", "add images"]]
    bold = [span.text for row in page.one("table", "ranking").all("tr") for span in row.all("span", "best")]
    assert bold == [
        three(world.metrics["average_precision"].value)
        for result in (good, bad) for world in (result.best.closed, result.best.strangers)]
    assert "Promises, among strangers: yes and no" in section_of(page, "tags").one("p", "about").text
    [lead] = page.all("p", "lead")
    assert lead.text == (
        "1 of 2 tags reaches an average precision of 0.9. 1 tag could not be measured. The weakest: bad 0.60")


@pytest.mark.parametrize(("world", "others", "among", "promise"), [
    ("strangers", {}, "pictures of other tags were scored by models that had never met any of their tags",
     "Yes keeps its promise among strangers, tried on kinds that the models had never met; "
     "a kind nearer to a tag than all of those may break it."),
    ("strangers", {"other-training": 9}, "the pictures of other-training stand for all that nobody",
     "Yes keeps its promise among new pictures like the tags' and those of other-training."),
    ("closed", {}, "pictures of other tags were scored by models that had never met any of their tags",
     "Yes keeps its promise only while every new picture carries one of the tags (--world closed)."),
])
def test_the_page_explains_the_two_worlds_once_and_whom_a_yes_holds_among(
        tmp_path, world, others, among, promise):
    result = tag_result("cats", every(0), 8, targets=True)
    for name, model in result.models.items():
        result.models[name] = replace(model, world=world)
    page = written(tmp_path, [result], images_of={"cats": 20, **others})
    notes = [text.text for text in page.all("p") if "note" in text.attributes.get("class", "").split()]
    _, explained, held = notes
    assert (among in explained, held) == (True, promise)
    terms = [term.text for term in page.one("div", "facts").all("dt")][:3]
    both = {"strangers": ["among strangers (decides)", "among pictures like these"],
            "closed": ["among pictures like these (decides)", "among strangers"]}
    assert terms == ["calibration", *both[world]]


def test_whiskers_stand_where_the_numbers_say(tmp_path, three_tags):
    page = written(tmp_path, three_tags)
    bad = three_tags[0]
    whiskers = list(page.all("span", "whiskers"))[1]
    first, second = (model.metrics["average_precision"] for model in bad.models.values())
    assert [whiskers.attributes["style"], *(span.attributes["style"] for span in whiskers.all("span"))] == [
        f"--chance: {bad.base_rate:.4f}",
        f"--value: {first.value:.4f}; --low: {first.low:.4f}; --high: {first.high:.4f}",
        f"--value: {second.value:.4f}; --low: {second.low:.4f}; --high: {second.high:.4f}"]
    assert [hollow.attributes["style"] for hollow in whiskers.all("em")] == [
        f"--value: {model.strangers.metrics['average_precision'].value:.4f}" for model in bad.models.values()]


@pytest.fixture
def bad(tmp_path, three_tags) -> tuple[TagResult, Element]:
    """One of the tags and its section."""
    return three_tags[0], list(written(tmp_path, three_tags).all("details"))[1]


def test_a_tags_section_has_what_was_measured_out_of_fold_and_on_the_images_held_out(bad):
    result, section = bad
    interval = _interval(result.best.metrics["average_precision"])
    assert section.one("summary").text == f"bad 20 images, average precision 0.600 {interval}"
    expected = [["", *TYPES], ["", *["like these interval", "strangers interval", "held out"] * 2]]
    for name, title in METRICS.items():
        row = [title]
        for model in result.models.values():
            held_out = model.held_out
            for estimate in (model.closed.metrics[name], model.strangers.metrics[name]):
                row.append(f"{three(estimate.value)} {_interval(estimate)}".strip())
            row.append(three(metrics_of(held_out.is_tag(), held_out.scores())[name]))
        expected.append(row)
    rates = {
        "accuracy": "accuracy",
        "true_positive_rate": "share of the tag found",
        "false_positive_rate": "share of others called it",
    }
    for name, title in rates.items():
        row = [title]
        for model in result.models.values():
            for said in (model.calibration.unseen, model.calibration.strangers):
                row.append(three(HeldOut(said[result.is_tag], said[~result.is_tag], None).metrics()[name]))
            row.append(three(model.held_out.metrics()[name]))
        expected.append(row)
    assert table(next(section.all("table"))) == expected


def test_a_tags_section_says_what_other_thresholds_would_give_and_what_each_model_is(bad):
    result, section = bad
    unseen, strangers = result.best.calibration.unseen, result.best.calibration.strangers
    expected = [["ovr-svm"], ["yes from", "called", "precision", "among strangers", "recall"]]
    for tenth in range(1, 10):
        worlds = [said >= tenth / 10 for said in (unseen, strangers)]
        precisions = [three(result.is_tag[called].mean() if called.any() else None) for called in worlds]
        called, recall = worlds[0].sum(), worlds[0][result.is_tag].mean()
        expected.append([f"{tenth / 10}", f"{called}", *precisions, three(recall)])
    _, by_threshold = section.all("table")
    assert table(by_threshold) == expected
    facts = []
    for model in result.models.values():
        facts.append(("calibration", model.calibration.in_words()))
        worlds = {"among strangers (decides)": model.strangers, "among pictures like these": model.closed}
        for among, world in worlds.items():
            promised = [f"{title}: {promise.in_words()}" for title, promise in world.promises.by_title()]
            facts.append((among, " ".join(promised)))
    terms, said = ([text.text for text in section.all(name)] for name in ("dt", "dd"))
    assert list(zip(terms, said, strict=True)) == facts


def _interval(estimate: Estimate) -> str:
    return "" if estimate.low is None else f"{estimate.low:.3f}–{estimate.high:.3f}"


def test_tags_with_one_image_or_none_and_nothing_held_out_have_a_page_too(tmp_path):
    none, one = np.zeros(0, bool), np.arange(ROWS) == 5
    page = written(tmp_path, [unmeasured_result("none", none), unmeasured_result("one", one)])
    assert [section.one("summary").text for section in page.all("details")] == [
        "none 0 images, not measured", "one 1 image, not measured"]
    assert page.one("p", "lead").text == (
        "Nothing could be measured: that takes two images of a tag and two others.")
    assert list(page.all("svg")) == []
    [cats] = written(tmp_path, [tag_result("cats", every(0), held_out=0)]).all("details")
    assert {row[place] for row in table(next(cats.all("table")))[2:] for place in (3, 6)} == {"–"}


def test_the_page_needs_nothing_but_itself_and_every_link_and_reference_leads_somewhere(tmp_path, three_tags):
    curve = [CurvePoint(images, 2, 0.5, 0.4, 0.6, {"bad": 0.4}) for images in (0, 5, 10)]
    page = written(tmp_path, three_tags, learning_curve=curve)
    text = (tmp_path / "index.html").read_text()
    elements = list(all_elements(page))
    ids = [element.attributes["id"] for element in elements if "id" in element.attributes]
    assert max(Counter(ids).values()) == 1
    links = {
        value for element in elements for name, value in element.attributes.items()
        if name in ("href", "src", "action")
    }
    assert {link[1:] for link in links} <= set(ids)
    assert {link[0] for link in links} == {"#"}
    assert set(re.findall(r"url\(#([^)]*)\)", text)) <= set(ids)
    assert re.findall(r"url\((?!#|data:image/jpeg;base64,)", text) == []
    loading = {"script", "link", "img", "iframe", "object", "embed", "base", "image"}
    assert not {element.tag for element in elements} & loading
    assert (text.count("<style"), "http" in text, "@import" in text) == (1, False, False)
    plots = list(page.all("svg"))
    assert len(plots) == 7
    assert [plot.attributes["role"] for plot in plots] == ["img"] * 7
    assert len({plot.attributes["aria-label"] for plot in plots}) == 7


def test_a_report_of_tags_known_by_their_text_alone_has_a_page(tmp_path):
    page = written(tmp_path, [unmeasured_result("cats", np.zeros(0, bool))], images_of={})
    assert [section.attributes["id"] for section in page.all("section")] == ["tags", "each"]
    assert page.one("dd").text == "none: the text alone says how likely the tag is"


def test_names_are_shown_as_they_are_and_do_nothing(tmp_path):
    tags = [tag_result(tag, every(place, len(HOSTILE)), place) for place, tag in enumerate(HOSTILE)]
    names = [name.replace("/", "") for name in HOSTILE]
    paths = {hash_id: f"/gone/{names[row % len(names)]}{row}" for row, hash_id in enumerate(HASHES)}
    to_check = [
        Contradiction(row, {tag: 0.01}, {other: 0.99})
        for row, (tag, other) in enumerate(pairwise([*HOSTILE, HOSTILE[0]]))
    ]
    suggestions = [
        Suggestion(HASHES[place], path, HOSTILE[place], 0.5, 1, 1)
        for place, path in enumerate(["/a/<i>.png", None, "/b/\u202eb.png"])
    ]
    page = written(
        tmp_path, tags, paths, to_check=to_check, suggestions=suggestions,
        shared=dict.fromkeys(pairwise(HOSTILE), 3), encoder="<b>M:p\n")
    shown = {tag.replace("\n", "\\n").replace("\u202e", "\\u202e") for tag in HOSTILE}
    rows = [row for row in page.one("table", "ranking").all("tr") if list(row.all("a"))]
    assert {row.one("th").text for row in rows} == shown
    assert {section.one("h3").text for section in page.all("details")} == shown
    assert {line.one("span", "name").text for line in page.one("ul", "bars").all("li")} == shown
    assert not {element.tag for element in all_elements(page)} & {"script", "img", "b", "i"}
    assert "\u202e" not in (tmp_path / "index.html").read_text()


def test_one_tag_and_picture_are_not_said_to_be_several_and_the_page_says_what_counts_as_a_hit(tmp_path):
    page = written(tmp_path, [tag_result("cats", every(0))], pictures=1)
    assert page.one("title").text == "Report on 1 tag · image-tagging-tools"
    assert next(page.one("main").all("p", "note")).text.startswith("1 picture, 1 tag, vectors of M:p")
    about = section_of(page, "each").one("p", "about").text
    assert "Hits, misses and false alarms are counted at a probability of 0.5" in about
