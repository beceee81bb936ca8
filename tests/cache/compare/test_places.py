"""Where the pictures of a comparison lie, as far as that is sure without opening them."""
import os
from itertools import islice
from pathlib import Path

import pytest

from cache import FileCache
from cache.compare.places import possible_places, sure_places
from cache.files.placed_names import placed_names
from tests.cache.test_caches import hash_of
from tests.drawing import png, write

RESULTS = ("before", "after")
NEW = "new/a.png"


def name_with_digest(path: str) -> str:
    _, name = islice(placed_names(os.path.basename(path), os.path.abspath(path)), 2)
    return name


def test_a_copy_is_sure_by_the_digest_in_its_name_or_if_no_other_shares_the_name(here):
    paths = {
        "first": "new/a/same.png", "second": "new/b/same.png", "other": "new/other.png",
        "gone": "new/gone.png"}
    names = ("same.png", name_with_digest(paths["second"]), "other.png")
    write(here / "after/pictures", dict.fromkeys(names, b"copy"))
    write(here / "before/pictures", {"gone.png": b"under this name another picture, perhaps"})
    assert sure_places(paths, RESULTS) == {
        "second": f"after/pictures/{names[1]}", "other": "after/pictures/other.png"}


def test_from_another_folder_than_the_run_a_shared_name_is_nobodys(here, monkeypatch):
    paths = {"first": "new/a/same.png", "second": "new/b/same.png"}
    names = ("same.png", name_with_digest(paths["second"]))
    write(here / "after/pictures", dict.fromkeys(names, b"copy"))
    (here / "elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    assert sure_places(paths, ("../before", "../after")) == {}


@pytest.fixture
def known(here) -> dict[str, str]:
    """A picture that the file cache knows."""
    write(here, {NEW: png(1)})
    FileCache.add_folder_to_file_cache("new")
    return {hash_of(1): NEW}


def test_an_original_without_a_copy_is_sure_if_the_file_cache_knows_it_unchanged(known):
    assert sure_places(known, RESULTS) == known
    assert sure_places({hash_of(2): NEW}, RESULTS) == {}
    Path(NEW).write_bytes(png(1) + b"\n")
    assert sure_places(known, RESULTS) == {}


def test_a_copy_that_is_there_comes_before_the_original(here, known):
    write(here / "before/pictures", {"a.png": png(1)})
    assert sure_places(known, RESULTS) == {}
    assert possible_places(NEW, RESULTS)[2:] == [
        "before/pictures/a.png", f"before/pictures/{name_with_digest(NEW)}", NEW]


@pytest.mark.parametrize("cache", [b"word", None])
def test_without_a_file_cache_no_original_is_sure(known, cache):
    Path("output/file_cache.sqlite").unlink()
    if cache:
        Path("output/file_cache.sqlite").write_bytes(cache)
    assert sure_places(known, RESULTS) == {}
