"""The methods of likeness, by the names that people know; each in a file of its own, imported when it is
chosen."""
import importlib
from typing import NamedTuple

from cache.refusal import Refused
from companions.cluster.methods.method import Method


class Door(NamedTuple):
    module: str
    name: str  # of the class
    line: str  # what it finds


METHODS = {
    "exact": Door("exact", "Exact", "copies: the same pixels, whatever the file"),
    "imagehash": Door("image_hash", "ImageHash", "the same picture, saved again, larger or smaller"),
    "ssim": Door("ssim", "Ssim", "the same picture, by what the eye sees of its structure"),
    "tm": Door("template", "Template", "the same picture, by the brightness of its points"),
    "minhash": Door("min_hash", "MinHash", "the same corners in the same places"),
    "orb": Door("keypoints", "Orb", "copies that were cut, made lighter or darker, or saved badly"),
    "sift": Door("keypoints", "Sift", "besides those turned, mirrored, framed or written on"),
    "clip": Door("clip", "Clip", "what an encoder finds nearly the same, by the vectors of the clip cache"),
}


def method_named(name: str) -> Method:
    if name not in METHODS:
        raise Refused(f"there is no method {name}; there are {', '.join(METHODS)}")
    door = METHODS[name]
    return getattr(importlib.import_module(f"companions.cluster.methods.{door.module}"), door.name)()
