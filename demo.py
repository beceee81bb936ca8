"""The main job, end to end, on real pictures: stages 1 to 4 with the embedded encoder, and the accuracy on pictures held back.

    make demo                                   scikit-learn's 1,797 handwritten digits
    make demo DATA=/path/to/tag-folders         your own pictures, <folder>/<tag>/<file>

Everything goes into ./demo; the commands are printed as you would type them there.
"""
import argparse
import io
import json
import os
import random
import shlex
import shutil
import subprocess
import sys
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent
FOLDER = ROOT / "demo"
HELD_BACK = 0.2
ENCODER = ["--clip_model", "EfficientNet-Lite0-MS", "--pretrained", "imagenet"]
SCORE = ["--metadata_json", "output/input-metadata.json", "--model", "output/models"]


def digits() -> Iterator[tuple[str, str, bytes]]:
    """(tag, file name, PNG) of the handwritten digits that come with scikit-learn: 8 x 8 pixels, drawn eight times as large."""
    from PIL import Image
    from sklearn.datasets import load_digits

    bundled = load_digits()
    for number, (pixels, digit) in enumerate(zip(bundled.images, bundled.target, strict=True)):
        picture = Image.fromarray((255 - pixels * 255 / 16).astype("uint8")).resize((64, 64), Image.Resampling.BICUBIC)
        buffer = io.BytesIO()
        picture.save(buffer, "PNG")
        yield f"digit-{digit}", f"{number:04}.png", buffer.getvalue()


def pictures_of(data: Path) -> Iterator[tuple[str, str, Path]]:
    """(tag, file name, path) of a person's own tag folders."""
    for path in sorted(path for path in data.rglob("*") if path.is_file() and path.parent != data):
        yield path.parent.name, str(path.relative_to(data)).replace(os.sep, "_"), path.resolve()


def lay_out(pictures: Iterator[tuple[str, str, bytes | Path]], folder: Path = FOLDER) -> None:
    """<folder>/dataset/<tag>/ to learn from, <folder>/unseen/<tag>/ held back, and the same unseen pictures as a ZIP with a ZIP inside."""
    by_tag = defaultdict(list)
    for tag, name, content in pictures:
        by_tag[tag].append((name, content))
    if not by_tag:
        raise SystemExit("error: no pictures in tag folders there; put them into <folder>/<tag>/")
    shutil.rmtree(folder, ignore_errors=True)
    for tag, files in by_tag.items():
        random.Random(tag).shuffle(files)
        held_back = round(HELD_BACK * len(files))
        for number, (name, content) in enumerate(files):
            put(folder / ("unseen" if number < held_back else "dataset") / tag / name, content)
    zip_unseen(folder)


def put(path: Path, content: bytes | Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, Path):
        path.symlink_to(content)
    else:
        path.write_bytes(content)


def zip_unseen(folder: Path) -> None:
    """Every second picture in unseen.zip itself, the others in a ZIP inside it."""
    files = sorted(path for path in (folder / "unseen").rglob("*") if path.is_file())
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        for path in files[1::2]:
            archive.write(path, path.relative_to(folder / "unseen"))
    with zipfile.ZipFile(folder / "unseen.zip", "w") as archive:
        for path in files[::2]:
            archive.write(path, path.relative_to(folder / "unseen"))
        archive.writestr("more/inner.zip", inner.getvalue())


def run(script: str, *arguments: str) -> None:
    print(f"\n$ python ../{script} {shlex.join(arguments)}", flush=True)
    status = subprocess.run([sys.executable, str(ROOT / script), *arguments], cwd=FOLDER).returncode
    if status:
        raise SystemExit(status)


def accuracy(output_json: Path) -> dict[str, tuple[int, int]]:
    """Per model type: how many of the unseen pictures get the highest probability from the tag of their folder, and of how many."""
    right, total = defaultdict(int), defaultdict(int)
    for record in json.loads(output_json.read_bytes()).values():
        best: dict[str, dict] = {}
        for output in record["classifiers_output"]:
            best[output["model_type"]] = max(best.get(output["model_type"], output), output, key=lambda each: each["tag_prob"])
        for model_type, output in best.items():
            total[model_type] += 1
            right[model_type] += output["tag_name"] == record["file_path"].split("/")[-2]
    return {model_type: (right[model_type], total[model_type]) for model_type in total}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=None, help="a folder of tag folders instead of the digits")
    data = parser.parse_args().data
    if data and not data.is_dir():
        raise SystemExit(f"error: no such folder: {data}")
    if data and (data.resolve().is_relative_to(FOLDER) or FOLDER.is_relative_to(data.resolve())):
        raise SystemExit(f"error: {data} and {FOLDER}, which is made anew, lie inside one another; move your pictures elsewhere")
    lay_out(pictures_of(data) if data else digits())
    print("$ cd demo")
    run("stage1/ImageDatasetProcessor.py", "--input_folder", "dataset", "--output_folder", "output", *ENCODER)
    run("stage2/train.py", "--metadata_json", "output/input-metadata.json",
        "--tag_to_hash_json", "output/input-tag-to-image-hash-list.json", "--output", "output", "--target_precision", "0.95")
    run("stage3/classify.py", "--directory", "unseen", *SCORE, "--output", "scored-folder")
    run("stage4/classify_zip.py", "--directory", "unseen.zip", *SCORE, "--output", "scored-zip")
    print("\nHeld-out accuracy: pictures no stage had learnt from, whose own tag got the highest probability")
    for result in ("scored-folder", "scored-zip"):
        for model_type, (right, total) in accuracy(FOLDER / result / "output.json").items():
            print(f"  {result:<14} {model_type:<24} {right} of {total} = {right / total:.1%}")
    print("\nOpen in a browser:\n  demo/output/reports/index.html   how good each tag is, and what to do about it\n"
          "  demo/scored-folder/index.html    the scored pictures, by tag and score bin\n"
          "Look around:\n  demo/scored-folder/ovr-svm/      the same as folders\n"
          "  demo/output/                     metadata, caches, models, score tables")


if __name__ == "__main__":
    main()
