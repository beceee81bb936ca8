"""What a person looks at after a run of stage 2: reports/index.html, and as JSON the labels to check and the images to label next."""
import os
from collections.abc import Collection, Iterator
from itertools import combinations
from pathlib import Path

import numpy as np

from cache.files.json_file import write_json_object
from cache.models.tag_models import generate_model_path, load_model
from cache.models.tag_scores import ModelSet
from cache.refusal import Refused
from cache.stores.metadata import Metadata, read_metadata
from cache.stores.picture_paths import picture_paths
from stage2.flags import TrainSettings
from stage2.judging.label_audit import audit_json, suspects
from stage2.judging.label_queue import suggestions
from stage2.judging.learning_curve import learning_curve
from stage2.judging.results import CurvePoint, Suggestion
from stage2.learning.logistic_regression import USUAL
from stage2.learning.tagged_rows import FOLDS, TaggedRows
from stage2.report.page import Report, write_report_page
from stage2.run import TrainingRun


class Reports:
    def __init__(self, settings: TrainSettings, metadata: Metadata, tagged: TaggedRows):
        """Raises Refused if --unlabelled cannot be read, or is of another encoder."""
        self.folder = os.path.join(settings.output, "reports")
        self._settings, self._metadata, self._tagged = settings, metadata, tagged
        self._unlabelled = _unlabelled(settings, metadata) if settings.unlabelled else None

    def write(self, run: TrainingRun) -> None:
        found = {result.tag: suspects(result) for result in run.results}
        names = self._metadata.hash_ids
        hashes = {row: names[row] for listed in found.values() for row in (suspect.row for suspect in listed)}
        path_of = self._find_paths(list(hashes.values()))
        write_json_object(os.path.join(self.folder, "label-audit.json"), audit_json(found, hashes, path_of).items())
        queue = self._suggestions(run)
        label_next = os.path.join(self.folder, "label-next.json")
        if self._unlabelled:
            write_json_object(label_next, ((suggestion.hash_id, vars(suggestion)) for suggestion in queue))
        else:
            Path(label_next).unlink(missing_ok=True)  # one of an earlier run would speak of other models
        write_report_page(os.path.join(self.folder, "index.html"), Report(
            self._metadata.key, self._metadata.width, self._tagged.with_vector, FOLDS, run.results, self._tagged.images_of(),
            dict(self._shared()), self._learning_curve(run), found, queue, names, self._find_paths))

    def _find_paths(self, hash_ids: Collection[str]) -> dict[str, str]:
        return picture_paths(self._settings.metadata_json, hash_ids)

    def _suggestions(self, run: TrainingRun) -> list[Suggestion]:
        """By the better model of each tag."""
        if self._unlabelled is None:
            return []
        best = {result.tag: generate_model_path(run.models_folder, result.best.model_type, result.tag) for result in run.results}
        models = ModelSet([load_model(path).estimator for path in best.values()])
        return suggestions(self._unlabelled, models.score, list(best), self._tagged.hash_ids,
                           find_paths=lambda hash_ids: picture_paths(self._settings.unlabelled, hash_ids))

    def _shared(self) -> Iterator[tuple[tuple[str, str], int]]:
        """Images that two tags have in common."""
        rows = {tag: self._tagged.of(tag) for tag in self._tagged.tags()}
        for first, second in combinations(rows, 2):
            if count := len(np.intersect1d(rows[first], rows[second], assume_unique=True)):
                yield (first, second), count

    def _learning_curve(self, run: TrainingRun) -> list[CurvePoint]:
        training = run.training
        if training is None:
            return []
        features = training.features * USUAL.factors(training.scaler.scale_)
        return learning_curve(features, training.tasks, self._tagged.group_of[training.rows])


def _unlabelled(settings: TrainSettings, metadata: Metadata) -> Metadata:
    if os.path.isdir(settings.unlabelled):
        raise Refused(f"--unlabelled {settings.unlabelled} is a folder; stage 1 makes its vectors (--no-tagged_dataset): "
                      "name their metadata JSON")
    unlabelled = read_metadata(settings.unlabelled)
    if (unlabelled.key, unlabelled.width) != (metadata.key, metadata.width):
        raise Refused(f"--unlabelled {settings.unlabelled} holds vectors of {unlabelled.key}, {settings.metadata_json} of {metadata.key}; "
                      f"run stage 1 over it with the same encoder")
    return unlabelled
