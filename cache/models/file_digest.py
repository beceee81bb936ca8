"""Whether a model file is the one that was seen before: by its stamp, else by its digest."""
import os
from hashlib import blake2b, sha256

from cache.files.whole_file import open_to_read

STAMP_BYTES = 16


def file_digest(path: str | os.PathLike) -> str:
    """SHA-256, hex. Raises Refused for what cannot be read."""
    with open_to_read(path) as file:
        return sha256(file.read()).hexdigest()


def stamp_of(path: str | os.PathLike) -> str | None:
    """Size, times of change of the content and of anything else, inode, digested to one length: a file with
    all of these as they were has not been touched. A copy has another stamp. None if there is no such
    file."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    facts = f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino}"
    return blake2b(facts.encode(), digest_size=STAMP_BYTES).hexdigest()
