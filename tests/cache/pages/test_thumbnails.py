"""Thumbnails of pages: of what is kept or still there, and with a bar where pictures have to be opened."""
import base64
import io
import sys
from collections.abc import Sequence
from itertools import count
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from tqdm import tqdm

from cache.decoder.pool import DecoderPool
from cache.pages import thumbnails as pages
from cache.pages.thumbnails import page_pictures, thumbnails
from cache.pixels.pixel_hash import hash_ids
from cache.progress import progress_bar
from cache.reader.source_file import Thumbnail
from tests.drawing import drawn, encoded, png, write, zipped

A, B, DAMAGED, GONE = (hash_ids(drawn(seed))[0] for seed in range(1, 5))


class KeptInMemory(dict):
    """{hash_id: jpeg}; those that a page kept stand in `new`."""

    def __init__(self, jpegs: dict[str, bytes] | None = None):
        super().__init__(jpegs or {})
        self.new: list[Thumbnail] = []

    def jpeg(self, hash_id: str) -> bytes | None:
        return self.get(hash_id)

    def keep(self, thumbnails: Sequence[Thumbnail]) -> None:
        self.new += thumbnails


def picture_of(uri: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(uri.removeprefix("data:image/jpeg;base64,"))))


def differs(one: Image.Image, other: Image.Image) -> float:
    """Mean distance of two pictures, in levels, seen from afar."""
    first, second = (np.asarray(picture.convert("RGB").resize((8, 8)), int) for picture in (one, other))
    return np.abs(first - second).mean()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(monkeypatch, places: dict[str, list[str]], seconds: float, stderr: io.StringIO) -> str:
    """On stderr, while a page is made by a clock that goes on by so many seconds whenever it is looked at."""
    monkeypatch.setattr("tqdm.std.time", count(step=seconds).__next__)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", stderr)
        page_pictures(places, KeptInMemory())
    return stderr.getvalue()


@pytest.fixture
def places(here) -> dict[str, list[str]]:
    write(here, {"a.png": png(1), "b.zip": zipped({"in/b.png": png(2)}), "damaged.png": png(3)[:100]})
    names = {A: "a.png", B: "b.zip/in/b.png", DAMAGED: "damaged.png", GONE: "gone.png"}
    return {hash_id: [str(here / name)] for hash_id, name in names.items()}


def test_what_is_there_is_opened_and_what_cannot_be_read_is_not_shown(places):
    pictures = page_pictures(places, KeptInMemory())
    assert {hash_id: picture.path for hash_id, picture in pictures.items()} == {
        A: places[A][0], B: places[B][0]}
    for hash_id, seed in ((A, 1), (B, 2)):
        picture = picture_of(pictures[hash_id].uri)
        assert picture.size == (112, 93)
        assert differs(picture, drawn(seed)) < 4


def test_what_is_kept_is_shown_without_its_file_and_what_was_opened_is_kept(places, monkeypatch):
    kept = KeptInMemory()
    from_files = page_pictures(places, kept)
    assert [(thumbnail.hash_id, thumbnail.old_hash_id) for thumbnail in kept.new] == [(A, None), (B, None)]
    kept = KeptInMemory({thumbnail.hash_id: thumbnail.jpeg for thumbnail in kept.new})
    monkeypatch.setattr(pages, "stored_file", None)
    again = page_pictures({hash_id: [] for hash_id in (B, A)}, kept)
    assert {hash_id: picture.uri for hash_id, picture in again.items()} == {
        hash_id: picture.uri for hash_id, picture in from_files.items()}, "the page is the same"
    assert [picture.path for picture in again.values()] == [None, None]
    assert list(again) == [B, A], "in the order in which they are wanted"
    assert kept.new == []


def test_what_is_kept_is_looked_for_if_it_is_to_be_found(places):
    jpeg = encoded(drawn(1), "JPEG")
    kept = KeptInMemory({A: jpeg, GONE: jpeg})
    pictures = page_pictures({A: places[A], GONE: places[GONE]}, kept, to_find=[A, GONE])
    assert [picture.path for picture in pictures.values()] == [places[A][0], None]


def test_without_hashes_whatever_lies_there_is_shown(places):
    paths = [path for [path] in places.values()]
    shown = thumbnails([*paths, paths[0]])
    assert list(shown) == [*places[A], *places[B]]
    assert differs(picture_of(shown[paths[1]]), drawn(2)) < 4


def test_another_picture_by_now_is_passed_over_for_the_next_place(places):
    [(_, picture)] = page_pictures({A: [*places[GONE], *places[B], *places[A]]}, KeptInMemory()).items()
    assert picture.path == places[A][0]
    assert page_pictures({A: places[B]}, KeptInMemory()) == {}


def test_a_palette_picture_is_known_by_the_digest_of_older_tools_too(here):
    picture = drawn(1).quantize(8)
    write(here, {"p.png": encoded(picture)})
    hash_id, old_hash_id = hash_ids(picture)
    kept = KeptInMemory()
    assert list(page_pictures({old_hash_id: [str(here / "p.png")]}, kept)) == [old_hash_id]
    assert [thumbnail[:2] for thumbnail in kept.new] == [(hash_id, old_hash_id)]


def test_what_is_kept_is_decoded_by_others_and_never_here(monkeypatch):
    """It comes from a database, which may come from anybody."""
    jpeg = encoded(drawn(1), "JPEG")
    with monkeypatch.context() as patch:
        patch.setattr(Image, "open", None)
        patch.setattr(DecoderPool, "map", lambda pool, files, *_: ["uri of another process" for _ in files])
        assert page_pictures({A: []}, KeptInMemory({A: jpeg})) == {A: ("uri of another process", None)}


def test_a_kept_thumbnail_that_does_not_decode_is_no_picture():
    assert page_pictures({A: []}, KeptInMemory({A: b"\xff\xd8\xff and then nothing"})) == {}


def test_where_they_take_long_a_bar_counts_all_that_are_asked_for(places, monkeypatch):
    bars = shown(monkeypatch, places, 1.0, Terminal()).split("\r")
    assert [bar[:12] for bar in bars] == ["", "page:  50%|#", "page:  75%|#", "page: 100%|#", "page: 100%|#"]
    assert bars[-1] == "page: 100%|##########| 4/4 [00:11<00:00,  0.36 pictures/s]\n"


def test_a_page_that_is_soon_done_shows_no_bar(places, monkeypatch):
    assert shown(monkeypatch, places, 0.1, Terminal()) == ""


def test_without_a_terminal_there_is_none(places, monkeypatch):
    assert shown(monkeypatch, places, 1.0, io.StringIO()) == ""


def test_a_page_given_up_in_the_middle_leaves_no_bar_behind(places, monkeypatch):
    bars = []

    def noted_bar(*arguments: object, **options: object) -> tqdm:
        bars.append(progress_bar(*arguments, **options))
        return bars[-1]

    monkeypatch.setattr(pages, "progress_bar", noted_bar)
    monkeypatch.setattr(sys, "stderr", Terminal())
    def given_up(*_: object) -> None:
        assert list(tqdm._instances) == bars
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        page_pictures(places, SimpleNamespace(jpeg=lambda hash_id: None, keep=given_up))
    assert len(bars) == 1
    assert list(tqdm._instances) == []
