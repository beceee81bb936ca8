"""Encoders: ours give what open_clip and timm give, load what is named, and refuse what cannot be had."""
import dataclasses
import hashlib
import os
import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from PIL import Image

from cache.encoders import loaded, open_clip_encoder, precision, side_by_side
from cache.encoders.clip_encoder import ClipEncoder, forget_encoders
from cache.pixels.crop_spec import CropSpec
from cache.pixels.crops import crop
from cache.pixels.seen import Seen
from cache.refusal import Refused
from tests.conftest import TINY
from tests.drawing import drawn

EMBEDDED = ("EfficientNet-Lite0-MS", "imagenet")


def pictures(count: int) -> list[Image.Image]:
    return [drawn(seed, "cats" if seed % 2 else "dogs", (120 + 7 * seed, 90)) for seed in range(count)]


def crops(encoder: ClipEncoder, count: int = 6) -> np.ndarray:
    return np.stack([crop(Seen(picture), encoder.crop_spec) for picture in pictures(count)])


def lowest_cosine(ours: np.ndarray, theirs: np.ndarray) -> float:
    lengths = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    return float(((ours * theirs).sum(1) / lengths).min())


def test_vectors_are_those_of_open_clips_own_preprocess_and_encode_image(tiny_checkpoint):
    import open_clip

    model, _, preprocess = open_clip.create_model_and_transforms(TINY, pretrained=tiny_checkpoint)
    with torch.inference_mode():
        batch = torch.stack([preprocess(picture) for picture in pictures(6)])
        theirs = model.eval().encode_image(batch).numpy()
    encoder = ClipEncoder(TINY, tiny_checkpoint, "cpu", "fp32")
    ours = encoder.encode(crops(encoder))
    assert (ours.dtype, ours.shape, encoder.precision) == (np.float32, (6, 16), "fp32")
    assert np.abs(ours - theirs).max() < 1e-4


def test_a_checkpoint_is_known_by_its_content_not_by_its_path(tiny_checkpoint, tmp_path):
    moved = tmp_path / "elsewhere.pt"
    shutil.copyfile(tiny_checkpoint, moved)
    digest = hashlib.sha256(moved.read_bytes()).hexdigest()
    for path in (str(moved), tiny_checkpoint):
        assert ClipEncoder(TINY, path).key == f"{TINY}:sha256-{digest[:12]}"


def test_the_embedded_encoders_head_is_timms_on_the_same_weights():
    from cache.encoders.embedded_encoder import EmbeddedEncoder, pretrained_network

    batch = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 3, 224, 224)).astype(np.float32))
    with torch.inference_mode():
        network = pretrained_network()
        theirs = network.forward_head(network.forward_features(batch), pre_logits=True)
        stages = network.bn1(network.conv_stem(batch))
        for stage in network.blocks[:5]:
            stages = stage(stages)
        ours = EmbeddedEncoder().eval()(batch)
    assert ours.shape == (2, 1824)
    assert (ours[:, :1280] - theirs).abs().max() < 1e-3
    # The last 112 means and the last 112 deviations belong to block 11.
    assert (ours[:, 1440:1552] - stages.mean((2, 3))).abs().max() < 1e-3
    assert (ours[:, 1712:] - stages.std((2, 3), correction=0)).abs().max() < 1e-3


@pytest.mark.parametrize("name", ["embedded", "tiny"])
def test_low_precision_keeps_the_vectors(name, tiny_checkpoint):
    model, weights = EMBEDDED if name == "embedded" else (TINY, tiny_checkpoint)
    exact, fast = ClipEncoder(model, weights, precision="fp32"), ClipEncoder(model, weights)
    assert exact.precision == "fp32"
    assert fast.precision in ("fp32", "bf16", "fp16")
    assert lowest_cosine(exact.encode(crops(exact)), fast.encode(crops(fast))) >= 0.999


def test_where_low_precision_would_cost_the_vectors_float32_stays(tiny_checkpoint, monkeypatch):
    monkeypatch.setattr(precision, "fast_dtype", lambda device: torch.bfloat16)
    assert ClipEncoder(TINY, tiny_checkpoint).precision == "bf16"
    forget_encoders()
    monkeypatch.setattr(precision, "LOWEST_COSINE", 1.1)
    assert ClipEncoder(TINY, tiny_checkpoint).precision == "fp32"


@pytest.mark.parametrize(("cores", "sizes", "threads_each"), [
    (1, [7, 6, 6], 1), (2, [5, 5, 5, 4], 1), (3, [7, 6, 6], 1), (64, [7, 6, 6], 21)])
def test_a_batch_is_embedded_in_parts_side_by_side_and_comes_back_in_order(
        cores, sizes, threads_each, tiny_checkpoint, monkeypatch):
    encoder = ClipEncoder(TINY, tiny_checkpoint, precision="fp32")
    batch = crops(encoder, 2 * open_clip_encoder.PART + 3)
    one_by_one = np.concatenate([encoder.encode(batch[number:number + 1]) for number in range(len(batch))])
    parts, embed = [], side_by_side.embed

    def watched(encoder, part: np.ndarray) -> np.ndarray:
        parts.append((len(part), torch.get_num_threads()))
        return embed(encoder, part)

    monkeypatch.setattr(side_by_side, "embed", watched)
    monkeypatch.setattr(side_by_side, "_cores", lambda: cores)
    assert np.abs(encoder.encode(batch) - one_by_one).max() < 1e-4
    assert sorted(parts, reverse=True) == [(size, threads_each) for size in sizes]


