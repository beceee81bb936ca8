"""Shared fixtures: a clean directory, a dataset, a tiny CLIP that the tests save themselves, a browser."""
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import hypothesis
import pytest

from tests import browser as browsers
from tests.drawing import tag_folders, write
from tests.forked_decoder import forked_decoders
from tests.forked_python import ForkedPython

LONGEST = [
    "test_hostile_files.py",
    "test_docs.py",
    "test_crashes.py",
    "test_hostile_stores.py",
    "test_web_contract.py",
    "test_notebook.py",
    "test_wheel.py",
    "test_terminal.py",
]
ROOT = Path(__file__).resolve().parents[1]
TINY = "tiny-test-clip"
TINY_CONFIG = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16},
    "text_cfg": {"context_length": 8, "vocab_size": 49408, "width": 16, "heads": 1, "layers": 1},
}

# A loaded machine takes its time: no test fails by the clock.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    everything = "every hostile case, mutation and kill, not a representative part of them"
    parser.addoption("--full", action="store_true", help=everything)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first: with tests on all cores each file is handed to one of them, in this order."""
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))


@pytest.fixture(scope="session")
def full(request) -> bool:
    """Whether everything is asked for: `make hostile`, `make fuzz`, `make crash`."""
    return request.config.getoption("--full")


@pytest.fixture(scope="session", autouse=True)
def decoders() -> Iterator[None]:
    """Decoders are forked where the system can, and started as ever by the tests of the decoder."""
    if sys.platform != "linux":
        yield
        return
    with forked_decoders():
        yield


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """A clean directory to stand in, as a person would: the default ./output lies in it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def photos(here) -> str:
    """A tagged dataset of 12 pictures, named as a person would name it."""
    write(here / "photos", tag_folders())
    return "photos"


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory) -> str:
    """A real open_clip model, small and random, saved as the kind of checkpoint a person trains."""
    import open_clip
    import torch

    folder = tmp_path_factory.mktemp("tiny-clip")
    (folder / f"{TINY}.json").write_text(json.dumps(TINY_CONFIG))
    open_clip.add_model_config(folder / f"{TINY}.json")
    torch.manual_seed(0)
    torch.save(open_clip.create_model(TINY).state_dict(), folder / "tiny.pt")
    return str(folder / "tiny.pt")


@pytest.fixture
def tiny(tiny_checkpoint) -> dict[str, str]:
    """Keyword arguments that name the tiny encoder."""
    return {"clip_model": TINY, "pretrained": tiny_checkpoint}


def _stage1(tiny_checkpoint: str) -> Callable[..., dict]:
    from stage1.ImageDatasetProcessor import ImageDatasetProcessor

    def process(dataset_path="photos", output_folder="./output", **options):
        options = {
            "clip_model": TINY, "pretrained": tiny_checkpoint, "batch_size": 4, "num_threads": 2, **options}
        return ImageDatasetProcessor.process_dataset(dataset_path, output_folder, **options)

    return process


@pytest.fixture
def stage1(tiny_checkpoint):
    """Stage 1 with the tiny encoder."""
    return _stage1(tiny_checkpoint)


@pytest.fixture(scope="session")
def models_and_reports(tmp_path_factory, tiny_checkpoint) -> Path:
    """What stage 2 writes for the pictures of `photos`, wherever these lie: it is made once for all tests."""
    from stage2.train import main

    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write(folder / "photos", tag_folders())
        _stage1(tiny_checkpoint)()
        main("./output/input-metadata.json", "./output/input-tag-to-image-hash-list.json", "./output", 0.2)
    return folder / "output"


@pytest.fixture
def trained(photos, stage1, models_and_reports) -> str:
    """Stages 1 and 2 done in ./output; the folder of models."""
    stage1()
    for name in ("models", "reports"):
        shutil.copytree(models_and_reports / name, f"output/{name}")
    return "./output/models"


def run_python(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess:
    """`python <arguments>` as a person would run it, without the test's own search path."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command, variables = [sys.executable, *arguments], {**inherited, **environment}
    return subprocess.run(command, cwd=cwd, env=variables, capture_output=True, text=True)


@pytest.fixture(scope="session")
def run_command() -> Iterator[Callable[..., subprocess.CompletedProcess]]:
    """As run_python, but forked from a process that has imported the slow libraries."""
    with ForkedPython() as python:
        yield python.run


@contextmanager
def serving(*flags: str) -> Iterator[str]:
    """A real server, `python -m web_api`, on a free port of this machine; its address."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "web_api", "--port", "0", *flags]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as server:
        try:
            line = server.stdout.readline()
            assert line.startswith("serving on http://127.0.0.1:")
            yield line.removeprefix("serving on ").strip()
        finally:
            server.terminate()


@pytest.fixture(scope="session")
def browser() -> Iterator:
    """One browser for all tests; without one they are skipped, or fail where they are required."""
    with browsers.launched() as browser:
        if browser is None:
            browsers.missing()
        yield browser


@pytest.fixture
def page(browser) -> Iterator:
    """A page with nothing kept from an earlier one; `complaints` are what its console says."""
    context = browser.new_context()
    page = context.new_page()
    page.complaints = []
    page.on("console", lambda message: page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    yield page
    context.close()
