"""The notebook runs from top to bottom as it is, and again with a folder of one's own, and says what it is meant to say."""
import ast
import json
import re
import socket
import subprocess
import sys
from copy import deepcopy
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest
from ipykernel.kernelspec import write_kernel_spec
from nbclient import NotebookClient

from demo import accuracy
from tests.conftest import ROOT
from tests.drawing import tag_folders, tree, write

TEXT = (ROOT / "examples.ipynb").read_text(encoding="utf-8")
NOTEBOOK = nbformat.reads(TEXT, as_version=4)
CODE = {cell.id: cell.source for cell in NOTEBOOK.cells if cell.cell_type == "code"}
ROOMS = ("cache", "stage1", "stage2", "stage3", "stage4", "web_api", "demo.py")
SKIPPED = "skip-in-tests"
DIGITS = [f"digit-{number}" for number in range(4)]
TYPES = ["ovr-logistic-regression", "ovr-svm"]


@pytest.fixture(scope="module")
def clone(tmp_path_factory) -> Path:
    """A directory that looks like a clone, next to a person's pictures, of which two files are none."""
    folder = tmp_path_factory.mktemp("notebook")
    for room in ROOMS:
        (folder / "clone" / room).parent.mkdir(exist_ok=True)
        (folder / "clone" / room).symlink_to(ROOT / room)
    write(folder / "photos", {**tag_folders(), "cats/broken.png": b"\x89PNG\r\n\x1a\nnothing more", "cats/notes.txt": b"no picture"})
    return folder / "clone"


@pytest.fixture(scope="module")
def outputs(clone, tmp_path_factory) -> dict[str, list[dict]]:
    """What the cells put out, by their ids; "own-<id>" in the second run in the same kernel, with DATA set to the person's pictures."""
    home = tmp_path_factory.mktemp("jupyter")
    write_kernel_spec(home / "kernels" / "python3")  # this interpreter, whichever kernel has this name elsewhere
    environment = {"JUPYTER_PATH": home, "JUPYTER_RUNTIME_DIR": home, "JUPYTER_CONFIG_DIR": home, "IPYTHONDIR": home, "HF_HUB_OFFLINE": 1}
    notebook, again = deepcopy(NOTEBOOK), deepcopy(NOTEBOOK.cells)
    for cell in again:
        cell.id = f"own-{cell.id}"
        cell.source = cell.source.replace("DATA = None", f"DATA = {str(clone.parent / 'photos')!r}")
    notebook.cells += again
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, str(value))
        patch.delenv("PYTHONPATH", raising=False)
        patch.delenv("MPLBACKEND", raising=False)
        before = tree(clone.parent / "photos")
        NotebookClient(notebook, kernel_name="python3", timeout=600, skip_cells_with_tag=SKIPPED).execute(cwd=str(clone))
        assert tree(clone.parent / "photos") == before
    return {cell.id: cell.outputs for cell in notebook.cells if cell.cell_type == "code"}


@pytest.fixture(scope="module")
def work(clone, outputs) -> Path:
    return clone / "notebook-work" / "digits-EfficientNet-Lite0-MS"


def printed(cell: list[dict]) -> list[str]:
    return "".join(output["text"] for output in cell if output.get("name") == "stdout").splitlines()


def returned(cell: list[dict]) -> object:
    [value] = [output["data"]["text/plain"] for output in cell if output["output_type"] == "execute_result"]
    return ast.literal_eval(value)


def html(cell: list[dict]) -> str:
    return "".join(output["data"]["text/html"] for output in cell if "text/html" in output.get("data", {}))


def records(output: Path) -> dict[str, dict[tuple[str, str], float]]:
    """{file path: {(model type, tag): probability}} of an output.json."""
    return {record["file_path"]: {(each["model_type"], each["tag_name"]): each["tag_prob"] for each in record["classifiers_output"]}
            for record in json.loads((output / "output.json").read_bytes()).values()}


