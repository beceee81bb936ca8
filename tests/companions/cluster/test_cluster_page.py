"""index.html of a result, as data and text: what its script is given, what it says, how much it holds."""
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from cache.pixels.thumbnail import jpeg_bytes
from cache.stores.kept_thumbnails import KeptThumbnails
from companions.cluster import page as pages
from companions.cluster.groups import Cluster, Member, Place
from companions.cluster.methods.method import Pair
from companions.cluster.page import write_result_page
from companions.cluster.result import Result
from tests.companions.cluster.drawn_result import MARKUP, drawn_result
from tests.drawing import drawn
from tests.html_tree import Element, read_page


def written(result: Result, folder: Path, **more) -> tuple[Element, dict]:
    """The page, and what its script reads."""
    kept = more.pop("kept", KeptThumbnails())
    path = folder / "clusters/index.html"
    write_result_page(path, result, source="photos", kept=kept, lies_in=folder / "clusters", **more)
    page = read_page(path)
    [data] = [script for script in page.all("script") if script.attributes.get("id") == "data"]
    return page, json.loads(data.text)


def test_every_picture_and_file_is_there_once_with_its_link_and_what_decides_which_is_kept(here):
    _, data = written(drawn_result(here), here)
    thumbnails = data.pop("thumbnails")
    assert [uri[:23] for uri in thumbnails] == ["data:image/jpeg;base64,"] * 7
    assert len(set(thumbnails)) == 7
    assert data == {
        "given": "photos/",
        "links": "../photos/",
        "at_once": 30,
        "most_shown": 12,
        "clusters": [
            {"name": "cluster_1", "weakest": 0.25, "diameter": 0.9, "link": 0.25, "parts": [
                [[480, 400, 28.0, 0, [["b/2.png", 2000]]], [48, 40, 9.0, 1, [["b/1.png", 1000]]]],
                [[48, 40, 9.0, 2, [["b/3.png", 3000]]],
                 [48, 40, 30.0, None, [["b/4.zip/4.png", 4000, "", False]]]]]},
            {"name": "cluster_2", "weakest": 1.0, "diameter": 0.0, "link": None, "parts": [
                [[48, 40, 1.0, 3, [["a.png", 1], ["backup/a.png", 2], ["Old.zip/a.png", 0, "", False]]]]]},
            {"name": "cluster_3", "weakest": 0.9, "diameter": 0.1, "link": None, "parts": [
                [[4000, 3000, 5.5, 4, [
                    ["50% off?#.png", 6000], [r"two\nlines.png", 6001, "../photos/two%0Alines.png", True]]],
                 [4000, 3000, 1235.0, 5, [[MARKUP, 5000]]]]]},
        ],
        "outliers": [[48, 40, 1.0, None, [["z.png", 8000]]], [48, 40, 1.0, 6, [["صورة.png", 7000]]]],
    }


def test_the_page_says_how_much_was_found_how_and_what_to_look_at(here):
    page, _ = written(drawn_result(here), here, notes=["2 skipped"])
    assert [element.text for element in page.one("main").children if isinstance(element, Element)][:4] == [
        "Alike pictures in photos",
        "3 clusters of 10 files, 2 outliers",
        "orb, alike from 0.2 on, linkage chain. 1 cluster hangs on one link: look whether both sides belong "
        "together.",
        "2 skipped",
    ]
    assert page.one("title").text == "Alike pictures in photos · image-tagging-tools"
    assert [heading.text for heading in page.all("h2")] == [
        "Clusters 3", "Outliers 2", "The others", "Keys"]


def test_files_that_move_are_linked_and_listed_where_they_will_lie(here):
    moved_to = {f"{here}/photos/b/1.png": f"{here}/clusters/result/cluster_1/1.png"}
    _, data = written(drawn_result(here), here, moved_to=moved_to)
    assert [picture[4] for picture in data["clusters"][0]["parts"][0]] == [
        [["b/2.png", 2000]],
        [["b/1.png", 1000, "result/cluster_1/1.png", False, "clusters/result/cluster_1/1.png"]]]


