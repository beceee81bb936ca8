"""Frames between the stage and its decoders: a line of JSON, then as many raw bytes as its "payload" says.

Nothing that comes from a process that met hostile bytes is ever unpickled.
"""
import json
from typing import BinaryIO

GONE = "the other side is gone"


def write_frame(stream: BinaryIO, header: dict, payload: bytes = b"") -> None:
    line = json.dumps({**header, "payload": len(payload)})
    stream.write(line.encode() + b"\n")
    stream.write(payload)
    stream.flush()


def read_frame(stream: BinaryIO) -> tuple[dict, bytes]:
    """The next frame; EOFError when the other side is gone, be it in the middle of a frame."""
    line = stream.readline()
    if not line.endswith(b"\n"):
        raise EOFError(GONE)
    header = json.loads(line)
    length = header.pop("payload")
    payload = stream.read(length)
    if len(payload) < length:
        raise EOFError(GONE)
    return header, payload
