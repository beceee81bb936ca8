"""Stage 3 behind the encoder: 100,000 known vectors under 60 models of 30 tags, their rows, pictures in bins.

    python -m benchmarks stage_3
"""
import os
import shutil
import tempfile
from collections.abc import Iterator
from hashlib import blake2b
from io import BytesIO
from pathlib import Path

import numpy as np

from benchmarks.drawn_models import loading
from benchmarks.measure import Measurement, report, run_stage, seconds
from benchmarks.pictures import draw_small
from cache.files.json_file import write_json_object
from cache.models.tag_models import LOGISTIC_REGRESSION, SVM, TagModel, load_model, model_paths
from cache.models.tag_scores import ModelSet
from cache.reader.batches import Batch
from cache.reader.source_file import Picture, SourceFile
from cache.results.result_folder import ResultFolder
from cache.stores.score_listing import ScoreListing
from cache.stores.score_table import Stage3Table

VECTORS, FEATURES, TAGS, LEARNT_FROM = 100_000, 512, 30, 3_000
BATCH = 1024  # known pictures come in batches of 32 x 32
CALLS = 200  # predict_proba calls for one picture and one model, to be scaled
PLACED = 2_000


def train(folder: Path) -> list[TagModel]:
    """60 real models: clouds of vectors around the centre of each tag."""
    random = np.random.default_rng(0)
    tag_of = np.arange(LEARNT_FROM) % TAGS
    around = random.normal(size=(LEARNT_FROM, FEATURES))
    centres = 0.2 * random.normal(size=(TAGS, FEATURES))
    vectors = (around + centres[tag_of]).astype(np.float32)
    facts = {"model": "drawn", "pretrained": "drawn"}
    records = ((str(number), {**facts, "embeddings_vector": vector}) for number, vector in enumerate(vectors))
    tags = ((f"tag {tag:02}", [str(row) for row in np.flatnonzero(tag_of == tag)]) for tag in range(TAGS))
    metadata_path, tags_path = folder / "metadata.json", folder / "tags.json"
    write_json_object(metadata_path, records)
    write_json_object(tags_path, tags)
    run_stage(2, {"--metadata_json": metadata_path, "--tag_to_hash_json": tags_path, "--output": folder})
    return [load_model(path) for path in model_paths(str(folder / "models"))]


def scoring(models: list[TagModel], vectors: np.ndarray) -> Iterator[Measurement]:
    for model_type, bar in {LOGISTIC_REGRESSION: ">= 100", SVM: ""}.items():
        estimators = [model.estimator for model in models if model.model_type == model_type]
        rate = len(vectors) * len(estimators) / scored_together(estimators, vectors)
        limit = CALLS / scored_alone(estimators, vectors)
        yield Measurement(
            f"scoring, {len(estimators)} models of {model_type}", rate, "scores/s",
            "predict_proba for one picture and model at a time", limit, rate / limit, bar)
        if model_type == LOGISTIC_REGRESSION:
            yield Measurement(
                "scoring, linear models, scores a second", rate, "scores/s",
                "the bar", 1e6, rate / 1e6, ">= 1")
        else:
            limit = 3 * BATCH / scored_by_batch(estimators[:3], vectors[:BATCH])
            yield Measurement(
                "scoring, SVMs together", rate, "scores/s",
                f"predict_proba for {BATCH:,} pictures, one SVM at a time", limit, rate / limit, "")


def scored_together(estimators: list, vectors: np.ndarray) -> float:
    """Seconds."""
    together = ModelSet(estimators)
    starts = range(0, len(vectors), BATCH)
    return seconds(lambda: [together.score(vectors[start:start + BATCH]) for start in starts])


def scored_alone(estimators: list, vectors: np.ndarray) -> float:
    """Seconds of CALLS calls for one picture and one model each."""
    def call(number: int) -> np.ndarray:
        return estimators[number % len(estimators)].predict_proba(vectors[number:number + 1])

    return seconds(lambda: [call(number) for number in range(CALLS)])


