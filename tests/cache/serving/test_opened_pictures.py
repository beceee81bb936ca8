"""Pictures that were opened for a page: those asked for last stay in memory, however many ask at once."""
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from cache.pixels.crop_spec import CropSpec
from cache.reader.source_file import SourceFile, Thumbnail
from cache.serving import opened_pictures
from cache.serving.opened_pictures import OpenedPicture, OpenedPictures


@pytest.fixture
def decoded(monkeypatch) -> list[str]:
    """Paths in the order in which they are opened; ten of these pictures find room."""
    paths: list[str] = []

    def ten_bytes(pictures: OpenedPictures, file: SourceFile, spec: CropSpec | None) -> OpenedPicture:
        paths.append(file.absolute_path)
        return OpenedPicture(Thumbnail(file.absolute_path, None, b"jpeg"), b"square")

    monkeypatch.setattr(OpenedPictures, "_decoded", ten_bytes)
    monkeypatch.setattr(opened_pictures, "LARGEST_CACHE", 100)
    return paths


@pytest.fixture
def threads_that_take_turns() -> Iterator[None]:
    """As often as Python can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def file(number: int) -> SourceFile:
    return SourceFile(f"{number}", f"/{number}", None, None, 1, 1, "1", open=None)


def test_those_asked_for_last_stay(decoded):
    pictures = OpenedPictures()
    for number in (*range(10), 0, 10, 0, 1):
        assert pictures.opened(file(number), CropSpec(64)).has_hash(f"/{number}")
    assert decoded == [f"/{number}" for number in (*range(11), 1)]


def test_many_ask_at_the_same_time(decoded, threads_that_take_turns):
    pictures = OpenedPictures()
    with ThreadPoolExecutor(8) as threads:
        shown = threads.map(lambda number: pictures.opened(file(number % 25), CropSpec(64)), range(2000))
        assert [picture.thumbnail.hash_id for picture in shown] == [f"/{n % 25}" for n in range(2000)]
    assert len(pictures._opened) == 10
    assert pictures._bytes == 100
