"""Hostile metadata, tag lists, models and databases: refused in one line, or read as far as sound; none of
it runs."""

import json
import os
import pickle
import shutil
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from unicodedata import normalize

import joblib
import numpy as np
import pytest

from cache.cache_file import FileCache
from cache.models.tag_models import SVM, generate_model_path, load_model
from cache.models.tag_scores import ModelSet
from cache.reader.source_file import Thumbnail
from cache.refusal import Refused
from cache.stores.clip_table import ClipTable
from cache.stores.file_table import FileTable
from cache.stores.thumbnail_table import MOST_BYTES, ThumbnailTable
from stage2 import train
from stage3 import classify
from tests.drawing import png, tag_folders, tree, write
from tests.promises.hostile.case import MARKER
from web_api.cache_web_api import create_app

METADATA, TAGS, MODELS = (
    "output/input-metadata.json",
    "output/input-tag-to-image-hash-list.json",
    "output/models",
)
SVM_OF_CATS = generate_model_path(MODELS, SVM, "cats")
CARD_OF_CATS = SVM_OF_CATS.replace(".pkl", ".json")
SCORING = ["--directory", "photos", "--metadata_json", METADATA, "--model", MODELS, "--output", "scored"]
Change = Callable[[], object]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory, tiny_checkpoint) -> Path:
    """Stages 1 and 2 done in ./output."""
    from stage1.ImageDatasetProcessor import ImageDatasetProcessor
    from tests.conftest import TINY

    folder = tmp_path_factory.mktemp("prepared")
    write(folder / "photos", tag_folders())
    here = os.getcwd()
    os.chdir(folder)
    ImageDatasetProcessor.process_dataset("photos", clip_model=TINY, pretrained=tiny_checkpoint, batch_size=4)
    train.main(METADATA, TAGS, "output")
    os.chdir(here)
    return folder


@pytest.fixture
def stand(prepared, here, tiny_checkpoint) -> Path:
    """A copy of the prepared folder to stand in, whose file cache knows already that it lies elsewhere."""
    shutil.copytree(prepared, here, dirs_exist_ok=True)
    FileTable(FILES, create=True).close()
    return here


def rewrite(path: str, content: bytes | str) -> None:
    Path(path).write_bytes(content.encode() if isinstance(content, str) else content)


def cut(path: str, share: float) -> None:
    rewrite(path, Path(path).read_bytes()[: int(os.path.getsize(path) * share)])


def changed_json(path: str, change: Callable[[dict], object]) -> None:
    content = json.loads(Path(path).read_text())
    change(content)
    rewrite(path, json.dumps(content))


def changed_record(change: Callable[[dict], object]) -> None:
    """The first record of the metadata, changed."""
    changed_json(METADATA, lambda content: change(next(iter(content.values()))))


def with_vector(*values: object) -> Change:
    return lambda: changed_record(lambda record: record.update(embeddings_vector=list(values)))


def replaced_text(path: str, old: str, new: str) -> None:
    rewrite(path, Path(path).read_text().replace(old, new, 1))


