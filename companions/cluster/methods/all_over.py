"""Points from all over a picture: a text or a logo in it would else have most of the strongest."""
import numpy as np

CELLS = 8  # of a picture, across and down


def all_over(places: np.ndarray, strength: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Their numbers: the strongest of every cell, then the second of every cell, and so on; each time the
    stronger first. places: (n, 2), x and y; shape: height and width of the picture."""
    cells = (places * CELLS / shape[1::-1]).astype(int) @ (1, CELLS)
    by_cell = np.lexsort((-strength, cells))
    begins = np.searchsorted(cells[by_cell], cells[by_cell])
    ranks = np.empty(len(cells), int)
    ranks[by_cell] = np.arange(len(cells)) - begins
    return np.lexsort((-strength, ranks))
