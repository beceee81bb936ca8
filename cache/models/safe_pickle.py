"""Model files are pickles, and a pickle can name any function to call. Here only an exact list of classes can
be named.

The list holds what stage 2 writes and what older tools of this kind wrote: plain scikit-learn classifiers
and NumPy arrays.
"""
import os
import pickle
import warnings

import numpy as np
from joblib.numpy_pickle import NumpyArrayWrapper, NumpyUnpickler

from cache.files.whole_file import open_to_read
from cache.refusal import Refused

ALLOWED = frozenset({
    ("joblib.numpy_pickle", "NumpyArrayWrapper"),
    ("numpy", "dtype"), ("numpy", "ndarray"), ("numpy", "float64"), ("numpy", "int64"),
    ("numpy.core.multiarray", "_reconstruct"), ("numpy.core.multiarray", "scalar"),
    ("numpy._core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "scalar"),
    ("sklearn.calibration", "CalibratedClassifierCV"), ("sklearn.calibration", "_CalibratedClassifier"),
    ("sklearn.calibration", "_SigmoidCalibration"),
    ("sklearn.linear_model._logistic", "LogisticRegression"),
    ("sklearn.linear_model.logistic", "LogisticRegression"),
    ("sklearn.pipeline", "Pipeline"),
    ("sklearn.preprocessing._data", "StandardScaler"),
    ("sklearn.svm._classes", "SVC"), ("sklearn.svm.classes", "SVC"),
})
PICKLE_START = b"\x80"  # of protocol 2 and newer
MOVED = {  # where scikit-learn kept these classes before 0.22
    "sklearn.linear_model.logistic": "sklearn.linear_model._logistic",
    "sklearn.svm.classes": "sklearn.svm._classes",
}


class _ListedUnpickler(NumpyUnpickler):
    """Also without arrays of objects and records: a hostile file could have their bytes taken for
    pointers."""

    dispatch = NumpyUnpickler.dispatch.copy()

    def find_class(self, module: str, name: str):
        if (module, name) not in ALLOWED:
            raise Refused(
                f"{self.filename} names {module}.{name}, which no model needs; "
                f"--trust-pickle loads it if you know who made it")
        if (module, name) == ("numpy", "dtype"):
            return _plain_dtype
        return super().find_class(MOVED.get(module, module), name)

    def load_build(self) -> None:
        # A wrapper reads the array behind it, with another unpickler if its dtype says that it holds objects.
        instance, state = self.stack[-2:]
        hostile_wrapper = isinstance(instance, NumpyArrayWrapper) and not _is_plain_wrapper(state)
        hostile_dtype = isinstance(instance, np.dtype) and not _says_byte_order_only(state)
        if hostile_wrapper or hostile_dtype:
            raise Refused(f"{self.filename} holds an array of records or objects, which no model needs")
        super().load_build()

    dispatch[pickle.BUILD[0]] = load_build


def _is_plain_wrapper(state: object) -> bool:
    dtype = state.get("dtype") if isinstance(state, dict) else None
    return isinstance(dtype, np.dtype) and not dtype.hasobject


def _says_byte_order_only(state: object) -> bool:
    """The state of a dtype is (version, order, subarray, names, fields, size, alignment, flags ...)."""
    return isinstance(state, tuple) and len(state) >= 8 and not any(state[2:5]) and not state[7]


def _plain_dtype(*arguments: object) -> np.dtype:
    dtype = np.dtype(*arguments)  # type: ignore[call-overload]  # of a file from anybody; NumPy checks them
    if dtype.kind not in "biufU":
        raise ValueError(f"an array of {dtype}, which no model needs")
    return dtype


def load_pickle(path: str | os.PathLike, trust: bool = False) -> object:
    """The object in a joblib or pickle file. Raises Refused for classes off the list, and for files that are
    no pickle."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # scikit-learn warns of every model that another version wrote
            return _load_trusted(path) if trust else _load_listed(path)
    except Refused:
        raise
    except OSError as error:
        raise Refused(f"cannot read {path}: {error.strerror or error}") from None
    except Exception as error:  # a broken pickle can fail in any way
        reason = f"{type(error).__name__}: {str(error)[:100]}"
        raise Refused(f"{path} is not a readable model file ({reason})") from None


def _load_listed(path: str | os.PathLike) -> object:
    with open_to_read(path) as file:
        first = file.read(1)
        file.seek(0)
        if first != PICKLE_START:
            raise Refused(
                f"{path} is compressed or no pickle; save it again uncompressed, "
                f"or load it with --trust-pickle")
        return _ListedUnpickler(os.fspath(path), file, ensure_native_byte_order=True).load()


def _load_trusted(path: str | os.PathLike) -> object:
    import joblib

    with open_to_read(path) as file:
        return joblib.load(file)
