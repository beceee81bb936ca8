"""Hostile HEIC: boxes that lie about their size, items that go in circles, tiles by the thousand."""

import struct
from collections.abc import Callable, Iterator
from functools import cache, partial

import numpy as np
from PIL import Image

from tests.cache.formats.heif_files import (
    ALPHA,
    Item,
    aux_type,
    box,
    clap,
    exif,
    film,
    full_box,
    grid,
    heif,
    icc,
    imir,
    irot,
    ispe,
    picture,
)
from tests.promises.hostile.case import Case, file_case

SIDE = 64
# Boxes that every file has to have.
NEEDED = (b"meta", b"hdlr", b"pitm", b"iloc", b"iinf", b"infe", b"iprp", b"ipco", b"hvcC", b"ispe", b"ipma")
LARGEST = 2**32 - 1


def cases() -> Iterator[Case]:
    for family in (_cut, _boxes, _sizes, _items, _circles, _tiles, _properties, _beside, _films):
        yield from family()


def _case(name: str, data: Callable[..., bytes], outcome: str, *arguments: object) -> Case:
    """data(*arguments) is drawn when it is needed: coding takes its time."""
    return file_case(f"heif {name}", "picture.heic", partial(data, *arguments), outcome)


@cache
def _coded(side: int = SIDE) -> Item:
    """Few bytes, whatever the size."""
    fast = {"chroma": 420, "enc_params": {"preset": "ultrafast"}}
    return picture(Image.new("RGB", (side, side), 90), quality=30, matrix_coefficients=1, **fast)


def _hidden(side: int = SIDE) -> Item:
    return _coded(side)._replace(hidden=True)


def _with_size(item: Item, width: int, height: int) -> Item:
    return item.without(b"ispe").plus(ispe(width, height))


def _one() -> bytes:
    return heif(_coded())


def _patched(kind: bytes, offset: int, new: bytes) -> bytes:
    """The first box of a kind with other bytes, `offset` from its kind on."""
    data = _one()
    start = data.index(kind) + offset
    return data[:start] + new + data[start + len(new) :]


def _cut() -> Iterator[Case]:
    for kind in (*NEEDED, b"mdat"):
        yield _case(f"cut behind the name of {kind.decode()}", _until, "damaged", kind)
    yield _case("cut behind its brand", lambda: _one()[:12], "damaged")


def _until(kind: bytes) -> bytes:
    data = _one()
    return data[: data.index(kind) + 4]


def _boxes() -> Iterator[Case]:
    behind = {
        "a box of 2 gigabytes": struct.pack(">I4s", 2**31 - 1, b"free"),
        "a box that reaches to the end": struct.pack(">I4s", 0, b"free"),
        "a box of 7 bytes": struct.pack(">I4s", 7, b"free"),
        "3000 boxes in each other": b"".join(
            struct.pack(">I4s", 8 * (3000 - number), b"dinf") for number in range(3000)
        ),
        "100000 boxes": box(b"free") * 100_000,
    }
    for name, content in behind.items():
        yield _case(f"with {name}", _with_boxes, "heif", content)
    exabytes = struct.pack(">I4sQ", 1, b"free", 2**63 - 1)
    yield _case("with a box of 8 exabytes", _with_boxes, "damaged", exabytes)
    yield _case("with two tables of contents", lambda: _with_boxes(_contents()), "damaged")
    for kind in (b"ftyp", b"meta", b"iloc", b"ipco", b"mdat"):
        for size in (1, 7, 2**31, LARGEST):
            outcome = "heif" if kind == b"mdat" else "damaged"  # whose bytes are found by their place
            name = f"whose {kind.decode()} has {size} bytes"
            yield _case(name, _patched, outcome, kind, -4, struct.pack(">I", size))
    for kind in NEEDED:
        yield _case(f"without {kind.decode()}", _patched, "damaged", kind, 0, b"nope")


def _with_boxes(content: bytes) -> bytes:
    return heif(_coded(), behind=content)


def _contents() -> bytes:
    data = _one()
    start = data.index(b"meta") - 4
    return data[start : start + int.from_bytes(data[start : start + 4], "big")]


