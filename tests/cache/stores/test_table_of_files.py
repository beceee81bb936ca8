"""What a whole run leaves of a table's rows, and how these follow where the database is moved."""
import os
import shutil
from pathlib import Path

import pytest

from cache.reader.source_file import Skipped
from tests.cache.stores.numbers_table import Listed, Numbers


def test_rows_of_vanished_files_are_forgotten_below_the_source_only(here):
    with Numbers("a.sqlite", create=True) as table:
        table.fill([1, 2, 3], "/photos/{}.png")
        table.fill([4], "/photos2/{}.png")
        table.fill([5], "/photos.zip/{}.png")
        table.keep_only("/photos", Listed([("/photos/2.png", "h")]))
        assert table.values() == [2, 4, 5]


def test_a_row_about_another_picture_than_the_one_that_was_read_is_forgotten(here):
    with Numbers("a.sqlite", create=True) as table:
        table.fill([1, 2], "/photos/{}.png")
        table.keep_only("/photos", Listed([("/photos/1.png", "h"), ("/photos/2.png", "another")]))
        assert table.values() == [1]


def test_everything_may_lie_below_the_root_of_the_disk(here):
    with Numbers("a.sqlite", create=True) as table:
        table.fill([1, 2], "/{}.png")
        table.keep_only("/", Listed([("/2.png", "h")]))
        assert table.values() == [2]


def test_the_source_may_be_one_file(here):
    with Numbers("a.sqlite", create=True) as table:
        table.fill([1, 2], "/photos/{}.png")
        table.keep_only("/photos/1.png", Listed(skipped=[Skipped("/photos/1.png", "not_an_image")]))
        assert table.values() == [2]


@pytest.mark.parametrize("skipped", [[], [Skipped("/photos/lost+found", "hidden")]])
def test_a_source_without_any_file_forgets_nothing(here, skipped):
    with Numbers("a.sqlite", create=True) as table:
        table.fill([1, 2], "/photos/{}.png")
        table.keep_only("/photos", Listed(skipped=skipped))
        assert table.values() == [1, 2]


@pytest.mark.parametrize("reason", ["unreadable", "outside_tag_folder"])
def test_nothing_is_forgotten_of_what_a_run_has_not_looked_at(here, reason):
    with Numbers("a.sqlite", create=True) as table:
        table.fill([1, 2], "/photos/locked/{}.png")
        table.fill([3], "/photos/locked too/{}.png")
        table.fill([4, 5], "/photos/{}.png")
        table.keep_only("/photos", Listed(skipped=[
            Skipped("/photos/locked", reason), Skipped("/photos/4.png", reason)]))
        assert table.values() == [1, 2, 4]


def test_a_listing_that_breaks_off_forgets_nothing_and_the_next_one_does(here):
    def broken():
        yield "/2.png", "h"
        raise RuntimeError("power cut")

    with Numbers("a.sqlite", create=True) as table:
        table.fill([1, 2], "/{}.png")
        with pytest.raises(RuntimeError, match="power cut"):
            table.keep_only("/", Listed(broken()))
        assert table.values() == [1, 2]
        table.keep_only("/", Listed([("/1.png", "h")]))
        assert table.values() == [1]


def test_a_file_is_skipped_once_by_the_spelling_of_the_last_run_and_not_at_all_when_it_is_gone(here):
    spellings = ["photos/a.txt", "./photos/a.txt", f"{here}/photos/gone.txt", "photos2/a.txt"]
    with Numbers("a.sqlite", create=True) as table:
        with table.connection:
            table.record_skips(Skipped(path, "not_an_image") for path in spellings)
        table.keep_only("./photos", Listed(skipped=[Skipped("./photos/a.txt", "not_an_image")]))
        skipped = [path for path, in table.connection.execute("SELECT file_path FROM skipped")]
        assert skipped == ["./photos/a.txt", "photos2/a.txt"]


@pytest.fixture
def moved(here):
    """A database at there/output, which knows there/photos/1.png, an absent 2.png, and elsewhere/3.png; then
    all of `there` goes to `disk`."""
    for path in ("there/photos/1.png", "elsewhere/3.png"):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).touch()
    with Numbers("there/output/a.sqlite", create=True) as table:
        table.fill([1, 2], f"{here}/there/photos/{{}}.png")
        table.fill([3], f"{here}/elsewhere/{{}}.png")
    shutil.move("there", "disk")
    return "disk/output/a.sqlite"


def test_files_are_looked_for_from_where_the_database_lies_today(here, moved):
    with Numbers(moved) as table:
        assert list(table.places("h")) == [
            f"{here}/disk/photos/1.png", f"{here}/there/photos/1.png",
            f"{here}/disk/photos/2.png", f"{here}/there/photos/2.png",
            f"{here}/elsewhere/3.png", f"{here}/elsewhere/3.png",
        ]


def test_a_run_takes_the_rows_along_to_the_new_place(here, moved):
    paths = [f"{here}/disk/photos/1.png", f"{here}/disk/photos/2.png", f"{here}/elsewhere/3.png"]
    with Numbers(moved, create=True) as table:
        assert list(table.places("h")) == paths
    with Numbers(moved) as table:
        assert list(table.places("h")) == paths


def test_a_database_that_was_moved_alone_still_leads_to_its_files(here):
    Path("photos").mkdir()
    Path("photos/1.png").touch()
    with Numbers("output/a.sqlite", create=True) as table:
        table.fill([1], f"{here}/photos/{{}}.png")
    os.makedirs("backup/of/mine")
    shutil.move("output", "backup/of/mine")
    with Numbers("backup/of/mine/output/a.sqlite", create=True) as table:
        assert list(table.places("h")) == [f"{here}/photos/1.png"]


def test_a_database_reached_over_a_link_has_not_moved(here):
    with Numbers("output/a.sqlite", create=True) as table:
        table.fill([1], f"{here}/photos/{{}}.png")
    Path("link").symlink_to("output")
    with Numbers("link/a.sqlite", create=True) as table:
        assert not table.whereabouts.moved
        assert list(table.places("h")) == [f"{here}/photos/1.png"]
