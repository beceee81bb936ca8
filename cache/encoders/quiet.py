"""What others log while they load weights, kept from the terminal: what matters of it ends up in the
refusal."""
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

LOUD = ("root", "huggingface_hub")  # open_clip logs by the root logger, the hub's client by its own


@contextmanager
def quiet() -> Iterator[None]:
    """Nothing that LOUD loggers say in this thread reaches a handler; other threads and loggers are heard as
    ever, and the levels, handlers and filters of the program are afterwards what they were before."""
    root = logging.getLogger()
    stand_in = None if root.handlers else logging.lastResort or logging.NullHandler()
    if stand_in:
        # open_clip's first logging.info() would give the root logger a handler for good; this one does as if
        # there were none.
        root.addHandler(stand_in)
    here = threading.get_ident()

    def heard(record: logging.LogRecord) -> bool:
        return record.thread != here or record.name.split(".")[0] not in LOUD

    handlers = {*root.handlers, *logging.getLogger("huggingface_hub").handlers}
    for handler in handlers:
        handler.addFilter(heard)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(heard)
        if stand_in:
            root.removeHandler(stand_in)
