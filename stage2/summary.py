"""What stage 2 prints: a line for each tag, and which tags fall below a quality gate."""
from collections.abc import Iterable, Iterator

from cache.source_file import on_one_line
from cache.tag_models import LOGISTIC_REGRESSION, SVM
from stage2.evaluation import METRICS, Estimate
from stage2.outcome import Outcome
from stage2.results import ModelResult, TagResult

WIDEST_TAG = 38
LOWER_IS_BETTER = "calibration_error"


def summary(outcome: Outcome) -> Iterator[str]:
    """Average precision out of fold with its interval; with targets, the better model's thresholds."""
    results = outcome.results
    width = min(WIDEST_TAG, max(3, *(len(on_one_line(result.tag)) for result in results)))
    promised = any(result.best.promises for result in results)
    yield f"{'':<{width}} {'':>7} {'':>9}  average precision on unseen images (95 % interval)"
    yield f"{'tag':<{width}} {'images':>7} {'base rate':>9}  {LOGISTIC_REGRESSION:<24} {SVM:<24}{'decision' if promised else ''}".rstrip()
    for result in results:
        rate = "-" if result.base_rate is None else f"{result.base_rate:.4f}"
        cells = "".join(f"{_cell(result.models.get(model_type)):<25}" for model_type in (LOGISTIC_REGRESSION, SVM))
        yield f"{on_one_line(result.tag):<{width}} {result.images:>7} {rate:>9}  {cells}{_decision(result)}".rstrip()
    if any(result.best.metrics["average_precision"].value is None for result in results):
        yield "-: nothing to measure on, which takes two images of the tag and two others"
    models = sum(len(result.models) for result in results)
    yield f"trained {models} models of {len(results)} tag{'' if len(results) == 1 else 's'}; look at {outcome.page}"


def _cell(model: ModelResult | None) -> str:
    estimate = model.metrics["average_precision"] if model else None
    if estimate is None or estimate.value is None:
        return "-"
    return f"{estimate.value:.4f}{_interval(estimate)}"


def _interval(estimate: Estimate) -> str:
    return "" if estimate.low is None else f" ({estimate.low:.2f}-{estimate.high:.2f})"


def _decision(result: TagResult) -> str:
    promises = result.best.promises
    if promises is None:
        return ""
    yes = f"yes from {promises.yes_from:.2f}" if promises.yes_from is not None else f"yes: {promises.precision.why_not()}"
    no = f"no below {promises.no_below:.2f}" if promises.no_below is not None else f"no: {promises.recall.why_not()}"
    return f"{yes}, {no}"


def below_gate(results: Iterable[TagResult], gates: Iterable[tuple[str, float]]) -> Iterator[str]:
    """A line for each tag whose better model misses a gate, or of which nothing could be measured."""
    gates = list(gates)
    for result in results:
        for metric, bound in gates:
            found = [model.metrics[metric].value for model in result.models.values() if model.metrics[metric].value is not None]
            best = (min if metric == LOWER_IS_BETTER else max)(found, default=None)
            if best is None:
                yield f"failed: {on_one_line(result.tag)}: no {METRICS[metric]}, too few images to measure it on"
            elif (best > bound) if metric == LOWER_IS_BETTER else (best < bound):
                yield f"failed: {on_one_line(result.tag)}: {METRICS[metric]} {best:.4f}, {bound:g} was asked for"
