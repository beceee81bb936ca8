"""The exact SVM of many rows from few of them: fit those that seem to matter, ask the machine about the
others, add those that it contradicts, until there are none.

Rows matter that are support vectors, no further on the right side than the margin of 1; the machine is the
same without the others. Of 10,000 pictures a quarter are support vectors, of 20,000 a fifth, and libsvm's
time grows with rows times steps.

All searches of a call go round by round together, so that a value of the kernel that has to be computed
serves them all.
"""
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import repeat
from queue import SimpleQueue

import numpy as np

from stage2.learning.kernel_values import KernelValues

C = 10.0  # measured on emoji, stamps and clothes, see docs/design.md
FIRST_FIELD = 2_000  # rows that a search begins with; of up to twice as many it takes all at once
FEWEST_OF_A_CLASS = 500  # among them, if there are as many
GROWTH = 2  # of the rows seen, from round to round, where every value of the kernel has to be computed
MOST_SEEN_TWICE = 50_000  # rows; of more, to look again would take as long as all fits
NEAR = 0.1  # beyond the margin: what may be a support vector as soon as some of the others are left out
MOST_ACTIVE = 12_288  # rows: 1.2 GB of values
MOST_SUPPORT = 9_216  # that leave room for others
BYTES_AT_ONCE = 7 << 27  # of the values that threads fit machines to: with 3 << 29, 4.3 GiB at 100,000 rows
MOST_ROUNDS = 50


@dataclass(frozen=True)
class Care:
    """How exact machines have to be."""

    tolerance: float  # of the margin
    exact: bool  # until no row contradicts the machine, whatever that takes


EXACT = Care(1e-3, exact=True)  # libsvm's own tolerance
# Of 20,000 drawn vectors, average precision .9891 instead of .9893 with a third of libsvm's steps. The last
# fit, with what the last look has added, is not looked at again.
LOOSE = Care(0.1, exact=False)


@dataclass(frozen=True)
class Machine:
    """What it says of a row, larger for the tag: the sum of its kernel with the support vectors times their
    coefficients, plus the offset."""

    support: np.ndarray  # rows (s,), ascending
    coefficients: np.ndarray  # float64 (s,), positive for rows of the tag
    offset: float

    def of(self, rows: np.ndarray) -> "Machine":
        """The same, if its rows are places among these."""
        return replace(self, support=rows[self.support])


class Search:
    """For one machine. signs: (n,), 1 for rows of the tag, -1 for others, 0 for rows not learnt from; start:
    rows that probably matter."""

    machine: Machine

    def __init__(self, signs: np.ndarray, start: np.ndarray | None = None):
        self._signs = signs
        # By chance, but one order for all searches: those of a tag's trials begin with the same rows.
        all_rows = np.random.default_rng(0).permutation(len(signs))
        self._order = all_rows[signs[all_rows] != 0]
        if start is not None:
            start = start[signs[start] != 0]
        elif len(self._order) <= 2 * FIRST_FIELD:
            start = self._order
        else:
            start = self._order[:FIRST_FIELD]
        self.active = self._with_both_classes(start)
        self.near = self.active  # what matters or nearly does
        self.finished = False
        self._margins = np.empty(0)  # of active rows

    def _with_both_classes(self, rows: np.ndarray) -> np.ndarray:
        """These rows, and others for a class of which they have too few: ascending."""
        parts = [rows]
        for sign in (1, -1):
            missing = FEWEST_OF_A_CLASS - np.count_nonzero(self._signs[rows] == sign)
            if missing > 0:
                others = self._order[self._signs[self._order] == sign]
                parts.append(others[~np.isin(others, rows)][:missing])
        return np.sort(np.concatenate(parts))

    def take_all(self) -> None:
        """Of the rows learnt from: their machine needs no look at others."""
        self.active = np.sort(self._order)

    def field(self, part: slice) -> np.ndarray:
        """Some of the rows learnt from: ascending."""
        return np.sort(self._order[part])

    def fit(self, square: np.ndarray, tolerance: float) -> None:
        """square: the kernel between active rows."""
        from sklearn import config_context
        from sklearn.svm import SVC

        # What libsvm shrinks to, these rows are already: to find that out takes an eighth of the time.
        fitted = SVC(C=C, kernel="precomputed", tol=tolerance, shrinking=False)
        with config_context(assume_finite=True):  # to look through the values takes longer than many a fit
            fitted.fit(square, self._signs[self.active])
        coefficients, offset = np.zeros(len(square)), float(fitted.intercept_[0])
        coefficients[fitted.support_] = fitted.dual_coef_[0]
        self._margins = self._signs[self.active] * (square @ coefficients + offset)
        used = coefficients != 0
        self.machine = Machine(self.active[used], coefficients[used], offset)

    def look_at(self, field: np.ndarray, scores: np.ndarray, care: Care) -> None:
        """Keep of the active rows what matters, and add what contradicts the machine. scores: (field,)."""
        margins = self._signs[field] * scores
        kept = np.union1d(self.machine.support, self.active[self._margins < 1 + NEAR])
        contradicting = np.setdiff1d(field[margins < 1 - care.tolerance], self.active, assume_unique=True)
        room = len(field) if care.exact else MOST_ACTIVE - len(kept)
        self.active = np.union1d(kept, some_of(contradicting, room))
        seen_all = len(field) == len(self._order)
        # What the machine of fewer rows calls near the margin are too many.
        self.near = np.union1d(self.active, field[margins < 1 + NEAR]) if seen_all else self.active
        # What more rows would teach, there is no room for: the machine is that of the fields so far.
        too_many = not care.exact and len(self.machine.support) > MOST_SUPPORT
        self.finished = (seen_all and not len(contradicting)) or too_many