def scored_by_batch(estimators: list, vectors: np.ndarray) -> float:
    """Seconds of one call for each estimator."""
    return seconds(lambda: [estimator.predict_proba(vectors) for estimator in estimators])


def picture(number: int) -> Picture:
    path = f"new-pictures/folder {number // 1000:03}/picture {number:06}.jpg"
    file = SourceFile(path, f"/home/person/{path}", None, None, 1, 1, "1", BytesIO)
    return Picture(file, blake2b(str(number).encode()).hexdigest(), None, "jpeg", 640, 480)


def storing(models: list[TagModel], folder: Path) -> Iterator[Measurement]:
    random, rows = np.random.default_rng(0), VECTORS * len(models)
    with ScoreListing(models) as listing:
        for start in range(0, VECTORS, BATCH):
            batch = Batch([picture(number) for number in range(start, min(VECTORS, start + BATCH))])
            listing.add(batch, random.random((len(batch.items), len(models))))
        load, whole = (stored(listing, table, folder) for table in (Unindexed, Stage3Table))
        text = seconds(lambda: write_json_object(folder / "output.json", listing.output_json()))
    yield Measurement(
        f"stage3.db, {rows:,} rows", rows / load, "rows/s", "the bar", 2e5, rows / load / 2e5, ">= 1")
    yield Measurement(
        "stage3.db, the same and then the indexes", rows / whole, "rows/s",
        "the rows alone", rows / load, load / whole, "")
    yield Measurement(
        f"output.json, {rows:,} scores", rows / text, "scores/s",
        "their rows and indexes", rows / whole, whole / text, "")


class Unindexed(Stage3Table):
    """Without the indexes that only reading needs."""

    schema, look_up_indexes = Stage3Table.schema[:1], {}


def stored(listing: ScoreListing, kind: type[Stage3Table], folder: Path) -> float:
    """Seconds for the whole transaction, into a fresh database."""
    path = folder / "stage3.db"
    with kind(path, create=True) as table:
        spent = seconds(lambda: table.replace("photos", listing))
    kind.delete_file(path)
    return spent


def placing(models: list[TagModel], folder: Path) -> Iterator[Measurement]:
    draw_small(folder / "small", PLACED)
    paths = sorted(path for path in (folder / "small").rglob("*") if path.is_file())
    pictures = [picture_at(path, number) for number, path in enumerate(paths)]
    scores = np.random.default_rng(0).random((len(pictures), len(models)))

    def ours() -> None:
        with ResultFolder(str(folder / "scored"), models, 10, True) as result:
            result.place(pictures, scores)

    spent = seconds(ours)
    plain = seconds(lambda: link_all(paths, folder / "plain", len(models)))
    links = len(paths) * len(models)
    yield Measurement(
        f"placing {len(paths):,} pictures under {len(models)} models", links / spent, "links/s",
        "copying each once and making as many links", links / plain, plain / spent, "")


def picture_at(path: Path, number: int) -> Picture:
    file = SourceFile(str(path), str(path), None, None, path.stat().st_size, 1, "1", lambda: open(path, "rb"))
    return Picture(file, str(number), None, "png", 48, 40)


def link_all(paths: list[Path], folder: Path, links: int) -> None:
    for name in ("pictures", *map(str, range(links))):
        (folder / name).mkdir(parents=True)
    for number, path in enumerate(paths):
        copy = shutil.copyfile(path, folder / "pictures" / str(number))
        for link in range(links):
            os.link(copy, folder / str(link) / f"link {number}")


def measure() -> Iterator[Measurement]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        models = train(folder)
        vectors = np.random.default_rng(1).normal(size=(VECTORS, FEATURES)).astype(np.float32)
        yield from scoring(models, vectors)
        yield from storing(models, folder)
        yield from placing(models, folder)
    yield from loading()


if __name__ == "__main__":
    report(measure())
