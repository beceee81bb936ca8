"""Which bars are up at a time: of the files while these are read, and nothing else beside it."""
import sys
from io import StringIO

import pytest
from tqdm import tqdm

import cache.pages.thumbnails
import cache.results.scoring
import stage1.ImageDatasetProcessor
from stage3 import classify
from tests.drawing import png, tag_folders, write
from tests.stages_3_and_4.scoring import ready  # noqa: F401  a fixture


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def units_up(monkeypatch):
    """What is counted by the bars that are up, at each moment that was asked for."""
    moments: dict[str, list[str]] = {}

    def note_at(moment: str, module: object, name: str) -> None:
        function = getattr(module, name)
        monkeypatch.setattr(sys, "stderr", Terminal())

        def noting(*arguments: object, **options: object) -> object:
            moments[moment] = [bar.unit for bar in tqdm._instances]
            return function(*arguments, **options)

        monkeypatch.setattr(module, name, noting)

    yield moments, note_at
    assert not tqdm._instances


def test_the_bar_of_the_files_is_gone_before_a_result_is_written(here, ready, units_up):  # noqa: F811
    moments, note_at = units_up
    note_at("stream", cache.results.scoring, "record")
    note_at("output.json", cache.results.scoring, "write_json_object")
    note_at("page", cache.pages.thumbnails, "progress_bar")
    write(here, {"new/a.png": png(500)})
    assert ready(classify, "new") == 0
    assert moments == {"stream": [" files"], "output.json": [], "page": []}


def test_the_bar_of_the_files_is_gone_before_metadata_is_written(here, tiny, units_up):
    moments, note_at = units_up
    note_at("stream", stage1.ImageDatasetProcessor, "record")
    note_at("metadata", stage1.ImageDatasetProcessor, "write_json_object")
    write(here / "photos", tag_folders())
    stage1.ImageDatasetProcessor.ImageDatasetProcessor.process_dataset("photos", **tiny)
    assert moments == {"stream": [" files"], "metadata": []}
