"""What the listing of a dataset says of its folders, also where a path is not written as on Linux."""
import io
import ntpath
import os

from cache.reader.batches import Batch
from cache.reader.source_file import Picture, SourceFile
from cache.stores.dataset_listing import DatasetListing


def picture(path: str, archive_path: str | None = None) -> Picture:
    folder = path.replace("\\", "/").split("/")[-2]
    file = SourceFile(path, path, folder, archive_path, 1, 0, "0", io.BytesIO)
    return Picture(file, path, None, "png", 1, 1)


def test_folders_are_told_apart_by_the_separator_of_windows_too(monkeypatch):
    monkeypatch.setattr(SourceFile, "file_name", property(lambda file: ntpath.basename(file.file_path)))
    archive = r"C:\photos\trip.zip"
    pictures = [
        picture(f"{archive}/trip/cats/a.png", archive),
        picture(r"C:\photos\cats\a.png"),
        picture(r"C:\photos\flowers\2019\a.png"),
    ]
    with DatasetListing() as listing:
        with monkeypatch.context() as patched:
            patched.setattr(os, "sep", "\\")
            listing.add(Batch(pictures))
            nested = listing.nested_tag_folder("C:\\photos")
        assert nested == ("C:/photos/flowers", "2019")
