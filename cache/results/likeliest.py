"""How many scores fall into each bin of each model, and whose the highest are: in arrays, since there are
millions of scores."""
from dataclasses import dataclass

import numpy as np

from cache.models.decisions import DECISIONS
from cache.models.score_bins import bin_numbers


@dataclass(frozen=True)
class Cell:
    """What one model scored into one bin, and decided about in one way."""

    bin: int
    column: int  # the place of the model
    decision: str | None
    count: int
    likeliest: dict[int, float]  # position of a picture: its score, the highest first


class Likeliest:
    """Holds as much as there are cells, however many pictures there are. Of equally likely ones those stay
    that were listed first."""

    def __init__(self, bins: int, models: int, most: int):
        """most: pictures kept of a cell."""
        self._bins, self._most = bins, most
        self._shape = (bins, models, len(DECISIONS))
        size = bins * models * len(DECISIONS)
        self._counts = np.zeros(size, np.int64)
        self._least = np.full(size, -1.0)  # to be exceeded by the next one: in a full cell, the last one kept
        self._cells, self._positions, self._scores = np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)

    def add(self, positions: np.ndarray, scores: np.ndarray, decisions: np.ndarray) -> None:
        """Of pictures in listing order: their positions; scores and decision codes (pictures, models)."""
        columns = np.broadcast_to(np.arange(self._shape[1]), scores.shape)
        cells = np.ravel_multi_index((bin_numbers(scores, self._bins) - 1, columns, decisions), self._shape)
        self._counts += np.bincount(cells.ravel(), minlength=len(self._counts))
        higher = np.nonzero(scores > self._least[cells])
        if len(higher[0]):
            self._merge(cells[higher], positions[higher[0]], scores[higher])

    def _merge(self, cells: np.ndarray, positions: np.ndarray, scores: np.ndarray) -> None:
        cells = np.concatenate((self._cells, cells))
        positions = np.concatenate((self._positions, positions))
        scores = np.concatenate((self._scores, scores))
        order = np.lexsort((-scores, cells))  # stable: what came first stays before what is equal
        ranks = np.arange(len(order)) - np.searchsorted(cells[order], cells[order])
        order, ranks = order[ranks < self._most], ranks[ranks < self._most]
        self._cells, self._positions, self._scores = cells[order], positions[order], scores[order]
        last = ranks == self._most - 1
        self._least[self._cells[last]] = self._scores[last]

    def cells(self) -> list[Cell]:
        """Those that hold something, from the highest bin to the lowest, in the order of the models, yes
        before unsure before no."""
        cells = [self._cell(index) for index in np.flatnonzero(self._counts).tolist()]
        return sorted(cells, key=lambda cell: (-cell.bin, cell.column, -DECISIONS.index(cell.decision)))

    def _cell(self, index: int) -> Cell:
        bin_place, column, code = (int(place) for place in np.unravel_index(index, self._shape))
        kept = slice(*np.searchsorted(self._cells, [index, index + 1]))
        likeliest = dict(zip(self._positions[kept].tolist(), self._scores[kept].tolist(), strict=True))
        return Cell(bin_place + 1, column, DECISIONS[code], int(self._counts[index]), likeliest)
