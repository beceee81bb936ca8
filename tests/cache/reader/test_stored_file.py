"""A file that a cache knows is found again by its path, whatever bytes that has on the disk."""
import os

import pytest

from cache.reader.image_source import images
from cache.reader.source_file import Picture
from cache.reader.stored_file import stored_file
from tests.drawing import png, write, zipped


def test_what_was_read_under_names_that_are_no_utf_8_is_found_again(here):
    odd = os.fsdecode(b"caf\xe9")
    write(here / "photos", {
        f"{odd}.png": png(0), f"{odd}/a.png": png(1), f"{odd}/{odd}.zip": zipped({"b.png": png(2)})})
    files = [item.file for item in images("photos") if isinstance(item, Picture)]
    assert [file.file_path for file in files] == [
        "photos/caf\\xe9/a.png", "photos/caf\\xe9/caf\\xe9.zip/b.png", "photos/caf\\xe9.png"]
    assert [stored_file(file.absolute_path).read() for file in files] == [png(1), png(2), png(0)]


def test_a_path_that_no_system_takes_is_told_by_what_the_system_says(here):
    with pytest.raises(OSError, match="File name too long"):
        stored_file(str(here / ("x" * 5000)))
