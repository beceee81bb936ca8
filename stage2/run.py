"""One run of stage 2: models are fitted, judged and written one by one; what is known of them stays for the
reports."""
import os
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from cache.files.whole_file import whole_file
from cache.models.bundle_writer import BundleWriter
from cache.models.tag_models import LOGISTIC_REGRESSION, SVM, safe_name, save_model
from cache.stores.metadata import Metadata
from cache.text import tag_name
from stage2.flags import TrainSettings
from stage2.judging.judge import Judge
from stage2.judging.model_card import model_card
from stage2.judging.model_text import report_text
from stage2.judging.results import ModelResult, TagResult
from stage2.learning.calibration import FROM_TEXT, Calibration
from stage2.learning.split import NO_EXAMPLES, Split
from stage2.learning.tagged_rows import TaggedRows
from stage2.learning.training import Fitted, Training, shrunk_scaler

if TYPE_CHECKING:
    from stage2.learning.text_prior import TextPrior

UNCALIBRATED = Calibration(FROM_TEXT, 1.0, 0.0, None, None, None)
NOBODY = np.empty(0)


class TrainingRun:
    """splits: those of the tags that have examples; settings.tags may name more."""

    def __init__(
        self, settings: TrainSettings, metadata: Metadata, tagged: TaggedRows, splits: dict[str, Split],
    ):
        self.metadata, self.images = metadata, tagged.with_vector
        self.models_folder = os.path.join(settings.output, "models")
        self._reports_folder = os.path.join(settings.output, "reports")
        self.page = os.path.join(self._reports_folder, "index.html")
        self.written: set[str] = set()  # paths of models
        self.bundle = BundleWriter(self.models_folder)
        self.training: Training | None = None  # None if no tag has an example
        self.others_taught = tagged.others_taught
        self.skipped = [tag for tag in tagged.tags() if tag not in splits]
        self._splits = splits
        self._without_examples = [
            tag for tag in dict.fromkeys(map(tag_name, settings.tags)) if tag not in splits]
        tags = [*splits, *self._without_examples]
        self._priors = _text_priors(settings, metadata, tags)
        self._judge = Judge(metadata, tagged, settings.targets, settings.world)
        self._models: dict[str, dict[str, ModelResult]] = {tag: {} for tag in tags}
        if splits:
            self.training = Training(metadata, splits, tagged, self._priors)

    @property
    def results(self) -> list[TagResult]:
        """By name."""
        return [
            TagResult(tag, *self._splits.get(tag, NO_EXAMPLES).examples(), models)
            for tag, models in sorted(self._models.items())
        ]

    def by_type(self) -> dict[str, dict[str, dict]]:
        """{model type: {tag: the metrics of the pictures held out, the counts, and those of the folds, among
        pictures like these and among strangers, as out_of_fold and among_strangers: {metric: value}}}"""
        by_type: dict[str, dict[str, dict]] = {LOGISTIC_REGRESSION: {}, SVM: {}}
        for result in self.results:
            counts = self._splits[result.tag].counts() if result.tag in self._splits else {}
            for model_type, model in result.models.items():
                worlds = {"out_of_fold": model.closed, "among_strangers": model.strangers}
                values = {
                    name: {metric: estimate.value for metric, estimate in judged.metrics.items()}
                    for name, judged in worlds.items()
                }
                by_type[model_type][result.tag] = {**model.held_out.metrics(), **counts, **values}
        return by_type

    def fit(self, fitted: Callable[..., object]) -> None:
        """Every tag that has examples; fitted(count) is called after so many fits, 1 if it does not say."""
        if self.training:
            for model in self.training.models(fitted):
                self.write(model)

    def add_tags_without_examples(self) -> None:
        """Linear ones only: an SVM has nothing to learn from."""
        from stage2.learning.text_prior import zero_shot_estimator

        scaler = self.training.scaler if self.training else shrunk_scaler(self.metadata.matrix)
        for tag in self._without_examples:
            estimator = zero_shot_estimator(self._priors[tag], scaler)
            self.write(Fitted(tag, LOGISTIC_REGRESSION, estimator, UNCALIBRATED, NO_EXAMPLES, NOBODY))

    def write(self, fitted: Fitted) -> None:
        """Judge a model; write its report, itself and its card."""
        result = self._judge.result(fitted)
        card = model_card(self.metadata, fitted.split, result, self.others_taught)
        text = report_text(self.metadata.key, self.metadata.width, fitted.tag, fitted.split, result)
        name = f"model-report-{safe_name(fitted.model_type)}-tag-{safe_name(fitted.tag)}.txt"
        with whole_file(os.path.join(self._reports_folder, name)) as file:
            file.write(text.encode(errors="replace"))
        saved = save_model(self.models_folder, fitted.model_type, fitted.tag, fitted.estimator, card)
        self.written.add(saved.path)
        self.bundle.add(saved, fitted.estimator)
        self._models[fitted.tag][fitted.model_type] = result


def _text_priors(settings: TrainSettings, metadata: Metadata, tags: list[str]) -> dict[str, "TextPrior"]:
    if settings.template is None:
        return {}
    from cache.encoders.text_encoder import text_vectors
    from stage2.learning.text_prior import text_priors

    asked_by = "--prompt and --tags"
    encode = partial(text_vectors, metadata.key, settings.checkpoint, asked_by=asked_by)
    return text_priors(settings.template, tags, metadata.matrix, encode)
