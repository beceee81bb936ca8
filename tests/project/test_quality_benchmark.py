"""What `python -m benchmarks.quality` counts and draws."""
import numpy as np
import pytest

from benchmarks.quality import unknown_tags
from benchmarks.quality.__main__ import sample
from benchmarks.quality.counting import Counts, NewPictures, share, short
from benchmarks.quality.markdown import markdown
from benchmarks.quality.second_layer import PLAIN, UnseenProbabilities, cells, f1
from benchmarks.quality.unknown_tags import Draw, thresholds
from cache.models.tag_models import LOGISTIC_REGRESSION, SVM
from cache.stores.metadata import Metadata
from stage2.flags import CLOSED, STRANGERS
from stage2.judging.judge import Judge
from stage2.learning.calibration import SIGMOID, Calibration
from stage2.learning.split import Split
from stage2.learning.tagged_rows import TaggedRows
from stage2.learning.training import Fitted

# Five of the tag, three of another that was taught, two strangers.
PROBABILITIES = np.array([0.9, 0.8, 0.8, 0.4, 0.1, 0.8, 0.2, 0.1, 0.95, 0.7])
IS_TAG = np.arange(10) < 5
PICTURES = NewPictures(is_stranger=np.arange(10) >= 8, group_of=np.arange(10))


def test_yeses_are_counted_among_taught_kinds_and_in_all():
    counts = PICTURES.count(IS_TAG, PROBABILITIES, 0.8, 0.5)
    assert counts == Counts(
        right=3, to_taught=4, yeses=5, carrying=5, carrying_promising=5, tags=1, promising=1)
    assert counts + counts == Counts(6, 8, 10, 10, 10, 2, 2, 0, 0)


def test_a_tag_without_a_threshold_says_no_yes_and_breaks_nothing():
    assert PICTURES.count(IS_TAG, PROBABILITIES, None, 0.9) == Counts(carrying=5, tags=1)


@pytest.mark.parametrize(
    ("promised", "below", "broken"), [(0.6, 0, 0), (0.61, 1, 0), (0.92, 1, 0), (0.93, 1, 1)])
def test_a_promise_is_surely_broken_where_the_share_could_not_be_so_small_by_chance(promised, below, broken):
    """Of 3 right ones of 5 the interval ends at .924 (Clopper and Pearson)."""
    counts = PICTURES.count(IS_TAG, PROBABILITIES, 0.8, promised)
    assert (counts.below, counts.broken) == (below, broken)


def test_near_duplicates_break_a_promise_as_one_picture():
    alike = NewPictures(PICTURES.is_stranger, np.array([0, 1, 1, 2, 3, 4, 5, 6, 7, 7]))
    counts = alike.count(IS_TAG, PROBABILITIES, 0.8, 0.58)
    assert (counts.right, counts.yeses, counts.below) == (3, 5, 1), "3 of 5 pictures, but 2 of 3.5"


def test_a_share_stands_with_its_interval_and_the_draws_between_which_it_lies():
    # The ratio is .8; residuals 1, -2 and 1 of 10 each: 4.303 * sqrt(3) / sqrt(3) / 10.
    assert share([9, 6, 9], [10, 10, 10]) == ".80 ± .43 (.60 to .90)"
    assert share([9, 0, 6, 9], [10, 0, 10, 10]) == ".80 ± .43 (.60 to .90)", "a draw without a yes has none"
    assert share([9, 6, 0], [10, 10, 0]) == ".75 (.60 to .90)", "of two an interval would say nothing"
    assert share([0, 0], [0, 0]) == "none"
    assert short(1) == "1.00"


def test_a_row_says_in_how_many_draws_there_was_a_yes():
    some = Counts(
        right=9, to_taught=10, yeses=12, carrying=18, carrying_promising=12, tags=4, promising=2, below=1)
    cells_of_row = unknown_tags.row((0.9, SVM, CLOSED), [some, Counts(carrying=18, tags=4)])
    assert dict(zip(unknown_tags.HEADINGS, cells_of_row, strict=True)) == {
        "promise": "0.9", "model": "`ovr-svm`", "world": "closed",
        "yes among taught kinds": ".90 (.90 to .90)", "yes in all": ".75 (.75 to .75)",
        "draws with a yes": "1 of 2", "recall of yes": ".25 (.00 to .50)",
        "tags with yes": ".25 (.00 to .50)", "their recall": ".75 (.75 to .75)",
        "below the promise": ".50 (.50 to .50)", "surely broken": ".00 (.00 to .00)"}


def test_tables_are_markdown():
    assert list(markdown(["a", "b"], [["1", "2"]])) == ["| a | b |", "| --- | --- |", "| 1 | 2 |"]


