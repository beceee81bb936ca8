"""Which weights are loaded, how often, and what is said meanwhile."""
import gc
import io
import logging
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import open_clip
import pytest

from cache import ClipCache
from cache.encoders import open_clip_encoder
from cache.encoders.clip_encoder import ClipEncoder, forget_encoders
from cache.encoders.loading import default_weights
from cache.encoders.quiet import quiet
from cache.refusal import Refused
from tests.conftest import ROOT, TINY, run_python


@pytest.fixture
def loads(monkeypatch) -> list[str]:
    """The weights that were loaded, one after the other."""
    names = []
    whole_model = open_clip_encoder.whole_model

    def watched(clip_model: str, pretrained: str, way_out: str):
        names.append(pretrained)
        return whole_model(clip_model, pretrained, way_out)

    monkeypatch.setattr(open_clip_encoder, "whole_model", watched)
    return names


@pytest.fixture
def checkpoints(tiny_checkpoint, tmp_path) -> list[str]:
    """Three of the tiny model, each with other weights."""
    paths = []
    for number in range(3):
        weights = open_clip.factory.load_state_dict(tiny_checkpoint)
        weights["logit_scale"] += number
        paths.append(str(tmp_path / f"{number}.pt"))
        open_clip_encoder.torch.save(weights, paths[-1])
    return paths


def test_the_weights_follow_the_model():
    assert default_weights("EfficientNet-Lite0-MS") == "imagenet"
    assert default_weights("ViT-B-32") == "openai"
    assert default_weights("ViT-L-14") == "openai"  # the first of several that open_clip lists
    assert default_weights("ViT-B-16-SigLIP") == "webli"
    assert default_weights("ViT-H-14") == open_clip.list_pretrained_tags_by_model("ViT-H-14")[0]
    assert default_weights("no-such-model") == "openai"


@pytest.mark.parametrize(("model", "key"), [
    ("EfficientNet-Lite0-MS", "EfficientNet-Lite0-MS:imagenet"), ("ViT-B-32", "ViT-B-32:openai")])
def test_a_model_may_be_named_without_its_weights(model, key):
    assert ClipEncoder(model).key == key
    assert ClipCache(model).encoder.key == key
    assert (ClipEncoder().key, ClipCache().encoder.key) == ("ViT-B-32:openai", "ViT-B-32:openai")


def test_naming_an_encoder_imports_neither_torch_nor_open_clip():
    program = (
        "import sys; from cache.encoders.clip_encoder import ClipEncoder\n"
        "ClipEncoder().key; ClipEncoder('EfficientNet-Lite0-MS').key\n"
        "encoder = ClipEncoder('ViT-B-16-SigLIP')\n"
        "print(*{'torch', 'open_clip'} & {*sys.modules}, encoder.key, 'open_clip' in sys.modules)"
    )
    done = run_python("-c", program, cwd=ROOT)
    assert (done.stdout, done.stderr) == ("ViT-B-16-SigLIP:webli True\n", "")


def test_an_encoder_that_was_loaded_once_stays_loaded(checkpoints, loads, capsys):
    first, second = ClipEncoder(TINY, checkpoints[0]), ClipEncoder(TINY, checkpoints[0])
    assert first.crop_spec == second.crop_spec
    assert loads == [checkpoints[0]]
    assert capsys.readouterr().err == f"loading the encoder {first.key}\n"


def test_another_device_or_precision_is_another_encoder(checkpoints, loads):
    for options in ({}, {"precision": "fp32"}, {"precision": "fp32", "device": "meta"}):
        _ = ClipEncoder(TINY, checkpoints[0], **options).crop_spec
    assert loads == [checkpoints[0]] * 3


def test_the_device_that_is_taken_anyway_may_be_named(checkpoints, loads, capsys):
    usual = ClipEncoder(TINY, checkpoints[0])
    named = ClipEncoder(TINY, checkpoints[0], usual.device)
    assert named.device == usual.device
    assert loads == [checkpoints[0]]
    assert capsys.readouterr().err == f"loading the encoder {usual.key}\n"


