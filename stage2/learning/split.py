"""What one tag is learnt from, and what is held out for its report: the final model learns from both."""
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Split:
    """Row numbers of the metadata matrix, ascending."""

    tag_train: np.ndarray
    tag_test: np.ndarray
    other_train: np.ndarray
    other_test: np.ndarray

    def counts(self) -> dict[str, int]:
        return {
            "tag_train": len(self.tag_train),
            "tag_test": len(self.tag_test),
            "other_train": len(self.other_train),
            "other_test": len(self.other_test),
        }

    def examples(self) -> tuple[np.ndarray, np.ndarray]:
        """The rows that are dealt into folds, ascending, and whether they carry the tag."""
        return _in_order(self.tag_train, self.other_train)

    def all_examples(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """All rows, ascending, whether they carry the tag, and whether they are held out."""
        tags = np.concatenate([self.tag_train, self.tag_test])
        others = np.concatenate([self.other_train, self.other_test])
        rows, is_tag = _in_order(tags, others)
        return rows, is_tag, np.isin(rows, np.concatenate([self.tag_test, self.other_test]))

    def training(self) -> tuple[np.ndarray, np.ndarray]:
        """The rows in folds, and their classes: 0 is the tag, 1 is everything else."""
        rows, is_tag = self.examples()
        return rows, np.where(is_tag, 0, 1)


def _in_order(tags: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rows = np.concatenate([tags, others])
    is_tag = np.repeat([True, False], [len(tags), len(others)])
    order = np.argsort(rows)
    return rows[order], is_tag[order]


_NO_ROWS = np.empty(0, np.int64)
NO_EXAMPLES = Split(_NO_ROWS, _NO_ROWS, _NO_ROWS, _NO_ROWS)