def test_everything_lies_in_a_folder_of_its_own_one_for_each_dataset_and_encoder(clone, outputs):
    assert sorted(path.name for path in clone.iterdir()) == sorted([*ROOMS, "notebook-work"])
    assert sorted(path.name for path in (clone / "notebook-work").iterdir()) == [
        "digits-EfficientNet-Lite0-MS", "photos-EfficientNet-Lite0-MS"]


def test_the_digits_become_vectors_and_the_vectors_models(outputs):
    written = ["input-metadata.json", "input-tag-to-image-hash-list.json", "input-image-hash-to-tag-list.json", "stage1.db"]
    assert printed(outputs["pictures"])[1:] == [f"{tag}: {count} pictures to learn from" for tag, count in zip(
        DIGITS, (33, 33, 33, 34), strict=True)]
    assert returned(outputs["stage1"]) == {
        "processed": 133, "unchanged": 0, "skipped": 0, "written": [f"./output/{name}" for name in written]}
    assert printed(outputs["models"]) == [f"./output/models/model-{kind}-tag-{tag}.pkl" for kind in TYPES for tag in DIGITS]
    assert [line.split()[:2] for line in printed(outputs["stage2"])] == [[kind, tag] for kind in TYPES for tag in DIGITS]


def test_the_digits_held_back_are_recognised_in_the_folder_and_in_the_zip(work):
    for result in ("scored-folder", "scored-zip"):
        found = accuracy(work / "output" / result / "output.json")
        assert {kind: total for kind, (_, total) in found.items()} == dict.fromkeys(TYPES, 32)
        assert min(right for right, _ in found.values()) >= 29, found


def test_a_picture_is_scored_under_one_model_under_all_and_a_folder_under_the_one_that_is_named(work, outputs):
    everything = {(kind, tag) for kind in TYPES for tag in DIGITS}
    picture = "pictures/unseen/digit-0/0030.png"
    for result, pictures, models in (("one-picture-one-model", 1, {(TYPES[0], "digit-0")}), ("one-picture-all-models", 1, everything),
                                     ("scored-one-tag", 32, {("ovr-svm", "digit-0")}), ("scored-folder", 32, everything)):
        scored = records(work / "output" / result)
        assert len(scored) == pictures, result
        assert {frozenset(scores) for scores in scored.values()} == {frozenset(models)}, result
    assert list(records(work / "output/one-picture-one-model")) == [picture]
    [record] = returned(outputs["one-one"])
    assert (record["file_path"], list(record)) == (picture, ["hash_id", "file_path", "classifiers_output"])
    assert sum(int(line.split(": ")[1]) for line in printed(outputs["folder"])) == 32 * len(DIGITS)


def test_the_function_is_called_for_every_picture_of_the_zip_above_the_threshold(work, outputs):
    scored = records(work / "output/scored-zip-one-tag")
    assert len(scored) == 32
    matches = [f"{probability:.3f}  {path}" for path, scores in scored.items() for probability in scores.values() if probability >= 0.5]
    assert printed(outputs["match"]) == matches
    assert sum("/inner.zip/digit-0/" in match for match in matches) == 4
    assert len(matches) < 12


def test_the_pages_are_shown_whole(work, outputs):
    for cell, path in (("report", "reports"), ("gallery", "scored-folder"), ("zip-gallery", "scored-zip")):
        [page] = re.findall(r'<iframe [^>]*srcdoc="([^"]*)"', html(outputs[cell]))
        shown = re.sub('<base href="about:srcdoc"><style>[^<]+</style>', "", unescape(page), count=1)
        assert shown == (work / f"output/{path}/index.html").read_text(encoding="utf-8")


def test_pictures_are_shown_with_their_captions(outputs):
    captions = {cell: re.findall(r'<img src="data:image/jpeg;base64,[^"]+" alt="" width="80"><figcaption>([^<]+)<', html(outputs[cell]))
                for cell in ("sheet", "one-all", "by-name", "tag-cache", "own-sheet")}
    assert captions.pop("sheet") == [tag for tag in DIGITS for _ in range(8)]
    assert captions.pop("own-sheet") == [*["cats"] * 4, *["dogs"] * 5]
    assert captions.pop("one-all") == ["this one"]
    best = [float(caption) for caption in captions.pop("by-name")]
    assert (len(best), best) == (8, sorted(best, reverse=True))
    assert [set(found) <= set(DIGITS) for found in captions.values()] == [True]