def _sizes() -> Iterator[Case]:
    for width, height in ((1, 1), (32, 32), (100, 64), (8000, 8000), (0, 0), (SIDE, 0)):
        yield _case(f"that claims {width} x {height}", _of_size, "damaged", width, height)
    for width, height in ((60_000, 60_000), (2**31 - 1, 2)):
        yield _case(f"that claims {width} x {height}", _of_size, "too_many_pixels", width, height)
    yield _case("that claims 2^64 pixels", _of_size, "damaged", LARGEST, LARGEST)
    yield _case("of 4096 that claims 64", lambda: heif(_with_size(_coded(4096), SIDE, SIDE)), "damaged")
    yield _case("of 4096 that shows 10", lambda: heif(_coded(4096).plus(clap(10, 10))), "damaged")


def _of_size(width: int, height: int) -> bytes:
    return heif(_with_size(_coded(), width, height))


def _items() -> Iterator[Case]:
    for count, outcome in ((0, "damaged"), (900, "heif"), (20_000, "damaged")):
        yield _case(f"of {count} items", _of_items, outcome, count)
    yield _case("whose picture is not there", lambda: heif(_coded(), primary=9), "damaged")
    yield _case("whose picture is hidden", lambda: heif(_hidden()), "damaged")
    for name, content in {"empty": b"", "of zeros": bytes(5000), "of noise": _noise(5000)}.items():
        yield _case(f"whose picture is {name}", _holding, "damaged", content)
    places = {"begins beyond the end": (LARGEST, 100), "has 4 gigabytes": (0, LARGEST), "has none": (0, 0)}
    for name, place in places.items():
        yield _case(f"whose picture {name}", _patched, "damaged", b"iloc", 18, struct.pack(">II", *place))


def _of_items(count: int) -> bytes:
    empty = _hidden()._replace(data=b"")
    return heif(*[_coded(), *[empty] * (count - 1)][:count])


def _holding(content: bytes) -> bytes:
    return heif(_coded()._replace(data=content))


def _noise(size: int) -> bytes:
    return np.random.default_rng(8).bytes(size)


def _circles() -> Iterator[Case]:
    def own(kind: bytes, *properties: bytes) -> bytes:
        return heif(_coded().plus(*properties).to(kind, 1))

    def each_other(kind: bytes, *properties: bytes) -> bytes:
        item = _coded().plus(*properties)
        return heif(item.to(kind, 2), item.to(kind, 1))

    one, other = grid((SIDE, SIDE), 1, 1, (2,)), grid((SIDE, SIDE), 1, 1, (1,))
    same = Item(b"iden", b"", (ispe(SIDE, SIDE),)).to(b"dimg", 1)
    alpha = aux_type(ALPHA)
    yield _case("that is its own tile", heif, "damaged", other)
    yield _case("of two tiles of each other", heif, "damaged", one, other)
    yield _case("that is the same as itself", heif, "damaged", same)
    yield _case("that is its own transparency", own, "damaged", b"auxl", alpha)
    yield _case("of two transparencies of each other", each_other, "damaged", b"auxl", alpha)
    yield _case("that is its own thumbnail", own, "damaged", b"thmb")
    yield _case("of two thumbnails of each other", each_other, "damaged", b"thmb")
    chain = [grid((SIDE, SIDE), 1, 1, (number + 2,)) for number in range(300)]
    yield _case("of 300 grids in each other", lambda: heif(*chain, _hidden()), "heif")


def _tiles() -> Iterator[Case]:
    """Pixels of a side, tiles of a side, how many there are, what is claimed, pixels of a tile's side."""
    tiles = {
        "of 65535 pixels square, 100 tiles": ("damaged", 65_535, 256, 100, 65_535, SIDE),
        "of 65535 pixels square, 1 tile": ("too_many_pixels", 65_535, 1, 1, 65_535, SIDE),
        "of 1024 that claims 64": ("damaged", 1024, 16, 256, SIDE, SIDE),
        "of 64 that claims 8000": ("damaged", SIDE, 1, 1, 8000, SIDE),
        "of one tile of 4096 for 64": ("heif", SIDE, 1, 1, SIDE, 4096),
        "of 900 tiles that are not there": ("damaged", SIDE, 30, 1, SIDE, SIDE),
        "of 361 tiles at the limit": ("heif", 9400, 19, 361, 9400, 512),
    }
    for name, (outcome, *numbers) in tiles.items():
        yield _case(name, _tiled, outcome, *numbers)
    yield _case("of 65535 times one tile", _one_tile_often, "damaged", 65_535)


