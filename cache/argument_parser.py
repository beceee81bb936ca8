"""argparse as the command lines here use it: what is wrong is said in one line that says what was meant.

Flags may be written --like_this or --like-this. The input is a command's only word, or stands behind a flag.
"""
import argparse
import difflib
import itertools
import os
import sys
from typing import Any, NoReturn

from cache.text import on_one_line

ARGPARSE_MISSES = "the following arguments are required: "


class ArgumentParser(argparse.ArgumentParser):
    """Of a command, or of a command's command. example: a whole command, for the help and for errors."""

    def __init__(self, *, example: str, **options: Any):
        options["epilog"] = f"example:\n  {example}\n\nFlags may be written --like_this or --like-this."
        super().__init__(formatter_class=_HelpFormatter, allow_abbrev=False, **options)
        self.example = example
        self._input: tuple[str, str] | None = None

    def add_input(self, flag: str, what: str, help_text: str) -> None:
        """What a command works on, as `flag PATH` or as a word. what: its name where it is missing."""
        self._input = (flag, what)
        self.add_argument("input_word", nargs="?", default=argparse.SUPPRESS, metavar="PATH", help=help_text)
        self.add_argument(flag, default=argparse.SUPPRESS, metavar="PATH", help="the same, named by a flag")

    def parse_known_args(self, args=None, namespace=None):  # noqa: ANN001  as argparse declares it
        """Refuses a misspelt flag first: argparse would ask for the flag that is missing because of it."""
        args = list(sys.argv[1:] if args is None else args)
        separator = args.index("--") if "--" in args else len(args)
        before, behind = args[:separator], args[separator:]  # what stands behind is no flag, whatever it is
        # Behind the name of a command's command stand its own flags.
        ours = itertools.takewhile(_is_flag, before) if self._subparsers else before
        for argument in filter(_is_flag, ours):
            self._refuse_if_unknown(argument.partition("=")[0])
        return super().parse_known_args([*map(_snake_case, before), *behind], namespace)

    def _refuse_if_unknown(self, flag: str) -> None:
        known = self._option_string_actions
        if _snake_case(flag) not in known:
            likely = difflib.get_close_matches(_snake_case(flag), known, 3)
            meant = max(likely, key=lambda name: _resemblance(_snake_case(flag), name), default=None)
            guess = f"; did you mean {meant}?" if meant else ""
            self.error(f"{flag} is not a flag{guess} (--help lists them)")

    def parse_args(self, args=None, namespace=None):  # noqa: ANN001  as argparse declares it
        arguments, strays = self.parse_known_args(args, namespace)
        for stray in strays[:1]:
            if stray.startswith("-") and " " not in stray:
                self.error(f"{stray} is not a flag (--help lists them)")
            self.error(f"one word too many: {stray}; a path with spaces needs quotes (--help says more)")
        if self._input:
            self._settle_input(arguments, *self._input)
        return arguments

    def _settle_input(self, arguments: argparse.Namespace, flag: str, what: str) -> None:
        name = flag.removeprefix("--")
        word = vars(arguments).pop("input_word", None)
        named = getattr(arguments, name, None)
        if word is None and named is None:
            self.error(f"name {what}: {self.example} (--help says more)")
        if word is not None and named is not None:
            self.error(f"{what} is named twice: {word} and {flag} {named} (--help says more)")
        setattr(arguments, name, named if word is None else word)

    def error(self, message: str) -> NoReturn:
        """One line; argparse would print its usage before it, among which nobody finds it."""
        message = message.removeprefix("argument ")
        if message.startswith(ARGPARSE_MISSES):
            message = f"name {message.removeprefix(ARGPARSE_MISSES)}: {self.example} (--help says more)"
        self.exit(2, on_one_line(f"error: {message}") + "\n")


class _HelpFormatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    pass


def _is_flag(argument: str) -> bool:
    """As argparse sees it: text with a space in it is none."""
    name = argument.partition("=")[0]
    return name.startswith("--") and name != "--" and " " not in name


def _resemblance(typed: str, name: str) -> tuple[float, int]:
    """Of two names that share as many letters with what was typed, the one that begins like it was meant."""
    ratio = difflib.SequenceMatcher(None, typed, name).ratio()
    return ratio, len(os.path.commonprefix([typed, name]))


def _snake_case(argument: str) -> str:
    """--a-flag-of-ours=value -> --a_flag_of_ours=value; the no- of a flag that says no stays."""
    if not _is_flag(argument):
        return argument
    name, equals, value = argument[2:].partition("=")
    prefix = "no-" if name.startswith("no-") else ""
    return f"--{prefix}{name.removeprefix(prefix).replace('-', '_')}{equals}{value}"


def positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return number


def truth(text: str) -> bool:
    if text.lower() not in ("true", "false", "1", "0", "yes", "no"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither True nor False")
    return text.lower() in ("true", "1", "yes")
