"""The one exception that ends a run on purpose: its message is the line a person reads, its exit code is 2."""


class Refused(Exception):
    """The input cannot be worked on. The message says what, where and what to do about it, in one line."""
