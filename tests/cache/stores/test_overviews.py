"""What a page shows of a large database without reading all of it: the largest tags, the best scores."""
import pytest

from cache.stores.file_table import FileTable
from cache.stores.score_table import Stage3Table, Stage4Table
from cache.stores.tag_table import TagTable


def fill(table, columns: str, rows: list[tuple]) -> None:
    places = ", ".join("?" * len(rows[0])) if rows else ""
    with table.connection:
        table.connection.executemany(f"INSERT INTO {table.name}({columns}) VALUES ({places})", rows)


@pytest.fixture
def tags(here):
    with TagTable("tags.sqlite", create=True) as table:
        yield table


def tag_files(table: TagTable, **files: list[str]) -> None:
    """The hashes of the files under each tag."""
    fill(table, "hash_id, tag, path, absolute_path", [
        (hash_id, tag, f"{tag}/{number}.png", f"/{tag}/{number}.png")
        for tag, hash_ids in files.items() for number, hash_id in enumerate(hash_ids)])


def test_the_largest_tags_are_those_with_the_most_files_and_of_equal_ones_the_first_by_name(tags):
    tag_files(tags, rare=["a"], common=["a", "b", "c"], copies=["d", "d", "d"], some=["a", "b"])
    assert list(tags.largest(3).items()) == [("common", 3), ("copies", 3), ("some", 2)]
    assert tags.counts() == {"common": 3, "copies": 1, "rare": 1, "some": 2}
    assert tags.tag_count() == 4


def test_an_empty_table_has_no_tags(tags):
    assert (tags.largest(3), tags.counts(), tags.tag_count()) == ({}, {}, 0)


def test_pictures_are_counted_by_files_and_archives_apart(here):
    with FileTable("files.sqlite", create=True) as table:
        assert table.counts() == {"pictures": 0, "archives": 0}
        columns = "file_name, path, hash_id, type, is_archive, absolute_path, size_bytes, mtime_ns"
        fill(table, columns, [
            ("a.png", "a.png", "a", "png", None, "/a.png", 1, 1),
            ("b.png", "b.png", "a", "png", None, "/b.png", 1, 1),
            ("c.zip", "c.zip", None, "zip", 1, "/c.zip", 1, 1),
        ])
        assert table.counts() == {"pictures": 2, "archives": 1}


SCORE_COLUMNS = "file_name, file_path, type, hash_id, model_type, tag_name, tag_prob, absolute_path"


def score_files(table, *scores: tuple[str, str, str, float]) -> None:
    rows = [
        (name, name, "png", name, model, tag, probability, f"/{name}")
        for name, model, tag, probability in scores
    ]
    fill(table, SCORE_COLUMNS, rows)


def test_the_best_scores_are_one_for_each_classifier(here):
    with Stage3Table("stage3.db", create=True) as table:
        assert table.best_scores() == {}
        score_files(
            table, ("a", "svm", "dogs", 0.2), ("b", "svm", "dogs", 0.7), ("a", "svm", "cats", 0.9),
            ("a", "linear", "cats", 0.4), ("b", "linear", "cats", 0.3))
        assert list(table.best_scores().items()) == [
            (("cats", "linear"), 0.4), (("cats", "svm"), 0.9), (("dogs", "svm"), 0.7)]
        assert table.classifiers() == [("cats", "linear"), ("cats", "svm"), ("dogs", "svm")]


def test_rows_of_archives_are_no_classifiers(here):
    with Stage4Table("stage4.db", create=True) as table:
        fill(table, "file_name, file_path, type, absolute_path", [("a.zip", "a.zip", "zip", "/a.zip")])
        assert table.best_scores() == {}
        score_files(table, ("a", "svm", "cats", 0.9))
        assert table.best_scores() == {("cats", "svm"): 0.9}


def test_the_likeliest_rows_are_those_of_one_classifier(here):
    with Stage3Table("stage3.db", create=True) as table:
        score_files(
            table, ("a", "svm", "cats", 0.2), ("b", "svm", "cats", 0.7), ("c", "svm", "cats", 0.5),
            ("d", "svm", "dogs", 0.9), ("d", "linear", "cats", 0.9))
        assert [row["file_name"] for row in table.likeliest("cats", "svm", 2)] == ["b", "c"]
        assert table.likeliest("birds", "svm", 2) == []
