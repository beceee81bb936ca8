"""One decoder process: frames in on stdin, frames out on stdout. Started by decoder_pool.py as `python -m cache.decoder_worker`.

It says {} when it is ready. For one image the two sides then say, in turn:
    -> {limits} + the file's bytes   <- {decoded_bytes}            the header was read
    -> {}                            <- {hash_id, type, width ...}  the pixels were decoded and hashed
    -> {crop: null or a CropSpec}    <- {} + the crop's pixels
Each answer may be {skip, detail} instead, which ends the exchange.
"""
import sys
import warnings
from typing import BinaryIO

from cache.frames import read_frame, write_frame
from cache.image_decoder import CropSpec, crop, decode, decoded_bytes, open_image
from cache.image_limits import Limits, Skip


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    write_frame(answers, {})
    while True:
        try:
            _serve_one(requests, answers)
        except EOFError:
            return
        except Skip as skip:
            write_frame(answers, {"skip": skip.reason, "detail": skip.detail})
        except MemoryError:
            write_frame(answers, {"skip": "too_many_pixels", "detail": "out of memory"})


def _serve_one(requests: BinaryIO, answers: BinaryIO) -> None:
    header, data = read_frame(requests)
    image = open_image(data, Limits(**header["limits"]))
    write_frame(answers, {"decoded_bytes": decoded_bytes(image)})
    read_frame(requests)
    write_frame(answers, decode(image))
    wish, _ = read_frame(requests)
    write_frame(answers, {}, crop(image, CropSpec(**wish["crop"])).tobytes() if wish["crop"] else b"")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    serve(sys.stdin.buffer, sys.stdout.buffer)
