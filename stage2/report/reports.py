"""What a person looks at after a run of stage 2: reports/index.html, and as JSON the labels to check and the
images to label next."""
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from math import ceil
from pathlib import Path

import numpy as np

from cache.files.json_file import write_json_object
from cache.models.tag_models import bundle_in, generate_model_path, load_model
from cache.models.tag_scores import ModelSet
from cache.progress import PATIENCE, progress_bar
from cache.refusal import Refused
from cache.stores.kept_thumbnails import thumbnails_in
from cache.stores.metadata import Metadata, read_metadata
from cache.stores.picture_paths import picture_paths
from stage2.flags import TrainSettings
from stage2.judging.label_audit import audit_json, suspects
from stage2.judging.label_check import check_json, labels_to_check
from stage2.judging.label_queue import ROWS_AT_ONCE, suggestions
from stage2.judging.learning_curve import CURVE_FITS, learning_curve
from stage2.judging.results import Contradiction, CurvePoint, Suggestion, Suspect
from stage2.learning.logistic_regression import USUAL
from stage2.learning.tagged_rows import FOLDS, TaggedRows
from stage2.report.page import Report, tag_sections, write_report_page
from stage2.run import TrainingRun


@dataclass(frozen=True)
class Unlabelled:
    """What --unlabelled names: vectors of pictures without tags."""

    path: str
    metadata: Metadata

    @property
    def blocks(self) -> int:
        """In which its vectors are scored."""
        return ceil(len(self.metadata.matrix) / ROWS_AT_ONCE)


class Reports:
    def __init__(self, settings: TrainSettings, metadata: Metadata, tagged: TaggedRows):
        """Raises Refused if --unlabelled cannot be read, or is of another encoder."""
        self.folder = os.path.join(settings.output, "reports")
        self._metadata_path = settings.metadata_json
        self._metadata, self._tagged = metadata, tagged
        self._unlabelled: Unlabelled | None = None
        if settings.unlabelled:
            self._unlabelled = _unlabelled(settings.unlabelled, metadata, settings.metadata_json)

    def write(self, run: TrainingRun) -> None:
        """All is worked out before anything is written."""
        with progress_bar(self._steps(run), "steps", "report", delay=PATIENCE) as bar:
            report = self._report(run, bar.update)
            sections = tag_sections(report, bar.update)
        self._write_check(report.to_check)
        self._write_audit({result.tag: suspects(result) for result in run.results})
        self._write_queue(report.suggestions)
        with thumbnails_in(*self._folders_of_vectors()) as kept:
            write_report_page(os.path.join(self.folder, "index.html"), report, sections, kept)

    def _folders_of_vectors(self) -> Iterator[str]:
        """In which stage 1 has left thumbnails, too."""
        yield os.path.dirname(self._metadata_path)
        if self._unlabelled:
            yield os.path.dirname(self._unlabelled.path)

    def _steps(self, run: TrainingRun) -> int:
        """Blocks to score, regressions for the learning curve, and a section of the page for each tag."""
        to_score = self._unlabelled.blocks if self._unlabelled else 0
        to_fit = CURVE_FITS if run.training else 0
        return to_score + to_fit + len(run.results)

    def _report(self, run: TrainingRun, done: Callable[[int], object]) -> Report:
        """done(count) is called after so many steps."""
        shared = dict(self._shared())
        return Report(
            encoder=self._metadata.key,
            width=self._metadata.width,
            pictures=self._tagged.with_vector,
            folds=FOLDS,
            results=run.results,
            images_of=self._tagged.images_of(),
            shared=shared,
            learning_curve=self._learning_curve(run, done),
            to_check=labels_to_check(run.results, shared, len(self._metadata.matrix)),
            suggestions=self._suggestions(run, done),
            hash_ids=self._metadata.hash_ids,
            find_paths=self._find_paths,
        )

    def _find_paths(self, hash_ids: Collection[str]) -> dict[str, str]:
        return picture_paths(self._metadata_path, hash_ids)

    def _shared(self) -> Iterator[tuple[tuple[str, str], int]]:
        """Images that two tags have in common."""
        rows = {tag: self._tagged.of(tag) for tag in self._tagged.tags()}
        for first, second in combinations(rows, 2):
            if count := len(np.intersect1d(rows[first], rows[second], assume_unique=True)):
                yield (first, second), count

    def _learning_curve(self, run: TrainingRun, done: Callable[[int], object]) -> list[CurvePoint]:
        training = run.training
        if training is None:
            return []
        features = training.features * USUAL.factors(training.scaler.scale_)
        group_of = self._tagged.group_of[training.rows]
        return learning_curve(features, training.tasks, group_of, done)

    def _suggestions(self, run: TrainingRun, done: Callable[[int], object]) -> list[Suggestion]:
        """By the better model of each tag."""
        unlabelled = self._unlabelled
        if unlabelled is None:
            return []
        paths = [
            generate_model_path(run.models_folder, result.best.model_type, result.tag)
            for result in run.results
        ]
        bundle = bundle_in(run.models_folder)
        models = ModelSet([load_model(path, bundle=bundle).estimator for path in paths])

        def score(vectors: np.ndarray) -> np.ndarray:
            scores = models.score(vectors)
            done(1)
            return scores

        def find_paths(hash_ids: Collection[str]) -> Mapping[str, str]:
            return picture_paths(unlabelled.path, hash_ids)

        tags = [result.tag for result in run.results]
        return suggestions(unlabelled.metadata, score, tags, self._tagged.hash_ids, find_paths=find_paths)

    def _write_check(self, contradictions: Sequence[Contradiction]) -> None:
        names = self._metadata.hash_ids
        path_of = self._find_paths([names[contradiction.row] for contradiction in contradictions])
        records = check_json(contradictions, names, path_of)
        write_json_object(os.path.join(self.folder, "label-check.json"), records)

    def _write_audit(self, suspects_of: Mapping[str, Sequence[Suspect]]) -> None:
        names = self._metadata.hash_ids
        all_suspects = [suspect for suspects_of_tag in suspects_of.values() for suspect in suspects_of_tag]
        hash_of = {suspect.row: names[suspect.row] for suspect in all_suspects}
        path_of = self._find_paths(list(hash_of.values()))
        records = audit_json(suspects_of, hash_of, path_of)
        write_json_object(os.path.join(self.folder, "label-audit.json"), records.items())

    def _write_queue(self, queue: Sequence[Suggestion]) -> None:
        path = os.path.join(self.folder, "label-next.json")
        if self._unlabelled:
            write_json_object(path, ((suggestion.hash_id, asdict(suggestion)) for suggestion in queue))
        else:
            Path(path).unlink(missing_ok=True)  # one of an earlier run would speak of other models


def _unlabelled(path: str, metadata: Metadata, metadata_path: str) -> Unlabelled:
    if os.path.isdir(path):
        raise Refused(
            f"--unlabelled {path} is a folder; stage 1 makes its vectors (--no-tagged_dataset): "
            "name their metadata JSON")
    with progress_bar(None, "vectors", "reading", delay=PATIENCE) as bar:
        unlabelled = read_metadata(path, bar.update)
    if (unlabelled.key, unlabelled.width) != (metadata.key, metadata.width):
        raise Refused(
            f"--unlabelled {path} holds vectors of {unlabelled.key}, {metadata_path} of {metadata.key}; "
            "run stage 1 over it with the same encoder")
    return Unlabelled(path, unlabelled)
