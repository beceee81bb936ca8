"""One run of stage 2: models are fitted, judged and written one by one; what is known of them stays for the reports."""
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from cache.files.whole_file import whole_file
from cache.models.tag_models import LOGISTIC_REGRESSION, SVM, safe_name, save_model
from cache.stores.metadata import Metadata
from stage2.flags import TrainSettings
from stage2.judging.judge import Judge
from stage2.judging.model_card import model_card
from stage2.judging.model_text import report_text
from stage2.judging.results import ModelResult, TagResult
from stage2.learning.calibration import FROM_TEXT, Calibration
from stage2.learning.tagged_rows import Split, TaggedRows
from stage2.learning.training import Fitted, Training, shrunk_scaler

if TYPE_CHECKING:
    from stage2.learning.text_prior import TextPrior


class Outcome:
    def __init__(self, settings: TrainSettings, metadata: Metadata, tagged: TaggedRows, splits: dict[str, Split]):
        self.metadata, self.images = metadata, tagged.with_vector
        self.models_folder = os.path.join(settings.output, "models")
        self._reports_folder = os.path.join(settings.output, "reports")
        self.page = os.path.join(self._reports_folder, "index.html")
        self.written: set[str] = set()
        self.training: Training | None = None  # None if no tag has an example
        self._splits, self._tagged = splits, tagged
        self.skipped = [tag for tag in tagged.tags() if tag not in splits]
        self._without_examples = [tag for tag in settings.tags if tag not in splits]
        self._priors = _text_priors(settings, metadata, [*splits, *self._without_examples])
        self._judge = Judge(metadata, tagged, settings.targets)
        self._models: dict[str, dict[str, ModelResult]] = {tag: {} for tag in [*splits, *self._without_examples]}

    @property
    def results(self) -> list[TagResult]:
        """By name."""
        nothing = np.empty(0, np.int64), np.empty(0, bool)
        return [TagResult(tag, *(self._splits[tag].examples() if tag in self._splits else nothing), models)
                for tag, models in sorted(self._models.items())]

    def by_type(self) -> dict[str, dict[str, dict]]:
        """{model type: {tag: the metrics of the pictures held out, the counts, and out_of_fold: {metric: value}}}"""
        found: dict[str, dict[str, dict]] = {LOGISTIC_REGRESSION: {}, SVM: {}}
        for result in self.results:
            for model_type, model in result.models.items():
                out_of_fold = {name: estimate.value for name, estimate in model.metrics.items()}
                counts = self._splits[result.tag].counts() if result.tag in self._splits else {}
                found[model_type][result.tag] = {**model.held_out.metrics(), **counts, "out_of_fold": out_of_fold}
        return found

    def fit(self, fitted: Callable[..., object]) -> None:
        """Every tag that has examples; fitted() is called after each fit."""
        if self._splits:
            self.training = Training(self.metadata, self._splits, self._tagged, self._priors)
            for each in self.training.models(fitted):
                self.write(each)

    def add_tags_without_examples(self) -> None:
        """Linear ones only: an SVM has nothing to learn from."""
        from stage2.learning.text_prior import zero_shot_estimator

        scaler = self.training.scaler if self.training else shrunk_scaler(self.metadata.matrix)
        for tag in self._without_examples:
            nothing = np.empty(0, np.int64)
            self.write(Fitted(tag, LOGISTIC_REGRESSION, zero_shot_estimator(self._priors[tag], scaler),
                               Calibration(FROM_TEXT, 1.0, 0.0, None, None, None), Split(nothing, nothing, nothing, nothing)))

    def write(self, fitted: Fitted) -> None:
        """Judge a model; write it, its card and its report."""
        result = self._judge.result(fitted)
        card = model_card(self.metadata, fitted.split, result)
        name = f"model-report-{safe_name(fitted.model_type)}-tag-{safe_name(fitted.tag)}.txt"
        with whole_file(os.path.join(self._reports_folder, name)) as file:
            file.write(report_text(self.metadata.key, self.metadata.width, fitted.split, result).encode(errors="replace"))
        self.written.add(save_model(self.models_folder, fitted.model_type, fitted.tag, fitted.estimator, card))
        self._models[fitted.tag][fitted.model_type] = result


def _text_priors(settings: TrainSettings, metadata: Metadata, tags: list[str]) -> dict[str, "TextPrior"]:
    if settings.template is None:
        return {}
    from cache.encoders.text_encoder import text_vectors
    from stage2.learning.text_prior import text_priors

    return text_priors(settings.template, tags, metadata.matrix, lambda texts: text_vectors(metadata.key, settings.checkpoint, texts))
