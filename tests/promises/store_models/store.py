"""What holds for all tables, and for all whose rows are files."""
import os
import tempfile
from collections.abc import Iterable
from contextlib import closing

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cache.files.paths import absolute_path, lies_in
from cache.reader.batches import Batch
from cache.reader.source_file import Skipped
from cache.stores.sqlite_table import Table
from tests.cache.stores.numbers_table import Listed
from tests.promises.store_models.strategies import EVERYWHERE, HASHES, HOSTILE, ROOTS, skips

SCHEMA = "SELECT name, sql FROM sqlite_master ORDER BY name"


class Store(RuleBasedStateMachine):
    """`rows` in the order they came in, by what makes them unique; `skipped` by path."""

    table_class: type[Table]
    columns = "*"

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.folder.name, "a.sqlite")
        self.table = self.table_class(self.path, create=True)
        self.schema = self.query(SCHEMA)
        self.rows: dict[object, tuple] = {}
        self.skipped: dict[str, tuple] = {}

    def query(self, statement: str) -> list[tuple]:
        return [tuple(row) for row in self.table.connection.execute(statement)]

    def skip(self, skips: Iterable[Skipped]) -> None:
        self.skipped.update((skip.file_path, (skip.reason, skip.detail)) for skip in skips)

    @invariant()
    def both_hold_the_same(self):
        skipped = sorted((path, *why) for path, why in self.skipped.items())
        rows = self.query(f"SELECT {self.columns} FROM {self.table.name} ORDER BY rowid")
        assert rows == list(self.rows.values())
        assert sorted(self.query("SELECT * FROM skipped")) == skipped
        assert self.table.row_count() == len(self.rows)
        assert self.query(SCHEMA) == self.schema

    @invariant()
    def a_random_row_is_one_of_the_rows(self):
        row = self.table.random_row()
        values = row and tuple(row)[:len(next(iter(self.rows.values()), ()))]  # a checksum comes last
        assert values in self.rows.values() if row else not self.rows

    @rule()
    def close_and_open_again(self):
        self.table.close()
        self.table = self.table_class(self.path)

    @precondition(lambda self: len(self.rows) > 4)
    @rule()
    def clear(self):
        assert self.table.clear() == len(self.rows)
        self.rows, self.skipped = {}, {}

    @rule(recorded=st.lists(skips, max_size=3), forgotten=st.integers(0, 3))
    def record_and_forget_skips(self, recorded, forgotten):
        paths = [*list(self.skipped)[:forgotten], "/never/seen"]
        with self.table.connection:
            self.table.forget_skips(paths)
            self.table.record_skips(recorded)
        self.skipped = {path: why for path, why in self.skipped.items() if path not in paths}
        self.skip(recorded)

    def teardown(self):
        self.table.close()
        with closing(self.table_class(self.path)) as self.table:
            self.both_hold_the_same()
            assert self.query("PRAGMA integrity_check") == [("ok",)]
        self.folder.cleanup()


class StoreOfFiles(Store):
    """`absolute_path` and `hash_id` tell where those stand in a row."""

    absolute_path: int
    hash_id: int

    def put(self, batch: Batch) -> None:
        raise NotImplementedError

    def digests(self, row: tuple) -> tuple:
        """Under which its picture is known."""
        return (row[self.hash_id],)

    @rule(
        root=st.sampled_from(ROOTS),
        kept=st.sets(st.sampled_from(HOSTILE), max_size=3),
        everywhere=st.booleans(),
    )
    def forget_missing(self, root, kept, everywhere):
        if everywhere:
            self.put(Batch(EVERYWHERE))
        paths = {key: row[self.absolute_path] for key, row in self.rows.items()}
        present = {path for path in paths.values() if os.path.basename(path) in kept}
        below = {path for path in paths.values() if path == root or path.startswith(f"{root}/")}
        hashes = [(row[self.absolute_path], row[self.hash_id]) for row in self.rows.values()]
        read = [(path, hash_id) for path, hash_id in hashes if path in present]
        self.table.keep_only(root, Listed([*read, ("/x/elsewhere", "0"), *read]))
        self.skipped = {
            path: why for path, why in self.skipped.items() if not lies_in(absolute_path(path), root)}
        self.rows = {key: row for key, row in self.rows.items() if paths[key] not in below - present}

    @invariant()
    def a_hash_leads_to_a_file(self):
        for hash_id in HASHES:
            rows = [row for row in self.rows.values() if hash_id in self.digests(row)]
            paths = [row[self.absolute_path] for row in rows]
            assert sorted(self.table.places(hash_id)) == sorted(paths)
