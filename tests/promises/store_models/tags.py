"""The tag cache: a row for every picture in a tag folder."""
from collections import Counter

from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from cache.reader.source_file import Picture, Skipped
from cache.stores.tag_table import TagTable
from tests.promises.store_models.store import StoreOfFiles
from tests.promises.store_models.strategies import HASHES, batches


class Tags(StoreOfFiles):
    table_class, absolute_path, hash_id = TagTable, 3, 0

    @rule(batch=batches, times=st.integers(1, 2))
    def add(self, batch, times):
        for _ in range(times):
            self.put(batch)

    def put(self, batch):
        self.table.add(batch)
        for picture in batch.of(Picture):
            file = picture.file
            if file.folder is not None:
                row = (picture.hash_id, file.folder, file.file_path, file.absolute_path)
                self.rows[file.absolute_path] = row
                self.skipped.pop(file.file_path, None)
        self.skip(batch.of(Skipped))

    @invariant()
    def a_hash_has_the_tags_of_its_files(self):
        for hash_id in HASHES:
            rows = [row for row in self.rows.values() if row[0] == hash_id]
            # No file of the model is there, but of one whose name is no UTF-8 this cannot be told.
            not_gone = [row for row in rows if "\\x" in row[3]]
            tags = sorted({row[1] for row in not_gone or rows})
            expected = {"hash_id": hash_id, "tag": tags[0], "tags": tags} if tags else None
            assert self.table.tags(hash_id) == expected

    @invariant()
    def counts_and_pages_show_every_tag(self):
        images = Counter(tag for tag, _ in {(row[1], row[0]) for row in self.rows.values()})
        assert list(self.table.counts().items()) == sorted(images.items())
        for tag in images:
            shown, after = [], 0
            while page := self.table.page(tag, after, 2):
                shown += [(row["hash_id"], row["path"]) for row in page]
                after = page[-1]["position"]
            assert shown == [(row[0], row[2]) for row in self.rows.values() if row[1] == tag]