BROKEN_METADATA: dict[str, Change] = {
    "of no bytes": lambda: rewrite(METADATA, ""),
    "cut to a tenth": lambda: cut(METADATA, 0.1),
    "cut in the middle": lambda: cut(METADATA, 0.5),
    "without its last byte but one": lambda: rewrite(METADATA, Path(METADATA).read_bytes()[:-2]),
    "that is a list": lambda: rewrite(METADATA, "[]"),
    "that is a number": lambda: rewrite(METADATA, "1"),
    "that is null": lambda: rewrite(METADATA, "null"),
    "with no records": lambda: rewrite(METADATA, "{}"),
    "of brackets": lambda: rewrite(METADATA, "[" * 1_000_000),
    "of records in records": lambda: rewrite(METADATA, '{"a":' * 100_000),
    "of zeros": lambda: rewrite(METADATA, bytes(10_000)),
    "of noise": lambda: rewrite(METADATA, np.random.default_rng(0).bytes(10_000)),
    "in UTF-16": lambda: rewrite(METADATA, Path(METADATA).read_text().encode("utf-16")),
    "with bytes that are no text": lambda: rewrite(
        METADATA, Path(METADATA).read_bytes().replace(b"photos", b"\xff\xfe\xfd", 1)
    ),
    "with half a surrogate": lambda: replaced_text(METADATA, "photos", "\\ud800"),
    "with NaN": lambda: replaced_text(METADATA, '"embeddings_vector":[', '"embeddings_vector":[NaN,'),
    "with infinity": lambda: replaced_text(METADATA, '"embeddings_vector":[', '"embeddings_vector":[1e999,'),
    "with more than a float32 holds": with_vector(*[1e39] * 16),
    "with words for numbers": with_vector("one", "two"),
    "with lists of lists": with_vector([1.0], [2.0, 3.0]),
    "with nothing for a vector": lambda: changed_record(lambda record: record.update(embeddings_vector=None)),
    "with an object for a vector": lambda: changed_record(
        lambda record: record.update(embeddings_vector={"0": 1})
    ),
    "without a vector": lambda: changed_record(lambda record: record.pop("embeddings_vector")),
    "of another width": with_vector(*[0.5] * 15),
    "of a long vector": with_vector(*[0.5] * 1_000_000),
    "of another model": lambda: changed_record(lambda record: record.update(model="ViT-B-32")),
    "of a model that is a number": lambda: changed_record(lambda record: record.update(model=7)),
    "with a word for a record": lambda: changed_json(METADATA, lambda content: content.update(x="record")),
    "that is a folder": lambda: (os.remove(METADATA), os.mkdir(METADATA)),
    "that is a pipe": lambda: (os.remove(METADATA), os.mkfifo(METADATA)),
    "that is not there": lambda: os.remove(METADATA),
    "that links to itself": lambda: (os.remove(METADATA), os.symlink(os.path.basename(METADATA), METADATA)),
    "that is a foreign database": lambda: (os.remove(METADATA), foreign_database(METADATA)),
    "that is a broken database": lambda: rewrite(METADATA, b"SQLite format 3\x00" + bytes(5000)),
}


@pytest.mark.parametrize("change", BROKEN_METADATA.values(), ids=BROKEN_METADATA)
def test_metadata_that_is_broken_is_refused_by_stages_2_and_3_and_changes_nothing(stand, change, capsys):
    change()
    before = sound_files(stand)
    flags = ["--metadata_json", METADATA]
    assert (train.command([*flags, "--tag_to_hash_json", TAGS]), *refusal(capsys)) == (2, 1, "error: ")
    assert (classify.command([*flags, "--directory", "photos", "--output", "scored"]), *refusal(capsys)) == (
        2,
        1,
        "error: ",
    )
    assert sound_files(stand) == before


def refusal(capsys) -> tuple[int, str]:
    """How many lines stderr has, and how the last one begins."""
    lines = capsys.readouterr().err.splitlines()
    return len(lines), lines[-1][:7]


def sound_files(folder: Path) -> dict[str, bytes]:
    """All files but the empty databases that stage 3 makes before it looks."""
    return {
        name: data
        for name, data in tree(folder).items()
        if "output/stage3.db" not in name and not name.endswith(".run.lock")
    }


def test_of_two_records_under_one_hash_the_last_counts(stand, capsys):
    first, second = (line.rstrip(",") for line in Path(METADATA).read_text().splitlines()[1:3])
    rewrite(METADATA, "{\n" + ",\n".join([first, second, first]) + "\n}\n")
    assert classify.command(["--directory", "photos", "--metadata_json", METADATA, "--output", "scored"]) == 0


def foreign_database(path: str) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE addresses(name TEXT)")
        connection.execute("INSERT INTO addresses VALUES ('somebody')")
    connection.close()


HOSTILE_TAGS = [
    "a/b",
    "../../climbs",
    "..",
    ".",
    "/etc/passwd",
    "C:\\Windows",
    "it's",
    'he said "no"',
    "x" * 300,
    "x" * 299 + "y",
    " ",
    "new\nline",
    "tab\t",
    "a%2Fb",
    "%",
    "-rf",
    "--output",
    ".hidden",
    "CON",
    "'; DROP TABLE stage3; --",
    "<script>",
    "图",
    "e\u0301",
    "é",
    "\x01",
    "$(touch marker)",
    "a" * 5000,
]


