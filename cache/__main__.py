"""Commands over pictures, caches and models.

    python -m cache doctor photos
    python -m cache compare scored-before scored-after
"""
from cache import command_line
from cache.compare import command as compare
from cache.doctor import command as doctor

PROGRAM = "python -m cache"
# What each is, its room says: HELP (one line), DESCRIPTION, EXAMPLE, add_flags(parser), command(arguments).
COMMANDS = {"doctor": doctor, "compare": compare}


def main(argv: list[str] | None = None) -> int:
    parser = command_line.new_parser(
        "Commands over pictures, caches and models.", f"{PROGRAM} doctor {doctor.EXAMPLE}", prog=PROGRAM)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name, room in COMMANDS.items():
        example = f"{PROGRAM} {name} {room.EXAMPLE}"
        command_parser = commands.add_parser(
            name, help=room.HELP, description=room.DESCRIPTION, example=example)
        room.add_flags(command_parser)
        command_parser.set_defaults(command=room.command)
    arguments = parser.parse_args(argv)
    if "command" not in arguments:
        parser.print_help()
        return 2
    return arguments.command(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
