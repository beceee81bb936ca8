"""One path for one place, however it was spelled."""
import os
from pathlib import Path

import pytest

from cache.files.paths import absolute_path, lies_in, printed_as


@pytest.mark.parametrize("spelled", [
    "photos/a.png", "./photos/a.png", "photos/../photos/a.png", "photos//a.png", "photos/./a.png",
])
def test_a_file_has_one_path_however_it_was_spelled(here, spelled):
    assert absolute_path(spelled) == f"{here}/photos/a.png"
    assert absolute_path(here / spelled) == f"{here}/photos/a.png"


def test_what_follows_a_link_is_looked_up_on_the_disk_and_not_by_its_letters(here):
    Path("disk/2026/june").mkdir(parents=True)
    Path("link").symlink_to("disk/2026/june")
    assert absolute_path("link/../photos") == f"{here}/disk/2026/photos"
    assert absolute_path("link/..") == f"{here}/disk/2026"
    assert absolute_path("link/../june/../../a/./b") == f"{here}/disk/a/b"
    assert absolute_path("..") == os.path.dirname(here)


def test_a_link_that_nothing_climbs_out_of_stays_a_place_of_its_own(here):
    Path("all").mkdir()
    Path("cats").symlink_to("all")
    assert absolute_path("cats/a.png") == f"{here}/cats/a.png"


@pytest.mark.parametrize(("path", "folder", "lies"), [
    ("/a/b/c.png", "/a/b", True),
    ("/a/b", "/a/b", True),
    ("/a/b.zip/c.png", "/a/b.zip", True),
    ("/a/bc.png", "/a/b", False),
    ("/a", "/a/b", False),
    ("/a/b", "/", True),
])
def test_what_lies_in_a_folder(path, folder, lies):
    assert lies_in(path, folder) is lies


def test_a_printed_path_leads_to_what_is_printed_so(here):
    odd, spelled_out = os.fsdecode(b"caf\xe9"), "caf\\xe9"
    assert printed_as(str(here / spelled_out)) == []
    (here / odd / odd).mkdir(parents=True)
    assert printed_as(str(here / spelled_out)) == [str(here / odd)]
    assert printed_as(str(here / spelled_out / spelled_out)) == [str(here / odd / odd)]
    (here / spelled_out).mkdir()
    assert printed_as(str(here / spelled_out)) == [str(here / spelled_out), str(here / odd)]
    (here / "é").mkdir()
    assert printed_as(str(here / "\\xc3\\xa9")) == []  # which is UTF-8, and printed as é
    assert printed_as(str(here / "é")) == [str(here / "é")]