def _tiled(size: int, side: int, count: int, said: int, tile: int) -> bytes:
    item = grid((size, size), side, side, tuple(range(2, 2 + count)))
    return heif(_with_size(item, said, said), *[_hidden(tile)] * count)


def _one_tile_often(count: int) -> bytes:
    return heif(grid((SIDE, SIDE), 256, 256, (2,) * count), _hidden())


def _properties() -> Iterator[Case]:
    beyond = struct.pack(">4I4i", 9, 1, 9, 1, 2**31 - 1, 1, -(2**31), 1)
    odd = {
        "turned by 255": (irot(255), "heif"),
        "mirrored on 255": (imir(255), "heif"),
        "cut to more than it has": (clap(5000, 5000), "heif"),
        "cut to nothing": (clap(0, 0), "damaged"),
        "cut by a division by zero": (box(b"clap", bytes(32)), "damaged"),
        "cut beyond itself": (box(b"clap", beyond), "damaged"),
        "of no colour": (box(b"colr"), "damaged"),
        "of a colour of noise": (icc(_noise(3000)), "heif"),
        "of a colour of 10 MB": (icc(bytes(10_000_000)), "heif"),
        "of 255 depths": (full_box(b"pixi", 0, 0, b"\xff" + b"\x08" * 255), "heif"),
    }
    for name, (content, outcome) in odd.items():
        yield _case(name, _with_properties, outcome, content)
    yield _case("turned 240 times", _with_properties, "heif", *[irot(1), imir(0)] * 120)
    for name, content in {"of noise": _noise(100), "of nothing": b"", "of ones": b"\xff" * 2000}.items():
        yield _case(f"with a configuration {name}", _configured, "damaged", content)


def _with_properties(*contents: bytes) -> bytes:
    return heif(_coded().plus(*contents))


def _configured(content: bytes) -> bytes:
    return heif(_coded().without(b"hvcC").plus(box(b"hvcC", content)))


def _beside() -> Iterator[Case]:
    alpha = aux_type(ALPHA)
    shared = Item(b"Exif", bytes(10_000_000)).to(b"cdsc", *range(1, 101))
    cases = {
        "with a transparency of 17 megapixels": lambda: [_coded(), _coded(4096).plus(alpha).to(b"auxl", 1)],
        "with 50 MB of exif": lambda: [_coded(), exif(bytes(50_000_000), 1)],
        "with exif of noise": lambda: [_coded(), exif(_noise(3000), 1)],
        "of 900 pictures": lambda: [_coded()] * 900,
        "with a broken thumbnail": lambda: [_coded(), _coded()._replace(data=b"nothing").to(b"thmb", 1)],
    }
    for name, items in cases.items():
        yield _case(name, lambda items: heif(*items()), "heif", items)
    name = "of 100 pictures that share 10 MB of exif"
    yield _case(name, lambda: heif(*[_coded()] * 100, shared), "too_many_pixels")


def _films() -> Iterator[Case]:
    yield _case("that is a film", lambda: film(_coded(), _coded(), size=(SIDE, SIDE)), "heif")
    bombs = {  # the name of a table, and the place of a number in it
        "frames": (b"stsz", 12, "heif"),  # the first one's place and length are still right
        "bytes": (b"stsz", 8, "heif"),  # up to the end of the file
        "places": (b"stco", 8, "heif"),
        "formats": (b"stsd", 8, "heif"),
        "bytes before its frame": (b"stco", 12, "damaged"),
    }
    for name, (table, offset, outcome) in bombs.items():
        yield _case(f"that is a film of 4 billion {name}", _film_with_bomb, outcome, table, offset)


def _film_with_bomb(kind: bytes, offset: int) -> bytes:
    data = film(_coded(), _coded(), size=(SIDE, SIDE))
    start = data.index(kind) + offset
    return data[:start] + struct.pack(">I", LARGEST) + data[start + 4 :]