def test_tags_of_any_name_are_trained_and_scored_inside_their_folders(stand, capsys):
    hashes = list(json.loads(Path(METADATA).read_text()))
    rewrite(
        TAGS,
        json.dumps({tag: hashes[number % 6 : number % 6 + 4] for number, tag in enumerate(HOSTILE_TAGS)}),
    )
    shutil.rmtree(MODELS)
    assert train.command(["--metadata_json", METADATA, "--tag_to_hash_json", TAGS]) == 0
    tags = {normalize("NFC", tag) for tag in HOSTILE_TAGS}
    assert len([name for name in os.listdir(MODELS) if name.endswith(".pkl")]) == 2 * len(tags)
    assert classify.command(["--directory", "photos", "--output", "scored"]) == 0
    with sqlite3.connect("output/stage3.db") as connection:
        assert {tag for (tag,) in connection.execute("SELECT DISTINCT tag_name FROM stage3")} == tags
    connection.close()
    assert sorted(os.listdir(".")) == ["output", "photos", "scored"]
    assert {len(path.relative_to("scored").parts) for path in Path("scored/ovr-svm").rglob("*.png")} == {
        4
    }  # type, tag, bin, file


BROKEN_TAGS: dict[str, Change] = {
    "of no bytes": lambda: rewrite(TAGS, ""),
    "cut in the middle": lambda: cut(TAGS, 0.5),
    "that is a list": lambda: rewrite(TAGS, "[]"),
    "with a word for a list": lambda: rewrite(TAGS, '{"cats": "abc"}'),
    "with numbers for hashes": lambda: rewrite(TAGS, '{"cats": [1, 2]}'),
    "with nothing for a list": lambda: rewrite(TAGS, '{"cats": null}'),
    "with unknown hashes only": lambda: rewrite(TAGS, '{"cats": ["a", "b"], "dogs": ["c", "d"]}'),
    "with no tags": lambda: rewrite(TAGS, "{}"),
    "with empty tags": lambda: rewrite(TAGS, '{"cats": [], "dogs": []}'),
    "with half a surrogate": lambda: rewrite(TAGS, '{"\\ud800": ["a"]}'),
    "of brackets": lambda: rewrite(TAGS, "[" * 1_000_000),
    "that is a pipe": lambda: (os.remove(TAGS), os.mkfifo(TAGS)),
}


@pytest.mark.parametrize("change", BROKEN_TAGS.values(), ids=BROKEN_TAGS)
def test_a_tag_list_that_is_broken_is_refused(stand, change, capsys):
    change()
    before = sound_files(stand)
    assert train.command(["--metadata_json", METADATA, "--tag_to_hash_json", TAGS]) == 2
    assert refusal(capsys)[1] == "error: "
    assert sound_files(stand) == before


class Payload:
    def __init__(self, function: Callable, *arguments: object):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def changed_model(change: Callable[[object], object]) -> None:
    """The SVM of cats, with something of it changed."""
    pipeline = joblib.load(SVM_OF_CATS)
    change(pipeline.steps[-1][1].calibrated_classifiers_[0].estimator)
    joblib.dump(pipeline, SVM_OF_CATS)


def with_attribute(name: str, change: Callable[[np.ndarray], object]) -> Change:
    return lambda: changed_model(lambda machine: setattr(machine, name, change(getattr(machine, name))))


def model_with(made: Callable[[], object], part: Callable[[object], object], **attributes: object) -> Change:
    """In place of the SVM of cats: a good model, with attributes of a part of it set to something else."""

    def lay() -> None:
        model = made()
        for name, value in attributes.items():
            setattr(part(model), name, value)
        joblib.dump(model, SVM_OF_CATS)

    return lay


def fitted_machine() -> object:
    """An SVC that libsvm itself would score."""
    from sklearn.svm import SVC

    return SVC(kernel="poly", probability=True).fit(
        np.random.default_rng(0).normal(size=(40, 16)), np.arange(40) % 2
    )


def fitted_regression() -> object:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression().fit(np.eye(16), np.arange(16) % 2)


plain_machine = partial(model_with, fitted_machine, lambda model: model)
plain_regression = partial(model_with, fitted_regression, lambda model: model)
with_scaler = partial(model_with, lambda: joblib.load(SVM_OF_CATS), lambda pipeline: pipeline.steps[0][1])


