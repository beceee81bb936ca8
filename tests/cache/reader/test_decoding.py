"""The stream and its decoders: they hang, die and grow, and the next picture is read as ever."""
import sys
import threading

import pytest
from PIL import Image

from cache.decoder import decoder_process
from cache.decoder.pool import DecoderPool
from cache.limits import Limits
from cache.pixels.crop_spec import Wanted
from cache.reader.disk_files import disk_files
from cache.reader.image_source import images
from cache.reader.source_file import Skipped
from cache.refusal import Refused
from tests.cache.reader.told import told
from tests.drawing import drawn, encoded, png, tag_folders, write


@pytest.mark.parametrize("threads", [1, 5])
def test_the_order_does_not_depend_on_the_number_of_decoders(here, threads):
    files = {}
    for number in range(24):
        size = (40 + 400 * (number % 3), 60)
        files[f"x/{number:02}.png"] = encoded(drawn(number, size=size))
    write(here, files)
    paths = [picture.file.file_path for picture in images("x", num_threads=threads, window=7)]
    assert paths == sorted(files)


def test_a_decoder_that_hangs_is_killed_and_one_that_dies_is_replaced(here, monkeypatch):
    write(here, {"x/a.png": png(1), "x/b.png": png(2)})
    ready = "print('{\"payload\": 0}', flush=True)"
    hangs = f"{ready}; import threading; threading.Event().wait()"
    dies = f"{ready}; import sys; sys.stdin.buffer.readline()"
    paths = ["x/a.png", "x/b.png"]
    monkeypatch.setattr(decoder_process, "WORKER", [sys.executable, "-c", hangs])
    assert list(images("x", limits=Limits(file_timeout=0.3))) == [
        Skipped(path, "timeout", "0.3 s") for path in paths]
    monkeypatch.setattr(decoder_process, "WORKER", [sys.executable, "-c", dies])
    assert list(images("x")) == [Skipped(path, "damaged", "the decoder crashed") for path in paths]


def test_a_decoder_that_cannot_start_is_an_error_not_a_damaged_picture(here, monkeypatch):
    write(here, {"x/a.png": png(1)})
    monkeypatch.setattr(decoder_process, "WORKER", [sys.executable, "-c", "raise SystemExit(1)"])
    with pytest.raises(Refused, match="the decoder process does not start"):
        list(images("x"))


def test_a_decoder_killed_between_two_files_costs_neither(here):
    with DecoderPool(1) as pool:
        files = list(disk_files(write(here, {"x/a.png": png(1), "x/b.png": png(2)}) / "x"))
        done = []
        for file in files:
            done += pool.map([file], lambda file, outcome: outcome, lambda file, identity: Wanted())
            pool._decoders[0]._process.kill()
            pool._decoders[0]._process.wait()
    assert [outcome.identity["type"] for outcome in done] == ["png", "png"]


def test_nothing_in_the_persons_folder_is_imported(here):
    exits = b"raise SystemExit(9)"
    write(here, {"x/a.png": png(1), "json.py": exits, "cache.py": exits, "PIL/__init__.py": exits})
    assert told("x") == [("picture", "x/a.png", None)]


def test_a_stream_that_is_left_early_takes_its_decoders_along(here):
    write(here, tag_folders())
    before = set(threading.enumerate())
    stream = images(".", num_threads=2)
    next(stream)
    assert {thread.name for thread in set(threading.enumerate()) - before} >= {"decoder-watchdog"}
    stream.close()
    assert set(threading.enumerate()) == before


def test_an_error_while_asking_for_a_crop_ends_the_stream(here):
    write(here, tag_folders())

    def crop_for(picture):
        raise Refused("no encoder")

    with pytest.raises(Refused, match="no encoder"):
        list(images(".", crop_for=crop_for))


def test_a_decoder_that_wants_more_memory_than_a_picture_at_the_limit_is_stopped(here):
    """WebP takes 16 bytes a pixel on the way: 47 MB where 28 MiB are allowed."""
    greedy = encoded(Image.new("RGB", (1_650, 1_650)), "WEBP", lossless=True)
    write(here / "photos", {"a.webp": greedy, "b.png": png(1)})
    skipped, picture = images("photos", num_threads=1, limits=Limits(max_decoded_mib=8))
    assert skipped == Skipped("photos/a.webp", "too_many_pixels", "more memory than a decoder may have")
    assert picture.type == "png"


def test_what_a_decoder_was_allowed_for_one_picture_does_not_bound_the_bytes_of_the_next(here):
    """Behind a small picture, under its limit, comes a file larger than all that limit."""
    large = png(1) + bytes(150_000_000)
    write(here, {"a.png": png(0), "b.png": large})
    pictures = images(".", num_threads=1, limits=Limits(max_decoded_mib=8))
    assert [picture.type for picture in pictures] == ["png", "png"]
