"""The table of thumbnails: told by the hash, checked before it is believed, and never in anybody's way."""
import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cache.reader.batches import Batch
from cache.reader.source_file import Picture, SourceFile, Thumbnail
from cache.refusal import Refused
from cache.stores.file_table import FileTable
from cache.stores.kept_thumbnails import cleared_with_thumbnails, thumbnails_in, thumbnails_of_run
from cache.stores.tag_table import TagTable
from cache.stores.thumbnail_table import MOST_BYTES, MOST_LOOKED_AT, ThumbnailTable
from tests.drawing import drawn, encoded
from tests.promises.test_flipped_bits import ask, flipped

JPEG = encoded(drawn(1), "JPEG")
OTHER = encoded(drawn(2), "JPEG")
TABLE = "thumbnail_cache.sqlite"


def picture(hash_id: str) -> Picture:
    file = SourceFile("a.png", "/a.png", None, None, 1, 1, "1", open=None)
    return Picture(file, hash_id, None, "png", 1, 1)


def count() -> int:
    with ThumbnailTable(TABLE) as table:
        return table.row_count()


@pytest.fixture
def kept(here) -> None:
    """Two pictures, one of them with a palette."""
    with ThumbnailTable(TABLE, create=True) as table:
        table.add([Thumbnail("a", None, JPEG), Thumbnail("b", "older", OTHER)])


def test_a_thumbnail_is_found_under_its_hash_and_under_the_digest_of_older_tools(kept):
    with ThumbnailTable(TABLE) as table:
        assert [table.jpeg(name) for name in ("a", "b", "older", "c")] == [JPEG, OTHER, OTHER, None]
        assert [table.has(name) for name in ("a", "b", "c")] == [True, True, False]


def test_the_first_one_of_a_hash_stays(kept):
    with ThumbnailTable(TABLE) as table:
        table.add([Thumbnail("a", None, OTHER)])
        assert table.jpeg("a") == JPEG
    assert count() == 2


@pytest.mark.parametrize("statement", [
    "UPDATE thumbnail_cache SET checksum = checksum + 1 WHERE hash_id = 'a'",
    "UPDATE thumbnail_cache SET jpeg = 'text' WHERE hash_id = 'a'",
    "UPDATE thumbnail_cache SET old_hash_id = x'ff' WHERE hash_id = 'a'",
    "UPDATE thumbnail_cache SET old_hash_id = 'another' WHERE hash_id = 'a'",
])
def test_a_row_that_is_not_as_it_was_written_goes_when_it_is_asked_for(kept, statement):
    ask(TABLE, statement)
    with ThumbnailTable(TABLE) as table:
        assert table.jpeg("a") is None
        assert not table.has("a")
        table.add([Thumbnail("a", None, JPEG)])
        assert table.jpeg("a") == JPEG


def test_what_is_no_jpeg_is_not_given_to_a_browser_whatever_its_checksum_says(here):
    with ThumbnailTable(TABLE, create=True) as table:
        table.add([Thumbnail("a", None, b"<svg onload='alert(1)'>")])
        assert table.jpeg("a") is None


def test_what_is_far_larger_than_ours_is_never_read_and_goes(here):
    with ThumbnailTable(TABLE, create=True) as table:
        table.add(Thumbnail(name, None, JPEG.ljust(MOST_BYTES + more)) for more, name in enumerate("ab"))
        assert len(table.jpeg("a")) == MOST_BYTES
        assert table.jpeg("b") is None
        assert [table.has(name) for name in "ab"] == [True, False]


def test_of_rows_without_number_under_an_older_digest_a_few_are_looked_at(here):
    with ThumbnailTable(TABLE, create=True) as table:
        table.add(Thumbnail(str(number), "older", b"no JPEG") for number in range(MOST_LOOKED_AT + 3))
        assert table.jpeg("older") is None
        assert table.row_count() == 3


def test_a_flipped_bit_in_the_file_is_noticed(kept):
    flipped(TABLE, JPEG[-64:], place=5)
    with ThumbnailTable(TABLE) as table:
        assert [table.jpeg("a"), table.jpeg("b")] == [None, OTHER]


def test_a_run_wants_one_of_each_picture_and_puts_them_into_its_own_folder(here):
    with thumbnails_of_run("other") as others:
        others.keep([Thumbnail("a", None, JPEG)])
    with thumbnails_of_run("output", other_folder="other") as run:
        assert [run.are_wanted_of(picture(name)) for name in "ab"] == [False, True]
        run.add(Batch(thumbnails=[Thumbnail("b", None, OTHER)]))
        assert not run.are_wanted_of(picture("b"))
        assert [run.jpeg(name) for name in "abc"] == [JPEG, OTHER, None]
    with ThumbnailTable(f"output/{TABLE}") as table:
        assert (table.row_count(), table.has("b")) == (1, True)


def test_one_folder_under_two_names_is_opened_once(here):
    (here / "output").mkdir()
    with thumbnails_of_run("output", other_folder=here / "output") as run:
        run.keep([Thumbnail("a", None, JPEG)])
        assert run._tables == [run._own]
    with thumbnails_in("output", here / "output") as pages:
        assert len(pages._tables) == 1