def test_the_caches_know_it_all_already(outputs):
    for cell in ("file", "clip"):
        assert [ast.literal_eval(line) for line in printed(outputs[f"{cell}-cache"])[:2]] == [
            {"db_path": f"./output/{cell}_cache.sqlite", "processed": 0, "unchanged": count, "skipped": 0} for count in (133, 32)]
    assert printed(outputs["clip-cache"])[2:] == ["EfficientNet-Lite0-MS:imagenet (1, 1824) float32"]
    assert re.fullmatch(r"\./pictures/\S+\.png png 64 64", printed(outputs["file-cache"])[2])
    assert [ast.literal_eval(line).get("deleted") for line in printed(outputs["clear"])] == [None, True]


def test_the_server_answers_and_is_stopped(work, outputs):
    rows = [line.split(maxsplit=2) for line in printed(outputs["ask"])[:-1]]
    scored = records(work / "output/scored-zip")
    best = sorted((scores[kind, "digit-0"] for scores in scored.values() for kind in TYPES), reverse=True)[:5]
    assert [row[0] for row in rows] == [f"{probability:.3f}" for probability in best]
    assert [f"{scored[path][kind, 'digit-0']:.3f}" for _, kind, path in rows] == [row[0] for row in rows]
    tagged = ast.literal_eval(printed(outputs["ask"])[-1])
    assert tagged == {"hash_id": tagged["hash_id"], "tag": tagged["tags"][0], "tags": tagged["tags"]}
    assert ["image/jpeg" in output.get("data", {}) for output in outputs["ask"]].count(True) == 1
    for cell in ("server", "own-server"):
        [address] = printed(outputs[cell])
        with socket.socket() as client:
            assert client.connect_ex(("127.0.0.1", urlsplit(address).port)) != 0


def test_a_folder_of_ones_own_goes_the_same_way_and_what_is_no_picture_stops_nothing(clone, outputs):
    output = clone / "notebook-work" / "photos-EfficientNet-Lite0-MS" / "output"
    counts = {key: value for key, value in returned(outputs["own-stage1"]).items() if key != "written"}
    assert counts == {"processed": 9, "unchanged": 0, "skipped": 2}
    assert printed(outputs["own-models"]) == [f"./output/models/model-{kind}-tag-{tag}.pkl" for kind in TYPES for tag in ("cats", "dogs")]
    everything = {(kind, tag) for kind in TYPES for tag in ("cats", "dogs")}
    held_back = ["cats/cats_01.png", "cats/cats_04.png", "dogs/dogs_03.png"]
    for result, source, files in (("scored-folder", "unseen", held_back),
                                  ("scored-zip", "unseen.zip", [held_back[0], held_back[2], f"more/inner.zip/{held_back[1]}"])):
        scored = records(output / result)
        assert sorted(scored) == [f"./pictures/{source}/{file}" for file in files]
        assert {frozenset(scores) for scores in scored.values()} == {frozenset(everything)}


