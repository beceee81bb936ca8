"""All models of a folder in one file beside them: a thousand tags load in two seconds, not in a minute.

The .pkl files say which models there are, and their cards what is decided by them. The bundle only saves
unpickling: it holds the form of each model (score_forms.py) and the SHA-256 of its .pkl, and stands in for a
.pkl that has this digest.
"""
import os
from collections.abc import Iterable, Iterator
from hashlib import blake2b, sha256

from cache.files.whole_file import open_to_read
from cache.models.bundle_file import read_arrays, unusable
from cache.models.bundle_layout import BundledModel, models_of
from cache.refusal import Refused

MODEL_BUNDLE = "model-bundle.safetensors"
STAMP_BYTES = 16
CHUNK = 1 << 20  # bytes of a .pkl in memory at a time


class ModelBundle:
    def __init__(self, models: Iterable[BundledModel] = ()):
        self._models = {model.file: model for model in models}

    def __len__(self) -> int:
        return len(self._models)

    @property
    def files(self) -> set[str]:
        """Names of the .pkl files in the bundle."""
        return set(self._models)

    def model_of(self, path: str) -> BundledModel | None:
        """None if the .pkl is not in the bundle, or has changed since."""
        model = self._models.get(os.path.basename(path))
        return model if model and _is_of(model, path) else None

    def changed(self, folder: str) -> Iterator[str]:
        """The paths of the .pkl files in the folder that have changed since."""
        for file, model in self._models.items():
            path = os.path.join(folder, file)
            if os.path.exists(path) and not _is_of(model, path):
                yield path


def bundle_path(folder: str) -> str:
    return os.path.join(folder, MODEL_BUNDLE)


def read_bundle(path: str) -> ModelBundle:
    """Raises Refused for a file that cannot be read, is damaged, or was made up."""
    arrays = read_arrays(path)
    try:
        return ModelBundle(models_of(arrays))
    except Exception as error:  # in a file from anybody any array may be missing, or be anything
        raise unusable(path, error) from None


def _is_of(model: BundledModel, path: str) -> bool:
    """A .pkl that nobody has touched need not be read: of a thousand tags they are a gigabyte."""
    if model.stamp == stamp_of(path):
        return True
    try:
        return model.sha256 == file_digest(path)
    except Refused:  # whoever loads it will say so
        return False


def file_digest(path: str | os.PathLike) -> str:
    """SHA-256, hex. Raises Refused for what cannot be read."""
    digest = sha256()
    with open_to_read(path) as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


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
