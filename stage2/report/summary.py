"""What stage 2 prints: a line for each tag, and which tags fall below a quality gate."""
from collections.abc import Iterator, Sequence

from cache.models.tag_models import LOGISTIC_REGRESSION, SVM
from cache.text import on_one_line, plural
from stage2.judging.results import ModelResult, TagResult
from stage2.metrics import METRICS, Estimate
from stage2.run import TrainingRun

WIDEST_TAG = 38
LOWER_IS_BETTER = "calibration_error"


def summary(run: TrainingRun) -> Iterator[str]:
    """Average precision out of fold with its interval; with targets, the better model's thresholds."""
    results = run.results
    width = min(WIDEST_TAG, max(3, *(len(on_one_line(result.tag)) for result in results)))
    promised = any(result.best.promises for result in results)
    types = f"{LOGISTIC_REGRESSION:<24} {SVM:<24}"
    decision = "decision of the better model" if promised else ""
    yield f"{'':<{width}} {'':>7} {'':>9}  average precision on unseen images (95 % interval)"
    yield f"{'tag':<{width}} {'images':>7} {'base rate':>9}  {types} {decision}".rstrip()
    for result in results:
        yield _line(result, width)
    if any(result.best.metrics["average_precision"].value is None for result in results):
        yield "-: nothing to measure on, which takes two images of the tag and two others"
    models = sum(len(result.models) for result in results)
    yield f"trained {plural(models, 'model')} of {plural(len(results), 'tag')}; look at {run.page}"


def _line(result: TagResult, width: int) -> str:
    rate = "-" if result.base_rate is None else f"{result.base_rate:.4f}"
    models = (result.models.get(model_type) for model_type in (LOGISTIC_REGRESSION, SVM))
    cells = "".join(f"{_cell(model):<25}" for model in models)
    decision = result.best.promises.in_words() if result.best.promises else ""
    return f"{_cut(result.tag, width)} {result.images:>7} {rate:>9}  {cells}{decision}".rstrip()


def _cell(model: ModelResult | None) -> str:
    estimate = model.metrics["average_precision"] if model else None
    if estimate is None or estimate.value is None:
        return "-"
    return f"{estimate.value:.3f}{_interval(estimate)}"


def _interval(estimate: Estimate) -> str:
    return "" if estimate.low is None else f" ({estimate.low:.3f}-{estimate.high:.3f})"


def _cut(tag: str, width: int) -> str:
    """Not too long for its column."""
    name = on_one_line(tag)
    return f"{name if len(name) <= width else name[:width - 3] + '...':<{width}}"


def below_gate(run: TrainingRun, gates: Sequence[tuple[str, float]]) -> Iterator[str]:
    """A line for each tag whose better model misses a gate, or of which nothing could be measured."""
    for metric, bound in gates:
        title = METRICS[metric]
        for tag in run.skipped:
            yield f"failed: {on_one_line(tag)}: no {title}, it was skipped"
        for result in run.results:
            value = result.best.metrics[metric].value
            if value is None:
                yield f"failed: {on_one_line(result.tag)}: no {title}, too few images to measure it on"
            elif value > bound if metric == LOWER_IS_BETTER else value < bound:
                yield f"failed: {on_one_line(result.tag)}: {title} {value:.4f}, {bound:g} was asked for"
