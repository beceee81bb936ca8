"""Peak memory of the stages at 1,000 and at 20,000 small pictures, by a tiny encoder of CLIP's width.

    python -m benchmarks memory
"""
import json
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Flags, Measurement, report, run_python, run_stage, stage_command
from benchmarks.pictures import draw_small

FEW, MANY = 1000, 20_000
TRAINED_TAGS = 2
TINY = {
    "embed_dim": 512,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16},
    "text_cfg": {"context_length": 8, "vocab_size": 64, "width": 16, "heads": 1, "layers": 1},
}
# Everything with torch happens in programs of its own: this one has to stay smaller than those it measures.
SAVE_TINY = """
import sys, open_clip, torch
open_clip.add_model_config(sys.argv[1])
torch.save(open_clip.create_model("tiny").state_dict(), sys.argv[2])
"""
START_WITH_TINY = """
import runpy, sys, open_clip
open_clip.add_model_config(sys.argv[1])
sys.argv = sys.argv[2:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
FROM = {"clip cache": "output/clip_cache.sqlite", "metadata JSON": "output/input-metadata.json"}


def measure() -> Iterator[Measurement]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save_tiny(folder)
        few, many = drawn(folder / str(FEW), FEW), drawn(folder / str(MANY), MANY)
        yield compared("stage 1", peak_of_stage_1(folder, few), peak_of_stage_1(folder, many))
        # Stage 2 has the vectors in memory, and a matrix of the training pictures (at most 1.2 GiB).
        name_of_stage_2 = f"stage 2, {TRAINED_TAGS} of 10 tags"
        yield compared(name_of_stage_2, peak_of_stage_2(few), peak_of_stage_2(many), bar="")
        for stage, directory in ((3, "photos"), (4, "photos.zip")):
            for what, metadata in FROM.items():
                peak_few = peak_of_scoring(stage, directory, metadata, few, trained=few)
                peak_many = peak_of_scoring(stage, directory, metadata, many, trained=few)
                # A metadata JSON is in memory as a whole, and grows: that is its price, not the stage's.
                bar = "< 1.2" if what == "clip cache" else ""
                yield compared(f"stage {stage}, vectors from the {what}", peak_few, peak_many, bar)


def save_tiny(folder: Path) -> None:
    (folder / "tiny.json").write_text(json.dumps(TINY))
    run_python("-c", SAVE_TINY, folder / "tiny.json", folder / "tiny.pt")


def drawn(folder: Path, count: int) -> Path:
    """A folder to stand in, with the pictures in photos/ and, once more, in photos.zip."""
    draw_small(folder / "photos", count)
    with zipfile.ZipFile(folder / "photos.zip", "w") as archive:
        for path in sorted((folder / "photos").rglob("*.png")):
            archive.write(path, path.relative_to(folder))
    return folder


def compared(what: str, few: float, many: float, bar: str = "< 1.2") -> Measurement:
    name = f"{what}, peak at {MANY:,} small pictures"
    return Measurement(name, many, "MiB", f"peak at {FEW:,}", few, many / few, bar)


def peak_of_stage_1(folder: Path, dataset: Path) -> float:
    flags: Flags = {"--input_folder": "photos", "--clip_model": "tiny", "--pretrained": folder / "tiny.pt"}
    command = stage_command(1, flags)
    return run_python("-c", START_WITH_TINY, folder / "tiny.json", *command, cwd=dataset).peak_mib


def peak_of_stage_2(dataset: Path) -> float:
    tags = json.loads((dataset / "output/input-tag-to-image-hash-list.json").read_text())
    chosen = dict(sorted(tags.items())[:TRAINED_TAGS])
    (dataset / "chosen.json").write_text(json.dumps(chosen))
    flags = {"--metadata_json": FROM["clip cache"], "--tag_to_hash_json": "chosen.json"}
    return run_stage(2, flags, dataset).peak_mib


def peak_of_scoring(stage: int, directory: str, metadata: str, dataset: Path, trained: Path) -> float:
    flags: Flags = {
        "--directory": directory,
        "--metadata_json": metadata,
        "--model": trained / "output/models",
        "--output": "scored",
        "--place": "none",
    }
    return run_stage(stage, flags, dataset).peak_mib


if __name__ == "__main__":
    report(measure())
