"""The plots inside the page, and the pictures."""
import re
from dataclasses import replace

import matplotlib
import numpy as np

from tests.stage2.report.drawn_results import all_elements, every, tag_result, written


def test_plots_say_what_their_axes_are_and_take_the_colours_of_the_page(tmp_path):
    page = written(tmp_path, [tag_result("cats", every(0, of=3))])
    words = [[text.text for text in plot.all("text")] for plot in page.all("svg")]
    assert [[word for word in each if not re.fullmatch(r"[\d.]+k?", word)] for each in words] == [
        ["recall", "precision"], ["probability", "share that carries the tag"], ["probability", "images"]]
    elements = [element for plot in page.all("svg") for element in all_elements(plot)]
    styles = [element.attributes.get("style", "") for element in elements]
    assert {colour for style in styles for colour in re.findall(r"(?:fill|stroke): ([^;]+)", style)} == {
        "none", "currentColor", "var(--series-1)", "var(--series-2)"}


def test_plots_compare_the_tags_images_with_those_of_no_tag_where_there_are_some(tmp_path):
    def label(outside: np.ndarray | None) -> tuple[str, str]:
        result = tag_result("cats", every(0))
        held_out = replace(result.best.held_out, outside_scores=outside)
        result.models["ovr-svm"] = replace(result.best, held_out=held_out)
        *_, last = written(tmp_path, [result]).all("figure")
        return last.one("figcaption").text, last.one("svg").attributes["aria-label"]

    unseen = tag_result("cats", every(0)).best.calibration.unseen
    hits, alarms = (unseen[every(0)] >= 0.5).sum(), (unseen[~every(0)] >= 0.5).sum()
    begins = f"Probabilities of cats: from 0.5 on are {hits} of 20 images of it and"
    assert label(None) == (
        "Probabilities by ovr-svm 20 images of the tag; grey: 100 others",
        f"{begins} {alarms} of 100 others")
    assert label(np.array([0.1, 0.6, 0.7])) == (
        "Probabilities by ovr-svm 20 images of the tag; grey: 3 images of no tag",
        f"{begins} 2 of 3 images of no tag")


def test_the_same_results_give_the_same_page_whatever_matplotlib_is_set_to(tmp_path, three_tags):
    pages = []
    own = {
        "font.size": 20, "svg.fonttype": "path", "axes.facecolor": "red", "axes.grid": False,
        "text.usetex": True}
    for settings in ({}, own):
        with matplotlib.rc_context(settings):
            before = dict(matplotlib.rcParams)
            written(tmp_path, three_tags)
            assert dict(matplotlib.rcParams) == before
        pages.append((tmp_path / "index.html").read_bytes())
    assert pages[0] == pages[1]
