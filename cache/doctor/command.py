"""Look before a run: what would be skipped, what is odd among pictures, and whether our own files are whole.

    python -m cache doctor photos
    python -m cache doctor ./output --json

Nothing is changed, neither in the folder nor in a database.
"""
import argparse
import os
from collections.abc import Iterator
from contextlib import closing

from cache.command_line import add_decoding_flags, exit_code, limits_of, new_parser, print_lines
from cache.doctor.findings import PROBLEMS, Finding, Findings
from cache.doctor.own_files import OwnFiles
from cache.doctor.report import json_report, text_report
from cache.limits import Limits
from cache.reader.file_progress import file_bar
from cache.reader.image_source import images
from cache.reader.source_file import Archive, Item, Picture, SetAside, Skipped
from cache.text import printable

HELP = "look before a run: what would be skipped and why"
DESCRIPTION = (
    "Look before a run: what would be skipped and why, and whether caches, metadata and models are whole. "
    "Changes nothing.")
EXAMPLE = "photos"  # what stands behind the name of the command
EXTENSIONS = {  # by the type that they claim
    "jpeg": "jpg jpeg jpe jfif",
    "png": "png apng",
    "gif": "gif",
    "webp": "webp",
    "tiff": "tif tiff",
    "bmp": "bmp dib",
    "ppm": "ppm pgm pbm pnm pfm",
    "avif": "avif",
    "heif": "heic heics heif heifs hif",
    "jxl": "jxl",
    "raw": "3fr arw cr2 cr3 crw dng erf iiq mef mrw nef nrw orf pef raf rw2 rwl sr2 srw x3f",
    "zip": "zip",
}
TYPES = {extension: content for content, extensions in EXTENSIONS.items() for extension in extensions.split()}
TURNS = {  # EXIF orientation: how the stored pixels are turned, clockwise, to be seen upright
    2: "mirrored",
    3: "turned by 180 degrees",
    4: "mirrored and turned by 180 degrees",
    5: "mirrored and turned by 270 degrees",
    6: "turned by 90 degrees",
    7: "mirrored and turned by 90 degrees",
    8: "turned by 270 degrees",
}


def examine(source: str, findings: Findings, limits: Limits = Limits(), num_threads: int = 4) -> None:
    """Everything under a folder, a ZIP, or one file. Raises Missing if there is no `source`."""
    own = OwnFiles(source)
    items = images(source, limits=limits, num_threads=num_threads, known=own.known)
    with closing(items), file_bar(source, limits.include_hidden) as bar:
        for item in items:
            findings.add(_of(item, findings, own))
            bar.update()
    findings.add(own.mismatches())
    findings.add(findings.duplicates())
    if findings.counts["picture"] > 1:  # one is a picture to look at, not a dataset
        findings.add(findings.about_tags(printable(source)))


def _of(item: Item, findings: Findings, own: OwnFiles) -> Iterator[Finding]:
    match item:
        case SetAside():
            findings.counts[item.kind] += 1
            yield from own.examine(item)
        case Picture():
            findings.counts["picture"] += 1
            findings.add_picture(item)
            yield from _otherwise_named(item, item.type)
            if item.orientation in TURNS:
                facts = {"orientation": item.orientation}
                yield Finding("sideways", item.file.file_path, TURNS[item.orientation], facts)
        case Archive():
            findings.counts["archive"] += 1
            yield from _otherwise_named(item, "zip")
            if item.names_read_as:
                encoding = item.names_read_as
                detail = f"read as {encoding}"
                yield Finding("guessed_names", item.file.file_path, detail, {"encoding": encoding})
        case Skipped(reason="hidden"):
            yield from own.examine_hidden(item.file_path)
        case Skipped(reason="other_file"):
            yield Finding("other_file", item.file_path, item.detail)
        case Skipped():
            findings.reasons[item.reason] += 1
            detail = f"{item.reason} ({item.detail})" if item.detail else item.reason
            yield Finding("skipped", item.file_path, detail, {"reason": item.reason})


def _otherwise_named(item: Picture | Archive, content: str) -> Iterator[Finding]:
    """Names without an extension, or with one that is no picture's, claim nothing."""
    extension = os.path.splitext(item.file.file_name)[1][1:].lower()
    if TYPES.get(extension, content) != content:
        yield Finding("mislabelled", item.file.file_path, f"is {content}", {"type": content})


def main(argv: list[str] | None = None, prog: str | None = None) -> int:
    """The command on its own; prog: how it was called, for its help."""
    prog = prog or "python -m cache doctor"
    parser = new_parser(DESCRIPTION, f"{prog} {EXAMPLE}", prog=prog)
    add_flags(parser)
    return command(parser.parse_args(argv))


def add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "path", metavar="PATH",
        help="a folder, a ZIP, a picture, or a database, metadata JSON or model of these tools")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of text")
    add_decoding_flags(parser)


def command(arguments: argparse.Namespace) -> int:
    """Exit code 0 without a problem, 3 with one."""
    report = json_report if arguments.json else text_report

    def work() -> int:
        with Findings() as findings:
            examine(arguments.path, findings, limits_of(arguments), arguments.num_threads)
            print_lines(report(printable(arguments.path), findings))
            return 3 if findings.total(PROBLEMS) else 0

    return exit_code(work, "interrupted; nothing was changed")
