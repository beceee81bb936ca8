"""The notebook as it is written: its calls, its settings, what it refuses; and it is kept without outputs."""
import ast
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import nbformat
import pytest

from tests.conftest import ROOT
from tests.drawing import tree, write
from tests.project.test_notebook import CODE, NOTEBOOK, SKIPPED, TEXT


def calls_of(cells: Iterable[str]) -> dict[str, list[list[str]]]:
    """{name of a function: the arguments of each call as they are written}, without IPython's own lines."""
    calls: dict[str, list[list[str]]] = {}
    for source in cells:
        python = "\n".join(line for line in source.splitlines() if not line.startswith("%"))
        for node in ast.walk(ast.parse(python)):
            if isinstance(node, ast.Call):
                named = [f"{keyword.arg}={ast.unparse(keyword.value)}" for keyword in node.keywords]
                calls.setdefault(ast.unparse(node.func), []).append([*map(ast.unparse, node.args), *named])
    return calls


def test_the_classic_calls_are_in_it_by_these_names():
    calls = calls_of(CODE.values())
    metadata = "json_file_path='./output/input-metadata.json'"
    bins = "bins_number=10"
    every_model = "model_path='./output/models'"
    one_tag = "model_path=generate_model_path('./output/models', 'ovr-svm', TAG)"
    assert calls["ImageDatasetProcessor.process_dataset"] == [[
        "dataset_path=dataset",
        "output_folder='./output'",
        "tagged_dataset=True",
        "clip_model=CLIP_MODEL",
        "pretrained=PRETRAINED",
        "batch_size=32",
        "num_threads=4",
    ]]
    assert calls["train_main"] == [[
        "metadata_json='./output/input-metadata.json'",
        "tag_to_hash_json='./output/input-tag-to-image-hash-list.json'",
        "output_dir='./output'",
        "test_per=0.2",
    ]]
    assert calls["list_models"] == [["'./output/models'"]]
    one_picture = "output_dir='./output/one-picture"
    assert calls["classify_main"] == [
        ["folder_path=picture", f"{one_picture}-one-model'", metadata, bins, "model_path=models[0]"],
        ["folder_path=picture", f"{one_picture}-all-models'", metadata, bins, every_model],
        ["folder_path=new_pictures", "output_dir='./output/scored-one-tag'", metadata, bins, one_tag],
        ["folder_path=new_pictures", "output_dir='./output/scored-folder'", metadata, bins, every_model],
    ]
    assert calls["classify_zip_main"] == [
        ["folder_path=new_zip", "output_dir='./output/scored-zip'", metadata, bins, every_model],
        ["folder_path=new_zip", "output_dir='./output/scored-zip-one-tag'", metadata, bins, one_tag],
    ]
    assert calls["on_match"] == [["file_path", "scores[TAG]"]]


@pytest.mark.parametrize(("switch", "encoder"), [
    ("False", ("EfficientNet-Lite0-MS", "imagenet")),
    ("True", ("ViT-B-32", "openai")),
])
def test_one_variable_switches_to_clip(switch, encoder):
    settings: dict[str, object] = {}
    exec(CODE["settings"].replace("USE_CLIP = False", f"USE_CLIP = {switch}"), settings)
    assert (settings["CLIP_MODEL"], settings["PRETRAINED"]) == encoder


def test_outside_a_clone_the_tools_are_fetched_once(here, monkeypatch):
    fetched = []

    def fetch(command, check):
        fetched.append((*command, check))
        (here / "image-tagging-tools").symlink_to(ROOT)

    monkeypatch.setattr(subprocess, "run", fetch)
    monkeypatch.setattr(sys, "path", [])
    clone = here / "image-tagging-tools"
    for _ in range(2):
        names: dict[str, object] = {}
        exec(CODE["tools"], names)
        assert names["ROOT"] == clone
    assert fetched == [("git", "clone", "--depth", "1", names["REPOSITORY"], str(clone), True)]
    assert sys.path == [str(clone)]


def test_the_badge_opens_the_notebook_of_the_repository_that_is_fetched():
    [repository] = re.findall(r'REPOSITORY = "https://github\.com/(.+)"', CODE["tools"])
    badge = f"(https://colab.research.google.com/github/{repository}/blob/main/examples.ipynb)"
    assert badge in NOTEBOOK.cells[0].source


@pytest.mark.parametrize("settings", [
    {"DATA": "photos"},
    {"DATA": "/not/there"},
    {"NEW_PICTURES": "photos"},
    {"NEW_ZIP": "/not/there.zip"},
    {"DATA": "{clone}"},
    {"DATA": "{clone}/notebook-work/photos"},
    {"DATA": "{clone}/notebook-work"},
    {"NEW_PICTURES": "{clone}/notebook-work/photos/cats"},
])
def test_pictures_that_are_not_there_or_would_get_mixed_with_the_notebooks_own_are_refused(here, settings):
    write(here, {"photos/cats/1.png": b"", "clone/notebook-work/photos/cats/1.png": b""})
    before = tree(here)
    names: dict[str, object] = {"Path": Path, "ROOT": here / "clone", "CLIP_MODEL": "any"}
    names.update({"DATA": None, "NEW_PICTURES": None, "NEW_ZIP": None})
    names.update({name: path.replace("{clone}", str(here / "clone")) for name, path in settings.items()})
    with pytest.raises((FileNotFoundError, ValueError), match="full path|lie inside one another"):
        exec(CODE["pictures"], names)
    assert tree(here) == before


def test_it_is_kept_without_outputs_and_as_nbformat_writes_it():
    assert nbformat.writes(NOTEBOOK) + "\n" == TEXT
    nbformat.validate(NOTEBOOK)
    assert (NOTEBOOK.nbformat, NOTEBOOK.nbformat_minor) == (4, 5)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    assert NOTEBOOK.metadata == {"kernelspec": kernel}
    for cell in NOTEBOOK.cells:
        assert cell.metadata == ({"tags": [SKIPPED]} if cell.id == "install" else {})
        if cell.cell_type == "code":
            assert (cell.execution_count, cell.outputs) == (None, [])
    assert len({cell.id for cell in NOTEBOOK.cells}) == len(NOTEBOOK.cells)