def test_threads_that_embed_at_once_leave_torch_as_it_was(tiny_checkpoint, monkeypatch):
    encoder = ClipEncoder(TINY, tiny_checkpoint, precision="fp32")
    batch = crops(encoder, 2 * open_clip_encoder.PART)
    encoder.encode(batch)
    monkeypatch.setattr(side_by_side, "_cores", lambda: 3)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: encoder.encode(batch), range(12)))
    monkeypatch.setattr(side_by_side, "embed", lambda *arguments: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        encoder.encode(batch)
    with ThreadPoolExecutor(1) as fresh:
        assert fresh.submit(torch.get_num_threads).result() == 3
    torch.set_num_threads(os.cpu_count())


def test_a_programs_own_number_of_threads_holds_from_the_next_batch_on(tiny_checkpoint):
    encoder = ClipEncoder(TINY, tiny_checkpoint, precision="fp32")
    batch = crops(encoder, 2 * open_clip_encoder.PART)
    encoder.encode(batch)
    for number in (1, 3):
        torch.set_num_threads(number)
        encoder.encode(batch)
        with ThreadPoolExecutor(1) as fresh:
            assert (torch.get_num_threads(), fresh.submit(torch.get_num_threads).result()) == (number, number)
    torch.set_num_threads(os.cpu_count())


def test_on_a_gpu_a_batch_stays_whole_and_is_computed_in_float16(tiny_checkpoint, monkeypatch):
    """All of that path but the device itself, which stays the CPU here."""
    monkeypatch.setattr(precision, "fast_dtype", lambda device: torch.float16)
    encoder, exact = ClipEncoder(TINY, tiny_checkpoint), ClipEncoder(TINY, tiny_checkpoint, precision="fp32")
    batch = crops(exact, 2 * open_clip_encoder.PART)
    calls, on_cpu, features = [], encoder._loaded(), loaded.features
    monkeypatch.setattr(loaded, "features", lambda on_gpu, pictures: (
        calls.append((len(pictures), pictures.dtype)), features(on_cpu, pictures))[1])
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda tensor: tensor)
    monkeypatch.setattr(encoder, "_outcome", dataclasses.replace(on_cpu, device=torch.device("cuda")))
    assert encoder.precision == "fp16"
    assert lowest_cosine(encoder.encode(batch), exact.encode(batch)) >= 0.999
    assert calls[0] == (len(batch), torch.uint8)


def test_vectors_of_other_than_clip_say_so():
    assert ClipEncoder(*EMBEDDED).embeddings_type == "ImageNet"
    assert ClipEncoder("ViT-B-32", "openai").embeddings_type == "CLIP"


def test_openai_weights_get_the_quick_gelu_they_were_trained_with(monkeypatch):
    asked = {}

    def create_model(name, pretrained, **options):
        asked.update(options)
        raise ConnectionError("no hub here")

    monkeypatch.setattr(open_clip_encoder.open_clip, "create_model", create_model)
    for weights, quick in (("openai", True), ("laion2b_s34b_b79k", False)):
        with pytest.raises(Refused):
            open_clip_encoder.load("ViT-B-32", weights, torch.device("cpu"))
        assert asked == {"force_quick_gelu": quick, "require_pretrained": True}


def test_a_hub_that_cannot_be_reached_is_tried_once_and_the_message_names_two_ways_out(monkeypatch, capsys):
    attempts = []

    def create_model(*names, **options):
        attempts.append(names)
        raise ConnectionError("no hub here\nsecond line")

    monkeypatch.setattr(open_clip_encoder.open_clip, "create_model", create_model)
    encoder = ClipEncoder()
    for _ in range(2):
        with pytest.raises(Refused) as caught:
            _ = encoder.crop_spec
    assert str(caught.value) == (
        "cannot load the weights openai of ViT-B-32: they are not in the local cache, and the Hugging Face "
        "hub cannot be reached or does not have them; use the embedded encoder (--clip_model "
        "EfficientNet-Lite0-MS --pretrained imagenet) or a local checkpoint "
        "(--pretrained /path/to/checkpoint)")
    assert attempts == [("ViT-B-32", "openai")]
    assert capsys.readouterr().err == "loading the encoder ViT-B-32:openai\n"


@pytest.mark.parametrize(("model", "weights", "device", "message"), [
    ("no-such-model", "openai", None,
     "unknown --clip_model no-such-model: neither EfficientNet-Lite0-MS nor one of open_clip.list_models()"),
    ("ViT-B-32", "nobodys", None, "--pretrained nobodys is no checkpoint on disk and no weights of ViT-B-32"),
    (*EMBEDDED, "abacus", "--device abacus cannot be used"),
    (*EMBEDDED, "xla", "--device xla cannot be used"),
    (*EMBEDDED, "privateuseone", "--device privateuseone cannot be used"),
])
def test_names_that_mean_nothing_are_refused(model, weights, device, message):
    with pytest.raises(Refused) as caught:
        _ = ClipEncoder(model, weights, device).crop_spec
    assert str(caught.value).startswith(message)


def test_the_embedded_encoder_says_what_its_weights_are_called():
    with pytest.raises(Refused, match="EfficientNet-Lite0-MS has one set of weights: --pretrained imagenet"):
        ClipEncoder("EfficientNet-Lite0-MS", "openai")


def test_a_path_that_is_not_there_is_refused_at_once():
    with pytest.raises(Refused, match="no such checkpoint: ./weights/mine.pt"):
        ClipEncoder("ViT-B-32", "./weights/mine.pt")


def test_models_with_oblong_pictures_are_refused():
    settings = {"size": (224, 336), "resize_mode": "shortest", "interpolation": "random", "fill_color": 0}
    with pytest.raises(Refused, match="only square ones"):
        open_clip_encoder._crop_spec(settings)
    square = {**settings, "size": (224, 224)}
    assert open_clip_encoder._crop_spec(square) == CropSpec(224, "shortest", "bicubic", 0)
