"""Commands over pictures, caches and models.

    python -m cache doctor photos
    python -m cache compare scored-before scored-after
"""
from cache import command_line
from cache.compare import command as comparison
from cache.doctor import command as doctor


def main(argv: list[str] | None = None) -> int:
    parser = command_line.new_parser("Commands over pictures, caches and models.", doctor.EXAMPLE, prog="python -m cache")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name, room, help_text in (("doctor", doctor, "look before a run: what would be skipped and why"),
                                  ("compare", comparison, "what two results of stages 3 or 4 decide differently")):
        command_parser = commands.add_parser(name, help=help_text, **command_line.help_options(room.DESCRIPTION, room.EXAMPLE))
        room.add_flags(command_parser)
        command_parser.set_defaults(command=room.command)
    arguments = command_line.parse(parser, argv)
    if "command" not in arguments:
        parser.print_help()
        return 2
    return arguments.command(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