def test_links_lead_to_pictures_of_several_inputs(here):
    places = [
        Place("a/1.png", f"{here}/a/1.png", False, 1), Place("/there/b 2.png", "/there/b 2.png", False, 2)]
    members = [Member(f"{number}", 1, 1, 0.0, (place,)) for number, place in enumerate(places)]
    _, data = written(Result("orb", 0.5, "chain", members, [], [0, 1], []), here)
    up = "/".join([".."] * len((here / "clusters").parts[1:]))
    assert (data["given"], data["links"]) == ("", "../")
    assert [picture[4] for picture in data["outliers"]] == [
        [["/there/b 2.png", 2, f"{up}/there/b%202.png", False]], [["a/1.png", 1]]]


def member(number: int) -> Member:
    return Member(f"{number:05}", 1, 1, 0.0, (Place(f"p/{number}.png", f"/p/{number}.png", False, 1),))


class Everything:
    """Keeps a thumbnail of each picture."""

    def __init__(self, jpeg: bytes):
        self._jpeg = jpeg

    def jpeg(self, hash_id: str) -> bytes:
        return self._jpeg

    def keep(self, thumbnails) -> None:
        raise AssertionError("none is missing")


@pytest.fixture(scope="module")
def everything() -> Everything:
    return Everything(jpeg_bytes(drawn(1)))


def of_pictures(sizes: list[int], outliers: int, pairs: Sequence[Pair] = ()) -> Result:
    """Clusters of so many pictures each, numbered one after the other, and as many outliers behind them."""
    numbers = iter(range(sum(sizes) + outliers))
    clusters = [Cluster(tuple(next(numbers) for _ in range(size)), 0.5, 0.9) for size in sizes]
    members = [member(number) for number in range(sum(sizes) + outliers)]
    return Result("orb", 0.5, "chain", members, clusters, list(numbers), list(pairs))


def with_thumbnails(data: dict) -> list[str]:
    pictures = [picture for row in data["clusters"] for part in row["parts"] for picture in part]
    return [picture[4][0][0] for picture in [*pictures, *data["outliers"]] if picture[3] is not None]


def test_what_is_seen_first_gets_thumbnails_then_chains_outliers_always_some(here, monkeypatch, everything):
    monkeypatch.setattr(pages, "AT_ONCE", 1)
    monkeypatch.setattr(pages, "MOST_THUMBNAILS", 5)
    monkeypatch.setattr(pages, "MOST_OF_OUTLIERS", 2)
    monkeypatch.setattr(pages, "MOST_SHOWN", 2)
    chain = [Pair(5, 6, 0.5), Pair(6, 7, 0.6)]
    _, data = written(of_pictures([3, 2, 3], 3, chain), here, kept=everything)
    assert with_thumbnails(data) == ["0.png", "1.png", "5.png", "10.png", "8.png"]
    _, data = written(of_pictures([2], 6), here, kept=everything)
    assert with_thumbnails(data) == [f"{number}.png" for number in range(5)]


def test_what_the_page_has_no_room_for_is_said_to_be_in_clusters_json(here, monkeypatch, everything):
    monkeypatch.setattr(pages, "MOST_FILES", 4)
    page, data = written(of_pictures([2, 2, 2], 3), here, kept=everything)
    assert [row["name"] for row in data["clusters"]] == ["cluster_1", "cluster_2"]
    assert data["outliers"] == []
    assert "In clusters.json alone: 1 cluster and 3 outliers more." in [
        paragraph.text for paragraph in page.all("p", "note")]
    page, data = written(of_pictures([2], 3), here, kept=everything)
    assert len(data["outliers"]) == 2
    assert "In clusters.json alone: 1 outlier more." in [
        paragraph.text for paragraph in page.all("p", "note")]


def test_a_picture_without_thumbnail_takes_less_than_a_hundred_bytes(here, monkeypatch, everything):
    monkeypatch.setattr(pages, "MOST_THUMBNAILS", 0)
    sizes = []
    for count in (0, 1000):
        written(of_pictures([3] * count, 0), here, kept=everything)
        sizes.append((here / "clusters/index.html").stat().st_size)
    assert 10 * 3000 < sizes[1] - sizes[0] < 100 * 3000
