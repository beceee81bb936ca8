"""What stage 2 found out, in the shape in which reports, model cards and pages take it."""
from dataclasses import dataclass

import numpy as np

from stage2.flags import CLOSED, STRANGERS
from stage2.judging.held_out import HeldOut
from stage2.judging.promises import Promises
from stage2.learning.calibration import Calibration
from stage2.metrics import Estimate, base_rate


@dataclass(frozen=True)
class Judged:
    """What holds in one world, see stage2.flags.WORLDS."""

    metrics: dict[str, Estimate]  # by the names of stage2.metrics.METRICS
    promises: Promises | None  # with --target_precision or --target_recall


@dataclass(frozen=True)
class ModelResult:
    """One classifier of one tag."""

    model_type: str
    calibration: Calibration  # .unseen: the out-of-fold probability of each row of its TagResult, if any
    held_out: HeldOut  # the pictures of --test_per, which no fold has seen
    closed: Judged  # among pictures like those taught
    strangers: Judged  # among pictures of kinds that nobody has taught
    world: str = STRANGERS  # in which stages 3 and 4 decide

    @property
    def metrics(self) -> dict[str, Estimate]:
        """Those that say how well the tag was learnt: among pictures like those taught."""
        return self.closed.metrics

    @property
    def by_world(self) -> dict[str, Judged]:
        """The one in which stages 3 and 4 decide first."""
        both = {STRANGERS: self.strangers, CLOSED: self.closed}
        return {self.world: both.pop(self.world), **both}

    @property
    def promises(self) -> Promises | None:
        """Those by which stages 3 and 4 decide."""
        return self.by_world[self.world].promises


@dataclass(frozen=True)
class TagResult:
    tag: str
    rows: np.ndarray  # of the metadata matrix: those dealt into folds, ascending
    is_tag: np.ndarray  # bool, for each of them
    models: dict[str, ModelResult]  # by model type; a tag without any example has the linear one only

    @property
    def images(self) -> int:
        return int(self.is_tag.sum())

    @property
    def base_rate(self) -> float | None:
        return base_rate(self.is_tag)

    @property
    def best(self) -> ModelResult:
        """The model with the highest average precision; the first where nothing could be measured."""
        return max(self.models.values(), key=lambda model: model.metrics["average_precision"].value or 0.0)


@dataclass(frozen=True)
class CurvePoint:
    """Average precision of the linear type, learnt from so many images of every tag that has twice as
    many."""

    images: int
    tags: int
    mean: float
    low: float  # the worst and the best tag
    high: float
    by_tag: dict[str, float]


@dataclass(frozen=True)
class Suspect:
    """An image whose out-of-fold probability contradicts its label: either the model or the label is
    wrong."""

    row: int
    tag: str
    labelled: bool  # whether it carries the tag
    probability: float


@dataclass(frozen=True)
class Contradiction:
    """A picture whose tags are likelier wrong than right, all that the models say taken together."""

    row: int
    labelled: dict[str, float | None]  # its tags and their probabilities; None where nothing is measured
    looks_like: dict[str, float | None]  # the likeliest tag that it does not carry, if any


@dataclass(frozen=True)
class Suggestion:
    """An image worth labelling next."""

    hash_id: str
    file_path: str | None
    tag: str  # of which the models are least sure
    probability: float
    uncertainty: float  # 0 .. 1: 1 - |2 p - 1|
    novelty: float  # 0 .. 2: one less the cosine to the nearest one suggested before it
