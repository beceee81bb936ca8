"""Groups of alike pictures, and the copies among them.

    python -m companions.cluster photos --method orb --output ./output/clusters
"""
from cache import command_line
from cache.argument_parser import ArgumentParser, positive
from cache.reader.batches import Counts
from cache.text import plural
from companions.cluster.groups import CHAIN, LINKAGES
from companions.cluster.methods import METHODS

DESCRIPTION = "Group alike pictures, and find copies: in a folder, with all folders and ZIPs in it."


def main(argv: list[str] | None = None, prog: str | None = None) -> int:
    """The command line; prog: how it was called, for its help. Returns the exit code."""
    prog = prog or "python -m companions.cluster"
    parser = command_line.new_parser(DESCRIPTION, f"{prog} photos --method orb", prog)
    _add_flags(parser)
    arguments = parser.parse_args(argv)

    def work(counts: Counts) -> None:
        from companions.cluster.run import cluster

        result = cluster(
            arguments.input_folder,
            arguments.output,
            arguments.method,
            arguments.threshold,
            arguments.linkage,
            batch_size=arguments.batch_size,
            num_threads=arguments.num_threads,
            thumbnails=arguments.thumbnails,
            limits=command_line.limits_of(arguments),
            counts=counts,
        )
        print(f"{plural(result['clusters'], 'cluster')}, {plural(result['outliers'], 'outlier')}")
        for path in result["written"]:
            print(f"wrote {path}")

    return command_line.run(work, arguments.strict)


def _add_flags(parser: ArgumentParser) -> None:
    parser.add_input("--input_folder", "the folder of pictures", "a folder, a picture or a ZIP")
    add = parser.add_argument
    lines = "; ".join(f"{name}: {door.line}" for name, door in METHODS.items())
    add("--method", choices=METHODS, default="orb", metavar="NAME", help=lines)
    add("--threshold", type=float, default=None, metavar="0..1",
        help="from which similarity on two pictures are alike, 1 is identical; None: the method's own")
    add("--linkage", choices=LINKAGES, default=CHAIN,
        help="chain: pictures that a chain of alike pairs joins; leader: those like one of them; complete: "
        "those that are all alike")
    add("--output", default="./output/clusters", metavar="PATH", help="the result, replaced as a whole")
    add("--batch_size", type=positive, default=1000, metavar="N",
        help="pictures whose features are in memory together; it changes nothing in the result")
    command_line.add_reading_flags(parser)


if __name__ == "__main__":
    raise SystemExit(main())