def test_mean_and_worst_tag_of_every_metric():
    """Of the second tag's two folds, either is right in itself, but they do not agree on a scale."""
    is_tag = np.array([True, False])
    right, low, high = np.array([0.95, 0.05]), np.array([0.05, 0.0]), np.array([1.0, 0.95])
    tags = [[(is_tag, right), (is_tag, right)], [(is_tag, low), (is_tag, high)]]
    assert list(cells(tags)) == [
        "0.9167 / 0.8333", "1.0000 / 1.0000", "0.2625 / 0.4750", "0.7500 / 0.5000"]
    assert f1(np.array([True, True, False]), np.array([0.5, 0.4, 0.1])) == pytest.approx(2 / 3)


def test_a_sample_takes_the_same_share_of_every_tag_with_all_that_a_picture_carries():
    tags = {"a": [f"h{number:02}" for number in range(20)], "b": ["h00", "h19", "i1", "i2", "i3", "i4"]}
    assert sample(tags, 12) == {
        "a": ["h00", "h01", "h02", "h03", "h04", "h05", "h06", "h07", "h08", "h09", "h19"],
        "b": ["h00", "h19", "i1"]}
    assert sample(tags, 100) == tags


@pytest.fixture(scope="module")
def six_tags() -> tuple[Metadata, dict[str, list[str]]]:
    """Ten pictures of each, close to one another."""
    random = np.random.default_rng(0)
    vectors = np.repeat(np.eye(6), 10, 0) + random.normal(scale=0.3, size=(60, 6))
    names = [f"h{row}" for row in range(60)]
    rows = {name: row for row, name in enumerate(names)}
    tags = {f"tag {tag}": names[10 * tag:10 * tag + 10] for tag in range(6)}
    return Metadata("M:p", rows, vectors.astype(np.float32)), tags


def test_every_kind_of_model_is_asked_about_the_pictures_of_a_fold_that_it_has_not_seen(six_tags):
    metadata, tags = six_tags
    unseen = UnseenProbabilities(metadata, tags)
    unseen.add_fold(0)
    assert list(unseen.said) == [LOGISTIC_REGRESSION, SVM, PLAIN]
    for said in unseen.said.values():
        assert list(said) == list(tags)
        sizes = {(is_tag.sum(), len(probabilities)) for [(is_tag, probabilities)] in said.values()}
        assert sizes == {(2, 12)}


def test_a_draw_learns_nothing_of_unknown_tags_and_no_new_picture(six_tags, monkeypatch):
    metadata, tags = six_tags
    learnt = []

    class Nobody:
        def __init__(self, metadata, splits, *rest):
            learnt.append(splits)

        def models(self, fitted):
            return iter(())

    monkeypatch.setattr(unknown_tags, "Training", Nobody)
    everything, new = TaggedRows(tags, metadata), []
    for number in range(5):
        draw = Draw(metadata, tags, everything, number)
        draw.counts()
        rows = np.unique(np.concatenate([split.examples()[0] for split in learnt[-1].values()]))
        assert (len(learnt[-1]), len(rows), len(draw.new)) == (4, 32, 12)
        assert draw.pictures.is_stranger.sum() == 4
        assert not np.isin(rows, draw.new).any()
        assert sorted(np.unique(rows // 10)) == [int(tag[-1]) for tag in learnt[-1]]
        new.append(draw.new)
    assert sorted(np.concatenate(new)) == list(range(60)), "every picture is new once"
    assert len({tuple(splits) for splits in learnt}) > 1, "other tags are unknown"


def test_thresholds_are_those_that_the_product_finds_in_either_world():
    """A hundred pictures of a tag, and a hundred of three others, ten of which look like it to who has never
    met their kind."""
    rows, names = np.arange(200), [f"h{row}" for row in range(200)]
    metadata = Metadata("M:p", {name: row for row, name in enumerate(names)}, np.eye(200, dtype=np.float32))
    tags = {"tag": names[:100], "b": names[100:140], "c": names[140:170], "d": names[170:]}
    closed = np.repeat([0.9, 0.6, 0.4], [50, 50, 100])
    strangers = np.where((rows >= 100) & (rows < 110), 0.6, closed)
    calibration = Calibration(SIGMOID, 1.0, 0.0, closed, None, None, strangers, rows >= 100)
    model = Fitted(
        "tag", SVM, None, calibration, Split(rows[:100], rows[:0], rows[100:], rows[:0]), np.empty(0))
    tagged = TaggedRows(tags, metadata)
    judges = {promised: Judge(metadata, tagged, (promised, promised), STRANGERS) for promised in (0.9, 0.95)}
    assert thresholds(model, judges) == {
        (0.9, CLOSED): 0.6, (0.9, STRANGERS): 0.9, (0.95, CLOSED): 0.6, (0.95, STRANGERS): None}
