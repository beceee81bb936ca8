"""The notebook runs from top to bottom as it is, then with a folder of one's own, and says what it should."""
import ast
import json
import re
import socket
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
ROOMS = ("cache", "companions", "stage1", "stage2", "stage3", "stage4", "web_api", "demo.py")
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
    write(folder / "photos", {
        **tag_folders(),
        "cats/broken.png": b"\x89PNG\r\n\x1a\nnothing more",
        "cats/notes.txt": b"no picture",
    })
    return folder / "clone"


@pytest.fixture(scope="module")
def outputs(clone, tmp_path_factory) -> dict[str, list[dict]]:
    """What the cells put out, by their ids; "own-<id>" in the second run in the same kernel, with DATA set to
    the person's pictures."""
    photos = clone.parent / "photos"
    home = tmp_path_factory.mktemp("jupyter")
    write_kernel_spec(home / "kernels" / "python3")  # this interpreter, whatever has this name elsewhere
    notebook = twice(photos)
    client = NotebookClient(notebook, kernel_name="python3", timeout=600, skip_cells_with_tag=SKIPPED)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("JUPYTER_PATH", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "IPYTHONDIR"):
            patch.setenv(name, str(home))
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.delenv("PYTHONPATH", raising=False)
        patch.delenv("MPLBACKEND", raising=False)
        before = tree(photos)
        client.execute(cwd=str(clone))
        assert tree(photos) == before
    return {cell.id: cell.outputs for cell in notebook.cells if cell.cell_type == "code"}


def twice(photos: Path) -> nbformat.NotebookNode:
    """The notebook, and behind it once more all its cells, about other pictures."""
    notebook, again = deepcopy(NOTEBOOK), deepcopy(NOTEBOOK.cells)
    for cell in again:
        cell.id = f"own-{cell.id}"
        cell.source = cell.source.replace("DATA = None", f"DATA = {str(photos)!r}")
    notebook.cells += again
    return notebook


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
    scored = {}
    for record in json.loads((output / "output.json").read_bytes()).values():
        scores = record["classifiers_output"]
        scored[record["file_path"]] = {
            (score["model_type"], score["tag_name"]): score["tag_prob"] for score in scores}
    return scored


def test_everything_lies_in_a_folder_of_its_own_one_for_each_dataset_and_encoder(clone, outputs):
    assert sorted(path.name for path in clone.iterdir()) == sorted([*ROOMS, "notebook-work"])
    assert sorted(path.name for path in (clone / "notebook-work").iterdir()) == [
        "digits-EfficientNet-Lite0-MS", "photos-EfficientNet-Lite0-MS"]


def test_the_digits_become_vectors_and_the_vectors_models(outputs):
    assert printed(outputs["pictures"])[1:] == [
        "digit-0: 33 pictures to learn from",
        "digit-1: 33 pictures to learn from",
        "digit-2: 33 pictures to learn from",
        "digit-3: 34 pictures to learn from",
    ]
    assert returned(outputs["stage1"]) == {
        "processed": 133,
        "unchanged": 0,
        "skipped": 0,
        "written": [
            "./output/input-metadata.json",
            "./output/input-tag-to-image-hash-list.json",
            "./output/input-image-hash-to-tag-list.json",
            "./output/stage1.db",
        ],
    }
    models = [(kind, tag) for kind in TYPES for tag in DIGITS]
    names = [f"./output/models/model-{kind}-tag-{tag}.pkl" for kind, tag in models]
    assert printed(outputs["models"]) == names
    assert [tuple(line.split()[:2]) for line in printed(outputs["stage2"])] == models


def test_the_digits_held_back_are_recognised_in_the_folder_and_in_the_zip(work):
    for result in ("scored-folder", "scored-zip"):
        right_of = accuracy(work / "output" / result / "output.json")
        assert {kind: total for kind, (_, total) in right_of.items()} == dict.fromkeys(TYPES, 32)
        assert min(right for right, _ in right_of.values()) >= 29, right_of


