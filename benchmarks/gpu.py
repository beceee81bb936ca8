"""Stage 1 on a GPU against the slower of decoding alone and the model alone. Measures nothing without one.

    python -m benchmarks gpu
"""
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import (
    Flags,
    Measurement,
    decode_pass,
    model_pass,
    random_checkpoint,
    report,
    run_stage,
)
from benchmarks.pictures import JPEG, draw_mixed, draw_small
from cache.encoders.clip_encoder import ClipEncoder

PICTURES = 5000
CLIP_MODEL = "ViT-B-32"
BATCH_SIZE = 256
NUM_THREADS = os.cpu_count() or 1  # a GPU waits for the decoders unless every core decodes
SAMPLE_EVERY = 0.1


def measure() -> Iterator[Measurement]:
    import torch

    if not torch.cuda.is_available():
        print("gpu: not measured, this machine has none", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        draw_mixed(folder / "mixed", PICTURES, [JPEG])
        draw_small(folder / "one", 1)
        yield from compared(folder, random_checkpoint(folder, CLIP_MODEL))


def compared(folder: Path, checkpoint: Path) -> Iterator[Measurement]:
    decoding, model = passes(folder / "mixed", checkpoint)
    name, unit = f"GPU, {CLIP_MODEL}, {PICTURES:,} JPEGs", "pictures/s"
    decoded, embedded = PICTURES / decoding, PICTURES / model
    yield Measurement(
        f"{name}, model pass", embedded, unit,
        f"decode pass, {NUM_THREADS} cores", decoded, embedded / decoded, "")
    one_picture = end_to_end(folder / "one", checkpoint)
    with Utilisation() as utilisation:
        spent = end_to_end(folder / "mixed", checkpoint)
    rate, limit = PICTURES / spent, PICTURES / (max(decoding, model) + one_picture)
    yield Measurement(
        f"{name}, stage 1", rate, unit,
        "slower of the two passes + a run of one picture", limit, rate / limit, ">= 0.9")
    if utilisation.percent:
        mean = sum(utilisation.percent) / len(utilisation.percent)
        yield Measurement(f"{name}, stage 1, GPU in use", mean, "%", "all the time", 100, mean / 100, "")


def passes(mixed: Path, checkpoint: Path) -> tuple[float, float]:
    """Seconds of decoding alone and of the model alone."""
    encoder = ClipEncoder(CLIP_MODEL, str(checkpoint))
    decoding, crops = decode_pass(mixed, encoder.crop_spec, NUM_THREADS)
    return decoding, model_pass(encoder, crops, BATCH_SIZE)


def end_to_end(dataset: Path, checkpoint: Path) -> float:
    flags: Flags = {
        "--input_folder": dataset,
        "--clip_model": CLIP_MODEL,
        "--pretrained": checkpoint,
        "--batch_size": str(BATCH_SIZE),
        "--num_threads": str(NUM_THREADS),
    }
    with tempfile.TemporaryDirectory() as output:
        return run_stage(1, {**flags, "--output_folder": output}).seconds


class Utilisation(threading.Thread):
    """Samples how busy the GPU is, from when it first is; none where the driver's library is missing."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.percent: list[int] = []
        self._end = threading.Event()

    def __enter__(self) -> "Utilisation":
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._end.set()
        self.join()

    def run(self) -> None:
        import torch

        while not self._end.wait(SAMPLE_EVERY):
            try:
                percent = torch.cuda.utilization()
            except Exception as error:  # of pynvml, if it is there at all
                print(f"gpu: use not sampled ({type(error).__name__}: {error})", file=sys.stderr)
                return
            if self.percent or percent:
                self.percent.append(percent)


if __name__ == "__main__":
    report(measure())
