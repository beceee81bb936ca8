"""Commands over pictures, caches and models.

    python -m cache doctor photos
"""
from cache import command_line, doctor


def main(argv: list[str] | None = None) -> int:
    parser = command_line.new_parser("Commands over pictures, caches and models.", doctor.EXAMPLE, prog="python -m cache")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    doctor_parser = commands.add_parser(
        "doctor", help="look before a run: what would be skipped and why", **command_line.help_options(doctor.DESCRIPTION, doctor.EXAMPLE))
    doctor.add_flags(doctor_parser)
    doctor_parser.set_defaults(command=doctor.command)
    arguments = command_line.parse(parser, argv)
    if "command" not in arguments:
        parser.print_help()
        return 2
    return arguments.command(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