def test_the_classic_calls_are_in_it_by_these_names():
    calls = {}
    for source in CODE.values():
        for node in ast.walk(ast.parse("\n".join(line for line in source.splitlines() if not line.startswith("%")))):
            if isinstance(node, ast.Call):
                arguments = [*map(ast.unparse, node.args), *(f"{keyword.arg}={ast.unparse(keyword.value)}" for keyword in node.keywords)]
                calls.setdefault(ast.unparse(node.func), []).append(arguments)
    metadata, bins, every_model = "json_file_path='./output/input-metadata.json'", "bins_number=10", "model_path='./output/models'"
    one_tag = "model_path=generate_model_path('./output/models', 'ovr-svm', TAG)"
    assert calls["ImageDatasetProcessor.process_dataset"] == [[
        "dataset_path=dataset", "output_folder='./output'", "tagged_dataset=True", "clip_model=CLIP_MODEL", "pretrained=PRETRAINED",
        "batch_size=32", "num_threads=4"]]
    assert calls["train_main"] == [[
        "metadata_json='./output/input-metadata.json'", "tag_to_hash_json='./output/input-tag-to-image-hash-list.json'",
        "output_dir='./output'", "test_per=0.2"]]
    assert calls["list_models"] == [["'./output/models'"]]
    assert calls["classify_main"] == [
        ["folder_path=picture", "output_dir='./output/one-picture-one-model'", metadata, bins, "model_path=models[0]"],
        ["folder_path=picture", "output_dir='./output/one-picture-all-models'", metadata, bins, every_model],
        ["folder_path=new_pictures", "output_dir='./output/scored-one-tag'", metadata, bins, one_tag],
        ["folder_path=new_pictures", "output_dir='./output/scored-folder'", metadata, bins, every_model]]
    assert calls["classify_zip_main"] == [
        ["folder_path=new_zip", "output_dir='./output/scored-zip'", metadata, bins, every_model],
        ["folder_path=new_zip", "output_dir='./output/scored-zip-one-tag'", metadata, bins, one_tag]]
    assert calls["on_match"] == [["file_path", "scores[TAG]"]]


@pytest.mark.parametrize(("switch", "encoder"), [("False", ("EfficientNet-Lite0-MS", "imagenet")), ("True", ("ViT-B-32", "openai"))])
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
    for _ in range(2):
        found: dict[str, object] = {}
        exec(CODE["tools"], found)
        assert found["ROOT"] == here / "image-tagging-tools"
    assert fetched == [("git", "clone", "--depth", "1", found["REPOSITORY"], str(here / "image-tagging-tools"), True)]
    assert sys.path == [str(here / "image-tagging-tools")]


def test_the_badge_opens_the_notebook_of_the_repository_that_is_fetched():
    [repository] = re.findall(r'REPOSITORY = "https://github\.com/(.+)"', CODE["tools"])
    assert f"(https://colab.research.google.com/github/{repository}/blob/main/examples.ipynb)" in NOTEBOOK.cells[0].source


@pytest.mark.parametrize("settings", [
    {"DATA": "photos"}, {"DATA": "/not/there"}, {"NEW_PICTURES": "photos"}, {"NEW_ZIP": "/not/there.zip"}, {"DATA": "{clone}"},
    {"DATA": "{clone}/notebook-work/photos"}, {"DATA": "{clone}/notebook-work"},
    {"NEW_PICTURES": "{clone}/notebook-work/photos/cats"},
])
def test_pictures_that_are_not_there_or_would_get_mixed_with_the_notebooks_own_are_refused(here, settings):
    write(here, {"photos/cats/1.png": b"", "clone/notebook-work/photos/cats/1.png": b""})
    before = tree(here)
    names = {name: value.replace("{clone}", str(here / "clone")) for name, value in settings.items()}
    with pytest.raises((FileNotFoundError, ValueError), match="full path|lie inside one another"):
        exec(CODE["pictures"], {"Path": Path, "ROOT": here / "clone", "DATA": None, "NEW_PICTURES": None, "NEW_ZIP": None,
                                "CLIP_MODEL": "any", **names})
    assert tree(here) == before


def test_it_is_kept_without_outputs_and_as_nbformat_writes_it():
    assert nbformat.writes(NOTEBOOK) + "\n" == TEXT
    nbformat.validate(NOTEBOOK)
    assert (NOTEBOOK.nbformat, NOTEBOOK.nbformat_minor) == (4, 5)
    assert NOTEBOOK.metadata == {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    assert {(cell.execution_count, *cell.outputs) for cell in NOTEBOOK.cells if cell.cell_type == "code"} == {(None,)}
    assert {cell.id: cell.metadata for cell in NOTEBOOK.cells if cell.metadata} == {"install": {"tags": [SKIPPED]}}
    assert len({cell.id for cell in NOTEBOOK.cells}) == len(NOTEBOOK.cells)
