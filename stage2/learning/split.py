"""What one tag is learnt from, and what is held out for its report."""
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
        """The rows to train on, ascending, and whether they carry the tag."""
        rows = np.concatenate([self.tag_train, self.other_train])
        is_tag = np.repeat([True, False], [len(self.tag_train), len(self.other_train)])
        order = np.argsort(rows)
        return rows[order], is_tag[order]

    def training(self) -> tuple[np.ndarray, np.ndarray]:
        """The same rows, and their classes: 0 is the tag, 1 is everything else."""
        rows, is_tag = self.examples()
        return rows, np.where(is_tag, 0, 1)


_NO_ROWS = np.empty(0, np.int64)
NO_EXAMPLES = Split(_NO_ROWS, _NO_ROWS, _NO_ROWS, _NO_ROWS)