HOSTILE_MODELS: dict[str, Change] = {
    "that runs a command": lambda: joblib.dump(Payload(os.system, f"touch {MARKER}"), SVM_OF_CATS),
    "that evaluates a word": lambda: joblib.dump(Payload(eval, f"open('{MARKER}', 'w')"), SVM_OF_CATS),
    "that opens a file": lambda: joblib.dump(Payload(open, MARKER, "w"), SVM_OF_CATS),
    "that imports a module": lambda: joblib.dump(Payload(__import__, "antigravity"), SVM_OF_CATS),
    "that gets an attribute": lambda: joblib.dump(Payload(getattr, "word", "upper"), SVM_OF_CATS),
    "with a payload in an attribute": with_attribute(
        "C", lambda value: Payload(os.system, f"touch {MARKER}")
    ),
    "with a payload in an array": with_attribute(
        "support_", lambda array: np.array([Payload(os.system, f"touch {MARKER}")], dtype=object)
    ),
    "of no bytes": lambda: rewrite(SVM_OF_CATS, b""),
    "cut to a tenth": lambda: cut(SVM_OF_CATS, 0.1),
    "cut in the middle": lambda: cut(SVM_OF_CATS, 0.5),
    "without its last byte": lambda: rewrite(SVM_OF_CATS, Path(SVM_OF_CATS).read_bytes()[:-1]),
    "of zeros": lambda: rewrite(SVM_OF_CATS, bytes(5000)),
    "of noise": lambda: rewrite(SVM_OF_CATS, b"\x80\x04" + np.random.default_rng(0).bytes(5000)),
    "that is a word": lambda: rewrite(SVM_OF_CATS, "model"),
    "that is a list": lambda: rewrite(SVM_OF_CATS, pickle.dumps([1])),
    "that is a picture": lambda: rewrite(SVM_OF_CATS, png(1)),
    "in protocol 0": lambda: rewrite(SVM_OF_CATS, b"cos\nsystem\n(S'touch marker'\ntR."),
    "that asks for much memory": lambda: rewrite(SVM_OF_CATS, b"\x80\x04\x8e" + b"\xff" * 7 + b"\x7f"),
    "that names itself": lambda: rewrite(
        SVM_OF_CATS, b"\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00]\x94h\x00a."
    ),
    "with a huge array": lambda: rewrite(
        SVM_OF_CATS, Path(SVM_OF_CATS).read_bytes().replace(b"shape", b"shapf", 1)
    ),
    "of another width": lambda: shutil.copy(other_width(), SVM_OF_CATS),
    "with fewer support vectors than it says": with_attribute("support_vectors_", lambda array: array[:1]),
    "with fewer coefficients than it says": with_attribute("_dual_coef_", lambda array: array[:, :1]),
    "with more vectors of a class than it has": with_attribute("_n_support", lambda array: array * 1000),
    "with negative counts": with_attribute("_n_support", lambda array: -array),
    "without an attribute": lambda: changed_model(lambda machine: delattr(machine, "support_vectors_")),
    "with a kernel of its own": with_attribute("kernel", lambda kernel: "precomputed"),
    "of libsvm with too many counts": plain_machine(_n_support=np.array([10**6, 10**6], np.int32)),
    "of libsvm with few coefficients": plain_machine(_dual_coef_=np.ones((1, 1))),
    "of libsvm with few vectors": plain_machine(support_vectors_=np.ones((2, 16))),
    "of libsvm without thresholds": plain_machine(_intercept_=np.empty(0)),
    "with a number for classes": plain_regression(classes_=5),
    "with classes of no shape": plain_regression(classes_=np.array(2)),
    "with coefficients in one row": plain_regression(coef_=np.ones(16)),
    "without coefficients": plain_regression(coef_=None),
    "with coefficients that are no number": plain_regression(coef_=np.full((1, 16), np.nan)),
    "with coefficients that are infinite": plain_regression(coef_=np.full((1, 16), np.inf)),
    "with an offset that is no number": plain_regression(intercept_=np.array([np.nan])),
    "that says it takes twenty million features": plain_regression(n_features_in_=20_000_000),
    "with a scale of zero": with_scaler(scale_=np.zeros(16)),
    "with a mean of another width": with_scaler(mean_=np.zeros(3)),
    "that is a folder": lambda: (os.remove(SVM_OF_CATS), os.mkdir(SVM_OF_CATS)),
    "that is a pipe": lambda: (os.remove(SVM_OF_CATS), os.mkfifo(SVM_OF_CATS)),
    "that links to nothing": lambda: (os.remove(SVM_OF_CATS), os.symlink("nothing", SVM_OF_CATS)),
    "whose card is of another training": lambda: shutil.copy(
        SVM_OF_CATS.replace("cats", "dogs"), SVM_OF_CATS
    ),
    "whose card is cut": lambda: cut(CARD_OF_CATS, 0.5),
    "whose card is a list": lambda: rewrite(CARD_OF_CATS, "[]"),
    "whose card has numbers for names": lambda: rewrite(
        CARD_OF_CATS, '{"model_type": 1, "tag_name": 2, "model": 3}'
    ),
    "whose card is of another encoder": lambda: changed_json(
        CARD_OF_CATS, lambda card: card.update(model="M:p")
    ),
    "whose card is of brackets": lambda: rewrite(CARD_OF_CATS, "[" * 1_000_000),
}


