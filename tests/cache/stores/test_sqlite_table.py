"""What every table of ours has in common: random rows, threads, skipped and vanished files."""
import random
import threading

from cache.reader.source_file import Skipped
from tests.cache.stores.numbers_table import Numbers


def test_a_random_row_is_any_row_and_survives_holes(here):
    random.seed(0)
    with Numbers("a.sqlite", create=True) as table:
        assert table.random_row() is None
        table.fill(range(1000))
        with table.connection:
            table.connection.execute("DELETE FROM numbers WHERE value BETWEEN 2 AND 997")
        assert {table.random_row()["value"] for _ in range(500)} == {0, 1, 998, 999}
        assert {table.random_row("value > 500")["value"] for _ in range(500)} == {998, 999}
        assert table.random_row("value > 5000") is None


def test_a_random_row_reads_no_more_of_a_large_table_than_of_a_small_one(here):
    with Numbers("a.sqlite", create=True) as table:
        table.fill(range(100_000))
        steps = []
        # Called every 100 steps of SQLite's virtual machine.
        table.connection.set_progress_handler(lambda: steps.append(1), 100)
        for _ in range(20):
            table.random_row()
    assert len(steps) < 20


def test_many_threads_may_ask_one_table_the_same_at_once(here):
    with Numbers("a.sqlite", create=True) as table:
        table.fill(range(50))
        wrong = []

        def ask() -> None:
            for value in list(range(50)) * 40:
                row = table._one("value = ?", value)
                if row is None or row["value"] != value:
                    wrong.append(value)

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for number in range(1000, 1200):
            table.fill([number])
        for thread in threads:
            thread.join()
        assert wrong == []
        assert len(table.values()) == 250


def test_skipped_files_keep_their_newest_reason_until_they_are_read(here):
    with Numbers("a.sqlite", create=True) as table:
        with table.connection:
            table.record_skips([Skipped("a.png", "empty"), Skipped("b.png", "damaged", "why")])
            table.record_skips([Skipped("a.png", "damaged", "cut")])
            table.forget_skips(["b.png"])
        skipped = [tuple(row) for row in table.connection.execute("SELECT * FROM skipped")]
        assert skipped == [("a.png", "damaged", "cut")]
        table.fill([1, 2])
        assert table.clear() == 2
        assert table.connection.execute("SELECT count(*) FROM skipped").fetchone()[0] == 0
