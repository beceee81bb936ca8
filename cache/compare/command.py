"""What two runs of stages 3 or 4 decide differently, say before and after training again.

    python -m cache compare scored-before scored-after
"""
import argparse
import os
from collections.abc import Callable, Iterator

from cache.command_line import exit_code, new_parser, parse, print_lines, refuse_output_inside
from cache.compare.changed_decisions import COLUMNS, OUTPUT_JSON, YES_FROM, Change, ChangedDecisions
from cache.files.csv_file import write_csv
from cache.refusal import Refused
from cache.results.result_folder import OUTPUT
from cache.text import on_one_line, plural

HELP = "what two results of stages 3 or 4 decide differently"
DESCRIPTION = (
    "What two results of stages 3 or 4 decide differently about the pictures in both: as a table, and as a page of thumbnails.")
EXAMPLE = "scored-before scored-after"  # what stands behind the name of the command
WIDEST = 40  # column of the table; a longer name moves its own row


def main(argv: list[str] | None = None, prog: str | None = None) -> int:
    """The command on its own; prog: how it was called, for its help."""
    prog = prog or "python -m cache compare"
    parser = new_parser(DESCRIPTION, f"{prog} {EXAMPLE}", prog=prog)
    add_flags(parser)
    return command(parse(parser, argv))


def add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("first", metavar="RESULT_1", help="an output folder of stage 3 or 4")
    parser.add_argument("second", metavar="RESULT_2", help="another one, from other models or thresholds")
    parser.add_argument("--output", default="./output/comparison.html", metavar="PATH", help="the page")
    parser.add_argument("--csv", default=None, metavar="PATH", help="write all changes into this file, too")


def command(arguments: argparse.Namespace) -> int:
    return exit_code(lambda: _compare(arguments), "interrupted; nothing was changed")


def _compare(arguments: argparse.Namespace) -> int:
    from cache.compare.page import is_comparison_page, write_comparison_page

    folders, written = (arguments.first, arguments.second), [path for path in (arguments.output, arguments.csv) if path]
    for folder in folders:  # first: what is no result must not be told that the page lies inside it
        OUTPUT_JSON.opened(os.path.join(folder, OUTPUT)).close()
    for folder in folders:
        for path in written:
            refuse_output_inside(folder, os.path.dirname(os.path.abspath(path)))
    if len({os.path.realpath(path) for path in written}) < len(written):
        raise Refused(f"--output and --csv both name {arguments.csv}; name two files")
    _refuse_to_replace(arguments.output, is_comparison_page, "a page of an earlier comparison")
    if arguments.csv:
        _refuse_to_replace(arguments.csv, _has_our_columns, "a table of an earlier comparison")
    with ChangedDecisions(*folders) as changed:
        summary = [_counts(changed), *_notes(folders, changed)]
        write_comparison_page(arguments.output, folders, changed, summary)
        if arguments.csv:
            write_csv(arguments.csv, COLUMNS, changed.rows())
        print_lines([*summary[1:], *_table(changed.changes()), *(f"wrote {path}" for path in written), summary[0]])
    return 0


def _refuse_to_replace(path: str, is_ours: Callable[[str], bool], kind: str) -> None:
    """Whatever it is, somebody may have it nowhere else."""
    if os.path.isdir(path):
        raise Refused(f"{path} is a folder; name a file")
    if os.path.lexists(path) and not (os.path.isfile(path) and is_ours(path)):
        raise Refused(f"{path} exists and is not {kind}; name another file")


def _has_our_columns(path: str) -> bool:
    with open(path, "rb") as file:
        return file.readline(1000).rstrip(b"\r\n") == ",".join(COLUMNS).encode()


def _counts(changed: ChangedDecisions) -> str:
    changes = f"{plural(changed.pictures, 'picture')} changed"
    return f"{changes}, {changed.only_first:,} only in the first, {changed.only_second:,} only in the second"


def _notes(folders: tuple[str, str], changed: ChangedDecisions) -> Iterator[str]:
    """What a person has to know to read the numbers."""
    for folder, models, undecided in zip(folders, changed.models, changed.undecided, strict=True):
        if undecided:
            which = "all" if undecided == models else f"{len(undecided)} of {len(models)}"
            yield f"{on_one_line(folder)}: {which} models only score; there {YES_FROM} and above counts as yes"
    for folder, models, others in zip(folders, changed.models, reversed(changed.models), strict=True):
        if models - others:
            names = ", ".join(on_one_line(f"{tag} ({model_type})") for model_type, tag in sorted(models - others))
            yield f"only {on_one_line(folder)} has {names}"


def _table(changes: list[Change]) -> Iterator[str]:
    """A row for each tag and model type, a column for each kind of change that there is."""
    if not changes:
        return
    kinds = sorted({change.kind for change in changes})
    rows: dict[tuple[str, str], dict[str, int]] = {}
    for change in changes:
        rows.setdefault((on_one_line(change.tag_name), on_one_line(change.model_type)), {})[change.kind] = change.count
    cells = [("tag", "model type", *kinds), *((*names, *(f"{counts.get(kind, 0):,}" for kind in kinds)) for names, counts in rows.items())]
    widths = [min(WIDEST, max(map(len, column))) for column in zip(*cells, strict=True)]
    yield ""
    for row in cells:
        texts = [cell.ljust(width) if place < 2 else cell.rjust(width) for place, (cell, width) in enumerate(zip(row, widths, strict=True))]
        yield "  ".join(texts).rstrip()
    yield ""
