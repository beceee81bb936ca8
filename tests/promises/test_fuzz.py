"""Damaged bytes by the ten thousand: the reader gives a picture or a reason, and reads the next file as ever.

A mutation is a pure function of format and number: mutation("GIF", 123) gives the bytes of the file that a
failure calls GIF-123.
With --full, 10,000 of each format and a line of figures for each.
"""

import io
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from functools import cache, partial
from itertools import groupby
from random import Random
from zipfile import ZipFile

import numpy as np
import pytest

from cache.formats.image_decoder import decode, open_image
from cache.limits import REASONS, Limits
from cache.pixels.crop_spec import CropSpec
from cache.reader import image_source
from cache.reader.source_file import Archive, Item, Picture, Skipped, SourceFile
from tests.promises.hostile.seeds import DRAWERS, NO_PICTURE, seeds

# Mutated sizes shall cost milliseconds, not seconds: the whole path runs, only sooner against its bounds.
LIMITS = Limits(max_pixels=4_000_000, max_decoded_mib=32, max_member_mib=16, file_timeout=60.0)
CONTROL_EVERY = 50
HASH_ID = re.compile("[0-9a-f]{128}")
NUMBERS = [0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]


def mutation(name: str, number: int) -> bytes:
    random = Random(f"{name} {number}")
    data = bytearray(seeds(name)[number % len(seeds(name))])
    for _ in range(random.choice((1, 1, 1, 2, 4, 12))):
        if data:
            random.choice(CHANGES)(data, random, random.choice(seeds(name)))
    # Checksums keep most damage from what decodes a PNG: every second one gets them right again.
    return with_checksums(data) if name == "PNG" and random.random() < 0.5 else bytes(data)


def place(data: bytearray, random: Random) -> int:
    """Anywhere, or where the tables of contents lie: at the beginning, at the end."""
    size = len(data)
    return random.randrange(*random.choice(((0, size), (0, min(size, 64)), (max(0, size - 200), size))))


def stretch(data: bytearray, random: Random) -> slice:
    start = place(data, random)
    return slice(start, start + random.choice((1, 2, 4, 16, 100, len(data))))


def flip(data: bytearray, random: Random, other: bytes) -> None:
    data[place(data, random)] ^= 1 << random.randrange(8)


def write_number(data: bytearray, random: Random, other: bytes) -> None:
    width, start = random.choice((1, 2, 4)), place(data, random)
    value = random.choice(NUMBERS) % 256**width
    data[start : start + width] = value.to_bytes(width, random.choice(("big", "little")))


def count_on(data: bytearray, random: Random, other: bytes) -> None:
    start = place(data, random)
    data[start] = (data[start] + random.choice((-16, -1, 1, 2, 16))) % 256


def delete(data: bytearray, random: Random, other: bytes) -> None:
    del data[stretch(data, random)]


def double(data: bytearray, random: Random, other: bytes) -> None:
    part = stretch(data, random)
    data[part.start : part.start] = (data[part] * random.choice((1, 2, 8)))[:20_000]


def truncate(data: bytearray, random: Random, other: bytes) -> None:
    del data[place(data, random) :]


def splice(data: bytearray, random: Random, other: bytes) -> None:
    start = place(data, random)
    data[start:] = other[random.choice((start, random.randrange(len(other)))) :]


CHANGES = [flip, flip, write_number, write_number, write_number, count_on, delete, double, truncate, splice]


def with_checksums(data: bytearray) -> bytes:
    start = 8
    while start + 12 <= len(data):
        end = start + 8 + int.from_bytes(data[start : start + 4], "big")
        if end + 4 > len(data):
            break
        data[end : end + 4] = zlib.crc32(data[start + 4 : end]).to_bytes(4, "big")
        start = end + 4
    return bytes(data)


def files(name: str, count: int) -> Iterator[SourceFile]:
    """Every seed as it is, then the mutations, with a seed as it is after every so many of them."""
    good = seeds(name)
    for number, data in enumerate(good):
        yield source_file(f"good-{number}", data)
    for number in range(count):
        yield source_file(f"{name}-{number}", mutation(name, number))
        if number % CONTROL_EVERY == CONTROL_EVERY - 1:
            turn = number // CONTROL_EVERY % len(good)
            yield source_file(f"good-{turn}-after-{number}", good[turn])


def source_file(name: str, data: bytes) -> SourceFile:
    return SourceFile(name, f"/{name}", None, None, len(data), 0, "0", partial(io.BytesIO, data))


@cache
def known(data: bytes) -> list[str]:
    """What an untouched file holds, found in this process, where no damaged picture is ever decoded."""
    if data.startswith(b"PK"):
        with ZipFile(io.BytesIO(data)) as archive:
            members = [archive.read(info) for info in archive.infolist() if not info.is_dir()]
        return [*(row for member in members for row in known(member)), "archive"]
    return ["not_an_image"] if data == NO_PICTURE else [decode(open_image(data, LIMITS))[0]["hash_id"]]


def told(item: Item) -> str:
    match item:
        case Picture():
            return item.hash_id
        case Skipped():
            return item.reason
    return "archive"


def path(item: Item) -> str:
    return item.file_path if isinstance(item, Skipped) else item.file.file_path


def is_sound(item: Item) -> bool:
    match item:
        case Picture():
            return (
                bool(HASH_ID.fullmatch(item.hash_id))
                and 0 < item.width * item.height <= LIMITS.max_pixels
                and is_whole(item.crop)
            )
        case Skipped():
            return item.reason in {*REASONS} - {"timeout"} and item.detail != "the decoder crashed"
    return isinstance(item, Archive)


def is_whole(crop: np.ndarray | None) -> bool:
    return crop is not None and (crop.shape, crop.dtype) == ((224, 224, 3), np.uint8)


def is_right(file_format: str, name: str, items: list[Item]) -> bool:
    """A good file holds what it always did; a damaged one has one outcome, behind its members if it still
    is a ZIP, and a second one if this ZIP leaves some out."""
    if not all(map(is_sound, items)):
        return False
    if name.startswith("good-"):
        return [told(item) for item in items] == known(seeds(file_format)[int(name.split("-")[1])])
    paths = [path(item) for item in items]
    leaves_out = len(items) > 1 and told(items[-1]) == "bad_archive" and paths[-1] == name
    whole = items[:-1] if leaves_out else items
    return (
        paths.count(name) == 1 + leaves_out
        and path(whole[-1]) == name
        and (len(whole) == 1 or isinstance(whole[-1], Archive))
    )


@pytest.mark.parametrize("name", DRAWERS)
def test_a_damaged_file_is_kept_or_skipped_with_a_reason_and_harms_no_other(name, full, monkeypatch, capsys):
    count = 10_000 if full else 300
    given, read, wrong, figures = [], [], [], Counter()
    listing = (given.append(file.file_path) or file for file in files(name, count))
    monkeypatch.setattr(image_source, "disk_files", lambda *arguments: listing)
    stream = image_source.images("-", limits=LIMITS, num_threads=2, crop_for=lambda picture: CropSpec(224))
    for top, group in groupby(stream, lambda item: path(item).split("/")[0]):
        items = list(group)
        read.append(top)
        if not is_right(name, top, items):
            wrong.append((top, [(path(item), told(item), getattr(item, "detail", "")) for item in items]))
        if not top.startswith("good-"):
            figures.update("kept" if isinstance(item, Picture) else told(item) for item in items)
    assert wrong == []
    assert read == given
    if full:
        with capsys.disabled():
            print(
                f"\n{name}: {count} mutations, "
                + ", ".join(f"{number} {reason}" for reason, number in figures.most_common())
            )