def test_what_is_kept_can_be_let_go(checkpoints, loads):
    encoder = ClipEncoder(TINY, checkpoints[0])
    weights = weakref.ref(encoder._loaded().tower)
    forget_encoders()
    assert encoder.encode(np.zeros((1, 32, 32, 3), np.uint8)).shape == (1, 16)
    del encoder
    gc.collect()
    assert weights() is None
    _ = ClipEncoder(TINY, checkpoints[0]).crop_spec
    assert loads == [checkpoints[0]] * 2


def test_the_two_that_were_used_last_stay(checkpoints, loads):
    for number in (0, 1, 0, 2, 0, 1):
        _ = ClipEncoder(TINY, checkpoints[number]).crop_spec
    assert loads == [checkpoints[number] for number in (0, 1, 2, 1)]


def test_threads_that_want_one_encoder_at_the_same_moment_load_it_once(checkpoints, loads):
    together = threading.Barrier(4)

    def crop_spec(_):
        together.wait()
        return ClipEncoder(TINY, checkpoints[0]).crop_spec

    with ThreadPoolExecutor(4) as threads:
        assert len(set(threads.map(crop_spec, range(4)))) == 1
    assert loads == [checkpoints[0]]


def test_a_refusal_is_remembered_by_its_encoder_alone(monkeypatch, loads):
    def unreachable(*names, **options):
        raise ConnectionError

    monkeypatch.setattr(open_clip, "create_model", unreachable)
    for encoder in (ClipEncoder(), ClipEncoder()):
        for _ in range(2):
            with pytest.raises(Refused, match="cannot be reached"):
                _ = encoder.crop_spec
    assert loads == ["openai", "openai"]


def said_aloud(stream: io.StringIO) -> list[str]:
    return stream.getvalue().splitlines()


@pytest.fixture
def heard():
    """What a program's own handler of all messages writes."""
    handler = logging.StreamHandler(io.StringIO())
    logging.getLogger().addHandler(handler)
    yield handler.stream
    logging.getLogger().removeHandler(handler)


def test_what_the_hubs_client_and_open_clip_log_is_kept_from_the_terminal_and_nothing_else(heard):
    with quiet():
        logging.error("open_clip failed")  # noqa: LOG015  as open_clip does
        logging.getLogger("huggingface_hub.utils._http").warning("retry")
        logging.getLogger("program").warning("its own")
        with ThreadPoolExecutor(1) as thread:
            thread.submit(logging.error, "another thread").result()
    logging.getLogger("huggingface_hub.utils._http").warning("afterwards")
    assert said_aloud(heard) == ["its own", "another thread", "afterwards"]


def test_a_program_without_handlers_has_none_afterwards(monkeypatch, capsys):
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    monkeypatch.setattr(logging, "lastResort", logging._StderrHandler(logging.WARNING))
    with quiet():
        logging.info("open_clip is at work")  # noqa: LOG015  this installs a handler where there is none
        logging.error("open_clip failed")  # noqa: LOG015
        logging.getLogger("program").warning("its own")
    assert logging.getLogger().handlers == []
    assert logging.lastResort.filters == []
    assert capsys.readouterr().err == "its own\n"


def test_another_thread_may_set_up_logging_while_weights_are_loaded(monkeypatch):
    root, stream = logging.getLogger(), io.StringIO()
    monkeypatch.setattr(root, "handlers", [])
    with quiet():
        logging.info("open_clip is at work")  # noqa: LOG015
        with ThreadPoolExecutor(1) as thread:
            thread.submit(logging.basicConfig, stream=stream, format="%(message)s").result()
        logging.error("open_clip failed")  # noqa: LOG015
        logging.getLogger("program").warning("its own")
    logging.error("afterwards")  # noqa: LOG015
    assert [handler.stream for handler in root.handlers] == [stream]
    assert (root.filters, vars(root).get("addHandler")) == ([], None)
    assert said_aloud(stream) == ["its own", "afterwards"]
