"""stage1.db: the files of a dataset as it is now, table `stage1`, one row per file, duplicates included."""
from cache.stores.dataset_listing import DatasetListing
from cache.stores.table_of_files import TableOfFiles


class DatasetTable(TableOfFiles):
    """In listing order, as the last run that came to its end has found them."""

    name = "stage1"
    schema = (
        "CREATE TABLE stage1(file_name TEXT NOT NULL, file_path TEXT NOT NULL, type TEXT NOT NULL, "
        "hash_id TEXT NOT NULL, absolute_path TEXT NOT NULL)",
        "CREATE INDEX stage1_hash_id ON stage1(hash_id)",
    )

    def replace(self, listing: DatasetListing) -> None:
        """All rows by those of a run, in one transaction."""
        with self.connection as connection:
            connection.execute("DELETE FROM stage1")
            connection.executemany("INSERT INTO stage1 VALUES (?, ?, ?, ?, ?)", listing.rows())
            connection.execute("DELETE FROM skipped")
            self.record_skips(listing.skips())
