"""The main job, end to end, on real pictures: stages 1 to 4 with the embedded encoder, and its accuracy.

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
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent
FOLDER = ROOT / "demo"
HELD_BACK = 0.2
ENCODER = "EfficientNet-Lite0-MS"  # the embedded one: nothing is downloaded
WHERE_TO_LOOK = """
Open in a browser:
  demo/output/reports/index.html   how good each tag is, and what to do about it
  demo/scored-folder/index.html    the scored pictures, by tag and score bin
Look around:
  demo/scored-folder/ovr-svm/      the same as folders
  demo/output/                     metadata, caches, models, score tables"""


def digits() -> Iterator[tuple[str, str, bytes]]:
    """(tag, file name, PNG) of the handwritten digits that come with scikit-learn: 8 x 8 pixels of 17 shades,
    drawn eight times as large."""
    from PIL import Image
    from sklearn.datasets import load_digits

    bundled = load_digits()
    for number, (pixels, digit) in enumerate(zip(bundled.images, bundled.target, strict=True)):
        shades = (255 - pixels * 255 / 16).astype("uint8")
        buffer = io.BytesIO()
        Image.fromarray(shades).resize((64, 64), Image.Resampling.BICUBIC).save(buffer, "PNG")
        yield f"digit-{digit}", f"{number:04}.png", buffer.getvalue()


def pictures_of(data: Path) -> Iterator[tuple[str, str, Path]]:
    """(tag, file name, path) of a person's own tag folders."""
    for path in sorted(data.rglob("*")):
        if path.is_file() and path.parent != data:
            yield path.parent.name, str(path.relative_to(data)).replace(os.sep, "_"), path.resolve()


def lay_out(pictures: Iterator[tuple[str, str, bytes | Path]], folder: Path = FOLDER) -> None:
    """<folder>/dataset/<tag>/ to learn from, <folder>/unseen/<tag>/ held back, and unseen.zip of these."""
    by_tag: dict[str, list[tuple[str, bytes | Path]]] = defaultdict(list)
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
    status = subprocess.run([sys.executable, ROOT / script, *arguments], cwd=FOLDER).returncode
    if status:
        raise SystemExit(status)


def accuracy(output_json: Path) -> dict[str, tuple[int, int]]:
    """Per model type: how many of the unseen pictures get the highest probability from the tag of their
    folder, and of how many."""
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for record in json.loads(output_json.read_bytes()).values():
        tag = record["file_path"].split("/")[-2]
        for model_type, output in likeliest(record["classifiers_output"]).items():
            total[model_type] += 1
            right[model_type] += output["tag_name"] == tag
    return {model_type: (right[model_type], total[model_type]) for model_type in total}


def likeliest(outputs: list[dict]) -> dict[str, dict]:
    """Of every model type the output with the highest probability."""
    best: dict[str, dict] = {}
    for output in outputs:
        model_type = output["model_type"]
        if model_type not in best or output["tag_prob"] > best[model_type]["tag_prob"]:
            best[model_type] = output
    return best


def main() -> None:
    data = data_folder()
    lay_out(pictures_of(data) if data else digits())
    print("$ cd demo")
    run_stages()
    print_accuracy()
    print(WHERE_TO_LOOK)


def data_folder() -> Path | None:
    """What the person wants the demo to use; None for the digits."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, default=None, help="a folder of tag folders instead of the digits")
    data = parser.parse_args().data
    if data is None:
        return None
    if not data.is_dir():
        raise SystemExit(f"error: no such folder: {data}")
    if data.resolve().is_relative_to(FOLDER) or FOLDER.is_relative_to(data.resolve()):
        both = f"{data} and {FOLDER}, which is made anew, lie inside one another"
        raise SystemExit(f"error: {both}; move your pictures elsewhere")
    return data


def run_stages() -> None:
    """Everything between them lies in demo/output, where each looks for it."""
    run("stage1/ImageDatasetProcessor.py", "--input_folder", "dataset", "--clip_model", ENCODER)
    run("stage2/train.py", "--target_precision", "0.95")
    run("stage3/classify.py", "--directory", "unseen", "--output", "scored-folder")
    run("stage4/classify_zip.py", "--directory", "unseen.zip", "--output", "scored-zip")


def print_accuracy() -> None:
    print("\nHeld-out accuracy: pictures no stage had learnt from, whose own tag got the highest probability")
    for result in ("scored-folder", "scored-zip"):
        for model_type, (right, total) in accuracy(FOLDER / result / "output.json").items():
            print(f"  {result:<14} {model_type:<24} {right} of {total} = {right / total:.1%}")


if __name__ == "__main__":
    main()
