"""HEIC pictures: the right one of a file, upright, to the bit, whatever lies beside it."""
import io
import struct
from hashlib import blake2b

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from cache.formats.image_decoder import open_image
from cache.formats.signatures import HEIC_BRANDS, HEIC_SEQUENCE_BRANDS
from cache.limits import Limits
from cache.pixels.crop_spec import CropSpec
from cache.reader.image_source import images
from tests.cache.formats import heif_files as files
from tests.cache.formats.decoded import cropped, hash_id, identity, seen
from tests.cache.formats.heif_files import Item, box, film, grid, heic, heif, picture
from tests.cache.formats.test_image_decoder import reason
from tests.drawing import encoded, write

SIDE = 64


def noise(seed: int, width: int = SIDE, height: int = SIDE) -> Image.Image:
    """No two rows, columns or turns of it are alike."""
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def digest(image: Image.Image) -> str:
    return blake2b(image.tobytes()).hexdigest()


SQUARE, WIDE = noise(1), noise(2, 2 * SIDE)
CODED, CODED_WIDE = picture(SQUARE), picture(WIDE)
OTHER = picture(noise(3))
GREY = SQUARE.getchannel(0)
CODED_GREY = picture(GREY, matrix_coefficients=1)


def test_a_heic_is_read_to_the_bit():
    assert identity(heic(noise(4, 48, 40))) == {
        "hash_id": digest(noise(4, 48, 40)),
        "old_hash_id": None,
        "type": "heif",
        "width": 48,
        "height": 40,
        "orientation": 1,
    }
    assert (seen(heif(CODED), SIDE) == np.asarray(SQUARE)).all()


@pytest.mark.parametrize("brand", HEIC_BRANDS)
def test_every_brand_is_read(brand):
    assert identity(heif(CODED, brand=brand))["hash_id"] == digest(SQUARE)


@pytest.mark.parametrize("brand", HEIC_SEQUENCE_BRANDS)
def test_of_a_sequence_the_picture_of_its_own_is_read_or_else_the_first_frame(brand):
    alone = film(CODED_WIDE, picture(noise(8, 2 * SIDE)), size=WIDE.size, brand=brand)
    track = box(b"moov", dict(files.boxes(alone))[b"moov"])
    assert hash_id(heif(CODED, brand=brand, behind=track)) == digest(SQUARE)
    assert identity(alone) == {**identity(heif(CODED_WIDE)), "type": "heif"}
    assert hash_id(alone) == digest(WIDE)


def test_a_frame_has_the_colours_that_its_film_says():
    wide = CODED.without(b"colr").plus(files.nclx(12, 13))
    assert hash_id(film(wide, OTHER, size=SQUARE.size)) == hash_id(heif(wide)) != digest(SQUARE)


def test_frames_may_share_a_length_and_lie_beyond_4_gigabytes():
    assert hash_id(film(CODED, CODED, size=SQUARE.size, is_large=True)) == digest(SQUARE)


NEEDED = (b"trak", b"mdia", b"pict", b"minf", b"stbl", b"stsd", b"hvc1", b"hvcC", b"stsz", b"stco")


@pytest.mark.parametrize("missing", NEEDED)
def test_a_film_without_a_frame_that_can_be_found_is_damaged(missing):
    data = film(CODED, CODED, size=SQUARE.size)
    assert reason(data.replace(missing, b"none")) == ("damaged", "unreadable header")


@pytest.mark.parametrize("missing", [*NEEDED, b"hdlr"])
def test_a_broken_track_before_a_whole_one_counts_as_none(missing):
    broken = files.track((OTHER,), SQUARE.size, 0).replace(missing, b"none")
    assert hash_id(film(CODED, size=SQUARE.size, before=broken)) == digest(SQUARE)


def test_av1_under_the_common_brand_is_read_as_avif():
    avif = encoded(SQUARE, "AVIF")
    common = avif.replace(b"ftypavif", b"ftypmif1", 1)
    assert identity(common) == identity(avif)
    assert identity(common)["type"] == "avif"


@pytest.mark.parametrize("primary", [1, 2, 3])
def test_the_primary_picture_of_several_counts(primary):
    pictures = [SQUARE, WIDE, noise(5)]
    data = heif(*map(picture, pictures), primary=primary)
    assert hash_id(data) == digest(pictures[primary - 1])


