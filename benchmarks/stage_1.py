"""Stage 1 against its own parts: decoding, the model, a plain loop, and runs that know most pictures.

    python -m benchmarks stage_1
"""
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.measure import (
    BATCH_SIZE,
    EMBEDDED,
    Flags,
    Measurement,
    decode_pass,
    model_pass,
    random_checkpoint,
    report,
    run_stage,
    seconds,
)
from benchmarks.pictures import draw_mixed, draw_small
from cache.encoders.clip_encoder import ClipEncoder

MIXED_PICTURES = 1000
LOOP_PICTURES = 100
SMALL_PICTURES = 5000
NEW_PICTURES = 50
GEMM_SIDE = 2048
CEILING_PICTURES = 64
CEILING_TURNS = 6
CLIP_MODEL = "ViT-B-32"


@dataclass(frozen=True)
class Passes:
    """Seconds over the mixed pictures, and of a run of one: what starting, loading and finishing cost."""

    decode: float
    model: float
    end_to_end: float
    one_picture: float

    @property
    def pictures_per_second(self) -> float:
        return MIXED_PICTURES / self.end_to_end


def measure() -> Iterator[Measurement]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        draw_mixed(folder / "mixed", MIXED_PICTURES)
        draw_small(folder / "one", 1)
        yield beside_its_parts(EMBEDDED["--clip_model"], timed(folder, EMBEDDED, encoder_of(EMBEDDED)))
        clip: Flags = {"--clip_model": CLIP_MODEL, "--pretrained": random_checkpoint(folder, CLIP_MODEL)}
        yield from with_clip(folder, clip)
        draw_small(folder / "small", SMALL_PICTURES)
        yield from repeated(folder, clip)


def with_clip(folder: Path, flags: Flags) -> Iterator[Measurement]:
    encoder = encoder_of(flags)
    passes = timed(folder, flags, encoder)
    yield beside_its_parts(CLIP_MODEL, passes)
    yield beside_the_ceiling(encoder)
    yield beside_a_plain_loop(folder / "mixed", Path(flags["--pretrained"]), passes)


def encoder_of(flags: Flags) -> ClipEncoder:
    return ClipEncoder(str(flags["--clip_model"]), str(flags["--pretrained"]))


def timed(folder: Path, flags: Flags, encoder: ClipEncoder) -> Passes:
    decode, crops = decode_pass(folder / "mixed", encoder.crop_spec)
    assert len(crops) == MIXED_PICTURES
    model = model_pass(encoder, crops)
    end_to_end, one_picture = (fresh_run(folder / name, flags) for name in ("mixed", "one"))
    return Passes(decode, model, end_to_end, one_picture)


def fresh_run(dataset: Path, flags: Flags) -> float:
    with tempfile.TemporaryDirectory() as output:
        return run(dataset, output, flags)


def run(dataset: Path, output: str | Path, flags: Flags) -> float:
    return run_stage(1, {"--input_folder": dataset, "--output_folder": output, **flags}).seconds


def beside_its_parts(clip_model: str, passes: Passes) -> Measurement:
    limit = MIXED_PICTURES / (passes.decode + passes.model + passes.one_picture)
    rate = passes.pictures_per_second
    return Measurement(
        f"stage 1, {clip_model}, {MIXED_PICTURES:,} mixed pictures", rate, "pictures/s",
        "decode pass + model pass + a run of one picture", limit, rate / limit, ">= 0.9")


def beside_the_ceiling(encoder: ClipEncoder) -> Measurement:
    """In turns, and the quickest of each: what else the machine does would else fall on one of the two."""
    size, precision = encoder.crop_spec.size, encoder.precision
    shape = (CEILING_PICTURES, size, size, 3)
    crops = list(np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8))
    model_seconds, gflops = [], []
    for _ in range(CEILING_TURNS):
        model_seconds.append(model_pass(encoder, crops))
        gflops.append(gemm_gflops(precision))
    rate, limit = CEILING_PICTURES * picture_gflop() / min(model_seconds), max(gflops)
    return Measurement(
        f"{CLIP_MODEL}, model pass alone, {precision}", rate, "GFLOP/s",
        f"matrix product of side {GEMM_SIDE:,} in {precision}", limit, rate / limit, "")


def picture_gflop() -> float:
    import open_clip
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    model = open_clip.create_model(CLIP_MODEL).eval()
    # With gradients: without them PyTorch takes a fused attention that the counter does not know.
    with FlopCounterMode(display=False) as counter:
        model.encode_image(torch.zeros(1, 3, 224, 224))
    return counter.get_total_flops() / 1e9


def gemm_gflops(precision: str) -> float:
    import torch

    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    left, right = (torch.randn(GEMM_SIDE, GEMM_SIDE).to(dtype) for _ in range(2))
    begin, products = time.perf_counter(), []
    while time.perf_counter() - begin < 1:
        products.append(seconds(lambda: left @ right))
    return 2 * GEMM_SIDE**3 / min(products) / 1e9  # a ceiling: the quickest counts


def beside_a_plain_loop(mixed: Path, checkpoint: Path, passes: Passes) -> Measurement:
    paths = sorted(mixed.rglob("*.*"))[::MIXED_PICTURES // LOOP_PICTURES]
    limit = len(paths) / plain_loop(paths, checkpoint)
    rate = MIXED_PICTURES / (passes.end_to_end - passes.one_picture)
    return Measurement(
        f"stage 1, {CLIP_MODEL}, {MIXED_PICTURES:,} mixed pictures", rate, "pictures/s",
        f"plain loop in float32 over {len(paths)} of them; both without their start", limit, rate / limit,
        ">= 2 where the CPU has bf16")


def plain_loop(paths: list[Path], checkpoint: Path) -> float:
    """What one would write from open_clip's own example, after loading."""
    import open_clip
    import torch
    from PIL import Image

    model, _, preprocess = open_clip.create_model_and_transforms(CLIP_MODEL, str(checkpoint))
    model.eval()

    def embed(batch: list[Path]) -> np.ndarray:
        return model.encode_image(torch.stack([preprocess(Image.open(path)) for path in batch])).numpy()

    with torch.inference_mode():
        embed(paths[:2])  # warm
        batches = [paths[start:start + BATCH_SIZE] for start in range(0, len(paths), BATCH_SIZE)]
        return seconds(lambda: [embed(batch) for batch in batches])


def repeated(folder: Path, flags: Flags) -> Iterator[Measurement]:
    """Runs over small pictures: all new, none new, some new."""
    def again(dataset: str) -> float:
        return run(folder / dataset, folder / f"{dataset}-output", flags)

    name = f"stage 1, {CLIP_MODEL}, {SMALL_PICTURES:,} small pictures"
    one_picture, loading_nothing = again("one"), again("one")
    first, unchanged = again("small"), again("small")
    yield Measurement(
        f"{name}, all known", SMALL_PICTURES / unchanged, "pictures/s",
        "the first run", SMALL_PICTURES / first, first / unchanged, ">= 50")
    draw_small(folder / "small", NEW_PICTURES, SMALL_PICTURES)
    grown = again("small")
    # A difference of two runs, divided by the few new pictures, would be noise: whole runs are compared.
    loading = one_picture - loading_nothing
    a_picture = (first - one_picture) / SMALL_PICTURES
    expected = unchanged + loading + NEW_PICTURES * a_picture
    yield Measurement(
        f"{name}, {NEW_PICTURES} more", grown, "s",
        f"run with none new + loading the encoder + {NEW_PICTURES} x a picture of the first run",
        expected, grown / expected, "")


if __name__ == "__main__":
    report(measure())