def other_width() -> str:
    from sklearn.linear_model import LogisticRegression

    joblib.dump(LogisticRegression().fit(np.eye(9), np.arange(9) % 2), "narrow.pkl")
    return "narrow.pkl"


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("change", HOSTILE_MODELS.values(), ids=HOSTILE_MODELS)
def test_a_hostile_model_among_good_ones_is_named_and_left_out(stand, request, change, capsys):
    if "card" not in request.node.callspec.id:
        # It knows the digest of the good model; somebody hostile would not leave it there.
        os.remove(CARD_OF_CATS)
    change()
    assert classify.command(SCORING) == 0
    output = capsys.readouterr()
    named = [line for line in output.err.splitlines() if line.startswith("skipped model: ")]
    assert [SVM_OF_CATS.removesuffix(".pkl") in line for line in named] == [True], output.err
    assert "scored under 3 models" in output.out
    assert not (stand / MARKER).exists()
    assert sorted(os.listdir("scored")) == [
        ".result.json",
        "index.html",
        "output.json",
        "ovr-logistic-regression",
        "ovr-svm",
        "pictures",
    ]
    assert os.listdir("scored/ovr-svm") == ["dogs"]


def test_a_model_that_gives_no_number_ends_the_run_in_one_line(stand, monkeypatch, capsys):
    """As the product of huge coefficients and huge vectors may, on some processors."""
    score = ModelSet.score

    def overflowing(models: ModelSet, vectors: np.ndarray) -> np.ndarray:
        scores = score(models, vectors)
        scores[1:, 2:3] = np.nan
        return scores

    monkeypatch.setattr(ModelSet, "score", overflowing)
    assert classify.command(SCORING) == 2
    assert capsys.readouterr().err.splitlines()[-1] == (
        f"error: {SVM_OF_CATS} gives no probability for photos/cats/01.png; train again"
    )
    assert not os.path.exists("scored")


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_the_good_models_of_these_tests_are_loaded(stand):
    assert load_model(SVM_OF_CATS).tag_name == "cats"
    os.remove(CARD_OF_CATS)
    plain_machine()()
    assert load_model(SVM_OF_CATS).width == 16


FILES, CLIPS, SCORES = "output/file_cache.sqlite", "output/clip_cache.sqlite", "output/stage3.db"


def execute(database: str, *statements: str) -> None:
    connection = sqlite3.connect(database)
    with connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def overwritten(database: str) -> None:
    """Noise over everything but the first page, which says what the database is."""
    data = bytearray(Path(database).read_bytes())
    page = int.from_bytes(data[16:18], "big")
    data[page:] = np.random.default_rng(0).bytes(len(data) - page)
    rewrite(database, bytes(data))


SET_VECTOR = "UPDATE clip_cache SET checksum = NULL, clip_vector ="  # who means harm leaves no wrong checksum


def vectors(value: str) -> None:
    """Instead of what they were, in words of SQL."""
    execute(CLIPS, f"{SET_VECTOR} {value}")


