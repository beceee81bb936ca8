"""What pictures with a key in common are offered."""
import numpy as np

from companions.cluster.methods import buckets
from companions.cluster.methods.buckets import NEXT, counted, entries, numbers_of, pairs_in_buckets

HIGH = 1 << 32


def keys(*values: int) -> np.ndarray:
    return np.array([value * HIGH for value in values], np.uint64)


def offered(*keys_of_pictures: np.ndarray) -> list[tuple[int, int]]:
    all_entries = [entries(values, number) for number, values in enumerate(keys_of_pictures)]
    return numbers_of(pairs_in_buckets(np.concatenate([np.zeros(0, np.uint64), *all_entries])))


def test_pictures_with_a_key_in_common_are_offered_once():
    assert offered(keys(1, 2, 2), keys(3), keys(2, 1), keys(), keys(3, 1)) == [(0, 2), (0, 4), (1, 4), (2, 4)]
    assert offered() == []
    assert offered(keys(1)) == []


def test_a_key_of_very_many_pictures_offers_each_with_the_next_few_so_that_a_chain_joins_all():
    count = 3 * NEXT
    expected = [(first, second) for first in range(count) for second in range(first + 1, count)]
    near = [(first, second) for first, second in expected if second - first <= NEXT]
    assert offered(*[keys(1)] * count) == near


def test_no_bucket_is_cut_where_entries_are_looked_at_a_part_at_a_time(monkeypatch):
    monkeypatch.setattr(buckets, "AT_ONCE", 2)
    assert offered(keys(1, 5), keys(1, 3), keys(1, 3), keys(5)) == [(0, 1), (0, 2), (0, 3), (1, 2)]


def test_offers_are_counted_over_tables():
    codes, counts = np.zeros(0, np.uint64), np.zeros(0, np.uint16)
    for table in ([3, 5], [], [5, 9], [5]):
        codes, counts = counted(codes, counts, np.array(table, np.uint64))
    assert codes.tolist() == [3, 5, 9]
    assert counts.tolist() == [1, 3, 1]
