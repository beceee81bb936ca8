"""Which tagged rows are nearly the same picture, and are therefore dealt together."""
from collections.abc import Callable, Mapping

import numpy as np

from cache.vectors import near_duplicates

# Of a tag's images, but a pair always: chains of similar pictures must not swallow a whole tag.
LARGEST_GROUP = 0.05


def groups(
    rows_of: Mapping[str, np.ndarray], matrix: np.ndarray,
    grouped: Callable[[int], object] = lambda count: None,
) -> np.ndarray:
    """A number for each row of the matrix, the same for near-duplicates that have the same tags; -1 for rows
    without a tag. rows_of: the rows of each tag; grouped(count) is called after so many rows."""
    alike = _rows_of_the_same_tags(rows_of)
    group_of = np.full(len(matrix), -1)
    tagged = np.sort(np.concatenate([np.empty(0, np.int64), *map(np.array, alike.values())]))
    mean = matrix[tagged].mean(0) if len(tagged) else None
    for tags, rows in alike.items():
        smallest = min(len(rows_of[tag]) for tag in tags)
        largest = max(2, int(LARGEST_GROUP * smallest))
        numbers = near_duplicates.groups(near_duplicates.directions(matrix[rows], mean), largest, grouped)
        first_of_group = np.unique(numbers, return_index=True)[1]
        group_of[rows] = np.array(rows)[first_of_group][numbers]
    group_of[tagged] = np.unique(group_of[tagged], return_inverse=True)[1]
    return group_of


def _rows_of_the_same_tags(rows_of: Mapping[str, np.ndarray]) -> dict[tuple[str, ...], list[int]]:
    """{tags: the rows that carry these and no others, ascending}"""
    tags_of: dict[int, list[str]] = {}
    for tag, rows in rows_of.items():
        for row in rows.tolist():
            tags_of.setdefault(row, []).append(tag)
    alike: dict[tuple[str, ...], list[int]] = {}
    for row in sorted(tags_of):
        alike.setdefault(tuple(tags_of[row]), []).append(row)
    return alike
