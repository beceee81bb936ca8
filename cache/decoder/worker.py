"""One decoder process: frames in on stdin, frames out on stdout. decoder_process.py starts and asks it.

It says {} when it is ready. For one image the two sides then say, in turn:
    -> {limits} + the file's bytes      <- {decoded_bytes}             the header was read
    -> {}                               <- {hash_id, type, width ...}  the pixels were decoded and hashed
    -> {crop: null or a CropSpec,       <- {crop: length, box} + the crop's pixels and the thumbnail's JPEG,
        thumbnail: bool}                   as far as they were wanted
Each answer may be {skip, detail} instead, which ends the exchange.
"""
import sys
from pathlib import Path
from typing import BinaryIO

from cache.decoder.frames import read_frame, write_frame
from cache.formats.image_decoder import decode, decoded_bytes, open_image, prepare_process
from cache.formats.plain_jpeg import kept_bytes
from cache.limits import Limits, Skip, skip_for
from cache.pixels.crop_spec import CropSpec
from cache.pixels.crops import box_in_crop, crop
from cache.pixels.thumbnail import thumbnail

try:
    import resource
except ImportError:  # not on Windows
    HAS_LIMITS = False
else:
    HAS_LIMITS = Path("/proc/self/statm").exists()  # Linux


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    memory = Memory()
    write_frame(answers, {})
    while True:
        try:
            _serve_one(requests, answers, memory)
        except EOFError:
            return
        except Skip as skip:
            _answer_skip(answers, skip)
        except MemoryError as error:
            _answer_skip(answers, skip_for(error))


def _answer_skip(answers: BinaryIO, skip: Skip) -> None:
    write_frame(answers, {"skip": skip.reason, "detail": skip.detail})


def _serve_one(requests: BinaryIO, answers: BinaryIO, memory: "Memory") -> None:
    memory.allow_all()  # the limit of the last picture is not that of this file's bytes
    header, data = read_frame(requests)
    limits = Limits(**header["limits"])
    memory.allow(len(data), limits)
    image = open_image(data, limits)
    write_frame(answers, {"decoded_bytes": decoded_bytes(image)})
    read_frame(requests)
    identity, seen = decode(image)
    write_frame(answers, identity)
    wanted, _ = read_frame(requests)
    box, pixels = None, b""
    if wanted["crop"]:
        spec = CropSpec(**wanted["crop"])
        box, pixels = box_in_crop(seen, spec), crop(seen, spec).tobytes()
    jpeg = thumbnail(seen) if wanted["thumbnail"] else b""
    write_frame(answers, {"crop": len(pixels), "box": box}, pixels + jpeg)


class Memory:
    """What this process may map beyond what it starts with, and keeps: a picture's file, and 3.5 times the
    pixels of the largest one allowed. JPEG and AVIF take 10 bytes a pixel on the way, HEIC 8 to 11, WebP 16.
    What wants more ends as a MemoryError here, not as a machine on its knees; with the default limits that is
    below 1 GB. Only where the system can: Linux."""

    def __init__(self) -> None:
        self._at_start = _mapped_bytes() if HAS_LIMITS else 0

    def allow(self, file_bytes: int, limits: Limits) -> None:
        self._limit(self._at_start + kept_bytes() + file_bytes + limits.decoder_memory)

    def allow_all(self) -> None:
        self._limit(None)

    def _limit(self, most: int | None) -> None:
        if not HAS_LIMITS:
            return
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        try:
            resource.setrlimit(resource.RLIMIT_AS, (hard if most is None else most, hard))
        except ValueError:
            pass  # somebody has set a stricter limit, and that one holds


def _mapped_bytes() -> int:
    pages = Path("/proc/self/statm").read_text().split()[0]
    return int(pages) * resource.getpagesize()


if __name__ == "__main__":
    prepare_process()
    serve(sys.stdin.buffer, sys.stdout.buffer)
