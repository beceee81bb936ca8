"""Clusters of vectors by the clusterers of scikit-learn, with the settings of a grid that three metrics like
most.

    labels, choices = clustered(vectors, "kmeans", Grid(number_of_clusters=(5, 10, 20)))

Vectors are seen from their mean, have length 1, and are reduced to the directions in which they differ most.
Whatever is noise, or alone in its cluster, is an outlier; the metrics are those of the others:
silhouette (Rousseeuw 1987), Calinski-Harabasz (1974) and Davies-Bouldin (1979). Each ranks all choices; the
least sum of ranks wins, the earlier of equals. What leaves more than half as outliers comes after all that
leaves less: two pictures that are nearly the same would else be the best clustering of a thousand.
"""
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from cache.refusal import Refused
from cache.vectors.near_duplicates import directions

OUTLIER = -1
DIMENSIONS = 32  # that vectors are reduced to: densities mean nothing in many
MOST_OF_HIERARCHY = 10_000  # vectors: their distances take 400 MB
MOST_OF_SILHOUETTE = 5000  # vectors, drawn of more: it compares all with all
SEED = 0
TURNS = 3  # of k-means, from other starts
LEAST_VARIANCE = 1e-4  # of a Gaussian in each direction: copies alone would have none

Settings = dict[str, float]


@dataclass(frozen=True)
class Grid:
    """Of each clusterer those that it knows, in all combinations."""

    number_of_clusters: Sequence[int] = (5, 10, 20)  # kmeans, hierarchy, gaussian
    eps: Sequence[float] = (0.2, 0.4, 0.6, 0.8)  # dbscan: of vectors of length 1
    min_cluster_size: Sequence[int] = (2, 3, 5)  # dbscan, hdbscan: so many near each other are a cluster


class Choice(NamedTuple):
    """Figures are None where there are less than two clusters, or only copies."""

    settings: Settings
    clusters: int
    outliers: int
    silhouette: float | None  # -1 to 1, more is better
    calinski_harabasz: float | None  # more is better
    davies_bouldin: float | None  # less is better
    is_best: bool


class Clusterer(NamedTuple):
    settings: tuple[str, ...]  # names of the Grid's
    labels: Callable[..., np.ndarray]  # of vectors and settings


def _kmeans(vectors: np.ndarray, number_of_clusters: int) -> np.ndarray:
    from sklearn.cluster import KMeans

    return KMeans(number_of_clusters, n_init=TURNS, random_state=SEED).fit_predict(vectors)


def _hierarchy(vectors: np.ndarray, number_of_clusters: int) -> np.ndarray:
    from sklearn.cluster import AgglomerativeClustering

    return AgglomerativeClustering(number_of_clusters).fit_predict(vectors)


def _gaussian(vectors: np.ndarray, number_of_clusters: int) -> np.ndarray:
    from sklearn.mixture import GaussianMixture

    mixture = GaussianMixture(
        number_of_clusters, covariance_type="diag", reg_covar=LEAST_VARIANCE, random_state=SEED)
    return mixture.fit_predict(vectors)


def _dbscan(vectors: np.ndarray, eps: float, min_cluster_size: int) -> np.ndarray:
    from sklearn.cluster import DBSCAN

    return DBSCAN(eps=eps, min_samples=min_cluster_size).fit_predict(vectors)


def _hdbscan(vectors: np.ndarray, min_cluster_size: int) -> np.ndarray:
    from sklearn.cluster import HDBSCAN

    return HDBSCAN(min_cluster_size=min_cluster_size, copy=True).fit_predict(vectors)


CLUSTERERS = {
    "kmeans": Clusterer(("number_of_clusters",), _kmeans),
    "hierarchy": Clusterer(("number_of_clusters",), _hierarchy),
    "dbscan": Clusterer(("eps", "min_cluster_size"), _dbscan),
    "hdbscan": Clusterer(("min_cluster_size",), _hdbscan),
    "gaussian": Clusterer(("number_of_clusters",), _gaussian),
}


