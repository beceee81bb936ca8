"""Frames between the stage and its decoder processes: a line of JSON, then as many raw bytes as its "payload" says.

Nothing that comes from a process that met hostile bytes is ever unpickled.
"""
import json
from typing import BinaryIO


def write_frame(stream: BinaryIO, header: dict, payload: bytes = b"") -> None:
    stream.write(json.dumps({**header, "payload": len(payload)}).encode() + b"\n")
    stream.write(payload)
    stream.flush()


def read_frame(stream: BinaryIO) -> tuple[dict, bytes]:
    """The next frame; EOFError when the other side is gone, be it in the middle of a frame."""
    line = stream.readline()
    if not line.endswith(b"\n"):
        raise EOFError("the other side is gone")
    header = json.loads(line)
    length = header.pop("payload")
    payload = stream.read(length)
    if len(payload) < length:
        raise EOFError("the other side is gone")
    return header, payload
