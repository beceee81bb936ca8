"""What two runs of stages 3 or 4 decide differently, say before and after training again.

    python -m cache compare scored-before scored-after
"""
import argparse
import os
from collections.abc import Callable, Iterator

from cache.command_line import exit_code, new_parser, print_lines, refuse_output_inside
from cache.compare.changed_decisions import YES_FROM, Change, ChangedDecisions
from cache.compare.scored_run import ScoredRun
from cache.files.csv_file import write_csv
from cache.refusal import Refused
from cache.stores.decision_listing import COLUMNS
from cache.text import on_one_line, plural

HELP = "what two results of stages 3 or 4 decide differently"
DESCRIPTION = (
    "What two results of stages 3 or 4 decide differently about the pictures in both: as a table, and as a "
    "page of thumbnails.")
EXAMPLE = "scored-before scored-after"  # what stands behind the name of the command
WIDEST = 40  # column of the table; a longer name moves its own row


def main(argv: list[str] | None = None, prog: str | None = None) -> int:
    """The command on its own; prog: how it was called, for its help."""
    prog = prog or "python -m cache compare"
    parser = new_parser(DESCRIPTION, f"{prog} {EXAMPLE}", prog=prog)
    add_flags(parser)
    return command(parser.parse_args(argv))


def add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("first", metavar="RESULT_1", help="an output folder of stage 3 or 4")
    parser.add_argument("second", metavar="RESULT_2", help="another one, from other models or thresholds")
    parser.add_argument("--output", default="./output/comparison.html", metavar="PATH", help="the page")
    parser.add_argument("--csv", default=None, metavar="PATH", help="write all changes into this file, too")


def command(arguments: argparse.Namespace) -> int:
    return exit_code(lambda: _compare(arguments), "interrupted; nothing was changed")


def _compare(arguments: argparse.Namespace) -> int:
    from cache.compare.page import write_comparison_page

    _check(arguments)
    with ChangedDecisions(arguments.first, arguments.second) as changed:
        counts, notes = _counts(changed), list(_notes(changed))
        write_comparison_page(arguments.output, changed, [counts, *notes])
        if arguments.csv:
            write_csv(arguments.csv, COLUMNS, changed.rows())
        written = [f"wrote {path}" for path in _outputs(arguments)]
        print_lines([*notes, *_table(changed.changes()), *written, counts])
    return 0


def _outputs(arguments: argparse.Namespace) -> list[str]:
    return [path for path in (arguments.output, arguments.csv) if path]


def _check(arguments: argparse.Namespace) -> None:
    """Raises Refused for what is no result, and for outputs that would disturb one or replace more."""
    from cache.compare.page import is_comparison_page

    folders, outputs = (arguments.first, arguments.second), _outputs(arguments)
    for folder in folders:  # first: what is no result must not be told that the page lies inside it
        ScoredRun(folder).check_there()
    for folder in folders:
        for path in outputs:
            refuse_output_inside(folder, os.path.dirname(os.path.abspath(path)))
    if len({os.path.realpath(path) for path in outputs}) < len(outputs):
        raise Refused(f"--output and --csv both name {arguments.csv}; name two files")
    _refuse_to_replace(arguments.output, is_comparison_page, "a page of an earlier comparison")
    if arguments.csv:
        _refuse_to_replace(arguments.csv, _has_our_columns, "a table of an earlier comparison")


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


def _notes(changed: ChangedDecisions) -> Iterator[str]:
    """What a person has to know to read the numbers."""
    for run in (changed.first, changed.second):
        if run.undecided:
            which = "all" if run.undecided == run.models else f"{len(run.undecided)} of {len(run.models)}"
            how = f"{which} models only score; there {YES_FROM} and above counts as yes"
            yield f"{on_one_line(run.folder)}: {how}"
    for run, other in ((changed.first, changed.second), (changed.second, changed.first)):
        only_here = sorted(run.models - other.models)
        if only_here:
            names = ", ".join(on_one_line(f"{model.tag_name} ({model.model_type})") for model in only_here)
            yield f"only {on_one_line(run.folder)} has {names}"


def _table(changes: list[Change]) -> Iterator[str]:
    """A row for each tag and model type, a column for each kind of change that there is."""
    if not changes:
        return
    kinds = sorted({change.kind for change in changes})
    counts: dict[tuple[str, str], dict[str, int]] = {}
    for change in changes:
        names = on_one_line(change.tag_name), on_one_line(change.model_type)
        counts.setdefault(names, {})[change.kind] = change.count
    rows = [("tag", "model type", *kinds)]
    for names, by_kind in counts.items():
        rows.append((*names, *(f"{by_kind.get(kind, 0):,}" for kind in kinds)))
    yield ""
    yield from _aligned(rows)
    yield ""


def _aligned(rows: list[tuple[str, ...]]) -> Iterator[str]:
    """Two columns of names to the left, the numbers behind them to the right."""
    widths = [min(WIDEST, max(map(len, column))) for column in zip(*rows, strict=True)]
    for tag_name, model_type, *numbers in rows:
        cells = [tag_name.ljust(widths[0]), model_type.ljust(widths[1])]
        cells += (number.rjust(width) for number, width in zip(numbers, widths[2:], strict=True))
        yield "  ".join(cells).rstrip()
