"""One command: `itt VERB ...`, a list of doors to the same mains that the scripts are.

    itt embed photos
    itt train
    itt classify new-pictures

`itt` alone lists the verbs; every companion in companions/ is one. Nothing is imported before one is chosen.
"""
import difflib
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from cache import __version__
from cache.text import on_one_line


class Door(NamedTuple):
    module: str
    function: str  # (argv, prog) -> exit code
    line: str  # what is behind it


TOOLKIT = {
    "embed": Door("stage1.ImageDatasetProcessor", "main", "pictures in tag folders become vectors"),
    "train": Door("stage2.train", "command", "every tag becomes two classifiers, judged in a report"),
    "classify": Door("stage3.classify", "command", "a folder of new pictures is scored and sorted"),
    "classify-zip": Door("stage4.classify_zip", "command", "the same for the pictures in ZIPs"),
    "doctor": Door("cache.doctor.command", "main", "look before a run: what would be skipped and why"),
    "compare": Door("cache.compare.command", "main", "what two results decide differently"),
    "serve": Door("web_api.__main__", "main", "all of it in a browser, and over HTTP"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """What is behind the verb's door; returns its exit code, 2 for a verb that there is not."""
    verb, *arguments = (sys.argv[1:] if argv is None else argv) or ["--help"]
    if verb == "help" and arguments:
        verb, arguments = arguments[0], ["--help"]
    if verb in TOOLKIT:
        return _open(TOOLKIT[verb], verb, arguments)
    beside = companion_doors()
    if verb in beside:
        return _open(beside[verb], verb, arguments)
    if verb in ("--help", "-h", "help"):
        print(*_listing(beside), sep="\n")
        return 0
    if verb == "--version":
        print(f"image-tagging-tools {__version__}")
        return 0
    print(f"error: {_not_a_verb(verb, [*TOOLKIT, *beside])}", file=sys.stderr)
    return 2


def _open(door: Door, verb: str, arguments: list[str]) -> int:
    return getattr(importlib.import_module(door.module), door.function)(arguments, prog=f"itt {verb}")


def companion_doors() -> dict[str, Door]:
    """What each does is the first line of its room, which is read, not imported."""
    import companions  # a tenth of the time that the help of a verb takes

    return {verb: Door(f"companions.{verb}.__main__", "main", _first_line(room))
            for verb, room in companions.folders().items()}


def _first_line(room: Path) -> str:
    import ast

    documentation = ast.get_docstring(ast.parse((room / "__init__.py").read_text(encoding="utf-8"))) or ""
    return documentation.partition("\n")[0].rstrip(".")


def _listing(beside: dict[str, Door]) -> list[str]:
    width = max(map(len, (*TOOLKIT, *beside)))
    lines = ["usage: itt VERB ...", "", "learn a person's own tags, and find them in new pictures:"]
    lines += [f"  {verb:<{width}}  {door.line}" for verb, door in TOOLKIT.items()]
    if beside:
        lines += ["", "before, beside and after tagging:"]
        lines += [f"  {verb:<{width}}  {door.line}" for verb, door in beside.items()]
    return [*lines, "", "itt VERB --help says everything about one."]


def _not_a_verb(verb: str, verbs: list[str]) -> str:
    meant = difflib.get_close_matches(verb, verbs, 1)
    guess = f"; did you mean itt {meant[0]}?" if meant else ""
    return on_one_line(f"{verb} is not a verb of itt{guess} (itt alone lists them)")


if __name__ == "__main__":
    raise SystemExit(main())
