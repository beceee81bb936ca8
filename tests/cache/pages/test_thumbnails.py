"""Thumbnails of pages: of what is there, and with a bar where they take long."""
import io
import sys
from itertools import count

import pytest
from tqdm import tqdm

from cache.pages import thumbnails as pages
from cache.pages.thumbnails import read_thumbnails, thumbnails
from cache.progress import progress_bar
from tests.drawing import png, write, zipped


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(monkeypatch, paths: list[str], seconds: float, stderr: io.StringIO) -> str:
    """On stderr, while a page is made by a clock that goes on by so many seconds whenever it is looked at."""
    monkeypatch.setattr("tqdm.std.time", count(step=seconds).__next__)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", stderr)
        thumbnails(paths)
    return stderr.getvalue()


@pytest.fixture
def paths(here) -> list[str]:
    write(here, {"a.png": png(1), "b.zip": zipped({"in/b.png": png(2)}), "damaged.png": png(3)[:100]})
    return [str(here / name) for name in ("a.png", "b.zip/in/b.png", "damaged.png", "gone.png", "a.png")]


def test_each_picture_comes_once_and_what_cannot_be_read_not_at_all(paths):
    assert [thumbnail.path for thumbnail in read_thumbnails(paths)] == paths[:2]
    assert thumbnails(paths) == {path: uri for path, _, uri in read_thumbnails(paths)}


def test_where_they_take_long_a_bar_counts_all_that_are_asked_for(paths, monkeypatch):
    bars = shown(monkeypatch, paths, 1.0, Terminal()).split("\r")
    assert [bar[:12] for bar in bars] == ["", "page:  50%|#", "page:  75%|#", "page: 100%|#", "page: 100%|#"]
    assert bars[-1] == "page: 100%|##########| 4/4 [00:11<00:00,  0.36 pictures/s]\n"


def test_a_page_that_is_soon_done_shows_no_bar(paths, monkeypatch):
    assert shown(monkeypatch, paths, 0.1, Terminal()) == ""


def test_without_a_terminal_there_is_none(paths, monkeypatch):
    assert shown(monkeypatch, paths, 1.0, io.StringIO()) == ""


def test_a_page_given_up_in_the_middle_leaves_no_bar_behind(paths, monkeypatch):
    bars = []

    def noted_bar(*arguments: object, **options: object) -> tqdm:
        bars.append(progress_bar(*arguments, **options))
        return bars[-1]

    monkeypatch.setattr(pages, "progress_bar", noted_bar)
    monkeypatch.setattr(sys, "stderr", Terminal())
    reading = read_thumbnails(paths)
    assert next(reading).path == paths[0]
    assert list(tqdm._instances) == bars
    reading.close()
    assert list(tqdm._instances) == []
