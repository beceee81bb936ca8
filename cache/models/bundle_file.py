"""The file that holds a bundle: arrays of numbers with a digest over them, in the format safetensors.

Eight bytes with the length of a header (little-endian), the header, a JSON object {name: {"dtype", "shape",
"data_offsets"}}, then the bytes of the arrays without gaps
(https://huggingface.co/docs/safetensors). Nothing in it can be run, and no array can be larger than the file.
It is written here, because the library would hold all of it in memory twice, and read by the library.
"""
import json
import os
from collections.abc import Mapping
from hashlib import sha256

import numpy as np

from cache.files.whole_file import open_to_read, whole_file
from cache.refusal import Refused

FORMAT = "image-tagging-tools models 1"  # stands in the header, with the digest
STAMPS = "stamps"  # not under the digest: other bytes for the same models, and of no harm if damaged
DTYPES = {"float32": "F32", "float64": "F64", "int64": "I64", "int32": "I32", "uint8": "U8"}
ALIGNMENT = 8  # bytes; of the header with its length, so that no number lies across

Arrays = Mapping[str, np.ndarray]


def write_arrays(path: str | os.PathLike, arrays: Arrays) -> None:
    """Whole or not at all. The widest numbers come first: all begin where numbers of their size may."""
    names = sorted(arrays, key=lambda name: (-arrays[name].itemsize, name))
    header: dict = {"__metadata__": {FORMAT: _digest(arrays)}}
    end = 0
    for name in names:
        array, start = arrays[name], end
        end += array.nbytes
        header[name] = {
            "dtype": DTYPES[str(array.dtype)], "shape": array.shape, "data_offsets": (start, end)}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % ALIGNMENT)
    with whole_file(path) as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name in names:
            file.write(np.ascontiguousarray(arrays[name]).data)


def read_arrays(path: str | os.PathLike) -> Arrays:
    """Raises Refused for a file that cannot be read, is none of these, or is damaged."""
    from safetensors import safe_open

    open_to_read(path).close()  # safe_open would wait for the other end of a pipe
    try:
        with safe_open(path, framework="numpy") as file:
            digest = (file.metadata() or {}).get(FORMAT)
            if digest is None:
                raise ValueError("it is not of these tools, or of another version of them")
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  it is no mapping
        if digest != _digest(arrays):
            raise ValueError("its content is not what was written")
    except Exception as error:  # a file from anybody can fail in any way
        raise unusable(path, error) from None
    return arrays


def unusable(path: str | os.PathLike, error: Exception) -> Refused:
    return Refused(f"{path} is not usable ({type(error).__name__}: {str(error)[:100]})")


def _digest(arrays: Arrays) -> str:
    """Of all but the stamps: names, shapes and bytes."""
    digest = sha256()
    for name in sorted(arrays.keys() - {STAMPS}):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype} {array.shape}\n".encode())
        digest.update(array.data)
    return digest.hexdigest()