# EXIF's orientation: quarters of irot, counter-clockwise, and the axis of imir, which comes after.
TURNS = {
    1: (None, None), 2: (None, 1), 3: (2, None), 4: (None, 0),
    5: (1, 0), 6: (3, None), 7: (3, 0), 8: (1, None),
}
TRANSPOSED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
XMP = b'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/>'


def tiff(orientation: int) -> bytes:
    return b"MM\0*\0\0\0\x08" + struct.pack(">HHHIHHI", 1, 0x0112, 3, 1, orientation, 0, 0)


@pytest.mark.parametrize("said", [None, "the same", 6, "under two heads", "in XMP"])
@pytest.mark.parametrize("orientation", TURNS)
def test_a_picture_is_turned_once_by_irot_and_imir_and_never_by_what_else_says_so(orientation, said):
    quarters, axis = TURNS[orientation]
    turns = [files.irot(quarters)] if quarters is not None else []
    turns += [files.imir(axis)] if axis is not None else []
    beside = {
        None: [], "the same": [files.exif(tiff(orientation), 1)], 6: [files.exif(tiff(6), 1)],
        "under two heads": [files.exif(b"Exif\0\0" + tiff(6), 1)], "in XMP": [files.xmp(XMP, 1)],
    }[said]
    upright = WIDE.transpose(TRANSPOSED[orientation]) if orientation in TRANSPOSED else WIDE
    data = heif(CODED_WIDE.plus(*turns), *beside)
    found = identity(data)
    assert (found["hash_id"], found["orientation"]) == (digest(upright), 1)
    assert (found["width"], found["height"]) == upright.size
    shown = cropped(data, CropSpec(2 * SIDE, "longest", "nearest"))
    middle = np.s_[:, SIDE // 2:-SIDE // 2] if upright.height > upright.width else np.s_[SIDE // 2:-SIDE // 2]
    assert (shown[middle] == np.asarray(upright)).all()


def test_the_clean_aperture_is_all_there_is_of_a_picture():
    assert hash_id(heif(CODED.plus(files.clap(32, 16)))) == digest(SQUARE.crop((16, 24, 48, 40)))


BROKEN_EXIF = {
    "empty": b"", "zeros": bytes(50), "noise": np.random.default_rng(6).bytes(500), "cut": tiff(6)[:10],
    "endless": b"MM\0*\0\0\0\x08\xff\xff",
}


@pytest.mark.parametrize("data", BROKEN_EXIF.values(), ids=BROKEN_EXIF)
def test_broken_exif_does_not_cost_the_picture(data):
    assert hash_id(heif(CODED, files.exif(data, 1))) == digest(SQUARE)
    for raw in (data, b"\xff\xff\xff\xff" + data):  # without the offset that it begins with
        assert hash_id(heif(CODED, Item(b"Exif", raw).to(b"cdsc", 1))) == digest(SQUARE)


def test_a_grid_of_tiles_is_put_together_and_cut_to_its_size():
    tiles = [noise(seed) for seed in range(10, 16)]
    whole = Image.new("RGB", (3 * SIDE, 2 * SIDE))
    for place, tile in enumerate(tiles):
        whole.paste(tile, (place % 3 * SIDE, place // 3 * SIDE))
    size = (3 * SIDE - 10, 2 * SIDE - 7)
    items = [picture(tile)._replace(hidden=True) for tile in tiles]
    found = identity(heif(grid(size, 2, 3, (2, 3, 4, 5, 6, 7)), *items))
    assert (found["hash_id"], found["width"], found["height"]) == (digest(whole.crop((0, 0, *size))), *size)


BESIDE = {
    "thumbnail": OTHER.to(b"thmb", 1),
    "map of depth": CODED_GREY.plus(files.aux_type(files.DEPTH)).to(b"auxl", 1),
    "gain map": CODED_GREY.plus(files.aux_type(files.GAIN_MAP)).to(b"auxl", 1),
    "another picture": OTHER,
    "damaged thumbnail": OTHER._replace(data=b"nothing").to(b"thmb", 1),
}


@pytest.mark.parametrize("beside", BESIDE.values(), ids=BESIDE)
def test_what_lies_beside_the_picture_is_never_taken_for_it(beside):
    assert hash_id(heif(CODED, beside)) == digest(SQUARE)


def test_a_thumbnail_that_comes_first_is_not_taken_for_the_picture():
    assert hash_id(heif(OTHER.to(b"thmb", 2), CODED, primary=2)) == digest(SQUARE)


ALPHA = CODED_GREY.plus(files.aux_type(files.ALPHA)).to(b"auxl", 1)


def test_alpha_lets_the_paper_through():
    clear = SQUARE.copy()
    clear.putalpha(GREY)
    data = heif(CODED, ALPHA)
    assert hash_id(data) == digest(clear)
    assert (seen(data, SIDE) == seen(encoded(clear), SIDE)).all()


def test_colours_that_are_multiplied_by_their_alpha_are_divided_by_it():
    share = np.asarray(GREY)[:, :, None] / 255
    multiplied = Image.fromarray((np.asarray(SQUARE) * share).round().astype(np.uint8))
    data = heif(picture(multiplied).to(b"prem", 2), ALPHA)
    on_paper = np.asarray(SQUARE) * share + 255 * (1 - share)
    assert open_image(data, Limits()).mode == "RGBa"
    assert np.abs(seen(data, SIDE) - on_paper).max() <= 2
    assert hash_id(data) == blake2b(np.dstack([multiplied, GREY]).tobytes()).hexdigest()


def deep(mode: str, values: np.ndarray, bits: int) -> bytes:
    """16 bits, of which the upper `bits` are kept."""
    buffer = io.BytesIO()
    options = files.LOSSLESS if mode.startswith("RGB") else {"quality": -1}
    image = pillow_heif.from_bytes(mode, values.shape[1::-1], values.tobytes())
    image[0].info["bit_depth"] = bits
    image.save(buffer, **options)
    return buffer.getvalue()


DEEP = np.random.default_rng(7).integers(0, 65536, (SIDE, SIDE, 4), dtype=np.uint16)


@pytest.mark.parametrize("bits", [10, 12])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_deep_colours_are_their_upper_eight_bits(mode, bits):
    values = np.ascontiguousarray(DEEP[:, :, :len(mode)])
    eight = Image.fromarray((values >> 8).astype(np.uint8))
    assert hash_id(deep(f"{mode};16", values, bits)) == digest(eight)


@pytest.mark.parametrize("bits", [10, 12])
def test_deep_greys_reach_from_black_to_white(bits):
    greys = np.linspace(0, 65535, SIDE * SIDE).astype(np.uint16).reshape(SIDE, SIDE)
    data = deep("L;16", greys, bits)
    shown = seen(data, SIDE)[:, :, 0]
    assert (shown.min(), shown.max()) == (0, 255)
    assert np.abs(shown - greys / 257).max() < 1.25  # of 255: a quarter is a step of 10 bits
    kept = greys >> 16 - bits << 16 - bits
    assert hash_id(data) == digest(Image.fromarray(kept | kept >> bits))


def test_a_grey_heic_is_grey():
    assert hash_id(heif(CODED_GREY)) == digest(GREY)


def test_pixels_are_limited_by_the_header_before_anything_is_decoded():
    lying = CODED.without(b"ispe").plus(files.ispe(8000, 8000))._replace(data=b"no picture")
    assert reason(heif(lying), Limits(max_pixels=8000**2 - 1)) == ("too_many_pixels", "8000 x 8000 RGB")
    huge = heif(grid((8000, 8000), 1, 1, (2,)), CODED._replace(hidden=True))
    assert reason(huge, Limits(max_decoded_mib=180)) == ("too_many_pixels", "8000 x 8000 RGB")
    assert open_image(heif(CODED), Limits(max_pixels=SIDE**2)).size == (SIDE, SIDE)


def test_a_picture_of_another_size_than_its_header_says_is_damaged():
    for size in ((1, 1), (SIDE, SIDE - 1), (8000, 8000)):
        lying = CODED.without(b"ispe").plus(files.ispe(*size))
        why = "Decoded image does not have the size signaled in the file."
        assert reason(heif(lying)) == ("damaged", f"ValueError: Invalid input: Invalid image size: {why}")


def test_tiles_without_end_are_given_up_and_the_next_picture_is_read(tmp_path):
    tile = picture(Image.new("RGB", (1024, 1024)), quality=30, chroma=420)._replace(hidden=True)
    bomb = heif(grid((SIDE, SIDE), 30, 30, tuple(range(2, 902))), *[tile] * 900)
    write(tmp_path, {"1.heic": bomb, "2.heic": heif(CODED)})
    given_up, read = images(str(tmp_path), limits=Limits(file_timeout=1), num_threads=1)
    assert (given_up.reason, given_up.detail, read.hash_id) == ("timeout", "1 s", digest(SQUARE))
