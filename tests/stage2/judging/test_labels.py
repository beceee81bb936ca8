"""Labels with a mistake in every picture, of a kind that its number of tags allows."""
import numpy as np

from stage2.judging.labels import Labels


def of_all(labels: Labels) -> list[set[int]]:
    return [set(labels.of_row(row).tolist()) for row in range(labels.row_count)]


def test_labels_are_known_by_row_and_by_tag():
    labels = Labels.of_carriers([np.array([0, 2]), np.array([2, 3])], 5)
    assert of_all(labels) == [{0}, set(), {0, 1}, {1}, set()]
    assert labels.number.tolist() == [1, 0, 2, 1, 0]
    assert [rows.tolist() for rows in labels.carriers] == [[0, 2], [2, 3]]


def test_without_a_tag_there_is_nothing_to_mistake():
    for row_count in (0, 7):
        assert of_all(Labels.of_carriers([], row_count).with_mistakes()) == [set()] * row_count


def test_every_picture_gets_one_mistake():
    one, several, every = np.arange(0, 300), np.arange(300, 600), np.arange(600, 700)  # the rest has no tag
    carriers = [
        np.concatenate([one[::2], several, every]), np.concatenate([one[1::2], several[::2], every]),
        np.concatenate([several[1::2], every]), every]
    labels = Labels.of_carriers([np.sort(rows) for rows in carriers], 800)
    spoilt = labels.with_mistakes()
    mistakes = [
        (len(before - after), len(after - before))
        for before, after in zip(of_all(labels), of_all(spoilt), strict=True)]
    assert set(mistakes[:300]) == {(1, 1)}, "another one in place of the only tag"
    assert set(mistakes[300:600]) == {(1, 1), (1, 0), (0, 1)}
    assert set(mistakes[600:700]) == {(1, 0)}
    assert set(mistakes[700:]) == {(0, 1)}
    assert len(np.unique(spoilt.tags[:300])) == 4, "all tags alike"
    again = Labels.of_carriers(labels.carriers, 800).with_mistakes()
    assert (again.rows.tolist(), again.tags.tolist()) == (spoilt.rows.tolist(), spoilt.tags.tolist())
