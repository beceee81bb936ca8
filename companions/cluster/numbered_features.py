"""Features of pictures by number, read as they are asked for."""
from collections.abc import Callable, Iterable, Iterator, Sequence


class NumberedFeatures:
    """See methods.method.Features."""

    def __init__(self, hash_ids: Sequence[str], at_once: int, read: Callable[[Sequence[str]], list[bytes]]):
        """hash_ids: by number; read: the features of some hashes, each of which is there once."""
        self._hash_ids, self._at_once, self._read = hash_ids, at_once, read

    def __len__(self) -> int:
        return len(self._hash_ids)

    def of(self, numbers: Iterable[int]) -> list[bytes]:
        hash_ids = [self._hash_ids[number] for number in numbers]
        wanted = list(dict.fromkeys(hash_ids))
        features = dict(zip(wanted, self._read(wanted), strict=True))
        return [features[hash_id] for hash_id in hash_ids]

    def blocks(self) -> Iterator[tuple[int, list[bytes]]]:
        for start in range(0, len(self), self._at_once):
            yield start, self.of(range(start, min(start + self._at_once, len(self))))

    def some(self, numbers: Iterable[int]) -> "NumberedFeatures":
        """Those of some pictures, numbered anew."""
        hash_ids = [self._hash_ids[number] for number in numbers]
        return NumberedFeatures(hash_ids, self._at_once, self._read)
