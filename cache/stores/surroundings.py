"""What the databases beside a cache know about an image: for pages that show all there is about it."""
from contextlib import ExitStack
from itertools import islice
from typing import TypeVar

from cache.stores.clip_table import ClipTable
from cache.stores.databases import databases_beside
from cache.stores.file_table import FileTable
from cache.stores.score_table import Stage3Table, Stage4Table
from cache.stores.sqlite_table import Table
from cache.stores.tag_table import TagTable

SCORES = (Stage3Table, Stage4Table)
SPARE = 4  # times as many neighbours are looked for as are shown: some may be gone

AnyTable = TypeVar("AnyTable", bound=Table)


class Surroundings:
    """The tables in the folder of a database, of each kind the first by name. Use as a context manager."""

    def __init__(self, db_path: str):
        self._tables: dict[type[Table], Table] = {}
        with ExitStack() as stack:
            for path, kind in databases_beside(db_path):
                if kind not in self._tables:
                    self._tables[kind] = stack.enter_context(kind(path))
            self._stack = stack.pop_all()

    def __enter__(self) -> "Surroundings":
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def path_of(self, kind: type[Table]) -> str | None:
        table = self._table(kind)
        return table.path if table else None

    def tags(self, hash_id: str) -> list[str]:
        """By name."""
        table = self._table(TagTable)
        answer = table.tags(hash_id) if table else None
        return answer["tags"] if answer else []

    def scores(self, hash_id: str) -> list[dict]:
        """Under every model once, that of stage 3 before that of stage 4; each with its database."""
        score_of: dict[tuple[str, str], dict] = {}
        for kind in SCORES:
            table = self._table(kind)
            if table is None:
                continue
            for row in table.of_image(hash_id):
                score_of.setdefault((row["model_type"], row["tag_name"]), {**row, "db_path": table.path})
        return list(score_of.values())

    def neighbours(self, hash_id: str, count: int = 12) -> list[dict]:
        """The most similar other images, under the first model that knows any; none that are gone, if a file
        cache can tell."""
        table, files = self._table(ClipTable), self._table(FileTable)
        if table is None:
            return []
        of_models = (table.neighbours(hash_id, model, SPARE * count) for model in table.models())
        nearest = next(filter(None, of_models), [])
        there = (near for near in nearest if files is None or files.image(near["hash_id"]))
        return list(islice(there, count))

    def _table(self, kind: type[AnyTable]) -> AnyTable | None:
        table = self._tables.get(kind)
        return table if isinstance(table, kind) else None
