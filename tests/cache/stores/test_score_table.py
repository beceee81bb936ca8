"""Score tables of earlier versions, in which a file was told by how the input was spelled."""
import os
import sqlite3
from dataclasses import dataclass

import numpy as np
import pytest

from cache.reader.batches import Batch
from cache.reader.source_file import Archive, Picture, SourceFile
from cache.stores.databases import table_of
from cache.stores.score_listing import ScoreListing
from cache.stores.score_table import ScoreTable, Stage3Table, Stage4Table, ZipScoreTable

TABLES = [Stage3Table, Stage4Table, ZipScoreTable]


@dataclass(frozen=True)
class Model:
    model_type: str = "ovr-svm"
    tag_name: str = "cats"
    thresholds: None = None


def older(kind: type[ScoreTable]) -> type[ScoreTable]:
    return type("Older", (kind,), {"schema": kind.older_schemas[-1], "older_schemas": ()})


def picture(path: str) -> Picture:
    absolute = path if path.startswith("/") else f"/home/{path}"
    file = SourceFile(path, absolute, None, None, 1, 1, "1", lambda: None)
    return Picture(file, f"hash of {absolute}", None, "png", 1, 1)


def archive(path: str) -> Archive:
    return Archive(picture(path).file, 1)


def score(table: ScoreTable, scores: dict[str, float], *archives: str) -> None:
    pictures = [picture(path) for path in scores]
    with ScoreListing([Model()]) as listing:
        zips = map(archive, archives if isinstance(table, Stage4Table) else ())
        listing.add(Batch([*pictures, *zips]), np.array(list(scores.values()))[:, None])
        table.replace("/home/elsewhere", listing)


def score_twice(kind: type[ScoreTable], path: str) -> None:
    """By two spellings of the same folder."""
    with older(kind)(path, create=True) as table:
        score(table, {"new/a.png": 0.25, "/home/new/b.png": 0.5}, "new/c.zip")
        score(table, {"/home/new/a.png": 0.75, "new/b.png": 0.125, "new/d.png": 1.0}, "/home/new/c.zip")
        assert table.row_count() == (7 if kind is not Stage3Table else 5)


def file_rows(table: ScoreTable) -> list[tuple]:
    query = f"SELECT file_path, absolute_path, tag_prob FROM {table.name} ORDER BY rowid"
    return [tuple(row) for row in table.connection.execute(query)]


def statements(path: str) -> set[tuple]:
    with sqlite3.connect(path) as connection:
        made = set(connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master"))
    connection.close()
    return made


@pytest.mark.parametrize("kind", TABLES)
def test_an_older_table_is_read_as_it_is(here, kind):
    score_twice(kind, "scores.db")
    before = statements("scores.db")
    assert table_of("scores.db") is kind
    with kind("scores.db", create=True) as table:
        assert [row["file_path"] for row in table.scores("cats")] == [
            "new/d.png", "/home/new/a.png", "/home/new/b.png", "new/a.png", "new/b.png"]
        assert table.classifiers() == [("cats", "ovr-svm")]
    assert statements("scores.db") == before


@pytest.mark.parametrize("kind", TABLES)
def test_an_older_table_becomes_one_of_today_when_it_is_written_to_and_keeps_the_newest_rows(here, kind):
    score_twice(kind, "scores.db")
    with kind("scores.db") as table:
        score(table, {"new/d.png": 0.0})
        archives = [("/home/new/c.zip", "/home/new/c.zip", None)] if kind is not Stage3Table else []
        assert file_rows(table) == [
            ("/home/new/a.png", "/home/new/a.png", 0.75),
            ("new/b.png", "/home/new/b.png", 0.125),
            *archives,
            ("new/d.png", "/home/new/d.png", 0.0),
        ]
    kind.create("fresh.db")
    assert statements("scores.db") == statements("fresh.db")


@pytest.mark.parametrize("kind", TABLES)
def test_an_older_table_is_laid_out_before_its_look_up_indexes(here, kind):
    """Filled row by row, they made it three times as slow and the journal larger by a fifth."""
    score_twice(kind, "scores.db")
    steps = []
    with kind("scores.db") as table:
        assert table.bytes_of_older() == os.path.getsize("scores.db") > 0
        table.connection.set_trace_callback(lambda statement: steps.append(" ".join(statement.split()[:3])))
        score(table, {"new/d.png": 0.0})
        table.connection.set_trace_callback(None)
        assert table.bytes_of_older() == 0
    made = [step for step in steps if step.startswith(("CREATE INDEX", "INSERT OR REPLACE"))]
    indexes = [f"CREATE INDEX {name}" for name in kind.look_up_indexes]
    assert made == ["INSERT OR REPLACE", "INSERT OR REPLACE", *indexes]  # copied, then scored


@pytest.mark.parametrize("kind", TABLES)
def test_a_run_that_fails_leaves_an_older_table_as_it_was(here, kind):
    score_twice(kind, "scores.db")
    before = statements("scores.db")

    class Failing(ScoreListing):
        def skips(self):
            raise RuntimeError("power cut")

    with kind("scores.db") as table:
        rows = file_rows(table)
        with Failing([Model()]) as listing:
            listing.add(Batch([picture("new/d.png")]), np.array([[0.5]]))
            with pytest.raises(RuntimeError, match="power cut"):
                table.replace("/home/elsewhere", listing)
        assert file_rows(table) == rows
    assert statements("scores.db") == before


def test_the_newest_spelling_replaces_the_older_one(here):
    with Stage3Table("scores.db", create=True) as table:
        score(table, {"new/a.png": 0.25})
        score(table, {"/home/new/a.png": 0.75})
        assert file_rows(table) == [("/home/new/a.png", "/home/new/a.png", 0.75)]