def test_a_run_that_wants_none_makes_no_database(here):
    with thumbnails_of_run("output", wanted=False) as run:
        assert not run.are_wanted_of(picture("a"))
        run.keep([Thumbnail("a", None, JPEG)])
        assert run.jpeg("a") is None
    assert not os.path.exists("output")


def test_pages_use_what_is_there_and_make_no_database(kept, here):
    with thumbnails_in("nowhere", "") as pages:
        assert pages.jpeg("a") == JPEG
        pages.keep([Thumbnail("c", None, JPEG)])
        assert pages.jpeg("c") == JPEG
    assert not os.path.exists("nowhere")


def test_the_disk_may_fill_up_while_another_thread_is_about_to_keep_some(kept, capsys, monkeypatch):
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    class AskedForTheirNumber(list):
        def __len__(self) -> int:
            run.are_wanted_of(picture("c"))  # as the other thread does just now
            return super().__len__()

    with thumbnails_of_run("") as run:
        monkeypatch.setattr(ThumbnailTable, "has", full)
        run.keep(AskedForTheirNumber([Thumbnail("d", None, JPEG)]))
    line = f"no more thumbnails are kept in {TABLE}: database or disk is full\n"
    assert capsys.readouterr().err == line


def test_a_run_asks_from_several_threads(kept):
    with thumbnails_of_run("") as run, ThreadPoolExecutor(8) as threads:
        wanted = threads.map(lambda number: run.are_wanted_of(picture("ac"[number % 2])), range(400))
        assert list(wanted) == [False, True] * 200


def no_database(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0 but no more")


def of_somebody_else(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE thumbnail_cache(jpeg)")


def another_cache(path: Path) -> None:
    FileTable.create(path)


def a_link(path: Path) -> None:
    ThumbnailTable.create("elsewhere.sqlite")
    path.symlink_to("elsewhere.sqlite")


@pytest.mark.parametrize(("lies_there", "reason"), [
    (no_database, "is not a readable database"), (of_somebody_else, "was not made by these tools"),
    (another_cache, "holds no table thumbnail_cache"), (a_link, "is a link")])
def test_a_database_that_is_refused_is_done_without(here, capsys, lies_there, reason):
    lies_there(here / TABLE)
    with thumbnails_of_run("") as run:
        assert not run.are_wanted_of(picture("a"))
        run.keep([Thumbnail("a", None, JPEG)])
        assert run.jpeg("a") is None
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"no thumbnails are kept: {TABLE} ")
    assert reason in line
    with thumbnails_in("") as pages:
        assert pages.jpeg("a") is None
    assert capsys.readouterr().err == ""


def test_a_disk_that_fills_up_ends_the_keeping_with_one_line_and_nothing_else(kept, capsys, monkeypatch):
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with thumbnails_of_run("") as run:
        monkeypatch.setattr(ThumbnailTable, "add", full)
        for name in "cd":
            run.keep([Thumbnail(name, None, JPEG)])
        assert not run.are_wanted_of(picture("c"))
    line = f"no more thumbnails are kept in {TABLE}: database or disk is full\n"
    assert capsys.readouterr().err == line


def test_a_mistake_of_ours_is_not_hidden(kept, monkeypatch):
    def wrong(*_: object) -> None:
        raise sqlite3.OperationalError("no such column: jpg")

    monkeypatch.setattr(ThumbnailTable, "jpeg", wrong)
    with thumbnails_in("") as pages, pytest.raises(sqlite3.OperationalError):
        pages.jpeg("a")


def test_all_go_with_a_file_cache(kept):
    FileTable.create("a.sqlite")
    assert cleared_with_thumbnails(FileTable, "a.sqlite", delete=False)["deleted"] is False
    assert count() == 0
    cleared_with_thumbnails(FileTable, "a.sqlite", delete=True)
    assert os.listdir() == []


def test_no_picture_stays_in_the_file_of_a_table_that_was_cleared(kept):
    with ThumbnailTable(TABLE) as table:
        table.connection.execute("PRAGMA secure_delete = OFF")  # as many a SQLite has it
        assert table.clear() == 2
    assert JPEG[-64:] not in Path(TABLE).read_bytes()


def test_with_another_cache_they_go_only_where_there_is_no_file_cache(kept):
    for kind in (FileTable, TagTable):
        kind.create(f"{kind.name}.sqlite")
    cleared_with_thumbnails(TagTable, "tag_cache.sqlite", delete=False)
    assert count() == 2
    os.remove("file_cache.sqlite")
    cleared_with_thumbnails(TagTable, "tag_cache.sqlite", delete=True)
    assert os.listdir() == []


def test_those_that_cannot_be_cleared_are_named(here):
    no_database(here / TABLE)
    FileTable.create("file_cache.sqlite")
    with pytest.raises(Refused, match=f"^{TABLE} is not a readable database"):
        cleared_with_thumbnails(FileTable, "file_cache.sqlite", delete=True)
    assert os.path.exists("file_cache.sqlite")


def test_a_link_is_left_alone(kept, here):
    FileTable.create("output/file_cache.sqlite")
    os.symlink(here / TABLE, f"output/{TABLE}")
    cleared_with_thumbnails(FileTable, "output/file_cache.sqlite", delete=True)
    assert count() == 2
