"""How the stream is cut into batches, with an encoder that only remembers what it was given."""
from dataclasses import replace

import numpy as np
import pytest

from cache.pixels.crop_spec import CropSpec
from cache.reader.batches import MOST_BATCHES, Batch, Counts, Embedding, batches, record
from cache.reader.source_file import Picture, Skipped, SourceFile


class Encoder:
    crop_spec = CropSpec(1)

    def __init__(self):
        self.calls: list[list[int]] = []

    def encode(self, crops: np.ndarray) -> np.ndarray:
        self.calls.append(crops[:, 0, 0, 0].tolist())
        return crops[:, 0, 0, :1].astype(np.float32)


def picture(number: int, crop: bool = True, folder: str | None = "cats", unchanged: bool = False) -> Picture:
    file = SourceFile(f"x/{number}.png", f"/x/{number}.png", folder, None, 1, 1, "1", lambda: None)
    pixels = np.full((1, 1, 3), number, np.uint8) if crop else None
    return Picture(file, f"hash{number}", None, "png", 1, 1, pixels, unchanged)


def cut(items: list, known: set = frozenset(), batch_size: int = 3) -> tuple[list[list[int]], list[int]]:
    """What the encoder got, and the sizes of the batches. Vectors of finished batches count as known."""
    encoder, seen, sizes = Encoder(), set(known), []
    embedding = Embedding(encoder, lambda picture: picture.hash_id in seen, batch_size)
    for batch in batches(iter(items), embedding):
        seen.update(batch.vectors)
        sizes.append(len(batch.items))
    return encoder.calls, sizes


def test_the_encoder_is_called_once_a_batch_and_never_for_what_is_known():
    assert cut([picture(number) for number in range(7)]) == ([[0, 1, 2], [3, 4, 5], [6]], [3, 3, 1])
    items = [picture(1, crop=False), picture(2), Skipped("x/3.png", "empty"), picture(4), picture(5)]
    assert cut(items) == ([[2, 4, 5]], [5])


def test_duplicates_are_embedded_once_even_when_both_were_cropped():
    items = [picture(number) for number in (1, 1, 2, 3, 1, 4)]
    assert cut(items) == ([[1, 2, 3], [4]], [4, 2])


def test_a_batch_has_the_thumbnails_and_its_pictures_hold_on_to_no_pixels():
    items = [replace(picture(number), thumbnail=b"jpeg %d" % number) for number in range(2)]
    known = picture(2, crop=False)
    [batch] = batches(iter([*items, known, Skipped("x/3.png", "empty")]))
    assert batch.thumbnails == [("hash0", None, b"jpeg 0"), ("hash1", None, b"jpeg 1")]
    assert [(item.crop, item.thumbnail) for item in batch.of(Picture)] == [(None, None)] * 3
    assert batch.items[2] is known


def test_a_resumed_run_cuts_the_rest_as_the_unbroken_run_does():
    unbroken, _ = cut([picture(number) for number in range(8)])
    rest = [picture(number, crop=number >= 3) for number in range(8)]
    resumed, _ = cut(rest, known={"hash0", "hash1", "hash2"})
    assert resumed == unbroken[1:]


def test_a_long_stretch_without_news_is_stored_in_parts_even_behind_a_new_picture():
    known = [picture(1, crop=False)]
    assert cut(known * (3 * MOST_BATCHES + 5)) == ([], [3 * MOST_BATCHES, 5])
    assert cut([picture(2), *known * (3 * MOST_BATCHES)]) == ([[2]], [3 * MOST_BATCHES, 1])


def test_batches_keep_the_listing_order_and_no_crops():
    items = [picture(1), Skipped("x/2.png", "empty"), picture(3)]
    [batch] = batches(items, Embedding(Encoder(), lambda picture: False))
    assert [getattr(item, "hash_id", None) for item in batch.items] == ["hash1", None, "hash3"]
    assert [item.crop for item in batch.of(Picture)] == [None, None]
    vectors = {hash_id: vector.tolist() for hash_id, vector in batch.vectors.items()}
    assert vectors == {"hash1": [1.0], "hash3": [3.0]}


def test_a_stream_that_is_not_to_be_embedded_loses_its_crops_all_the_same():
    [batch] = batches([picture(1)])
    assert [item.crop for item in batch.items] == [None]
    assert batch.vectors == {}


def test_every_store_gets_every_batch_in_turn():
    calls = []

    class Store:
        def __init__(self, name: str):
            self.name = name

        def add(self, batch: Batch) -> None:
            calls.append((self.name, len(batch.items)))

    pictures = (picture(number) for number in range(4))
    record(pictures, [Store("a"), Store("b")], Embedding(Encoder(), lambda picture: False, 3))
    assert calls == [("a", 3), ("b", 3), ("a", 1), ("b", 1)]


def test_files_are_counted_by_what_became_of_them():
    counts = Counts()
    skipped = [Skipped("a", "empty"), Skipped("b", "empty"), Skipped("c", "damaged")]
    counts.add(Batch([picture(1), picture(2, unchanged=True), *skipped]))
    assert str(counts) == "processed 1, unchanged 1, skipped 3"
    assert counts.why_nothing() == "(2 empty, 1 damaged)"
    assert Counts().why_nothing() == "(it is empty)"


def test_a_store_that_fails_closes_the_stream():
    closed = []

    def items():
        try:
            yield from [Skipped("a", "empty")] * 40
        finally:
            closed.append(True)

    class Full:
        def add(self, batch: Batch) -> None:
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        record(items(), [Full()])
    assert closed == [True]