def clustered(
    vectors: np.ndarray, clusterer: str, grid: Grid = Grid(),
    tried: Callable[[], object] = lambda: None,
) -> tuple[np.ndarray, list[Choice]]:
    """vectors: float (n, d). -> int (n,), clusters counted from 0 in the order of their first vectors,
    OUTLIER for those in none; and all choices, in the order of the grid. tried() is called after each. The
    same vectors give the same, whatever the number of threads. Raises Refused for an unknown clusterer,
    settings that it cannot have, and more vectors than it can compare."""
    from threadpoolctl import threadpool_limits

    all_settings = settings_of(clusterer, grid)
    if clusterer == "hierarchy" and len(vectors) > MOST_OF_HIERARCHY:
        raise Refused(f"hierarchy compares all pictures with all: at most {MOST_OF_HIERARCHY:,}, "
                      f"not {len(vectors):,}; hdbscan takes more")
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of fewer different vectors than clusters
        reduced = _reduced(vectors)
        labels = []
        for settings in all_settings:
            labels.append(_labels(reduced, CLUSTERERS[clusterer], settings))
            tried()
        figures = [_figures(reduced, of_vectors) for of_vectors in labels]
    outliers = [int((of_vectors == OUTLIER).sum()) for of_vectors in labels]
    best = _best(figures, outliers, len(vectors))
    choices = [
        Choice(settings, int(labels[place].max(initial=OUTLIER)) + 1, outliers[place], *figures[place],
               place == best)
        for place, settings in enumerate(all_settings)]
    return labels[best], choices


def settings_of(clusterer: str, grid: Grid) -> list[Settings]:
    if clusterer not in CLUSTERERS:
        raise Refused(f"there is no clusterer {clusterer}; there are {', '.join(CLUSTERERS)}")
    names = CLUSTERERS[clusterer].settings
    for name in names:
        _check(name, getattr(grid, name))
    return [dict(zip(names, values, strict=True))
            for values in product(*(dict.fromkeys(getattr(grid, name)) for name in names))]


def _check(name: str, values: Sequence[float]) -> None:
    least = 0 if name == "eps" else 2
    if not values:
        raise Refused(f"{name} names no value")
    for value in values:
        if not (value >= least and 0 < value < np.inf):
            raise Refused(f"{name} is {'above 0' if name == 'eps' else 'at least 2'}, not {value:g}")


def _reduced(vectors: np.ndarray) -> np.ndarray:
    """float64 (n, k)"""
    seen = directions(vectors.astype(np.float64)) if len(vectors) else np.empty((0, 1))
    if seen.shape[1] <= DIMENSIONS:
        return seen
    longest = np.linalg.eigh(seen.T @ seen)[1][:, :-DIMENSIONS - 1:-1]  # eigenvalues come ascending
    return seen @ longest


def _labels(vectors: np.ndarray, clusterer: Clusterer, settings: Settings) -> np.ndarray:
    if len(vectors) <= max(settings.values()):  # each would be alone, or there are not enough for a cluster
        return np.full(len(vectors), OUTLIER)
    raw: np.ndarray = clusterer.labels(vectors, **settings)
    _, first, numbers, counts = np.unique(raw, return_index=True, return_inverse=True, return_counts=True)
    is_cluster = (raw[first] >= 0) & (counts > 1)
    order = np.argsort(np.where(is_cluster, first, len(raw)), kind="stable")
    renumbered = np.empty(len(first), np.int64)
    renumbered[order] = np.arange(len(first))
    return np.where(is_cluster, renumbered, OUTLIER)[numbers]


def _figures(vectors: np.ndarray, labels: np.ndarray) -> tuple[float | None, float | None, float | None]:
    from sklearn import metrics

    inner, of_inner = vectors[labels != OUTLIER], labels[labels != OUTLIER]
    if len(set(of_inner.tolist())) < 2 or len(np.unique(inner, axis=0)) < 3:
        return None, None, None
    size: dict[str, Any] = {"sample_size": min(MOST_OF_SILHOUETTE, len(inner)), "random_state": SEED}
    return (round(float(metrics.silhouette_score(inner, of_inner, **size)), 6),
            round(float(metrics.calinski_harabasz_score(inner, of_inner)), 6),
            round(float(metrics.davies_bouldin_score(inner, of_inner)), 6))


def _best(figures: Sequence[tuple[float | None, ...]], outliers: Sequence[int], count: int) -> int:
    """The place of the choice that wins."""
    sums = np.sum([*_ranks(figures)], axis=0)
    lacks_figures = [None in of_choice for of_choice in figures]
    leaves_most = [2 * left > count for left in outliers]
    return min(range(len(figures)), key=lambda place: (
        leaves_most[place], lacks_figures[place], sums[place], outliers[place], place))


def _ranks(figures: Sequence[tuple[float | None, ...]]) -> Iterator[list[int]]:
    """By each metric, how many choices are better."""
    for sign, column in zip((-1, -1, 1), zip(*figures, strict=True), strict=True):
        costs = [np.inf if figure is None else sign * figure for figure in column]
        yield [sum(other < cost for other in costs) for cost in costs]
