"""The rows that stages 3 and 4 leave in their tables."""
from dataclasses import replace

import pytest

from cache.models.score_bins import bin_name, bin_number
from cache.reader.batches import Counts
from cache.results.scoring import score_source
from cache.results.settings import ScoreSettings
from cache.stores.score_table import Stage3Table
from stage3 import classify
from stage4 import classify_zip
from tests.cache.test_caches import rows
from tests.drawing import drawn, encoded, png, write, zipped
from tests.stages_3_and_4.scoring import METADATA


def test_many_rows_go_into_a_table_before_its_indexes_and_a_few_among_them(here, ready):
    write(here, {f"new/{number}.png": png(number) for number in range(5)})
    statements = []

    class Watched(Stage3Table):
        def replace(self, source, listing):
            self.connection.set_trace_callback(
                lambda statement: statements.append(" ".join(statement.split()[:3]))
            )
            super().replace(source, listing)
            self.connection.set_trace_callback(None)

    watched_stage = replace(classify.STAGE, tables={"stage3.db": Watched})
    for source in ("new", "new", "new/0.png"):
        score_source(watched_stage, ScoreSettings(source, METADATA, place=False), Counts())
    with Stage3Table("output/stage3.db") as table:
        indexes = [name for _, name, *_ in table.connection.execute("PRAGMA index_list(stage3)")]
    assert sorted(indexes) == ["sqlite_autoindex_stage3_1", "stage3_hash_id", "stage3_tag"]
    indexes_dropped = ["DROP INDEX IF", "DROP INDEX IF"]
    indexes_made = ["CREATE INDEX stage3_hash_id", "CREATE INDEX stage3_tag"]
    many = ["BEGIN IMMEDIATE", *indexes_dropped, *indexes_made, "COMMIT"]
    steps = [start for start in statements if "INDEX" in start or start.startswith(("BEGIN", "COMMIT"))]
    assert steps == [*many, *many, "BEGIN IMMEDIATE", "COMMIT"]
    assert sum(start.startswith("INSERT OR REPLACE") for start in statements) == (5 + 5 + 1) * 4


def test_a_newer_score_replaces_the_older_one(here, ready):
    write(here, {"new/a.png": png(0)})
    ready(classify, "new")
    write(here, {"new/a.png": encoded(drawn(101, "dogs"), "BMP")})
    ready(classify, "new")
    assert rows("output/stage3.db", "SELECT DISTINCT file_path, type, count(*) FROM stage3") == [
        ("new/a.png", "bmp", 4)
    ]


def test_a_file_is_one_file_however_the_input_is_spelled(here, ready):
    write(here, {"new/a.png": png(0), "new.zip": zipped({"in.zip": zipped({"a.png": png(0)})})})
    for spelled in ("new", str(here / "new"), "./new"):
        assert ready(classify, spelled) == 0
    assert rows(
        "output/stage3.db", "SELECT file_path, absolute_path, count(*) FROM stage3 GROUP BY 1, 2"
    ) == [("./new/a.png", str(here / "new/a.png"), 4)]
    for spelled in (str(here / "new.zip"), "new.zip"):
        assert ready(classify_zip, spelled) == 0
    for database in ("stage4.db", "zip_score_cache.sqlite"):
        query = f"SELECT file_path, absolute_path, count(*) FROM {database.split('.')[0]} GROUP BY 1, 2"
        assert rows(f"output/{database}", query) == [
            ("new.zip", str(here / "new.zip"), 1),
            ("new.zip/in.zip", str(here / "new.zip/in.zip"), 1),
            ("new.zip/in.zip/a.png", str(here / "new.zip/in.zip/a.png"), 4),
        ]


@pytest.mark.parametrize("bins", [1, 3, 7, 10])
def test_the_bins_of_a_table_are_those_of_the_folders_also_at_their_edges(here, bins):
    probabilities = [
        min(1.0, max(0.0, edge / bins + step))
        for edge in range(bins + 1)
        for step in (-2e-9, -2e-10, 0, 1e-11, 2e-10, 2e-9)
    ]
    with Stage3Table("stage3.db", create=True) as table:
        with table.connection:
            table.connection.executemany(
                "INSERT INTO stage3 VALUES ('', '', '', '', 'svm', 'cats', ?2, NULL, ?1, NULL)",
                enumerate(probabilities),
            )
        counted = {shown["name"]: shown["total"] for shown in table.bins("cats", "svm", bins)}
    names = [bin_name(bin_number(probability, bins), bins) for probability in probabilities]
    assert counted == {name: names.count(name) for name in counted}
