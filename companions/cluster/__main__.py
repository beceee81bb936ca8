"""Groups of alike pictures, and the copies among them.

    python -m companions.cluster photos --method orb --output ./output/clusters
    python -m companions.cluster --merge ./output/summer ./output/winter
    python -m companions.cluster undo ./output/clusters
"""
import sys
from argparse import Namespace
from typing import TYPE_CHECKING

from cache import command_line
from cache.argument_parser import ArgumentParser, positive
from cache.progress import say
from cache.reader.batches import Counts
from cache.refusal import Refused
from cache.text import plural
from companions.cluster.groups import CHAIN, LINKAGES
from companions.cluster.methods import METHODS

if TYPE_CHECKING:
    from companions.cluster.placing import Placed

METHOD = "orb"
DESCRIPTION = "Group alike pictures, and find copies: in a folder, with all folders and ZIPs in it."


def main(argv: list[str] | None = None, prog: str | None = None) -> int:
    """The command line; prog: how it was called, for its help. Returns the exit code."""
    prog = prog or "python -m companions.cluster"
    argv = sys.argv[1:] if argv is None else argv
    if argv[:1] == ["undo"]:
        return _undo(argv[1:], f"{prog} undo")
    parser = command_line.new_parser(DESCRIPTION, f"{prog} photos --method orb", prog)
    if "--merge" not in argv:
        parser.add_input("--input_folder", "the folder of pictures", "a folder, a picture or a ZIP")
    _add_flags(parser)
    arguments = parser.parse_args(argv)

    def work(counts: Counts) -> None:
        result = _merged(arguments) if arguments.merge else _clustered(arguments, counts)
        if "clusters" in result:  # else only the moving of an earlier run went on
            print(f"{plural(result['clusters'], 'cluster')}, {plural(result['outliers'], 'outlier')}")
        for path in result["written"]:
            print(f"wrote {path}")
        if "placed" in result:
            _tell(result["placed"], f"placed ({arguments.place})")
        if arguments.place == "move" and "placed" in result and result["placed"].files:
            print(f"all back again: {prog} undo {arguments.output}")

    return command_line.run(work, arguments.strict)


def _clustered(arguments: Namespace, counts: Counts) -> dict:
    from companions.cluster.run import cluster

    return cluster(
        arguments.input_folder,
        arguments.output,
        arguments.method or METHOD,
        arguments.threshold,
        arguments.linkage or CHAIN,
        place=arguments.place,
        suggest=arguments.suggest,
        clip_cache=arguments.clip_cache,
        batch_size=arguments.batch_size,
        num_threads=arguments.num_threads,
        thumbnails=arguments.thumbnails,
        limits=command_line.limits_of(arguments),
        counts=counts,
    )


def _merged(arguments: Namespace) -> dict:
    from companions.cluster.merge import merge

    if arguments.suggest:
        raise Refused("--suggest looks at a folder of pictures, not at earlier results")
    return merge(
        arguments.merge,
        arguments.output,
        arguments.method,
        arguments.threshold,
        arguments.linkage,
        place=arguments.place,
        batch_size=arguments.batch_size,
    )


def _add_flags(parser: ArgumentParser) -> None:
    add = parser.add_argument
    lines = "; ".join(f"{name}: {door.line}" for name, door in METHODS.items())
    add("--merge", nargs="+", default=None, metavar="OUTPUT",
        help="join earlier results, in place of reading pictures: all that are in them are compared")
    add("--method", choices=METHODS, default=None, metavar="NAME", help=f"None is {METHOD}. {lines}")
    add("--threshold", type=float, default=None, metavar="0..1",
        help="from which similarity on two pictures are alike, 1 is identical; None: the method's own")
    add("--suggest", action="store_true",
        help="write thresholds.html instead: what each threshold would find")
    add("--linkage", choices=LINKAGES, default=None,
        help="None is chain. chain: pictures that a chain of alike pairs joins; leader: those like one of "
        "them; complete: those that are all alike")
    add("--output", default="./output/clusters", metavar="PATH", help="the result, replaced as a whole")
    add("--clip_cache", default="./output/clip_cache.sqlite", metavar="PATH",
        help="where clip finds the vectors: a clip cache, or the metadata JSON of stage 1")
    add("--batch_size", type=positive, default=1000, metavar="N",
        help="pictures whose features are in memory together; it changes nothing in the result")
    add("--place", choices=["copy", "hardlink", "symlink", "move"], default=None,
        help="put the files into OUTPUT/result/cluster_<k>/ and OUTPUT/result/outliers/; move alone changes "
        "the input, and undo OUTPUT puts all back")
    command_line.add_reading_flags(parser)


def _undo(argv: list[str], prog: str) -> int:
    description = "Put the originals that --place move has moved back to where they were."
    parser = command_line.new_parser(description, f"{prog} ./output/clusters", prog)
    parser.add_input("--output", "the output", "the output of the run that moved them")
    output = parser.parse_args(argv).output

    def work() -> int:
        from companions.cluster.moving import undo

        placed = undo(output)
        _tell(placed, "back again")
        if placed.left:
            raise Refused(f"{plural(len(placed.left), 'file')} not back yet; the same command tries again")
        return 0

    return command_line.exit_code(work, "interrupted; the same command goes on from there")


def _tell(placed: "Placed", what: str) -> None:
    for line in placed.lines():
        say(line)
    print(f"{what}: {plural(placed.files, 'file')}")


if __name__ == "__main__":
    raise SystemExit(main())
