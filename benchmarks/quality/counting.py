"""What became of promises: the yeses of a draw of unknown tags counted, and shares over several draws with
their intervals."""
from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np

from stage2.judging.promises import upper_end

SURE = 0.95
FEWEST_DRAWS = 3  # of fewer an interval would say nothing


@dataclass(frozen=True)
class Counts:
    """Of one tag, or of the tags of a draw together."""

    right: int = 0  # yeses to pictures that carry the tag
    to_taught: int = 0  # yeses to pictures with a tag that was taught
    yeses: int = 0  # all of them, strangers' too
    carrying: int = 0  # new pictures that carry the tag
    carrying_promising: int = 0  # of these, those of tags with a threshold for yes
    tags: int = 0
    promising: int = 0  # tags with a threshold for yes
    below: int = 0  # of these, with a smaller share of right ones than promised
    broken: int = 0  # of these, so small that it is 95 % sure to be no accident

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(one + another for one, another in zip(astuple(self), astuple(other), strict=True)))


@dataclass(frozen=True)
class NewPictures:
    is_stranger: np.ndarray  # bool (n,): carries no tag that was taught
    group_of: np.ndarray  # (n,), the same number for near-duplicates, which together count as one picture

    def count(
        self, is_tag: np.ndarray, probabilities: np.ndarray, yes_from: float | None, promised: float,
    ) -> Counts:
        """is_tag, probabilities: (n,), of one tag; yes_from: None if it promises nothing."""
        if yes_from is None:
            return Counts(carrying=int(is_tag.sum()), tags=1)
        is_yes = probabilities >= yes_from
        weights = (1 / np.bincount(self.group_of)[self.group_of])[is_yes]
        right, yeses = float(weights[is_tag[is_yes]].sum()), float(weights.sum())
        return Counts(
            right=int((is_yes & is_tag).sum()),
            to_taught=int((is_yes & ~self.is_stranger).sum()),
            yeses=int(is_yes.sum()),
            carrying=int(is_tag.sum()),
            carrying_promising=int(is_tag.sum()),
            tags=1,
            promising=1,
            below=int(right < promised * yeses),
            broken=int(yeses > 0 and upper_end(right, yeses) < promised),
        )


def share(parts: Sequence[int], wholes: Sequence[int]) -> str:
    """Of all draws together, half the width of the interval of 95 %, and the smallest and the largest of a
    draw: ".84 ± .05 (.79 to .90)". The interval is Student's t of a ratio estimated from a sample (Cochran
    1977, Sampling Techniques, 6.3), here of the draws in which there is something to share."""
    from scipy.stats import t

    part, whole = np.array(parts, float), np.array(wholes, float)
    part, whole = part[whole > 0], whole[whole > 0]
    draws = len(whole)
    if not draws:
        return "none"
    ratio = part.sum() / whole.sum()
    between = f"({short((part / whole).min())} to {short((part / whole).max())})"
    if draws < FEWEST_DRAWS:
        return f"{short(ratio)} {between}"
    spread = np.sqrt(((part - ratio * whole) ** 2).sum() / (draws - 1))
    half = t.ppf((1 + SURE) / 2, draws - 1) * spread / np.sqrt(draws) / whole.mean()
    return f"{short(ratio)} ± {short(half)} {between}"


def short(value: float) -> str:
    """.84 for 0.84, and 1.00."""
    return f"{value:.2f}".removeprefix("0")
