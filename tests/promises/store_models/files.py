"""The file cache: a row for every picture and every ZIP."""
from itertools import product

from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from cache.reader.batches import Batch
from cache.reader.source_file import Archive, Picture, Skipped, SourceFile
from cache.stores.file_table import FileTable, stamp_of
from tests.promises.store_models.store import StoreOfFiles
from tests.promises.store_models.strategies import HASHES, OLD_HASHES, batches, texts


class Files(StoreOfFiles):
    table_class, absolute_path, hash_id = FileTable, 7, 2

    @rule(batch=batches, times=st.integers(1, 2))
    def add(self, batch, times):
        for _ in range(times):
            self.put(batch)

    @rule(given=st.sampled_from(["", "./..", "/x/.."]), archive=st.none() | texts)
    def read_again(self, given, archive):
        """Every file as the next run finds it, from another folder."""
        files = [
            SourceFile(given + path, path, None, archive, row[8], row[9], str(row[9]), open)
            for path, row in self.rows.items()
        ]
        self.put(Batch([self.known(Picture(file, HASHES[1], None, "gif", 2, 2)) for file in files]))

    @invariant()
    def a_file_of_another_size_or_time_is_not_known(self):
        for (path, row), (grown, later) in product(self.rows.items(), [(0, 0), (1, 0), (0, 1), (0, -1)]):
            size, time = row[8] + grown, row[9] + later
            file = SourceFile(path, path, None, None, size, time, str(time), open)
            self.known(Picture(file, HASHES[0], None, "png", 1, 1))

    def put(self, batch):
        self.table.add(batch)
        for item in batch.of(Picture) + batch.of(Archive):
            self.skipped.pop(item.file.file_path, None)
        for item in batch.items:
            if isinstance(item, Archive) or (isinstance(item, Picture) and not item.unchanged):
                self.rows[item.file.absolute_path] = self.row(item)
        for picture in batch.of(Picture):
            if picture.unchanged:
                self.rename(picture.file)
        self.skip(batch.of(Skipped))

    def known(self, picture: Picture) -> Picture:
        """The picture itself, or as the table knows it."""
        file = picture.file
        row = self.rows.get(file.absolute_path)
        known = self.table.known(file)
        if row is None or row[8:10] != (file.size, file.mtime_ns) or row[4]:
            assert known is None
            return picture
        assert known == Picture(file, row[2], row[12], row[3], row[10], row[11], unchanged=True)
        return known

    def rename(self, file: SourceFile) -> None:
        row = self.rows[file.absolute_path]
        if row[1] != file.file_path:
            renamed = (row[0], file.file_path, *row[2:6], file.archive_path, *row[7:])
            self.rows[file.absolute_path] = renamed

    @staticmethod
    def row(item: Picture | Archive) -> tuple:
        file = item.file
        names = (file.file_name, file.file_path)
        place = (file.archive_path, file.absolute_path, file.size, file.mtime_ns)
        if isinstance(item, Archive):
            return (*names, None, "zip", 1, item.n_content, *place, None, None, None, stamp_of(file))
        looks = (item.width, item.height, item.old_hash_id, stamp_of(file))
        return (*names, item.hash_id, item.type, None, None, *place, *looks)

    def digests(self, row):
        return row[self.hash_id], row[12]

    def pictures(self) -> list[tuple]:
        return [row for row in self.rows.values() if not row[4]]

    @invariant()
    def pages_show_every_picture(self):
        shown, after = [], 0
        while page := self.table.page(after, 3):
            assert len(page) <= 3
            shown += [self.plain(row) for row in page]
            after = page[-1]["position"]
        assert shown == [row[:-1] for row in self.pictures()]
        assert self.table.counts() == {"pictures": len(shown), "archives": len(self.rows) - len(shown)}

    @invariant()
    def a_file_that_is_not_there_is_no_answer(self):
        """These files are nowhere."""
        assert self.table.random_image() is None
        assert {self.table.image(hash_id) for hash_id in {*HASHES, *OLD_HASHES}} == {None}

    @staticmethod
    def plain(image: dict) -> tuple:
        facts = dict(image)
        facts.pop("position", None)
        assert (facts.pop("file_path"), facts.pop("file_type")) == (facts["path"], facts["type"])
        return tuple(facts.values())
