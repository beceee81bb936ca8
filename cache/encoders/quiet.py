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
    ever, and may set up logging meanwhile. What the program has of levels, handlers and filters stays."""
    root, hub = logging.getLogger(), logging.getLogger("huggingface_hub")
    here = threading.get_ident()

    def heard(record: logging.LogRecord) -> bool:
        return record.thread != here or record.name.split(".")[0] not in LOUD

    # A logger's filters see what is said to itself alone, not what is said to the hub's loggers below it.
    filtered: list[logging.Filterer] = [root, *root.handlers, *hub.handlers]
    if logging.lastResort:
        filtered.append(logging.lastResort)
    for place in filtered:
        place.addFilter(heard)
    try:
        with _no_new_handler(root, here):
            yield
    finally:
        for place in filtered:
            place.removeFilter(heard)


@contextmanager
def _no_new_handler(root: logging.Logger, thread: int) -> Iterator[None]:
    """Where the root logger has no handler, logging.info(), which open_clip calls, gives it one for good, and
    a basicConfig() of the program would then do nothing. From this thread the root logger takes none."""
    add_handler = root.addHandler

    def add_from_other_threads(handler: logging.Handler) -> None:
        if threading.get_ident() != thread:
            add_handler(handler)

    vars(root)["addHandler"] = add_from_other_threads
    try:
        yield
    finally:
        del vars(root)["addHandler"]
