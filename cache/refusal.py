"""The exceptions that end a run on purpose: the message is the line a person reads, the exit code is 2."""


class Refused(Exception):
    """The input cannot be worked on. The message says what, where and what to do about it, in one line."""


class Missing(Refused):
    """A file, folder or database that is named is not there."""


class InUse(Refused):
    """Somebody else is at it; the same may work later."""
