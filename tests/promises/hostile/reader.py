"""The reader over one folder, in a process of its own: what it says of each path, and the memory it took.

Children are forked from a process that has imported the reader and nothing else (multiprocessing's fork
server), so that what pytest holds is not counted.
"""

import multiprocessing
import os
import resource
from multiprocessing.connection import Connection

from cache.decoder import decoder_process
from cache.limits import Limits
from cache.pixels.crop_spec import CropSpec
from cache.reader.image_source import images
from tests.forked_decoder import start_child
from tests.promises.hostile.case import outcomes_of

# Both are about hanging: the slowest case takes 7 seconds, and several times as long on a loaded machine.
SECONDS = 180
LIMITS = Limits(file_timeout=30)
SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(
    ["cache.reader.image_source", "tests.forked_decoder", "tests.promises.hostile.case"])


def read_isolated(root: str, name: str) -> tuple[dict[str, str], int]:
    """Outcomes under root/name, and the most bytes of memory that the process or one of its decoders took.
    Raises AssertionError if the reader crashes, or has not ended after SECONDS."""
    receiving, sending = SERVER.Pipe(duplex=False)
    child = SERVER.Process(target=_read, args=(root, name, sending))
    child.start()
    sending.close()
    try:
        assert receiving.poll(SECONDS), f"{name}: the reader has not ended after {SECONDS} seconds"
        return receiving.recv()
    except EOFError:
        child.join()
        raise AssertionError(f"{name}: the reader ended with {child.exitcode}") from None
    finally:
        child.kill()
        child.join()


def _read(root: str, name: str, answer: Connection) -> None:
    os.chdir(root)
    decoder_process._started = start_child  # so that its memory is that of a child of this process
    stream = images(name, limits=LIMITS, num_threads=1, crop_for=lambda picture: CropSpec(224))
    outcomes = outcomes_of(stream, name)
    most = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    answer.send((outcomes, most * 1024))
