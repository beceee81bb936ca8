"""What each threshold would find, as figures, as a file, and as lines on a page."""
import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from cache.stores.kept_thumbnails import KeptThumbnails
from companions.cluster.groups import CHAIN, Member, Place, grouped
from companions.cluster.methods.method import Pair
from companions.cluster.threshold_page import write_suggestion
from companions.cluster.thresholds import Step, Suggestion, curve, pairs_to_show, sample
from tests.html_tree import read_page

COUNT = 6


def members(files: list[int]) -> list[Member]:
    return [
        Member(f"{number:03}", 1, 1, 0.0, tuple(
            Place(f"p/{number}-{copy}.png", f"/p/{number}-{copy}.png", False, 1) for copy in range(copies)))
        for number, copies in enumerate(files)]


def suggestion(files: list[int], pairs: list[Pair], low: float, pictures: int | None = None) -> Suggestion:
    return Suggestion("p", "orb", 0.999, low, members(files), pairs, pictures or len(files))


@st.composite
def drawn_pairs(draw) -> list[Pair]:
    ends = [(first, second) for first in range(COUNT) for second in range(first + 1, COUNT)]
    chosen = draw(st.lists(st.sampled_from(ends), unique=True))
    similarity = st.sampled_from([0.9901, 0.995, 0.9951, 0.999, 1.0])
    return [Pair(*two, draw(similarity)) for two in sorted(chosen)]


@given(drawn_pairs(), st.lists(st.integers(1, 3), min_size=COUNT, max_size=COUNT))
def test_every_step_counts_what_a_run_at_that_threshold_would_find(pairs, files):
    steps = curve(suggestion(files, pairs, 0.99))
    assert [step.threshold for step in steps] == [
        0.99, 0.991, 0.992, 0.993, 0.994, 0.995, 0.996, 0.997, 0.998, 0.999, 1.0]
    for step in steps:
        alike = [pair for pair in pairs if pair.similarity >= step.threshold]
        sizes = [sum(files[number] for number in group) for group in grouped(COUNT, alike, CHAIN)]
        clusters = [size for size in sizes if size > 1]
        expected = Step(step.threshold, len(alike), len(clusters), sum(clusters), max(clusters, default=0))
        assert step == expected


def test_more_pictures_than_two_thousand_are_stood_for_by_the_same_random_sample_each_time():
    assert sample(2000) == list(range(2000))
    assert sample(6, 3) == [0, 3, 5]
    drawn = sample(50_000)
    assert len(set(drawn)) == 2000
    assert drawn == sorted(drawn) == sample(50_000)
    assert 24_000 < sum(drawn) / 2000 < 26_000


def test_pairs_of_every_similarity_are_shown_a_bounded_number_of_them():
    common = [Pair(0, number, round(0.5 + number / 1e6, 6)) for number in range(1, 1001)]
    rare = [Pair(1, 2, 0.25), Pair(1, 3, 0.75), Pair(1, 4, 1.0)]
    assert pairs_to_show([*common[:3], *rare]) == [rare[0], *common[:3], *rare[1:]]
    shown = pairs_to_show([*common, *rare], 13)
    assert [pair.second for pair in shown] == [2, *range(51, 1001, 100), 3, 4]


def test_the_file_has_a_line_for_each_threshold(here):
    pairs = [Pair(0, 1, 0.9985), Pair(1, 2, 1.0)]
    drawn = suggestion([1, 1, 1, 2], pairs, 0.998, 9)
    write_suggestion(here, drawn, kept=KeptThumbnails(), lies_in=here)
    assert Path("thresholds.json").read_text() == """\
{"method":"orb","threshold":0.999,"pictures":9,"looked_at":4,
"curve":[
{"threshold":0.998,"pairs":2,"clusters":2,"files":5,"largest":3},
{"threshold":0.999,"pairs":1,"clusters":2,"files":4,"largest":2},
{"threshold":1.0,"pairs":1,"clusters":2,"files":4,"largest":2}
]}
"""
    page = read_page("thresholds.html")
    assert [line.text for line in page.one("main").all("p")][:2] == [
        "A random sample of 4 pictures stands for all 9: of the pairs of these, it has about one in 5.",
        "2 pairs of at least 0.998 by orb. Clusters are those of --linkage chain, copies included.",
    ]
    assert [path.attributes["d"] for path in page.all("path")] == [
        "M998 0H998V36.9H1000", "M998 0H1000", "M998 0H998V20H1000", "M998 0H998V33.3H1000"]


def test_one_picture_and_no_pair_make_a_page_too(here):
    write_suggestion(here, suggestion([1], [], 1.0), kept=KeptThumbnails(), lies_in=here)
    assert json.loads(Path("thresholds.json").read_text())["curve"] == [
        {"threshold": 1.0, "pairs": 0, "clusters": 0, "files": 0, "largest": 0}]
    assert next(read_page("thresholds.html").one("main").all("p")).text == "1 picture."
