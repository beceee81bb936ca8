"""What stages 3 and 4 do: stream the pictures of a folder or of ZIPs, score them under every model, place
them, remember the scores."""
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime

import numpy as np

from cache.command_line import refuse_output_inside
from cache.files.csv_file import write_csv
from cache.files.json_file import write_json_object
from cache.models.tag_models import TagModel, load_models
from cache.models.tag_scores import ModelSet
from cache.progress import say
from cache.reader.batches import Batch, Counts, Embedding, Store, record
from cache.reader.file_progress import FileProgress
from cache.reader.image_source import images
from cache.reader.source_file import Picture, Skipped
from cache.refusal import Refused
from cache.results.disk_room import refuse_too_little_room
from cache.results.model_notes import model_notes
from cache.results.result_folder import CSV, OUTPUT, PAGE, ResultFolder, reserve_default_output
from cache.results.result_page import write_result_page
from cache.results.settings import CACHE_FOLDER, ScoreSettings, ScoringStage
from cache.stores.kept_thumbnails import KeptThumbnails, thumbnails_of_run
from cache.stores.known_vectors import KnownVectors
from cache.stores.score_listing import ScoreListing
from cache.stores.tag_list import tag_list_beside

CSV_COLUMNS = ("file_path", "hash_id", "model_type", "tag_name", "tag_prob", "decision")


class Scorer:
    """A store of batches.record(): vectors x models -> listing and bins. A picture that cannot be read
    again to be placed becomes a Skipped, also for the stores behind this one."""

    def __init__(
        self, vectors: KnownVectors, models: Sequence[TagModel], listing: ScoreListing, folder: ResultFolder,
    ):
        self._vectors, self._models, self._listing, self._folder = vectors, models, listing, folder
        self._model_set = ModelSet([model.estimator for model in models])

    def add(self, batch: Batch) -> None:
        pictures = batch.of(Picture)
        scores = self._scores(pictures)
        placed = self._folder.place(pictures, scores)
        lost = {position: copy for position, copy in enumerate(placed) if isinstance(copy, Skipped)}
        if lost:
            skips = {pictures[position].file.file_path: skip for position, skip in lost.items()}
            batch.items = [
                skips.get(item.file.file_path, item) if isinstance(item, Picture) else item
                for item in batch.items
            ]
        names = [copy for copy in placed if not isinstance(copy, Skipped)]
        self._listing.add(batch, np.delete(scores, list(lost), axis=0), names)

    def _scores(self, pictures: Sequence[Picture]) -> np.ndarray:
        """float64 (pictures, models)"""
        known = [self._vectors.vector(picture) for picture in pictures]
        vectors = [vector for vector in known if vector is not None]
        if len(vectors) < len(pictures):
            raise Refused("vectors have gone from the clip cache; the same command makes them anew")
        if not vectors:
            return np.empty((0, len(self._models)))
        scores = self._model_set.score(np.stack(vectors))
        for position, column in np.argwhere(np.isnan(scores)):  # of coefficients so large that they overflow
            path = pictures[position].file.file_path
            raise Refused(f"{self._models[column].path} gives no probability for {path}; train again")
        return scores


def score_source(stage: ScoringStage, settings: ScoreSettings, counts: Counts) -> dict:
    """Score everything under settings.source; the rows go to the stage's tables in ./output. Returns the
    counts of files, notes on the models, and the paths written. Raises Refused for a source of the other
    stage, or if nothing could be scored."""
    stage.refuse_unsuitable(settings.source)
    refuse_output_inside(settings.source, CACHE_FOLDER)
    if settings.output:
        refuse_output_inside(settings.source, settings.output, keeps_input=False)
    table_paths = [os.path.join(CACHE_FOLDER, name) for name in stage.tables]
    with ExitStack() as stack:
        vectors = stack.enter_context(KnownVectors(
            settings.metadata_path, CACHE_FOLDER, settings.device, settings.precision, settings.checkpoint))
        beside = os.path.dirname(settings.metadata_path)
        kept = stack.enter_context(thumbnails_of_run(CACHE_FOLDER, settings.thumbnails, beside))
        models, refusals = load_models(settings.model_path, vectors.key, vectors.width, settings.trust_pickle)
        tables = [stack.enter_context(table(path, create=True))
                  for table, path in zip(stage.tables.values(), table_paths, strict=True)]
        listing = stack.enter_context(ScoreListing(models))
        output = settings.output or stack.enter_context(_default_output())
        refuse_too_little_room(stage, settings, output, len(models), tables)
        with ResultFolder(output, models, settings.bins, settings.place) as folder:
            scorer = Scorer(vectors, models, listing, folder)
            with FileProgress(settings.source, table_paths[0], settings.limits.include_hidden) as progress:
                _stream(stage, settings, vectors, kept, [scorer, counts, progress])
            if counts.processed + counts.unchanged == 0:
                raise Refused(_why_nothing(stage, settings, counts))
            notes = model_notes(models, refusals, tag_list_beside(settings.metadata_path))
            _write_result(settings, listing, models, folder, kept=kept, counts=counts, notes=notes)
        vectors.keep_only(settings.source, listing)
        for table in tables:
            table.replace(settings.source, listing)
    for note in notes:
        say(note)
    written = [output, os.path.join(output, PAGE)]
    if settings.csv:
        written.append(os.path.join(output, CSV))
    paths = {"output": output, "written": written, "tables": table_paths}
    return {**counts.as_dict(), "models": len(models), "notes": notes, **paths}


@contextmanager
def _default_output() -> Iterator[str]:
    """A folder named by the minute; if nothing comes of the run, it goes again."""
    output = reserve_default_output(datetime.now(), CACHE_FOLDER)
    try:
        yield output
    finally:
        if not os.listdir(output):
            os.rmdir(output)


def _stream(
    stage: ScoringStage, settings: ScoreSettings, vectors: KnownVectors, kept: KeptThumbnails,
    stores: Sequence[Store],
) -> None:
    embedding = Embedding(vectors.encoder, vectors.has, settings.batch_size)
    pictures = images(
        settings.source,
        archives=stage.archives,
        limits=settings.limits,
        num_threads=settings.num_threads,
        window=2 * settings.batch_size + settings.num_threads,
        crop_for=embedding.crop_for,
        thumbnail_for=kept.are_wanted_of,
        known=vectors.known,
    )
    # The thumbnails before the vectors, which are written with the file cache: what that knows has both.
    record(pictures, [kept, vectors, *stores], embedding)


def _why_nothing(stage: ScoringStage, settings: ScoreSettings, counts: Counts) -> str:
    advice = f"; {stage.left_out_advice}" if counts.reasons[stage.left_out_reason] else ""
    return f"no readable picture to score in {settings.source} {counts.why_nothing()}{advice}"


def _write_result(
    settings: ScoreSettings, listing: ScoreListing, models: Sequence[TagModel], folder: ResultFolder,
    *, kept: KeptThumbnails, counts: Counts, notes: Sequence[str],
) -> None:
    """What lies in the result beside the placed pictures."""
    write_json_object(folder.building / OUTPUT, listing.output_json())
    if settings.csv:
        write_csv(folder.building / CSV, CSV_COLUMNS, listing.score_rows(CSV_COLUMNS))
    write_result_page(
        settings.source, listing, models, folder,
        kept=kept, counts=counts, limits=settings.limits, notes=notes)