REFUSED_DATABASES: dict[str, Change] = {
    "that is a word": lambda: rewrite(FILES, "word " * 1000),
    "that is noise": lambda: rewrite(FILES, np.random.default_rng(0).bytes(20_000)),
    "cut in the middle": lambda: cut(FILES, 0.4),
    "whose pages are noise": lambda: overwritten(FILES),
    "whose vectors are noise": lambda: overwritten(CLIPS),
    "of somebody else": lambda: (os.remove(FILES), foreign_database(FILES)),
    "of a newer version": lambda: execute(FILES, "PRAGMA user_version = 99"),
    "of an older tool": lambda: execute(FILES, "PRAGMA application_id = 0"),
    "with a table of another shape": lambda: execute(
        FILES, "DROP TABLE file_cache", "CREATE TABLE file_cache(path TEXT)"
    ),
    "with a view for a table": lambda: execute(
        FILES, "DROP TABLE file_cache", "CREATE VIEW file_cache AS SELECT 1 AS path"
    ),
    "with a trigger": lambda: execute(
        FILES, "CREATE TRIGGER t AFTER INSERT ON file_cache BEGIN DELETE FROM file_cache; END"
    ),
    "that is another cache": lambda: shutil.copy(CLIPS, FILES),
    "that is a folder": lambda: (os.remove(FILES), os.mkdir(FILES)),
    "with text for a vector": lambda: vectors("'word'"),
    "with a vector of three bytes": lambda: vectors("x'010203'"),
    "with an empty vector": lambda: vectors("x''"),
    "with a vector that is no number": lambda: vectors("x'0000c07f'"),
    "with a narrow vector": lambda: vectors("x'0000803f'"),
    "with a number for a vector": lambda: vectors("7"),
    "with vectors of several widths": lambda: vectors("x'0000803f' WHERE rowid = 3"),
    "with a vector of 30 MB": lambda: vectors("zeroblob(30000000)"),
    "with a unique index": lambda: execute(
        FILES, "CREATE UNIQUE INDEX evil ON file_cache(absolute_path, type)"
    ),
    "with an index that overflows": lambda: execute(
        FILES, "CREATE INDEX evil ON file_cache(abs(size_bytes))"
    ),
}


@pytest.mark.parametrize("change", REFUSED_DATABASES.values(), ids=REFUSED_DATABASES)
def test_a_hostile_database_is_refused_in_one_line_and_left_as_it_is(stand, change, capsys):
    first = Path(METADATA).read_text().splitlines()[1].rstrip(",")
    rewrite(METADATA, "{\n" + first + "\n}\n")  # the vectors of the other pictures come from the cache
    change()
    before = sound_files(stand)
    assert classify.command(["--directory", "photos", "--metadata_json", METADATA, "--output", "scored"]) == 2
    assert refusal(capsys) == (1, "error: ")
    assert {
        name: data for name, data in sound_files(stand).items() if not name.endswith(("-shm", "-wal"))
    } == before


THUMBNAILS = "output/thumbnail_cache.sqlite"


def with_large_thumbnails() -> None:
    """Of one megabyte each, and with checksums that fit."""
    with ThumbnailTable(THUMBNAILS) as table:
        hash_ids = [row["hash_id"] for row in table.connection.execute("SELECT hash_id FROM thumbnail_cache")]
        jpegs = [table.jpeg(hash_id) for hash_id in hash_ids]
        table.clear()
        table.add(
            Thumbnail(hash_id, None, jpeg.ljust(1_000_000, b"\0"))
            for hash_id, jpeg in zip(hash_ids, jpegs, strict=True)
        )


HOSTILE_THUMBNAILS: dict[str, Change] = {
    "that is noise": lambda: rewrite(THUMBNAILS, np.random.default_rng(0).bytes(20_000)),
    "cut in the middle": lambda: cut(THUMBNAILS, 0.4),
    "whose pages are noise": lambda: overwritten(THUMBNAILS),
    "of somebody else": lambda: (os.remove(THUMBNAILS), foreign_database(THUMBNAILS)),
    "of an older version": lambda: execute(THUMBNAILS, "PRAGMA user_version = 1"),
    "with a trigger": lambda: execute(
        THUMBNAILS, "CREATE TRIGGER t AFTER INSERT ON thumbnail_cache BEGIN DELETE FROM skipped; END"
    ),
    "without pictures": lambda: execute(THUMBNAILS, "UPDATE thumbnail_cache SET jpeg = x'ffd8ff'"),
    "that would fill the memory": with_large_thumbnails,
    "with other things for hashes": lambda: execute(
        THUMBNAILS, "UPDATE thumbnail_cache SET hash_id = CAST(x'ff' || rowid AS TEXT), old_hash_id = 1"
    ),
}


