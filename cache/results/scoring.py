"""What stages 3 and 4 do: stream the pictures of a folder or of ZIPs, score them under every model, place them, remember the scores."""
import argparse
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from cache import command_line
from cache.decoder.limits import MIB, Limits
from cache.files.csv_file import write_csv
from cache.files.json_file import write_json_object
from cache.models.tag_models import TagModel, load_models
from cache.models.tag_scores import ModelSet
from cache.reader.batches import Batch, Counts, Embedding, record
from cache.reader.file_progress import FileProgress
from cache.reader.image_source import images, looks_like_an_image, walk
from cache.reader.source_file import Picture, Skipped, SourceFile
from cache.refusal import Refused
from cache.results.disk_room import (
    CSV_BYTES,
    LINK_BYTES,
    ROW_BYTES,
    SORTING_BYTES,
    TEXT_BYTES,
    refuse_if_too_little,
    sqlite_temporary_folder,
)
from cache.results.result_folder import CSV, OUTPUT, PAGE, ResultFolder, reserve_default_output
from cache.results.result_page import write_result_page
from cache.stores.known_vectors import KnownVectors
from cache.stores.score_listing import ScoreListing
from cache.stores.score_table import ScoreTable
from cache.text import plural

CACHE_FOLDER = "./output"
CSV_COLUMNS = ("file_path", "hash_id", "model_type", "tag_name", "tag_prob", "decision")


@dataclass(frozen=True)
class ScoreSettings:
    """The flags that stages 3 and 4 share."""

    source: str
    metadata_path: str
    model_path: str = "./output/models"
    output: str | None = None
    bins: int = 10
    place: bool = True
    csv: bool = False
    batch_size: int = 32
    num_threads: int = 4
    device: str | None = None
    precision: str | None = None
    checkpoint: str | None = None
    trust_pickle: bool = False
    limits: Limits = Limits()


class Scorer:
    """A store of batches.record(): vectors x models -> listing and bins. A picture that cannot be read again to be placed becomes a
    Skipped, also for the stores behind this one."""

    def __init__(self, vectors: KnownVectors, models: Sequence[TagModel], listing: ScoreListing, folder: ResultFolder):
        self._vectors, self._models, self._listing, self._folder = vectors, models, listing, folder
        self._model_set = ModelSet([model.estimator for model in models])

    def add(self, batch: Batch) -> None:
        pictures = batch.of(Picture)
        vectors = [self._vectors.vector(picture.hash_id, picture.old_hash_id) for picture in pictures]
        if any(vector is None for vector in vectors):
            raise Refused("vectors have gone from the clip cache; the same command makes them anew")
        scores = self._model_set.score(np.stack(vectors)) if vectors else np.empty((0, len(self._models)))
        for position, column in np.argwhere(np.isnan(scores)):  # of coefficients so large that they overflow
            raise Refused(f"{self._models[column].path} gives no probability for {pictures[position].file.file_path}; train again")
        placed = self._folder.place(pictures, scores)
        lost = {position: outcome for position, outcome in enumerate(placed) if isinstance(outcome, Skipped)}
        if lost:
            replaced = {pictures[position].file.file_path: skipped for position, skipped in lost.items()}
            batch.items = [replaced.get(item.file.file_path, item) if isinstance(item, Picture) else item for item in batch.items]
        names = [outcome for outcome in placed if not isinstance(outcome, Skipped)]
        self._listing.add(batch, np.delete(scores, list(lost), axis=0), names)


def score_source(settings: ScoreSettings, archives: str, tables: dict[str, type[ScoreTable]], counts: Counts) -> dict:
    """Score everything under settings.source; the rows go to `tables`, by file name in ./output. Returns counts and paths.
    Raises Refused if nothing could be scored."""
    command_line.refuse_output_inside(settings.source, CACHE_FOLDER)
    if settings.output:
        command_line.refuse_output_inside(settings.source, settings.output, keeps_input=False)
    with ExitStack() as stack:
        vectors = stack.enter_context(KnownVectors(
            settings.metadata_path, CACHE_FOLDER, settings.device, settings.precision, settings.checkpoint))
        models, refusals = load_models(settings.model_path, vectors.key, vectors.width, settings.trust_pickle)
        opened = [stack.enter_context(table(os.path.join(CACHE_FOLDER, name), create=True)) for name, table in tables.items()]
        listing = stack.enter_context(ScoreListing(models))
        progress = stack.enter_context(FileProgress(settings.source, opened[0].path))
        output = settings.output or _reserved(stack)
        _check_room(settings, archives, output, len(models), len(tables))
        with ResultFolder(output, models, settings.bins, settings.place) as folder:
            _stream(settings, archives, [vectors, Scorer(vectors, models, listing, folder), counts, progress])
            if counts.processed + counts.unchanged == 0:
                raise Refused(f"no readable picture to score in {settings.source} {counts.why_nothing()}{_other_stage(counts)}")
            write_json_object(folder.building / OUTPUT, listing.output_json())
            if settings.csv:
                write_csv(folder.building / CSV, CSV_COLUMNS, listing.score_rows(CSV_COLUMNS))
            write_result_page(settings.source, listing, models, folder, counts, settings.limits)
        for table in opened:
            table.replace(listing)
    for refusal in refusals:
        print(f"skipped model: {refusal}", file=sys.stderr)
    written = [output, os.path.join(output, PAGE), *([os.path.join(output, CSV)] if settings.csv else [])]
    return {**counts.as_dict(), "models": len(models), "output": output, "written": written,
            "tables": [os.path.join(CACHE_FOLDER, name) for name in tables]}