class ActiveSets:
    """The solver for one kernel."""

    def __init__(self, kernel: KernelValues, threads: ThreadPoolExecutor, fitted: Callable[[int], object]):
        """fitted(count) is called whenever so many machines more are found."""
        self._kernel, self._threads, self._fitted = kernel, threads, fitted

    def find(self, searches: Sequence[Search], care: Care) -> None:
        """The machine of each."""
        open_searches = list(searches)
        for part in self._fields(care):
            if not open_searches:
                break
            self._fit(open_searches, care)
            self._look(open_searches, part, care)
            finished = sum(search.finished for search in open_searches)
            open_searches = [search for search in open_searches if not search.finished]
            self._fitted(finished)
        if open_searches:
            if care.exact:  # rows come and go
                for search in open_searches:
                    search.take_all()
            self._fit(open_searches, care)  # of those less exact, with what the last look has added
            self._fitted(len(open_searches))

    def _fields(self, care: Care) -> Iterator[slice]:
        """Which of its rows each search looks at, round by round."""
        if care.exact:
            yield from repeat(slice(None), MOST_ROUNDS)
            return
        seen = FIRST_FIELD
        while seen < self._kernel.count:
            # A remainder is no round of its own.
            until = seen * GROWTH if seen * GROWTH * GROWTH ** 0.5 < self._kernel.count else None
            yield slice(seen, until)
            seen = until or self._kernel.count
        if seen <= MOST_SEEN_TWICE:
            yield slice(None)

    def _fit(self, searches: Sequence[Search], care: Care) -> None:
        """Each by one thread, from the values to the machine. They take turns with the memory for values: to
        get it anew, the system fills it with zeros, which takes a fifth of the time of all fits."""
        largest = max(len(search.active) for search in searches)
        at_once = min(len(searches), os.cpu_count() or 1, BYTES_AT_ONCE // (8 * largest ** 2))
        free = SimpleQueue[np.ndarray]()
        for _ in range(max(1, at_once)):
            free.put(np.empty(largest ** 2))

        def fit(search: Search) -> None:
            count, room = len(search.active), free.get()
            try:
                square = room[:count ** 2].reshape(count, count)
                self._kernel.square(search.active, square)
                search.fit(square, care.tolerance)
            finally:
                free.put(room)

        for _ in self._threads.map(fit, searches):
            pass

    def _look(self, searches: Sequence[Search], part: slice, care: Care) -> None:
        fields = [search.field(part) for search in searches]
        asked = np.unique(np.concatenate(fields))
        scores_of = self.scores([search.machine for search in searches], asked)
        for search, field, scores in zip(searches, fields, scores_of.T, strict=True):
            search.look_at(field, scores[np.searchsorted(asked, field)], care)

    def scores(self, machines: Sequence[Machine], asked: np.ndarray) -> np.ndarray:
        """What they say of the asked rows: float64 (asked, machines)."""
        support = np.unique(np.concatenate([machine.support for machine in machines]))
        coefficients = np.zeros((len(support), len(machines)), np.float32)
        for column, machine in enumerate(machines):
            coefficients[np.searchsorted(support, machine.support), column] = machine.coefficients
        offsets = np.array([machine.offset for machine in machines])
        return self._kernel.times(support, coefficients, asked) + offsets


def some_of(rows: np.ndarray, count: int) -> np.ndarray:
    """At most so many, at random: ascending."""
    return rows if len(rows) <= count else np.sort(np.random.default_rng(0).permutation(rows)[:count])
