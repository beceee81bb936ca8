"""JSON objects with one member a line: written member by member, read back line by line, never whole in memory.

A file laid out otherwise is read whole.
"""
import os
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import orjson

from cache.files.whole_file import open_to_read, whole_file
from cache.refusal import Refused


def write_json_object(path: str | os.PathLike, members: Iterable[tuple[str, object]]) -> None:
    """A JSON object with one member a line, streamed; numpy float32 arrays become their shortest decimals."""
    with whole_file(path) as file:
        file.write(b"{")
        separator = b"\n"
        for name, value in members:
            file.write(separator + orjson.dumps(name) + b": " + orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY))
            separator = b",\n"
        file.write(b"\n}\n")


def records(path: str | os.PathLike, kind: str = "a metadata JSON", maker: str = "stage 1") -> Iterator[tuple[str, object]]:
    """(hash_id, record) of a file that write_json_object() wrote, or of any other {hash_id: record}. Raises Refused for anything else."""
    with _opened(path, maker) as file:
        if file.readline() != b"{\n" or not file.readline().endswith((b"}\n", b"},\n")):
            file.seek(0)
            yield from _members(path, _parsed(path, file.read(), maker), f"{kind} of {maker}")
            return
        file.seek(2)
        for line in file:
            if line == b"}\n":
                return
            yield from _members(path, _parsed(path, b"{" + line.rstrip(b",\n") + b"}", maker), f"{kind} of {maker}")
    raise Refused(f"{path} ends in the middle; run {maker} again")


def _members(path: str | os.PathLike, parsed: object, wanted: str) -> Iterator[tuple[str, object]]:
    if not isinstance(parsed, dict):
        raise Refused(f"{path} is not {wanted}: it should read {{hash_id: record}}")
    yield from parsed.items()


def _parsed(path: str | os.PathLike, text: bytes, maker: str = "stage 1") -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Refused(f"{path} is not valid JSON ({error.msg}); if it was cut off, {maker} makes it anew") from None


def _opened(path: str | os.PathLike, maker: str = "stage 1") -> BinaryIO:
    return open_to_read(path, f"; {maker} makes it")
