"""The table of `make bench`: how it reads, that docs/speed.md shows the last one, and its pictures."""
import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from benchmarks import __main__ as benchmarks
from benchmarks import drawn_models, photograph_pages, photographs, pictures, soak, stage_2_growth
from benchmarks.__main__ import END, PAGE, PARTS, RESULTS, START, number, page_part, table
from benchmarks.measure import Measurement, Run
from benchmarks.pictures import draw_mixed, draw_photographs, draw_small
from cache.models.score_forms import LinearRow, RadialRow
from cache.models.tag_models import load_models
from cache.reader.image_source import images

NAMES = ("what", "value", "unit", "compared_with", "limit", "ratio", "bar")


def test_the_table_shows_each_value_beside_its_limit():
    rows = [
        ("stage 1", 39.94, "pictures/s", "its parts", 42.4, 0.942, ">= 0.9"),
        ("precision", 0.75, "", "a loop", 0.69, 1.09, ""),
    ]
    assert table([dict(zip(NAMES, row, strict=True)) for row in rows]) == """\
| what      | measured        | compared with   | ratio | bar    |
| --------- | --------------- | --------------- | ----- | ------ |
| stage 1   | 39.9 pictures/s | 42.4: its parts | 0.94  | >= 0.9 |
| precision | 0.75            | 0.69: a loop    | 1.09  |        |"""


@pytest.mark.parametrize(
    ("value", "text"), [(1234.5, "1,234"), (48.06, "48.1"), (0.958, "0.96"), (0.0123, "0.012"), (0, "0")])
def test_numbers_have_the_digits_that_mean_something(value, text):
    assert number(value) == text


def test_the_page_shows_the_last_results_and_the_machine_they_are_from():
    rows = json.loads(RESULTS.read_text())["measurements"]
    assert START + page_part(rows) + END in PAGE.read_text()
    assert {row["part"] for row in rows} >= set(PARTS) - {"gpu"}


def test_a_run_of_some_parts_keeps_the_rows_of_the_others(tmp_path, monkeypatch):
    monkeypatch.setattr(benchmarks, "RESULTS", tmp_path / "results.json")
    monkeypatch.setattr(benchmarks, "PAGE", tmp_path / "speed.md")
    (tmp_path / "speed.md").write_text(f"before\n{START}old{END}\nafter\n")
    facts = {"cpu": "CPU", "cores": 2, "bf16": False, "gpu": "none", "python": "3.11", "torch": "2"}
    row = dict(zip(NAMES, ("what", 2.0, "s", "that", 1.0, 0.5, ""), strict=True))
    benchmarks.write_results(facts, [{"part": "stage_1", **row}, {"part": "caches", **row}])
    benchmarks.write_results({**facts, "cpu": "other CPU"}, [{"part": "caches", **row, "value": 3.0}])
    rows = json.loads((tmp_path / "results.json").read_text())["measurements"]
    assert [(row["part"], row["value"], row["machine"].split(",")[0]) for row in rows] == [
        ("stage_1", 2.0, "CPU"), ("caches", 3.0, "other CPU")]
    assert (tmp_path / "speed.md").read_text() == f"before\n{START}{page_part(rows)}{END}\nafter\n"


def test_stage_2_is_timed_and_weighed_on_as_many_pictures_as_its_rows_say(monkeypatch):
    def run_stage(number: int, flags: dict) -> Run:
        pictures = len(json.loads(flags["--metadata_json"].read_text()))
        tags = json.loads(flags["--tag_to_hash_json"].read_text())
        assert (number, len(tags), sum(map(len, tags.values()))) == (2, 10, pictures)
        return Run(seconds=pictures * 1.5, peak_mib=pictures * 2.0, stderr="")

    monkeypatch.setattr(stage_2_growth, "run_stage", run_stage)
    assert [*stage_2_growth.measure(20, 40), *stage_2_growth.measure_large(30)] == [
        Measurement(
            "stage 2, the whole command, 10 tags x 40 x 512", 60.0, "s", "20 pictures", 30.0, 2.0, "<= 2.5"),
        Measurement(
            "stage 2, the whole command, 10 tags x 30 x 512", 45.0, "s", "ten minutes", 600, 0.075, "<= 1"),
        Measurement(
            "stage 2, peak memory, 10 tags x 30 x 512", 60.0, "MiB", "4 GB", 4e9 / 2**20, 60 * 2**20 / 4e9,
            "<= 1")]