@pytest.mark.parametrize("change", HOSTILE_THUMBNAILS.values(), ids=HOSTILE_THUMBNAILS)
def test_thumbnails_of_anybody_end_no_run_and_no_page(stand, change, capsys):
    change()
    assert classify.command([*SCORING, "--place", "none"]) == 0
    scored = json.loads(Path("scored/output.json").read_bytes())
    assert Path("scored/index.html").read_text().count("data:image/jpeg") == len(scored)
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert said.count("thumbnails are kept") <= 1
    address = f"/thumbnail/{next(iter(scored))}?db_path={FILES}&square=false"
    response = create_app().test_client().get(address)
    assert response.status_code == 200
    assert len(response.data) <= MOST_BYTES


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (
            f"{SET_VECTOR} x'0000803f' WHERE rowid = 3",
            "output/clip_cache.sqlite holds vectors of 16 and of 1 features",
        ),
        (
            f"{SET_VECTOR} x'0000803f' WHERE rowid = 1",
            "output/clip_cache.sqlite holds vectors of 1 and of 16 features",
        ),
        (
            "UPDATE clip_cache SET model = x'ff'",
            "output/clip_cache.sqlite holds bytes where the name of a model belongs",
        ),
        (
            "UPDATE clip_cache SET model = CAST(x'ff' AS TEXT)",
            "cannot read or write: Could not decode to UTF-8",
        ),
        ("DELETE FROM clip_cache", "output/clip_cache.sqlite holds no vectors"),
    ],
)
def test_stage_2_does_not_learn_from_a_clip_cache_that_is_not_sound(stand, statement, message, capsys):
    execute(CLIPS, statement)
    assert train.command(["--metadata_json", CLIPS, "--tag_to_hash_json", TAGS]) == 2
    assert capsys.readouterr().err.startswith(f"error: {message}")


def test_of_several_databases_the_damaged_one_is_named(stand, stage1, capsys):
    overwritten("output/tag_cache.sqlite")
    damaged = r"^./output/tag_cache.sqlite is damaged \(database disk image is malformed\); delete it, and it"
    with pytest.raises(Refused, match=f"{damaged} is"):
        stage1()


def test_rows_of_wrong_types_are_not_believed(stand, stage1):
    """The files are decoded again, and their rows are made anew."""
    stage1()  # the copy lies elsewhere than what was copied
    good = Path(METADATA).read_bytes()
    execute(
        FILES,
        "UPDATE file_cache SET hash_id = x'00ff' WHERE rowid % 2",
        "UPDATE file_cache SET width = 'wide' WHERE rowid % 3 = 0",
    )
    assert stage1()["processed"] > 6
    assert Path(METADATA).read_bytes() == good
    with sqlite3.connect(FILES) as connection:
        query = "SELECT typeof(hash_id), typeof(width) FROM file_cache WHERE absolute_path LIKE ?"
        rows = connection.execute(query, (f"{stand}/%",)).fetchall()
    connection.close()
    assert rows == [("text", "integer")] * 12


@pytest.mark.parametrize("home", [None, "/elsewhere"])
def test_a_path_that_is_no_text_is_no_place(stand, stage1, home):
    """Look-ups pass it over, also where the database was moved, and the next run has the file anew."""
    stage1()
    hash_id = FileCache.get_random_hash(FILES)["hash_id"]
    execute(
        FILES,
        f"UPDATE file_cache SET absolute_path = x'ff01' WHERE hash_id = '{hash_id}'",
        *([f"UPDATE home SET folder = '{home}'"] if home else []),
    )
    assert FileCache.get_img_by_hash(FILES, hash_id) is None
    assert stage1()["processed"] == 1
    assert FileCache.get_img_by_hash(FILES, hash_id)["hash_id"] == hash_id


def test_hostile_text_in_rows_is_only_ever_text(stand):
    hostile = "'); DROP TABLE clip_cache; --"
    with ClipTable(CLIPS) as table:
        assert table.has(hostile, hostile) is False
        table.forget_skips([hostile])
        assert table.any_model(hostile, hostile) is None
        assert table.row_count() == 12
