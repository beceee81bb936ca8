"""Why weights or a tokenizer could not be loaded, told from what open_clip, torch and the hub's client raise.

open_clip raises a RuntimeError of its own over whatever befell a download, and the hub's client another over
what befell the connection: the cause is one of the errors behind the one that is caught.
"""
import errno
import pickle
import traceback
import urllib.error
from collections.abc import Iterator

DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EMFILE, errno.ENFILE}
NO_MEMORY = ("not enough memory", "can't allocate memory", "out of memory")
HTTP_CLIENTS = {"httpx", "httpx2", "httpcore", "httpcore2", "requests", "urllib3"}  # of the hub's clients
PLURAL = ("they are", "them")
SINGULAR = ("it is", "it")


def cause_of(error: Exception, wanted: tuple[str, str] = PLURAL) -> str | None:
    """A clause that names the cause, or None for what is none of the usual ones: a bug. wanted: how to speak
    of what was to be loaded, as subject and as object."""
    errors = list(_behind(error))
    for cause in (_lack_of_memory, _missing_package, _disk, _hub, _download, _file):
        for behind in errors:
            clause = cause(behind, *wanted)
            if clause:
                return clause
    return None


def _behind(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and those that it was raised from or while handling."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _lack_of_memory(error: BaseException, they_are: str, them: str) -> str | None:
    of_torch = isinstance(error, RuntimeError) and any(text in str(error) for text in NO_MEMORY)
    of_the_system = isinstance(error, OSError) and error.errno == errno.ENOMEM
    if of_torch or of_the_system or isinstance(error, MemoryError):
        return f"there is not enough memory for {them}"
    return None


def _missing_package(error: BaseException, they_are: str, them: str) -> str | None:
    if not isinstance(error, ImportError):
        return None
    return f"one more package is needed: pip install {error.name}" if error.name else _first_line(error)


def _disk(error: BaseException, they_are: str, them: str) -> str | None:
    """Connections fail with OSErrors, too; these name no file. A file that is not there is what a look into a
    cache meets every time."""
    if not isinstance(error, OSError) or error.errno in (None, errno.ENOENT):
        return None
    if error.filename is not None:
        return f"{error.strerror}: {error.filename}"
    return error.strerror if error.errno in DISK_ERRORS else None


def _hub(error: BaseException, they_are: str, them: str) -> str | None:
    from huggingface_hub import errors

    unreachable = (errors.LocalEntryNotFoundError, ConnectionError, TimeoutError)
    absent = (errors.EntryNotFoundError, errors.RepositoryNotFoundError, errors.RevisionNotFoundError)
    if isinstance(error, unreachable) or type(error).__module__.split(".")[0] in HTTP_CLIENTS:
        place = "the Hugging Face hub cannot be reached or does not have"
        return f"{they_are} not in the local cache, and {place} {them}"
    if isinstance(error, errors.GatedRepoError):
        return f"the Hugging Face hub gives {them} to those alone whom it has granted access (hf auth login)"
    if isinstance(error, absent):
        return f"the Hugging Face hub does not have {them}"
    if isinstance(error, errors.HfHubHTTPError):
        return f"the Hugging Face hub answers {error.response.status_code}"
    if isinstance(error, urllib.error.HTTPError):
        return f"{error.url} answers {error.code}"
    if isinstance(error, urllib.error.URLError):
        return f"the server that has {them} cannot be reached"
    return None


def _download(error: BaseException, they_are: str, them: str) -> str | None:
    """open_clip's RuntimeErrors over what went wrong before there was a file."""
    if not isinstance(error, RuntimeError):
        return None
    if str(error).startswith("Failed to download weights"):
        *_, first = _behind(error)
        return f"the download failed ({_first_line(first)})"
    if str(error).startswith("Required pretrained weights"):
        return f"open_clip does not know where to get {them}"
    return None


def _file(error: BaseException, they_are: str, them: str) -> str | None:
    from safetensors import SafetensorError

    name = type(error).__name__
    if isinstance(error, EOFError | SafetensorError) or "PytorchStreamReader" in str(error):
        return f"the file is damaged ({name})"
    functions = {frame.f_code.co_name for frame, _ in traceback.walk_tb(error.__traceback__)}
    if isinstance(error, pickle.UnpicklingError) or "load_checkpoint" in functions:
        # Whatever open_clip stumbles over in there is something that a checkpoint of this model has
        # otherwise.
        return f"the file is no checkpoint of this model ({name})"
    return None


def _first_line(error: BaseException) -> str:
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