def test_drawn_models_load_like_trained_ones(tmp_path):
    drawn_models.draw(tmp_path, tags=2, pictures=30, features=8, support=10)
    models, refusals = load_models(str(tmp_path), "drawn:drawn", 8)
    assert [type(model.estimator) for model in models] == [LinearRow, LinearRow, RadialRow, RadialRow]
    assert refusals == []
    assert drawn_models.load(str(tmp_path), 8)["models"] == 4


def test_a_request_of_the_soak_that_gets_no_answer_is_unexpected_and_the_next_one_goes_on(monkeypatch):
    answers = iter([ConnectionResetError(), 200])

    def get(connection, path):
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer, b""

    monkeypatch.setattr(soak, "get", get)
    client = soak.Client(0, "127.0.0.1:1", 2, ["hash"])
    monkeypatch.setattr(client, "_next", lambda: ("/", (200,), False))
    client.run()
    assert (client.unexpected, client.statuses) == (["ConnectionResetError /"], {200: 1})


@pytest.fixture
def small_scenes(monkeypatch) -> None:
    """A tenth of the sides: processes that are forked draw from them."""
    for name in ("TEXTURE_SIDE", "SHORTEST", "LONGEST", "ROOM", "NOISE_SIDE"):
        monkeypatch.setattr(pictures, name, getattr(pictures, name) // 10)


@pytest.mark.usefixtures("small_scenes")
@pytest.mark.parametrize(("draw", "types"), [
    (draw_mixed, {"jpeg", "png", "webp"}),
    (draw_small, {"png"}),
    (partial(draw_photographs, size=(400, 300)), {"jpeg"}),
])
def test_the_pictures_are_good_and_all_different(tmp_path, draw, types):
    draw(tmp_path, 12)
    drawn = list(images(tmp_path, tagged=True))
    assert {picture.type for picture in drawn} == types
    assert len({picture.hash_id for picture in drawn}) == 12


@pytest.mark.usefixtures("small_scenes")
def test_one_photograph_in_three_lies_on_its_side(tmp_path):
    draw_photographs(tmp_path, 6, (400, 300))
    drawn = sorted(images(tmp_path), key=lambda picture: picture.file.file_name)
    assert [picture.orientation for picture in drawn] == [1, 1, 6, 1, 1, 6]
    assert {(picture.width, picture.height) for picture in drawn} == {(400, 300)}


@pytest.mark.usefixtures("small_scenes")
def test_every_way_is_timed_for_every_photograph_and_the_bar_is_for_the_cheapest(tmp_path, monkeypatch):
    draw_photographs(tmp_path, 2, (400, 300))
    monkeypatch.setattr(photographs, "TURNS", 1)
    spent = photographs.in_turns(tmp_path)
    assert list(spent) == ["ours", "pillow", "simplejpeg"]
    assert {len(seconds) for seconds in spent.values()} == {2}
    spent = {"ours": np.full(2, 0.2), "pillow": np.array([0.1, 0.3]), "simplejpeg": np.full(2, 0.1)}
    rows = list(photographs.beside_the_limits("12 megapixels", spent, ">= 0.75"))
    assert [(row.value, row.limit, row.ratio, row.bar) for row in rows] == [
        (200, 200, 1, ""), (200, 100, 0.5, ">= 0.75")]


def test_a_page_over_photographs_stands_beside_the_same_over_small_pictures(monkeypatch):
    taken = {"photographs": iter([5.0, 3.5, 4.0]), "small": iter([3.0, 4.0, 3.25])}
    monkeypatch.setattr(photograph_pages, "seconds", lambda command: next(taken[command()]))
    row = photograph_pages.beside_small("page", str, Path("photographs"), Path("small"))
    assert (row.value, row.limit, row.bar) == (3.5, 3.0, "<= 0.3 s more")
