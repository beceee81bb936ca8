"""The promise of precision where new pictures may be of kinds that nobody has taught.

Of the pictures there that are not of the tag, three in ten are taken to be of kinds that were taught, and the
rest to be strangers. How strangers fare is known of the kinds that were tried, each by models that had never
met it; but the next kind may be nearer to the tag than most: one more is counted in, with as many mistakes as
the kind that has the most.

Where all that is akin to a tag is unknown (a sandal to whoever has seen no other shoe), nothing that was
tried comes near the tag, and any threshold would do. There the tag's own pictures set it: the least likely
of them are given up, too.

Measured on five sets with a third of the tags kept from training, and what did not win: see docs/report.md.
"""
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stage2.judging.promises import WEIGHT_DIGITS, Levels, Promise, picture_weights

STRANGERS = 0.7  # of the pictures that are not of the tag
# Of the tag's own pictures, times the share of mistakes that the promise allows: for .9 a tenth are given up,
# for .95 a fifth.
GIVEN_UP, MOST_GIVEN_UP = 0.01, 0.5


@dataclass(frozen=True)
class Asked:
    """Pictures and what unseen models say of them: (n,) each."""

    probabilities: np.ndarray
    kind_of: np.ndarray  # the same number for pictures of one kind
    group_of: np.ndarray  # the same for near-duplicates, which together count as one picture

    @property
    def weights(self) -> np.ndarray:
        return picture_weights(self.group_of)


def precision_among_strangers(own: Asked, known: Asked, strangers: Asked, target: float) -> Promise:
    """At the lowest threshold that surely keeps it, and that not all of the tag's own pictures reach.

    own: pictures of the tag; known: others as models say that know their kinds; strangers: as those say that
    do not. Where not all others could be tried, those that could stand for all."""
    parts = [own, known, strangers]
    probabilities = np.concatenate([part.probabilities for part in parts])
    order = np.argsort(-probabilities, kind="stable")
    probabilities = probabilities[order]
    # What each entry counts for, as a picture of the tag, of a known kind, or as a stranger: (entries,) each.
    right, known_kind, stranger = _side_by_side([part.weights for part in parts])[:, order]
    stranger *= known_kind.sum() / stranger.sum()
    kinds = np.concatenate([part.kind_of for part in parts])[order]
    count = len(np.unique(strangers.kind_of))
    one_more = (np.cumsum(stranger) + _most_of_a_kind(kinds, stranger)) * count / (count + 1)
    wrong = (1 - STRANGERS) * np.cumsum(known_kind) + STRANGERS * one_more
    last = np.append(np.diff(probabilities) != 0, True)  # equal probabilities fall on one side of a threshold
    last &= probabilities >= _floor(own.probabilities, target)
    right_ones = np.round(np.cumsum(right)[last], WEIGHT_DIGITS)
    called = np.round(right_ones + wrong[last], WEIGHT_DIGITS)
    tags = round(float(right.sum()), WEIGHT_DIGITS)
    return Levels(probabilities[last], right_ones, called).promise(target, tags, lowest=True)


def _floor(own: np.ndarray, target: float) -> float:
    """The probability that those of the tag's pictures reach which are not given up."""
    given_up = min(MOST_GIVEN_UP, GIVEN_UP / (1 - target))
    return float(np.quantile(own, given_up, method="higher"))


def _side_by_side(parts: Sequence[np.ndarray]) -> np.ndarray:
    """One below the other, each in columns of its own, and 0 elsewhere: (parts, columns)."""
    columns = np.zeros((len(parts), sum(map(len, parts))))
    start = 0
    for row, part in zip(columns, parts, strict=True):
        row[start:start + len(part)] = part
        start += len(part)
    return columns


def _most_of_a_kind(kinds: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Of the entries so far, the weight of the kind that has the most: (n,)."""
    by_kind = np.argsort(kinds, kind="stable")
    sums = np.cumsum(weights[by_kind])
    first = np.flatnonzero(np.diff(kinds[by_kind], prepend=-1))
    before = np.append(0, sums)[first]
    so_far = np.empty(len(kinds))
    so_far[by_kind] = sums - np.repeat(before, np.diff(first, append=len(kinds)))
    return np.maximum.accumulate(so_far)
