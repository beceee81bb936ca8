"""Texts become the vectors that open_clip gives them, or one line says why not."""
import sys

import numpy as np
import pytest
import torch

from cache.encoders import open_clip_encoder
from cache.encoders.clip_encoder import ClipEncoder
from cache.encoders.text_encoder import TEXTS_AT_ONCE, text_vectors
from cache.refusal import Refused
from tests.conftest import TINY


@pytest.fixture
def key(tiny) -> str:
    return ClipEncoder(**tiny).key


def open_clips_own(checkpoint: str, texts: list[str]) -> np.ndarray:
    import open_clip

    model = open_clip.create_model(TINY, checkpoint).eval()
    with torch.inference_mode():
        vectors = model.encode_text(open_clip.get_tokenizer(TINY)(texts)).numpy()
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def refusal(*arguments) -> str:
    with pytest.raises(Refused) as caught:
        text_vectors(*arguments, ["a cat"], asked_by="--prompt and --tags")
    return str(caught.value)


def test_vectors_are_those_of_open_clips_own_tokenizer_and_encode_text(key, tiny_checkpoint, capsys):
    texts = ["a photo of cats", "{0} {", "", "\udcff", *map(str, range(2 * TEXTS_AT_ONCE))]
    ours, scale = text_vectors(key, tiny_checkpoint, texts, "cpu")
    assert (ours.dtype, ours.shape) == (np.float32, (len(texts), 16))
    assert np.abs(ours - open_clips_own(tiny_checkpoint, texts)).max() < 1e-5
    assert scale == pytest.approx(1 / 0.07)  # what an untrained CLIP starts with
    assert capsys.readouterr().err == f"loading the encoder {key}\n"


def test_the_embedded_encoder_has_none(tiny_checkpoint):
    for checkpoint in (None, tiny_checkpoint):
        assert refusal("EfficientNet-Lite0-MS:imagenet", checkpoint) == (
            "EfficientNet-Lite0-MS has no text encoder; --prompt and --tags need vectors of a CLIP model")


def test_weights_on_disk_have_to_be_named_and_to_be_those_of_the_vectors(key, tiny_checkpoint):
    name = key.removeprefix(f"{TINY}:")
    assert refusal(key, None) == (
        f"the vectors are of a checkpoint known as {name}; name its file: --pretrained /path/to/checkpoint")
    assert refusal(f"{TINY}:sha256-000000000000", tiny_checkpoint) == (
        f"--pretrained {tiny_checkpoint} is {name}, but the vectors are of {TINY}:sha256-000000000000")


def test_what_cannot_be_had_is_refused_without_advice_that_would_not_help(key, tiny_checkpoint, monkeypatch):
    def unreachable(*names, **options):
        raise ConnectionError("no hub here\nsecond line")

    monkeypatch.setattr(open_clip_encoder.open_clip, "get_tokenizer", unreachable)
    assert refusal(key, tiny_checkpoint) == (
        f"cannot load the tokenizer of {TINY}: it is not in the local cache, and the Hugging Face hub "
        f"cannot be reached or does not have it; --prompt and --tags need it")
    monkeypatch.setattr(open_clip_encoder.open_clip, "create_model", unreachable)
    assert refusal("ViT-B-32:openai", None) == (
        "cannot load the weights openai of ViT-B-32: they are not in the local cache, and the Hugging Face "
        "hub cannot be reached or does not have them; --prompt and --tags need them")


def test_a_tokenizer_that_needs_another_package_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    untrained = torch.nn.Identity()
    monkeypatch.setattr(open_clip_encoder.open_clip, "create_model", lambda *names, **options: untrained)
    assert refusal("ViT-L-14-CLIPA:datacomp1b", None) == (
        "the texts of ViT-L-14-CLIPA need one more package: pip install transformers")


def test_a_bug_is_raised_as_it_is(key, tiny_checkpoint, monkeypatch):
    monkeypatch.setattr(open_clip_encoder.open_clip, "get_tokenizer", lambda name: name.no_such_method())
    with pytest.raises(AttributeError, match="no_such_method"):
        text_vectors(key, tiny_checkpoint, ["a cat"])
