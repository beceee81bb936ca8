"""Which images of an unlabelled set to label next: uncertain ones that stand for many others about which a
model is unsure, too.

Facility location among the most uncertain (Wei, Iyer and Bilmes 2015, Submodularity in Data Subset Selection
and Active Learning), each image's gain times its own uncertainty. Mean average precision that 30 to 50 such
labels gain beyond as many labels of random images, by the number of labels there were (means of 25 draws,
standard errors .001 to .015), and for comparison that of uncertainty times novelty, which likes the odd ones
out:

                                  stamps                emoji                   clothes
    labels there were             30     150            30     100    300       30     100    300
    this                          .024   -.002          .034   .010   .008      .010   .013   .006
    uncertainty times novelty     .036   -.002          .006   .006   .008      -.019  .002   .002
"""
from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np

from cache.stores.metadata import Metadata
from cache.vectors.near_duplicates import directions, groups
from stage2.judging.results import Suggestion

ROWS_AT_ONCE = 4096  # that are scored together: of 1,824 features 57 MiB in the float64 of the models
CANDIDATES = 20  # for each image asked for


def suggestions(
    metadata: Metadata, score: Callable[[np.ndarray], np.ndarray], tags: Sequence[str],
    labelled: Collection[str], *, find_paths: Callable[[Collection[str]], Mapping[str, str]], count: int = 50,
) -> list[Suggestion]:
    """The best first.

    score: vectors (n, d) -> probabilities (n, models), asked block by block; tags: the tag of each model;
    labelled: hash_ids to leave out; find_paths: hash_ids -> the paths of those known.
    """
    column, probability = _least_sure(metadata.matrix, score)
    uncertainty = 1 - np.abs(2 * probability - 1)
    candidates, alike = _distinct(metadata, _candidates(metadata, uncertainty, labelled, CANDIDATES * count))
    places, novelty = _chosen(uncertainty[candidates], alike, count)
    rows = candidates[places].tolist()
    names = metadata.hash_ids
    path_of = find_paths([names[row] for row in rows])
    return [
        Suggestion(
            hash_id=names[row],
            file_path=path_of.get(names[row]),
            tag=tags[column[row]],
            probability=float(probability[row]),
            uncertainty=float(uncertainty[row]),
            novelty=new,
        )
        for row, new in zip(rows, novelty, strict=True)
    ]


def _least_sure(
    matrix: np.ndarray, score: Callable[[np.ndarray], np.ndarray],
) -> tuple[np.ndarray, np.ndarray]:
    """Of each row the model whose probability is nearest to a half, and that probability: (n,), (n,). Block
    by block: the scores of many models would take more memory than the matrix."""
    column = np.empty(len(matrix), np.int64)
    probability = np.empty(len(matrix))
    for start in range(0, len(matrix), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        scores = score(matrix[rows])
        column[rows] = np.abs(scores - 0.5).argmin(1)
        probability[rows] = np.take_along_axis(scores, column[rows, None], 1)[:, 0]
    return column, probability


def _candidates(
    metadata: Metadata, uncertainty: np.ndarray, labelled: Collection[str], most: int,
) -> np.ndarray:
    """Rows that nobody has labelled, the most uncertain first."""
    unlabelled = np.ones(len(uncertainty), bool)
    unlabelled[[metadata.rows[hash_id] for hash_id in labelled if hash_id in metadata.rows]] = False
    rows = np.flatnonzero(unlabelled)
    return rows[np.argsort(-uncertainty[rows], kind="stable")][:most]


def _distinct(metadata: Metadata, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of these rows the first of every group of near-duplicates, and their directions: (m,), float32 (m,
    d)."""
    mean = metadata.matrix.mean(0, dtype=np.float64).astype(np.float32)
    alike = directions(metadata.matrix[rows], mean)
    _, first_of_group = np.unique(groups(alike, len(alike)), return_index=True)
    return rows[first_of_group], alike[first_of_group]


def _chosen(uncertainty: np.ndarray, alike: np.ndarray, count: int) -> tuple[list[int], list[float]]:
    """Places in the order of choice, and the novelty of each: one less the cosine to the nearest one chosen
    before, 1 for the first. uncertainty: (m,), alike: float32 (m, d), of length 1."""
    places: list[int] = []
    novelty: list[float] = []
    cosines = alike @ alike.T  # (m, m)
    # Of each to those chosen; one that looks the other way is no farther than a stranger.
    closest = np.zeros(len(alike), np.float32)
    for _ in range(min(count, len(alike))):
        nearer = np.maximum(cosines - closest[:, None], 0)
        gain = uncertainty * (uncertainty @ nearer)
        gain[places] = -1
        place = int(gain.argmax())
        novelty.append(1 - float(cosines[place, places].max()) if places else 1.0)
        places.append(place)
        closest = np.maximum(closest, cosines[:, place])
    return places, novelty
