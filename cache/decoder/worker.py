"""One decoder process: frames in on stdin, frames out on stdout. Started by decoder_pool.py as `python -m cache.decoder.worker`.

It says {} when it is ready. For one image the two sides then say, in turn:
    -> {limits} + the file's bytes   <- {decoded_bytes}            the header was read
    -> {}                            <- {hash_id, type, width ...}  the pixels were decoded and hashed
    -> {crop: null or a CropSpec}    <- {} + the crop's pixels
Each answer may be {skip, detail} instead, which ends the exchange.
"""
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from cache.decoder.crop_spec import CropSpec
from cache.decoder.frames import read_frame, write_frame
from cache.decoder.image_decoder import crop, decode, decoded_bytes, open_image
from cache.decoder.limits import MIB, Limits, Skip


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    memory = Memory()
    write_frame(answers, {})
    while True:
        try:
            _serve_one(requests, answers, memory)
        except EOFError:
            return
        except Skip as skip:
            write_frame(answers, {"skip": skip.reason, "detail": skip.detail})
        except MemoryError:
            write_frame(answers, {"skip": "too_many_pixels", "detail": "more memory than a decoder may have"})


class Memory:
    """What this process may map beyond what it starts with: a picture's file, and 3.5 times the pixels of the largest one allowed. JPEG and
    AVIF take 10 bytes a pixel on the way, WebP 16. What wants more ends as a MemoryError here, not as a machine on its knees; with the
    default limits that is below 1 GB."""

    def __init__(self) -> None:
        """Only where the system can: Linux."""
        try:
            import resource

            self._resource = resource
            self._at_start = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        except (ImportError, OSError):
            self._resource = None

    def allow(self, file_bytes: int, limits: Limits) -> None:
        self._limit(lambda hard: self._at_start + file_bytes + int(3.5 * limits.max_decoded_mib * MIB))

    def allow_all(self) -> None:
        self._limit(lambda hard: hard)

    def _limit(self, soft: Callable[[int], int]) -> None:
        if self._resource is None:
            return
        hard = self._resource.getrlimit(self._resource.RLIMIT_AS)[1]
        try:
            self._resource.setrlimit(self._resource.RLIMIT_AS, (soft(hard), hard))
        except ValueError:
            pass  # somebody has set a stricter limit, and that one holds


def _serve_one(requests: BinaryIO, answers: BinaryIO, memory: Memory) -> None:
    memory.allow_all()  # the limit of the last picture is not that of this file's bytes
    header, data = read_frame(requests)
    limits = Limits(**header["limits"])
    memory.allow(len(data), limits)
    image = open_image(data, limits)
    write_frame(answers, {"decoded_bytes": decoded_bytes(image)})
    read_frame(requests)
    write_frame(answers, decode(image))
    wish, _ = read_frame(requests)
    write_frame(answers, {}, crop(image, CropSpec(**wish["crop"])).tobytes() if wish["crop"] else b"")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    serve(sys.stdin.buffer, sys.stdout.buffer)