def test_a_picture_is_scored_under_one_model_and_all_and_a_folder_under_the_one_that_is_named(work, outputs):
    everything = {(kind, tag) for kind in TYPES for tag in DIGITS}
    picture = "pictures/unseen/digit-0/0030.png"
    for result, pictures, models in (
        ("one-picture-one-model", 1, {(TYPES[0], "digit-0")}),
        ("one-picture-all-models", 1, everything),
        ("scored-one-tag", 32, {("ovr-svm", "digit-0")}),
        ("scored-folder", 32, everything),
    ):
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
    matches = []
    for path, scores in scored.items():
        [probability] = scores.values()
        if probability >= 0.5:
            matches.append(f"{probability:.3f}  {path}")
    assert printed(outputs["match"]) == matches
    assert sum("/inner.zip/digit-0/" in match for match in matches) == 4
    assert len(matches) < 12


def test_the_pages_are_shown_whole(work, outputs):
    for cell, path in (("report", "reports"), ("gallery", "scored-folder"), ("zip-gallery", "scored-zip")):
        [page] = re.findall(r'<iframe [^>]*srcdoc="([^"]*)"', html(outputs[cell]))
        shown = re.sub('<base href="about:srcdoc"><style>[^<]+</style>', "", unescape(page), count=1)
        assert shown == (work / f"output/{path}/index.html").read_text(encoding="utf-8")


def captions(cell: list[dict]) -> list[str]:
    picture = '<img src="data:image/jpeg;base64,[^"]+" alt="" width="80">'
    return re.findall(f"{picture}<figcaption>([^<]+)<", html(cell))


def test_pictures_are_shown_with_their_captions(outputs):
    assert captions(outputs["sheet"]) == [tag for tag in DIGITS for _ in range(8)]
    assert captions(outputs["own-sheet"]) == [*["cats"] * 4, *["dogs"] * 5]
    assert captions(outputs["one-all"]) == ["this one"]
    best = [float(caption) for caption in captions(outputs["by-name"])]
    assert (len(best), best) == (8, sorted(best, reverse=True))
    assert set(captions(outputs["tag-cache"])) <= set(DIGITS)


def test_the_caches_know_it_all_already(outputs):
    for cell in ("file", "clip"):
        of_dataset, of_unseen = map(ast.literal_eval, printed(outputs[f"{cell}-cache"])[:2])
        nothing_new = {"db_path": f"./output/{cell}_cache.sqlite", "processed": 0, "skipped": 0}
        assert of_dataset == {**nothing_new, "unchanged": 133}
        assert of_unseen == {**nothing_new, "unchanged": 32}
    assert printed(outputs["clip-cache"])[2:] == ["EfficientNet-Lite0-MS:imagenet (1, 1824) float32"]
    assert re.fullmatch(r"\./pictures/\S+\.png png 64 64", printed(outputs["file-cache"])[2])
    assert [ast.literal_eval(line).get("deleted") for line in printed(outputs["clear"])] == [None, True]


def test_the_server_answers_and_is_stopped(work, outputs):
    rows = [line.split(maxsplit=2) for line in printed(outputs["ask"])[:-1]]
    scored = records(work / "output/scored-zip")
    of_zeros = [scores[kind, "digit-0"] for scores in scored.values() for kind in TYPES]
    best = sorted(of_zeros, reverse=True)[:5]
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
    models = [(kind, tag) for kind in TYPES for tag in ("cats", "dogs")]
    names = [f"./output/models/model-{kind}-tag-{tag}.pkl" for kind, tag in models]
    assert printed(outputs["own-models"]) == names
    in_folder, in_zip = records(output / "scored-folder"), records(output / "scored-zip")
    assert sorted(in_folder) == [
        "./pictures/unseen/cats/cats_01.png",
        "./pictures/unseen/cats/cats_04.png",
        "./pictures/unseen/dogs/dogs_03.png",
    ]
    assert sorted(in_zip) == [
        "./pictures/unseen.zip/cats/cats_01.png",
        "./pictures/unseen.zip/dogs/dogs_03.png",
        "./pictures/unseen.zip/more/inner.zip/cats/cats_04.png",
    ]
    for scores in (*in_folder.values(), *in_zip.values()):
        assert set(scores) == set(models)
