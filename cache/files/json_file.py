"""JSON objects with one member a line: written and read back member by member, never whole in memory.

A file laid out otherwise is read whole.
"""
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

import orjson

from cache.files.whole_file import open_to_read, whole_file
from cache.refusal import Refused

FIRST_LINE, LAST_LINE = b"{\n", b"}\n"
MEMBER_ENDS = (b"}\n", b"},\n", b"]\n", b"],\n")


def write_json_object(path: str | os.PathLike, members: Iterable[tuple[str, object]]) -> None:
    """A JSON object with one member a line, streamed; numpy float32 arrays become their shortest decimals."""
    with whole_file(path) as file:
        file.write(b"{")
        separator = b"\n"
        for name, value in members:
            text = orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)
            file.write(separator + orjson.dumps(name) + b": " + text)
            separator = b",\n"
        file.write(b"\n}\n")


@dataclass(frozen=True)
class JsonFormat:
    """JSON objects of one kind, read, and refused where they are something else."""

    kind: str  # "a metadata JSON"
    maker: str  # "stage 1"
    shape: str  # "{hash_id: record}"

    def members(self, path: str | os.PathLike) -> Iterator[tuple[str, object]]:
        """(name, value) of an object of objects or lists, however it is laid out. Raises Refused for anything
        else, in the middle of a file that is cut off, too."""
        with self.opened(path) as file:
            if file.readline() != FIRST_LINE or not file.readline().endswith(MEMBER_ENDS):
                file.seek(0)
                yield from self._object(path, file.read()).items()
                return
            file.seek(len(FIRST_LINE))
            for line in file:
                if line == LAST_LINE:
                    return
                yield from self._object(path, b"{" + line.rstrip(b",\n") + b"}").items()
        raise Refused(f"{path} ends in the middle; run {self.maker} again")

    def whole(self, path: str | os.PathLike) -> dict:
        """The object, in memory. Raises Refused for anything else."""
        with self.opened(path) as file:
            return self._object(path, file.read())

    def opened(self, path: str | os.PathLike) -> BinaryIO:
        """Raises Refused if there is no such file."""
        return open_to_read(path, f"; {self.maker} makes it")

    def refusal(self, path: str | os.PathLike, reason: str = "") -> Refused:
        """Of a file that is something else; without a reason, for its shape."""
        reason = reason or f"it should read {self.shape}"
        return Refused(f"{path} is not {self.kind} of {self.maker}: {reason}")

    def _object(self, path: str | os.PathLike, text: bytes) -> dict:
        try:
            parsed = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            advice = f"if it was cut off, {self.maker} makes it anew"
            raise Refused(f"{path} is not valid JSON ({error.msg}); {advice}") from None
        if not isinstance(parsed, dict):
            raise self.refusal(path)
        return parsed
