"""Hostile bundles of models: each is named in one line and passed over, and the same models load from their
.pkl files; none of it runs, or takes memory that the file does not have."""
import os
import pickle
import resource
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from cache.__main__ import main as doctor
from cache.models.bundle import bundle_path, read_bundle
from cache.models.bundle_file import FORMAT, STAMPS, read_arrays, write_arrays
from cache.models.bundle_writer import BundleWriter
from cache.models.tag_models import LOGISTIC_REGRESSION, SVM, load_models, save_model
from cache.models.tag_scores import ModelSet
from tests.cache.models.test_tag_scores import VECTORS, calibrated_svm
from tests.drawing import png

BUNDLE = bundle_path("models")
MARKER = "marker"
Change = Callable[[], object]


@pytest.fixture(scope="module")
def machines() -> dict:
    from sklearn.linear_model import LogisticRegression

    classes = (VECTORS[:, 0] > 0).astype(int)
    regression = LogisticRegression().fit(VECTORS, classes)
    return {
        (SVM, "cats"): calibrated_svm(classes),
        (SVM, "dogs"): calibrated_svm(1 - classes),
        (LOGISTIC_REGRESSION, "cats"): regression,
    }


@pytest.fixture(scope="module")
def prepared(machines, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("prepared")
    train(str(folder), machines)
    return folder


@pytest.fixture
def wanted(here, prepared) -> np.ndarray:
    """Scores of three models in ./models, which have a bundle."""
    shutil.copytree(prepared, "models")
    return scores()


def train(folder: str, machines: dict) -> None:
    writer = BundleWriter(folder)
    for (model_type, tag), estimator in machines.items():
        writer.add(save_model(folder, model_type, tag, estimator, {"model": "M:p"}), estimator)
    writer.write()


def scores() -> np.ndarray:
    models, refusals = load_models("models", "M:p", 8)
    assert refusals == []
    return ModelSet([model.estimator for model in models]).score(VECTORS)


def bundle_bytes() -> bytes:
    return Path(BUNDLE).read_bytes()


def rewrite(content: bytes) -> None:
    Path(BUNDLE).write_bytes(content)


def with_header(text: bytes, content: bytes = b"", length: int | None = None) -> Change:
    size = len(text) if length is None else length
    return lambda: rewrite(size.to_bytes(8, "little") + text + content)


def with_array(facts: str, content: bytes = bytes(64)) -> Change:
    """One array in the file, which says this of itself."""
    header = f'{{"__metadata__":{{"{FORMAT}":"0"}},"radial1.support":{{{facts}}}}}'
    return with_header(header.encode(), content)


def flipped(where: float) -> None:
    """A bit, so far into what is not stamps."""
    content = bytearray(bundle_bytes())
    content[int(where * (len(content) - len(read_arrays(BUNDLE)[STAMPS]) - 1))] ^= 4
    rewrite(bytes(content))


def forged(**changes: Callable[[np.ndarray], np.ndarray]) -> Change:
    """Arrays of a group changed by somebody who knows how to make the digest."""
    def forge() -> None:
        arrays = dict(read_arrays(BUNDLE))
        for part, change in changes.items():
            [name] = [name for name in arrays if name.partition(".")[2] == part or name == part]
            arrays[name] = change(arrays[name])
        write_arrays(BUNDLE, arrays)
    return forge


def put(value: object, place: object = 0) -> Callable[[np.ndarray], np.ndarray]:
    def changed(array: np.ndarray) -> np.ndarray:
        array = array.copy()
        array[place] = value
        return array
    return changed


def text(content: bytes) -> Callable[[np.ndarray], np.ndarray]:
    return lambda array: np.frombuffer(content, np.uint8)


def replaced(old: bytes, new: bytes) -> Callable[[np.ndarray], np.ndarray]:
    return lambda array: np.frombuffer(array.tobytes().replace(old, new), np.uint8)


def without(part: str) -> None:
    arrays = dict(read_arrays(BUNDLE))
    write_arrays(BUNDLE, {name: array for name, array in arrays.items() if not name.endswith(part)})


class Payload:
    def __reduce__(self):
        return os.system, (f"touch {MARKER}",)


def as_npz() -> None:
    np.savez("forged.npz", entries=np.array([Payload()], dtype=object))
    os.replace("forged.npz", BUNDLE)


HUGE = 2**62
HOSTILE: dict[str, Change] = {
    "of no bytes": lambda: rewrite(b""),
    "of seven bytes": lambda: rewrite(bytes(7)),
    "cut to a tenth": lambda: rewrite(bundle_bytes()[:len(bundle_bytes()) // 10]),
    "cut in the middle": lambda: rewrite(bundle_bytes()[:len(bundle_bytes()) // 2]),
    "without its last byte": lambda: rewrite(bundle_bytes()[:-1]),
    "with a byte more": lambda: rewrite(bundle_bytes() + b"0"),
    "of zeros": lambda: rewrite(bytes(5000)),
    "of noise": lambda: rewrite(np.random.default_rng(0).bytes(5000)),
    "that is a picture": lambda: rewrite(png(1)),
    "that is a pickle": lambda: rewrite(pickle.dumps(Payload())),
    "that is a ZIP with a pickle in it": as_npz,
    "that is a folder": lambda: (os.remove(BUNDLE), os.mkdir(BUNDLE)),
    "that is a pipe": lambda: (os.remove(BUNDLE), os.mkfifo(BUNDLE)),
    "that links to nothing": lambda: (os.remove(BUNDLE), os.symlink("nothing", BUNDLE)),
    "that links to itself": lambda: (os.remove(BUNDLE), os.symlink(os.path.basename(BUNDLE), BUNDLE)),
    "with a header beyond its end": with_header(b"{}", length=HUGE),
    "with a header of brackets": with_header(b"[" * 100_000),
    "with a header of objects in objects": with_header(b'{"a":' * 100_000),
    "with a header that is no text": with_header(b'{"\xff":1}'),
    "without anything": with_header(b"{}"),
    "of another program": with_header(b'{"__metadata__":{"format":"pt"}}'),
    "with an array beyond its end": with_array(f'"dtype":"U8","shape":[{HUGE}],"data_offsets":[0,{HUGE}]'),
    "with an array larger than its bytes": with_array(
        '"dtype":"F64","shape":[100000,100000],"data_offsets":[0,64]'),
    "with a shape that overflows": with_array(
        f'"dtype":"U8","shape":[{HUGE},4,16],"data_offsets":[0,64]'),
    "with a negative shape": with_array('"dtype":"U8","shape":[-1],"data_offsets":[0,64]'),
    "with an array of no type": with_array('"dtype":"O","shape":[8],"data_offsets":[0,64]'),
    "with an array of a type that NumPy lacks": with_array(
        '"dtype":"BF16","shape":[32],"data_offsets":[0,64]'),
    **{f"with a bit flipped at {where}": partial(flipped, where) for where in (0.01, 0.2, 0.5, 0.8, 1)},
    "with a place beyond the support vectors": forged(places=put(10**6)),
    "with a place before the support vectors": forged(places=put(-1)),
    "with places that are no whole numbers": forged(places=lambda array: array.astype(np.float64)),
    "with fewer places than coefficients": forged(places=lambda array: array[:-1]),
    "with fewer coefficients than places": forged(coefficients=lambda array: array[:-1]),
    "with a coefficient that is no number": forged(coefficients=put(np.nan)),
    "with an end beyond the places": forged(ends=put(HUGE, -1)),
    "with an end before all places": forged(ends=put(-5)),
    "with an end before its start": forged(ends=put(10**6)),
    "with more models than it names": forged(ends=lambda array: np.append(array, array)),
    "with a support vector of infinity": forged(support=put(np.inf)),
    "with support vectors in one row": forged(support=np.ravel),
    "with narrower support vectors": forged(support=lambda array: array[:, :-1]),
    "with no support vectors": forged(support=lambda array: array[:0]),
    "with a scale of zero": forged(scale=put(0)),
    "with a mean of another width": forged(mean=lambda array: array[:3]),
    "with a mean of bytes": forged(mean=lambda array: array.astype(np.uint8)),
    "with a negative gamma": forged(gammas=put(-1)),
    "with a gamma of no dimension": forged(gammas=lambda array: np.asarray(array[0])),
    "with a weight that is no number": forged(weights=put(np.nan)),
    "with weights in one row": forged(weights=np.ravel),
    "with weights that are whole numbers": forged(weights=lambda array: array.astype(np.int64)),
    "with fewer weights than it names": forged(weights=lambda array: array[:0]),
    "with entries that are no JSON": forged(entries=text(b"{")),
    "with entries of brackets": forged(entries=text(b"[" * 100_000)),
    "with entries that are numbers": forged(entries=text(b"[1, 2]")),
    "with entries that are an object": forged(entries=text(b'{"file": 1}')),
    "with fewer entries than stamps": forged(entries=text(b"[]")),
    "with an entry of no group": forged(entries=replaced(b'"radial1"', b'"radial9"')),
    "with an entry of the other kind of group": forged(entries=replaced(b'"radial1"', b'"linear1"')),
    "with a group that is a number": forged(entries=replaced(b'"radial1"', b"1")),
    "with fewer stamps than entries": forged(stamps=text(b"[]")),
    "without the entries": partial(without, "entries"),
    "without the offsets": partial(without, "offsets"),
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_bundle_is_named_and_the_models_load_one_by_one(wanted, change, capsys):
    change()
    capsys.readouterr()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert np.array_equal(scores(), wanted)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KiB
    [line] = capsys.readouterr().err.splitlines()
    assert BUNDLE in line
    assert line.endswith("; the models are loaded one by one, and the next training writes it anew")
    assert not os.path.exists(MARKER)


@pytest.mark.parametrize("change", [
    pytest.param(forged(entries=replaced(b".pkl", b".plk")), id="models that are not there"),
    pytest.param(forged(entries=replaced(b'"model-', b'"../model-')), id="models out of its folder"),
    pytest.param(forged(stamps=replaced(b'["', b'["0')), id="stamps of nothing"),
    pytest.param(forged(stamps=text(b"[null, [1], 2]")), id="stamps that are no text"),
])
def test_a_bundle_that_speaks_of_other_files_changes_nothing(wanted, change, capsys):
    change()
    assert np.array_equal(scores(), wanted)
    assert capsys.readouterr().err == ""


def test_what_is_in_the_place_of_a_bundle_costs_a_training_a_line_and_no_model(wanted, machines, capsys):
    os.remove(BUNDLE)
    os.makedirs(f"{BUNDLE}/of a person")
    train("models", machines)
    assert capsys.readouterr().err == (
        f"{BUNDLE} is not written (Is a directory); the models are whole, but load one by one\n")
    assert sorted(path for path in os.listdir("models") if path.startswith(".")) == []
    assert np.array_equal(scores(), wanted)


def test_a_damaged_bundle_is_written_anew_by_the_next_training(wanted, machines, capsys):
    rewrite(b"")
    BundleWriter("models").write()
    assert len(read_bundle(BUNDLE)) == len(machines)
    assert np.array_equal(scores(), wanted)
    assert capsys.readouterr().err == ""


def test_the_doctor_says_that_a_hostile_bundle_is_of_no_harm(wanted, capsys):
    forged(places=put(10**6))()
    assert doctor(["doctor", "models"]) == 0
    assert capsys.readouterr().out.splitlines()[2:] == [
        "bundles of models that do not save time: 1",
        f"  {BUNDLE}  is not usable (ValueError: its arrays do not fit each other); "
        "loading takes longer, and the next training writes it anew",
        "",
        "no problems, 1 note",
    ]
