"""The pictures that the page embeds."""
import base64
import io
from pathlib import Path

from PIL import Image

from stage2.judging.results import Contradiction, Suggestion
from stage2.report import pictures as page_pictures
from tests.drawing import png, write
from tests.stage2.report.drawn_results import (
    GONE,
    HASHES,
    ROWS,
    every,
    tag_result,
    written,
)


def test_each_picture_is_embedded_once_and_one_that_is_gone_has_no_preview(tmp_path):
    write(tmp_path, {f"{row}.png": png(row) for row in range(0, ROWS, 2)})
    write(tmp_path, {"0.png": png(999)})  # another picture by now: it must not be shown as that one
    paths = {hash_id: str(tmp_path / f"{row}.png") for row, hash_id in enumerate(HASHES[:ROWS])}
    suggestions = [
        Suggestion(HASHES[4], paths[HASHES[4]], "cats", 0.5, 1, 1),
        Suggestion(GONE, None, "cats", 0.4, 0.8, 1)]
    cats, dogs = tag_result("cats", every(0, 3)), tag_result("dogs", every(1, 3))
    page = written(tmp_path, [cats, dogs], paths, suggestions=suggestions)
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


def test_a_page_of_many_tags_shows_a_picture_of_each_and_embeds_no_more_than_it_should(tmp_path, monkeypatch):
    monkeypatch.setattr(page_pictures, "MOST_THUMBNAILS", 160)
    asked = []
    tags = [tag_result(f"tag {number:02}", every(number, 20, 400)) for number in range(20)]
    page = written(tmp_path, tags, find_paths=lambda hash_ids: asked.append(list(hash_ids)) or {})
    [hash_ids] = asked
    assert len(hash_ids) == len(set(hash_ids)) == 160
    assert [len(list(page.all(tag))) for tag in ("details", "svg")] == [20, 60]
    assert min(len(list(section.one("div", "strips").all("li"))) for section in page.all("details")) >= 2
    assert len((tmp_path / "index.html").read_bytes()) < 1_600_000


def test_a_picture_is_named_with_its_folder_and_nothing_else_of_its_path_is_in_the_page(tmp_path):
    folders = ("dogs.zip", "cats")
    paths = {
        hash_id: f"/photos/2024/{folders[row % 2]}/IMG_{row}.png"
        for row, hash_id in enumerate(HASHES[:ROWS])
    }
    to_check = [Contradiction(0, {"cats": 0.02}, {})]
    page = written(tmp_path, [tag_result("cats", every(0))], paths, to_check=to_check)
    tiles = [tile for tile in page.all("li") if list(tile.all("span", "thumbnail"))]
    assert len(tiles) > 10
    for tile in tiles:
        assert f"/photos/2024/{tile.attributes['title']}" in paths.values()
        assert tile.one("span", "file").text == tile.attributes["title"]
    assert "2024" not in (tmp_path / "index.html").read_text()