def _check_room(settings: ScoreSettings, archives: str, output: str, models: int, tables: int) -> None:
    """An estimate from one listing, in which nothing is decoded; but inner ZIPs are unpacked for it. 100,000 files take 2 s."""
    files = size = 0
    for item in walk(settings.source, archives, limits=settings.limits):
        if isinstance(item, SourceFile) and item.size <= settings.limits.max_member_mib * MIB and looks_like_an_image(item):
            files, size = files + 1, size + item.size
    scores = files * models
    needs = [(CACHE_FOLDER, scores * tables * ROW_BYTES), (sqlite_temporary_folder(), scores * SORTING_BYTES),
             (output, scores * (TEXT_BYTES + CSV_BYTES * settings.csv))]
    refuse_if_too_little(needs, "make room")
    if settings.place:
        needs.append((output, size + scores * LINK_BYTES))
        refuse_if_too_little(needs, "make room, or score without placing the pictures (--place none)")


def _other_stage(counts: Counts) -> str:
    hints = {"not_in_archive": "; stage 3 scores pictures outside ZIPs", "archive": "; stage 4 scores ZIPs"}
    return next((hint for reason, hint in hints.items() if counts.reasons[reason]), "")


def _reserved(stack: ExitStack) -> str:
    """A folder named by the minute; if nothing comes of the run, it goes again."""
    output = reserve_default_output(datetime.now(), CACHE_FOLDER)
    stack.callback(lambda: os.listdir(output) or os.rmdir(output))
    return output


def _stream(settings: ScoreSettings, archives: str, stores: Sequence) -> None:
    vectors = stores[0]
    embedding = Embedding(vectors.encoder, vectors.has, settings.batch_size)
    stream = images(
        settings.source, archives=archives, limits=settings.limits, num_threads=settings.num_threads,
        window=2 * settings.batch_size + settings.num_threads, crop_for=embedding.crop_for, known=vectors.known,
    )
    record(stream, stores, embedding)


def scoring_command(
    argv: Sequence[str] | None, description: str, example: str, directory_help: str, classify: Callable[[ScoreSettings, Counts], dict],
) -> int:
    """The command line of stage 3 or 4; returns the exit code."""
    parser = command_line.new_parser(description, example)
    _add_flags(parser, directory_help)
    arguments = command_line.parse(parser, argv)

    def work(counts: Counts) -> None:
        result = classify(_settings_of(arguments), counts)
        print(f"scored under {plural(result['models'], 'model')}")
        for path in (*result["written"], *result["tables"]):
            print(f"wrote {path}")

    return command_line.run(work, arguments.strict)


def _add_flags(parser: argparse.ArgumentParser, directory_help: str) -> None:
    parser.add_argument("--directory", required=True, default=argparse.SUPPRESS, metavar="PATH", help=directory_help)
    parser.add_argument("--metadata_json", default="./output/input-metadata.json", metavar="PATH",
                        help="the metadata JSON of stage 1, or a clip cache (.sqlite)")
    parser.add_argument("--model", default="./output/models", metavar="PATH", help="a folder of models, or one .pkl")
    parser.add_argument("--output", default=None, metavar="PATH", help="None is ./output/tagging_output_<date and time>")
    parser.add_argument("--output_bins", type=command_line.positive, default=10, metavar="N", help="score bins per tag")
    parser.add_argument("--place", choices=["bins", "none"], default="bins", help="none: score without placing pictures into bins")
    parser.add_argument("--csv", action="store_true", help="write the scores into <output>/scores.csv, too")
    parser.add_argument("--pretrained", default=None, metavar="PATH",
                        help="the checkpoint on disk, if the vectors come from one and new pictures have to be embedded")
    parser.add_argument("--trust_pickle", action="store_true", help="load model files of any class; they can run code")
    command_line.add_encoder_flags(parser)
    command_line.add_reading_flags(parser)


def _settings_of(arguments: argparse.Namespace) -> ScoreSettings:
    return ScoreSettings(
        arguments.directory, arguments.metadata_json, arguments.model, arguments.output, arguments.output_bins,
        arguments.place == "bins", arguments.csv, arguments.batch_size, arguments.num_threads, arguments.device, arguments.precision,
        arguments.pretrained, arguments.trust_pickle, command_line.limits_of(arguments),
    )
