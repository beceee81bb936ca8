"""stage1.db and the listing of a run: a row for every picture file."""
from hypothesis import strategies as st
from hypothesis.stateful import rule

from cache.reader.batches import Batch
from cache.reader.source_file import Archive, Picture, Skipped
from cache.stores.dataset_listing import DatasetListing
from cache.stores.dataset_table import DatasetTable
from tests.promises.store_models.store import Store
from tests.promises.store_models.strategies import batches

OF_IMAGES = (
    "file_name", "file_path", "type", "hash_id", "absolute_path", "size_bytes", "width", "height")


class Dataset(Store):
    table_class = DatasetTable

    @rule(parts=st.lists(batches, max_size=3), finishes=st.sampled_from([True, True, False]))
    def run(self, parts, finishes):
        """A run over a folder; one that does not finish is killed and leaves what was there."""
        whole = Batch([item for batch in parts for item in batch.items])
        with DatasetListing() as listing:
            for batch in parts:
                listing.add(batch)
            look_into(listing, whole.of(Picture), whole.of(Archive))
            if finishes:
                self.table.replace(listing)
                self.rows = dict(enumerate(map(row_of, whole.of(Picture))))
                self.skipped = {}
                self.skip(whole.of(Skipped))


def look_into(listing: DatasetListing, pictures: list[Picture], zips: list[Archive]) -> None:
    first, tags = {}, {}
    for picture in pictures:
        file = picture.file
        facts = (*row_of(picture), file.size, picture.width, picture.height)
        first.setdefault(picture.hash_id, facts)
        if file.folder is not None:
            tags.setdefault(file.folder, {})[picture.hash_id] = None
    images = list(listing.images())
    assert [tuple(image[name] for name in OF_IMAGES) for image in images] == list(first.values())
    assert [image["tags"] for image in images] == [
        sorted(tag for tag, hash_ids in tags.items() if hash_id in hash_ids) for hash_id in first]
    assert list(listing.hashes_by_tag()) == [(tag, list(tags[tag])) for tag in sorted(tags)]
    assert list(listing.places()) == [
        *((picture.file.absolute_path, picture.hash_id) for picture in pictures),
        *((archive.file.absolute_path, None) for archive in zips),
    ]


def row_of(picture: Picture) -> tuple:
    file = picture.file
    return file.file_name, file.file_path, picture.type, picture.hash_id, file.absolute_path
