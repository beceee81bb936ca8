"""Pages over photographs beside the same over small pictures: gallery, report, and a grid of the web app.

    python -m benchmarks.photographs                # measures these, too; this file is no part of its own
"""
import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from html import unescape
from pathlib import Path

import numpy as np

from benchmarks.measure import EMBEDDED, Flags, Measurement, run_stage, seconds
from benchmarks.pictures import draw_photographs, draw_small
from cache.files.json_file import write_json_object
from cache.serving.roots import Roots
from web_api.cache_web_api import create_app

FEW = 40
FEATURES = 64
TURNS = 3  # and the quickest of each: what else the machine does would else fall on one of two
MOST_MORE = 0.3  # seconds
METADATA, DRAWN = "output/input-metadata.json", "output/drawn.json"
TAG_LIST = "output/input-tag-to-image-hash-list.json"


def pages(folder: Path, count: int) -> Iterator[Measurement]:
    """Of folders to stand in, each with its pictures in photos/ and what stage 1 wrote in output/."""
    few, few_small = embedded(folder, "few", FEW)
    many, many_small = embedded(folder, "many", count)
    run_stage(2, {"--metadata_json": METADATA, "--tag_to_hash_json": TAG_LIST}, few)

    def gallery(dataset: Path) -> None:
        """All pictures are known: their vectors are in the clip cache. None is placed: to copy 200
        photographs takes a second and a half, whatever the page does."""
        models = few / "output" / "models"
        flags: Flags = {"--directory": "photos", "--model": models, "--output": "scored", "--place": "none"}
        run_stage(3, flags, dataset)

    yield beside_small(f"stage 3, gallery over {FEW} known photographs", gallery, few, few_small)
    yield beside_small(f"stage 3, gallery over {count} known photographs", gallery, many, many_small)
    yield beside_small(f"stage 2, report over {count} photographs", train, many, many_small)
    yield grid(few)


def embedded(folder: Path, name: str, count: int) -> tuple[Path, Path]:
    """As many photographs and small pictures."""
    photographs, small = folder / name, folder / f"{name}-small"
    draw_photographs(photographs / "photos", count)
    draw_small(small / "photos", count)
    for dataset in (photographs, small):
        run_stage(1, {"--input_folder": "photos", **EMBEDDED}, dataset)
        write_drawn_vectors(dataset)
    return photographs, small


def write_drawn_vectors(dataset: Path) -> None:
    """The metadata with other vectors, the same for every dataset of one size: what differs between two
    trainings are the pictures in their reports. Lies in output/, beside what stage 1 keeps of them."""
    records = json.loads((dataset / METADATA).read_text())
    vectors = np.random.default_rng(0).normal(size=(len(records), FEATURES)).astype(np.float32)
    drawn = {"model": "drawn", "pretrained": "drawn"}
    write_json_object(dataset / DRAWN, (
        (hash_id, {**record, **drawn, "embeddings_vector": vector})
        for (hash_id, record), vector in zip(records.items(), vectors, strict=True)))


def train(dataset: Path) -> None:
    run_stage(2, {"--metadata_json": DRAWN, "--tag_to_hash_json": TAG_LIST, "--output": "trained"}, dataset)


def beside_small(what: str, command: Callable[[Path], None], photographs: Path, small: Path) -> Measurement:
    """In turns, the quickest of each."""
    turns = [[seconds(partial(command, dataset)) for dataset in (photographs, small)] for _ in range(TURNS)]
    value, limit = map(min, zip(*turns, strict=True))
    return Measurement(
        what, value, "s", "over small pictures", limit, limit / value, f"<= {MOST_MORE} s more")


def grid(dataset: Path) -> Measurement:
    """A page of files and its pictures, by a web app that has just started."""
    client = create_app(Roots([dataset]), companions=()).test_client()
    shown = []

    def look() -> None:
        page = client.get("/files", query_string={"db_path": str(dataset / "output" / "file_cache.sqlite")})
        shown.extend(client.get(address) for address in image_addresses(page.text))

    spent = seconds(look)
    assert [picture.mimetype for picture in shown] == FEW * ["image/jpeg"]
    return Measurement(
        f"web app, a grid of {FEW} photographs never shown before", spent, "s",
        "the bar", MOST_MORE, MOST_MORE / spent, f"<= {MOST_MORE} s")


def image_addresses(page: str) -> list[str]:
    return [unescape(address) for address in re.findall(r'<img[^>]* src="([^"]+)"', page)]
