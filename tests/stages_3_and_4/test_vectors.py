"""Where stages 3 and 4 take vectors from, and when they embed."""
import json
import os
import shutil
from hashlib import blake2b
from pathlib import Path

import pytest

from cache.encoders.clip_encoder import ClipEncoder
from cache.stores.clip_table import ClipTable
from stage3 import classify
from tests.cache.test_caches import hash_of, rows
from tests.drawing import drawn, encoded, png, write
from tests.stages_3_and_4.scoring import METADATA


def test_a_new_picture_is_embedded_once_and_its_vector_kept(here, ready, monkeypatch):
    write(here, {"new/a.png": png(777)})
    assert ready(classify, "new") == 0
    assert rows(
        "output/clip_cache.sqlite", f"SELECT count(*) FROM clip_cache WHERE hash_id = '{hash_of(777)}'"
    ) == [(1,)]
    monkeypatch.setattr(ClipEncoder, "encode", None)
    monkeypatch.setattr("cache.decoder.decoder_process.WORKER", ["/bin/false"])
    monkeypatch.setattr(
        "cache.results.result_page.page_pictures", lambda *_: {}
    )  # the only one that still has to decode
    assert ready(classify, "new", encoder=False) == 0


def test_an_unknown_picture_under_a_checkpoint_that_is_not_named_is_refused(here, ready, capsys):
    write(here, {"new/a.png": png(778)})
    assert ready(classify, "new", encoder=False) == 2
    assert "error: the vectors are of a checkpoint known as sha256-" in capsys.readouterr().err
    assert not (here / "scored").exists()
    (here / "other.pt").write_bytes(b"another checkpoint")
    assert ready(classify, "new", "--pretrained", "other.pt", encoder=False) == 2
    assert "error: --pretrained other.pt is sha256-" in capsys.readouterr().err


@pytest.fixture
def recorded_by_an_older_tool(here):
    """A palette picture, new/a.png, and a record of the metadata under the digest of its indices alone."""
    picture = drawn(5).quantize()
    write(here, {"new/a.png": encoded(picture)})
    content = json.loads(Path(METADATA).read_text())
    record = {**next(iter(content.values())), "hash_id": blake2b(picture.tobytes()).hexdigest()}

    def recorded(**facts) -> None:
        content[record["hash_id"]] = {**record, **facts}
        Path(METADATA).write_text(json.dumps(content))

    return recorded


def test_a_palette_picture_finds_the_vector_that_an_older_tool_stored_under_its_indices(
    here, ready, recorded_by_an_older_tool, monkeypatch
):
    recorded_by_an_older_tool(file_name="a.png", image_size_bytes=(here / "new/a.png").stat().st_size)
    monkeypatch.setattr(ClipEncoder, "encode", None)
    assert ready(classify, "new") == 0


@pytest.mark.parametrize("facts", [
    {"file_name": "grey.png"}, {"image_size_bytes": 1}, {"file_name": None, "image_size_bytes": None},
])
def test_a_palette_picture_never_gets_the_vector_of_its_grey_twin(
    here, ready, recorded_by_an_older_tool, monkeypatch, facts
):
    same_file = {"file_name": "a.png", "image_size_bytes": (here / "new/a.png").stat().st_size}
    recorded_by_an_older_tool(**{**same_file, **facts})
    embedded = []
    encode = ClipEncoder.encode
    monkeypatch.setattr(
        ClipEncoder, "encode", lambda self, crops: embedded.append(len(crops)) or encode(self, crops))
    assert ready(classify, "new") == 0
    assert embedded == [1]


def test_metadata_of_another_model_is_refused(here, ready, capsys):
    shutil.copy(METADATA, "other.json")
    Path("other.json").write_text(Path("other.json").read_text().replace("tiny-test-clip", "ViT-B-32"))
    write(here, {"new/a.png": png(0)})
    assert ready(classify, "new", "--metadata_json", "other.json", encoder=False) == 2
    assert "was trained on vectors of tiny-test-clip:sha256-" in capsys.readouterr().err


def test_a_stage_that_knows_all_vectors_never_imports_torch(here, trained):
    from tests.conftest import ROOT, run_python

    write(here, {"new/a.png": png(0)})
    code = (
        "import sys\nfrom stage3.classify import main\nmain('new', 'scored')\nprint('torch' in sys.modules)"
    )
    assert run_python("-c", code, cwd=here, PYTHONPATH=str(ROOT)).stdout.splitlines()[-1] == "False"


def test_a_clip_cache_that_is_cleared_meanwhile_ends_the_run_in_one_line(here, ready, monkeypatch, capsys):
    write(here, {"new/a.png": png(0), "new/b.png": png(910)})
    monkeypatch.setattr(ClipTable, "add", lambda *arguments: None)  # as if it were cleared behind every batch
    assert ready(classify, "new", "--output", "scored") == 2
    assert capsys.readouterr().err.splitlines()[-1] == (
        "error: vectors have gone from the clip cache; the same command makes them anew"
    )
    assert not os.path.exists("scored")
