"""What the command lines share: flags, exit codes, signals and the summary line.

Exit codes: 0 done, 3 done but files were skipped (--strict), 2 refused, 130 interrupted; 1 is a bug.
"""
import argparse
import errno
import os
import signal
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from cache import __version__
from cache.argument_parser import ArgumentParser, positive, seconds
from cache.limits import Limits
from cache.reader.batches import Counts
from cache.refusal import Refused
from cache.stores.sqlite_errors import DatabaseError, is_busy, is_trouble
from cache.text import on_one_line

SCRIPTS = {  # behind `itt VERB` and, in a clone, `python ./SCRIPT`
    "embed": "stage1/ImageDatasetProcessor.py",
    "train": "stage2/train.py",
    "classify": "stage3/classify.py",
    "classify-zip": "stage4/classify_zip.py",
}
METADATA = "./output/input-metadata.json"
MODELS = "./output/models"
LIMIT_FLAGS = {
    "max_pixels": "pixels of one picture",
    "max_decoded_mib": "MiB of one decoded picture",
    "max_member_mib": "MiB of one file or ZIP member",
    "max_expansion": "times a ZIP member may grow",
    "max_zip_depth": "ZIPs inside one another",
    "max_zip_entries": "entries of a ZIP",
    "max_inner_zip_entries": "entries of a ZIP inside a ZIP",
    "file_timeout": "seconds to decode one picture",
}
NOT_OURS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.ENAMETOOLONG, errno.EIO)


def new_parser(description: str, example: str, prog: str | None = None) -> ArgumentParser:
    """prog: the command as a person types it, for the usage line; None is what the program was started as."""
    parser = ArgumentParser(prog=prog, description=description, example=example)
    parser.add_argument("--version", action="version", version=f"image-tagging-tools {__version__}")
    return parser


def call(verb: str, prog: str | None = None) -> str:
    """A stage as a person types it who typed `prog`; without one, as its script."""
    return f"itt {verb}" if prog and prog.startswith("itt ") else f"python ./{SCRIPTS[verb]}"


def refuse_missing(path: str, maker: str) -> None:
    """Of what nobody named, because an earlier command, `maker`, leaves it in its usual place."""
    if not os.path.exists(path):
        raise Refused(f"there is no {path} yet; this makes it: {maker}")


def add_encoder_flags(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--batch_size", type=positive, default=32, metavar="N", help="pictures embedded at once")
    add("--device", default=None, metavar="NAME", help="cuda, cpu, mps ...; None is cuda where there is one")
    add("--precision", choices=["fp32"], default=None, help="fp32: full, even where less keeps the vectors")


def add_reading_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--strict", action="store_true",
        help="exit with 3 if files were skipped, other than hidden ones and what lies beside photographs")
    parser.add_argument("--no-thumbnails", dest="thumbnails", action="store_false",
        help="keep no small pictures for pages; they then open each picture anew")
    add_decoding_flags(parser)


def add_decoding_flags(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--num_threads", type=positive, default=4, metavar="N", help="pictures decoded at once")
    add("--include_hidden", action="store_true",
        help="read hidden files, and what programs keep among pictures (@eaDir, .thumbnails, __MACOSX)")
    limits = parser.add_argument_group("limits for each file")
    for name, help_text in LIMIT_FLAGS.items():
        default = getattr(Limits, name)
        kind = positive if isinstance(default, int) else seconds
        limits.add_argument(f"--{name}", type=kind, default=default, metavar="N", help=help_text)


def limits_of(arguments: argparse.Namespace) -> Limits:
    numbers = {name: getattr(arguments, name) for name in LIMIT_FLAGS}
    return Limits(**numbers, include_hidden=arguments.include_hidden)


def run(
    work: Callable[[Counts], None],
    strict: bool = False,
    again: str = "what was finished is kept, the same command goes on from there",
) -> int:
    """Do the work and return the exit code. The summary line goes to stdout, what went wrong, in one line, to
    stderr. again: what becomes of work that was interrupted."""
    counts = Counts()

    def counted() -> int:
        try:
            work(counts)
        except KeyboardInterrupt:
            print(*counts.summary(), sep="\n")
            raise
        print(*counts.summary(), sep="\n")
        return 3 if strict and counts.faults else 0

    return exit_code(counted, f"interrupted; {again}")


def exit_code(work: Callable[[], int], interrupted: str) -> int:
    """Of the work as it ends well, or of what went wrong, which is said in one line on stderr."""
    signal.signal(signal.SIGTERM, _interrupt)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a name that the terminal's encoding lacks must not end a run
            stream.reconfigure(errors="backslashreplace")
    try:
        return work()
    except Refused as refusal:
        return _fail(f"error: {refusal}", 2)
    except KeyboardInterrupt:
        return _fail(interrupted, 130)
    except (OSError, DatabaseError) as error:
        if not _is_storage(error):
            raise
        return _fail(f"error: cannot read or write: {error}{_advice(error)}", 2)


def print_lines(lines: Iterable[str]) -> None:
    try:
        for line in lines:
            print(line)
        if sys.stdout:  # None where a program was started without one
            sys.stdout.flush()
    except BrokenPipeError:  # `| head` has read what it wants; what is buffered must go somewhere at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _interrupt(*_) -> None:
    raise KeyboardInterrupt


def _fail(message: str, code: int) -> int:
    print(on_one_line(message), file=sys.stderr)
    return code


def _is_storage(error: OSError | DatabaseError) -> bool:
    """Disk full, no permission, a name too long, a damaged database, or one that somebody else holds: nothing
    that is ours to mend."""
    if isinstance(error, DatabaseError):
        return is_trouble(error)
    return error.errno in NOT_OURS or isinstance(error, PermissionError)


def _advice(error: OSError | DatabaseError) -> str:
    if isinstance(error, DatabaseError) and is_busy(error):
        return "; another program holds it, the same command goes on from there"
    no_space = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    full = no_space or "full" in str(error)
    return "; make room, the same command goes on from there" if full else ""


def refuse_output_inside(source: str, output: str, keeps_input: bool = True) -> None:
    """An output below the input would change the input, and be read as input the next time."""
    input_path, output_path = Path(source).resolve(), Path(output).resolve()
    if input_path.is_dir() and output_path.is_relative_to(input_path):
        raise Refused(
            f"the output folder {output_path} lies inside the input folder {input_path}; name another one")
    if input_path.is_relative_to(output_path) and not keeps_input:
        raise Refused(
            f"the input {input_path} lies inside the output folder {output_path}, which is replaced as a "
            "whole; name another one")
