"""What stage 2 prints: a line for each tag, whom its promises hold among, and which tags fall below a quality
gate."""
from collections.abc import Iterator, Sequence

from cache.models.tag_models import LOGISTIC_REGRESSION, SVM
from cache.text import on_one_line, plural
from stage2.judging.results import Judged, ModelResult, TagResult
from stage2.judging.worlds import holds, why_untried
from stage2.metrics import METRICS, Estimate
from stage2.run import TrainingRun

WIDEST_TAG = 38
LOWER_IS_BETTER = "calibration_error"


def summary(run: TrainingRun) -> Iterator[str]:
    """Average precision out of fold with its interval; that of the better model among strangers, too, if any
    tag could be tried, and with targets its thresholds."""
    results = run.results
    width = min(WIDEST_TAG, max(3, *(len(on_one_line(result.tag)) for result in results)))
    tried = any(result.best.calibration.strangers is not None for result in results)
    columns = [f"{LOGISTIC_REGRESSION:<24}", f"{SVM:<24}"]
    if tried:
        columns.append(f"{'among strangers':<20}")
    if any(result.best.promises for result in results):
        columns.append("decision of the better model")
    yield f"{'':<{width}} {'':>7} {'':>9}  average precision on unseen images (95 % interval)"
    yield f"{'tag':<{width}} {'images':>7} {'base rate':>9}  {' '.join(columns)}".rstrip()
    for result in results:
        yield _line(result, width, tried)
    if any(result.best.metrics["average_precision"].value is None for result in results):
        yield "-: nothing to measure on, which takes two images of the tag and two others"
    if tried:
        yield "among strangers: the better model, asked about pictures of kinds that it was not taught"
    if whom := holds(results, run.others_taught):
        yield whom
    yield from why_untried(results)
    models = sum(len(result.models) for result in results)
    yield f"trained {plural(models, 'model')} of {plural(len(results), 'tag')}; look at {run.page}"


def _line(result: TagResult, width: int, tried: bool) -> str:
    rate = "-" if result.base_rate is None else f"{result.base_rate:.4f}"
    cells = [f"{_cell(result.models.get(model_type)):<24}" for model_type in (LOGISTIC_REGRESSION, SVM)]
    if tried:
        cells.append(f"{_average_precision(result.best.strangers):<20}")
    if result.best.promises:
        cells.append(result.best.promises.in_words())
    return f"{_cut(result.tag, width)} {result.images:>7} {rate:>9}  {' '.join(cells)}".rstrip()


def _cell(model: ModelResult | None) -> str:
    return _average_precision(model.closed) if model else "-"


def _average_precision(judged: Judged) -> str:
    estimate = judged.metrics["average_precision"]
    return "-" if estimate.value is None else f"{estimate.value:.3f}{_interval(estimate)}"


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
