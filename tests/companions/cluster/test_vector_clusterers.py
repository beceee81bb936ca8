"""Every clusterer finds clusters that are there, tells each choice, loses nothing."""
import numpy as np
import pytest

from cache.refusal import Refused
from companions.cluster import vector_clusterers
from companions.cluster.vector_clusterers import CLUSTERERS, OUTLIER, Grid, clustered

GRID = Grid(number_of_clusters=(2, 4, 9), eps=(0.05, 0.5), min_cluster_size=(3, 6))
every_clusterer = pytest.mark.parametrize("clusterer", CLUSTERERS)


def drawn_vectors(each: int = 12, strangers: int = 0) -> np.ndarray:
    """Four clouds, one after the other, then vectors farther from all than the clouds from each other."""
    chance = np.random.default_rng(0)
    centres = np.repeat(np.eye(4, 48) * 10, each, axis=0)
    clouds = centres + chance.standard_normal(centres.shape) * 0.3
    away = 30 * np.eye(48)[4:4 + strangers] - 10 * np.eye(4, 48).sum(0)
    return np.concatenate([clouds, away]).astype(np.float32)


@every_clusterer
def test_the_clusters_that_are_there_win(clusterer):
    labels, choices = clustered(drawn_vectors(), clusterer, GRID)
    assert labels.tolist() == np.repeat(range(4), 12).tolist()
    [best] = [choice for choice in choices if choice.is_best]
    assert (best.clusters, best.outliers) == (4, 0)
    assert best.silhouette > 0.8


@every_clusterer
def test_every_choice_is_told_with_its_figures(clusterer):
    told = []
    _, choices = clustered(drawn_vectors(), clusterer, GRID, lambda: told.append(1))
    names = CLUSTERERS[clusterer].settings
    wanted = {"kmeans": 3, "hierarchy": 3, "gaussian": 3, "dbscan": 4, "hdbscan": 2}[clusterer]
    assert [tuple(choice.settings) for choice in choices] == [names] * wanted
    assert len(told) == len(choices)
    for choice in choices:
        figures = (choice.silhouette, choice.calinski_harabasz, choice.davies_bouldin)
        assert (None in figures) == (choice.clusters < 2)


@pytest.mark.parametrize("clusterer", ["dbscan", "hdbscan"])
def test_what_is_like_none_is_an_outlier(clusterer):
    labels, _ = clustered(drawn_vectors(strangers=5), clusterer, Grid(eps=(0.5,), min_cluster_size=(10,)))
    assert labels.tolist() == [*np.repeat(range(4), 12).tolist(), *[OUTLIER] * 5]


def test_who_is_alone_in_a_cluster_is_an_outlier():
    labels, [choice] = clustered(drawn_vectors(strangers=1), "hierarchy", Grid(number_of_clusters=(5,)))
    assert labels.tolist() == [*np.repeat(range(4), 12).tolist(), OUTLIER]
    assert (choice.clusters, choice.outliers) == (4, 1)


def test_two_that_are_nearly_the_same_do_not_win_over_the_clusters_of_all():
    vectors = drawn_vectors()
    vectors[[1, 13]] = vectors[[0, 12]] + 1e-4
    labels, choices = clustered(vectors, "dbscan", Grid(eps=(0.001, 0.5), min_cluster_size=(2,)))
    assert [(choice.clusters, choice.is_best) for choice in choices] == [(2, False), (4, True)]
    assert choices[0].silhouette > choices[1].silhouette
    assert OUTLIER not in labels


@every_clusterer
@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_vectors_are_outliers_where_they_are_no_cluster(clusterer, count):
    labels, choices = clustered(drawn_vectors()[:count], clusterer, Grid())
    assert labels.tolist() == [OUTLIER] * count
    assert sum(choice.is_best for choice in choices) == 1


@every_clusterer
def test_vectors_that_are_all_the_same_give_an_answer_without_figures(clusterer):
    labels, choices = clustered(np.ones((30, 40), np.float32), clusterer, GRID)
    assert len(labels) == 30
    assert {choice.silhouette for choice in choices} == {None}


@pytest.mark.parametrize(("clusterer", "grid", "message"), [
    ("kmean", Grid(), "there is no clusterer kmean; there are kmeans, hierarchy, dbscan, hdbscan, gaussian"),
    ("kmeans", Grid(number_of_clusters=(5, 1)), "number_of_clusters is at least 2, not 1"),
    ("dbscan", Grid(eps=(float("nan"),)), "eps is above 0, not nan"),
    ("dbscan", Grid(eps=()), "eps names no value"),
    ("hdbscan", Grid(min_cluster_size=(0,)), "min_cluster_size is at least 2, not 0"),
])
def test_what_cannot_be_is_refused(clusterer, grid, message):
    with pytest.raises(Refused) as refused:
        clustered(drawn_vectors(), clusterer, grid)
    assert str(refused.value) == message


def test_more_vectors_than_their_distances_have_room_are_refused(monkeypatch):
    monkeypatch.setattr(vector_clusterers, "MOST_OF_HIERARCHY", 47)
    message = "hierarchy compares all pictures with all: at most 47, not 48; hdbscan takes more"
    with pytest.raises(Refused, match=message):
        clustered(drawn_vectors(), "hierarchy", GRID)
