"""Of any TIFF the first directory counts that is no smaller copy of a picture, and no mask for one."""
import struct

import pytest
from PIL import Image

from cache.formats.image_decoder import open_image
from cache.formats.tiff_directories import MOST_DIRECTORIES, TiffDirectories
from cache.limits import Limits, Skip
from tests.cache.formats.decoded import hash_id, identity
from tests.cache.formats.tiff_files import MASK, PAGE, REDUCED, REDUCED_IMAGE, of_picture, thumbnails, tiff_of
from tests.drawing import drawn, encoded

SCENE = drawn(1, size=(64, 48))
SMALL = drawn(1, size=(16, 13))
OTHER = drawn(2, "dogs", (64, 48))
WIDTH, HEIGHT = SCENE.size


def of_scene(*below, **tags):
    return of_picture(SCENE, below, **tags)


def of_small(*below, **tags):
    return of_picture(SMALL, below, **tags)


SHOWN = {  # name: a chain of directories whose picture is SCENE
    "one": [of_scene()],
    "pyramid": [of_scene(), of_small(t254=REDUCED)],
    "pyramid of the older kind": [of_scene(t255=1), of_small(t255=REDUCED_IMAGE)],
    "pyramid below its picture": [of_scene(of_small(t254=REDUCED))],
    "pages of a scan": [of_scene(t254=PAGE), of_picture(OTHER, t254=PAGE)],
    "pages that say nothing": [of_scene(), of_picture(OTHER)],
    "thumbnail first": [of_small(t254=REDUCED), of_scene(t254=0)],
    "thumbnail of the older kind first": [of_small(t255=REDUCED_IMAGE), of_scene(t255=1)],
    "thumbnail of a page first": [of_small(t254=REDUCED | PAGE), of_scene(t254=PAGE), of_picture(OTHER)],
    "thumbnails and a mask first": [of_small(t254=REDUCED)] * 2 + [of_small(t254=MASK), of_scene()],
    "picture below its thumbnail": [of_small(of_picture(SMALL, t254=REDUCED), of_scene(), t254=REDUCED)],
    "picture below the second thumbnail": [of_small(t254=REDUCED), of_small(of_scene(), t254=REDUCED)],
    "picture in the chain before one below": [of_small(of_picture(OTHER), t254=REDUCED), of_scene()],
    "thumbnails alone": [of_scene(t254=REDUCED), of_small(t254=REDUCED)],
    "one mask": [of_scene(t254=MASK)],
}


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("chain", SHOWN.values(), ids=SHOWN)
def test_the_first_directory_counts_that_is_not_reduced(chain, order):
    found = identity(tiff_of(*chain, order=order))
    assert found == {**identity(encoded(SCENE, "TIFF")), "type": "tiff"}
    assert (found["width"], found["height"]) == SCENE.size


def test_in_a_bigtiff_too():
    data = bytearray(encoded(SCENE, "TIFF", big_tiff=True, save_all=True, append_images=[OTHER.copy()],
                             tiffinfo={254: REDUCED}))
    first = TiffDirectories(bytes(data))
    assert first.with_picture_first() == bytes(data)  # every page has the tag
    _unmark_second(data)
    assert hash_id(bytes(data)) == hash_id(encoded(OTHER))


def _unmark_second(data: bytearray) -> None:
    """Make the NewSubfileType of the second directory 0."""
    first, = struct.unpack_from("<Q", data, 8)
    count, = struct.unpack_from("<Q", data, first)
    second, = struct.unpack_from("<Q", data, first + 8 + 20 * count)
    tag, _, _, value = struct.unpack_from("<HHQQ", data, second + 8)
    assert (tag, value) == (254, REDUCED)
    struct.pack_into("<Q", data, second + 20, 0)


def test_a_compressed_picture_behind_its_thumbnail_is_read():
    pages = {"save_all": True, "append_images": [SCENE.copy()], "compression": "tiff_lzw"}
    data = bytearray(encoded(SMALL, "TIFF", tiffinfo={254: REDUCED}, **pages))
    assert data.count(struct.pack("<HHII", 254, 4, 1, REDUCED)) == 2
    start = data.rindex(struct.pack("<HHII", 254, 4, 1, REDUCED))
    struct.pack_into("<I", data, start + 8, 0)
    assert hash_id(bytes(data)) == hash_id(encoded(SCENE))


def test_a_plain_tiff_and_what_is_none_are_not_copied():
    for data in (tiff_of(of_scene()), tiff_of(of_scene(), of_small()), b"II*\0", b"", encoded(SCENE)):
        assert TiffDirectories(data).with_picture_first() is data


def test_the_size_that_is_judged_is_that_of_the_picture():
    data = tiff_of(of_small(t254=REDUCED), of_scene())
    with pytest.raises(Skip) as caught:
        open_image(data, Limits(max_pixels=WIDTH * HEIGHT - 1))
    assert caught.value.args == ("too_many_pixels", "64 x 48 RGB")
    assert open_image(data, Limits(max_pixels=WIDTH * HEIGHT)).size == SCENE.size


def test_a_picture_that_lies_behind_its_thumbnail_and_cannot_be_read_is_damaged_not_small():
    data = tiff_of(of_small(t254=REDUCED), of_scene(t262=9999))
    with pytest.raises(Skip) as caught:
        open_image(data, Limits())
    assert caught.value.args == ("damaged", "unreadable header")


def test_the_turning_of_the_picture_counts_not_that_of_its_thumbnail():
    data = tiff_of(of_small(t254=REDUCED, t274=6), of_scene(t274=3))
    assert hash_id(data) == hash_id(encoded(SCENE.transpose(Image.Transpose.ROTATE_180)))
    assert identity(data)["orientation"] == 3


@pytest.mark.parametrize("data", [
    thumbnails(1, lead_on_to=1),
    thumbnails(5, lead_on_to=3),
    thumbnails(MOST_DIRECTORIES + 1),
    thumbnails(3)[:-2],
], ids=["itself", "circle", "too many", "end"])
def test_a_chain_ends_where_it_leads_back_or_out_of_the_file_or_is_too_long(data):
    read = list(TiffDirectories(data)._chain())
    assert len(read) == min(MOST_DIRECTORIES, (len(data) + 3 - 8) // 18)
    assert TiffDirectories(data).with_picture_first() is data


def test_of_a_million_sub_directories_some_are_looked_at():
    below = struct.pack("<HHIIHHII", 254, 4, 1, REDUCED, 330, 4, 1_000_000, 0)
    data = b"II*\0\x08\0\0\0\x02\0" + below + bytes(4)
    data = data.replace(struct.pack("<II", 1_000_000, 0), struct.pack("<II", 1_000_000, len(data)))
    data += struct.pack("<I", 8) * 1_000_000
    tiff = TiffDirectories(data)
    assert len(list(tiff._below(next(tiff._chain())))) == MOST_DIRECTORIES
    assert tiff.with_picture_first() is data
