"""Why an encoder cannot be had: the hub is blamed for what the hub has done."""
import errno
from pathlib import Path
from types import SimpleNamespace

import open_clip
import pytest
import torch
from huggingface_hub import errors

from cache.encoders import open_clip_encoder
from cache.encoders.causes import SINGULAR, cause_of
from cache.encoders.clip_encoder import ClipEncoder
from cache.encoders.open_clip_encoder import TWO_WAYS_OUT
from cache.refusal import Refused
from tests.conftest import TINY

UNREACHABLE = ("they are not in the local cache, and the Hugging Face hub cannot be reached "
               "or does not have them")


def answer(status: int) -> SimpleNamespace:
    return SimpleNamespace(headers={}, request=None, status_code=status)


def refusal(*names: str) -> str:
    with pytest.raises(Refused) as caught:
        _ = ClipEncoder(*names).crop_spec
    return str(caught.value)


@pytest.mark.parametrize(("error", "cause"), [
    (errors.LocalEntryNotFoundError("no connection"), UNREACHABLE),
    (errors.OfflineModeIsEnabled("offline"), UNREACHABLE),
    (TimeoutError("timed out"), UNREACHABLE),
    (errors.GatedRepoError("403", response=answer(403)),
     "the Hugging Face hub gives them to those alone whom it has granted access (hf auth login)"),
    (errors.RepositoryNotFoundError("404", response=answer(404)), "the Hugging Face hub does not have them"),
    (errors.RemoteEntryNotFoundError("404", response=answer(404)), "the Hugging Face hub does not have them"),
    (errors.HfHubHTTPError("503", response=answer(503)), "the Hugging Face hub answers 503"),
    (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
    (PermissionError(errno.EACCES, "Permission denied", "/models"), "Permission denied: /models"),
    (MemoryError(), "there is not enough memory for them"),
    (ModuleNotFoundError("No module named 'hf_xet'", name="hf_xet"),
     "one more package is needed: pip install hf_xet"),
    (ValueError("a {surprise}\nsecond line"), "the download failed (ValueError: a {surprise})"),
], ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "")
def test_a_download_fails_for_the_reason_that_it_fails_for(error, cause, monkeypatch):
    """Raised where open_clip asks the hub, and wrapped by open_clip in its own errors."""
    def download(**options):
        raise error

    monkeypatch.setattr(open_clip.pretrained, "hf_hub_download", download)
    assert refusal("ViT-B-32", "openai") == (
        f"cannot load the weights openai of ViT-B-32: {cause}; {TWO_WAYS_OUT}")


def test_a_hub_that_may_not_be_asked_is_out_of_reach(monkeypatch, tmp_path):
    """All of the hub's own client, in the mode that forbids it the network."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    assert refusal("ViT-B-32", "openai") == (
        f"cannot load the weights openai of ViT-B-32: {UNREACHABLE}; {TWO_WAYS_OUT}")


@pytest.mark.parametrize(("name", "cause"), [
    ("text.pt", "the file is no checkpoint of this model (UnpicklingError)"),
    ("empty.pt", "the file is damaged (EOFError)"),
    ("cut.pt", "the file is damaged (RuntimeError)"),
    ("text.safetensors", "the file is damaged (SafetensorError)"),
    ("of-another-model.pt", "the file is no checkpoint of this model (RuntimeError)"),
    ("list.pt", "the file is no checkpoint of this model (AttributeError)"),
    ("whole-model.pt", "the file is no checkpoint of this model (UnpicklingError)"),
])
def test_a_file_is_told_from_a_checkpoint_and_from_a_good_one(name, cause, tmp_path, tiny_checkpoint):
    checkpoint = Path(tiny_checkpoint).read_bytes()
    for text in ("text.pt", "text.safetensors"):
        (tmp_path / text).write_bytes(b"not a checkpoint")
    (tmp_path / "empty.pt").write_bytes(b"")
    (tmp_path / "cut.pt").write_bytes(checkpoint[:len(checkpoint) // 2])
    torch.save({"weights": torch.zeros(1)}, tmp_path / "of-another-model.pt")
    torch.save([1, 2], tmp_path / "list.pt")
    torch.save(torch.nn.Identity(), tmp_path / "whole-model.pt")
    path = str(tmp_path / name)
    assert refusal(TINY, path) == f"cannot load the weights {path} of {TINY}: {cause}; {TWO_WAYS_OUT}"


@pytest.mark.parametrize("text", [
    "[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: not enough memory: you tried to allocate 9 b",
    "DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes. Error code 12",
    "CUDA out of memory. Tried to allocate 2.00 MiB",
])
def test_torch_has_its_own_ways_to_say_that_memory_is_short(text):
    assert cause_of(RuntimeError(text)) == "there is not enough memory for them"
    assert cause_of(RuntimeError(text), SINGULAR) == "there is not enough memory for it"
    assert cause_of(OSError(errno.ENOMEM, "Cannot allocate memory")) == "there is not enough memory for them"


def test_weights_of_which_open_clip_does_not_say_where_they_lie(monkeypatch):
    monkeypatch.setitem(open_clip.pretrained._PRETRAINED["ViT-B-32"], "openai", {"mean": (0, 0, 0)})
    monkeypatch.setattr(open_clip.factory, "CLIP", lambda **options: torch.nn.Identity())
    cause = "open_clip does not know where to get them"
    assert refusal("ViT-B-32", "openai") == (
        f"cannot load the weights openai of ViT-B-32: {cause}; {TWO_WAYS_OUT}")


def test_a_bug_is_not_blamed_on_the_hub(monkeypatch):
    def create_model(*names, **options):
        return options["no such option"]

    monkeypatch.setattr(open_clip_encoder.open_clip, "create_model", create_model)
    with pytest.raises(KeyError, match="no such option"):
        _ = ClipEncoder("ViT-B-32", "openai").crop_spec
