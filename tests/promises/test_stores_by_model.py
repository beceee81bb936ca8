"""Every table beside a plain Python model of it: whatever is done to both, in whatever order, both hold and answer the same."""
import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import count, product

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from cache.decoder.limits import REASONS
from cache.models.decisions import Thresholds
from cache.models.score_bins import bin_name, bin_number
from cache.reader.batches import Batch
from cache.reader.source_file import Archive, Picture, Skipped, SourceFile
from cache.stores.clip_table import ClipTable
from cache.stores.dataset_listing import DatasetListing
from cache.stores.dataset_table import DatasetTable
from cache.stores.file_table import FileTable
from cache.stores.score_listing import ScoreListing
from cache.stores.score_table import Stage3Table, Stage4Table
from cache.stores.sqlite_table import Table
from cache.stores.tag_table import TagTable
from cache.text import printable

HOSTILE = ["a", "b.png", "'; DROP TABLE file_cache; --", "it's \"two\nlines\"\t%s?.png", printable("caf\udce9.png"), "Ä猫🐈", "%_*[a]",
           "x" * 5000]
# Prefixes of one another, and the neighbours of "/" in the alphabet.
ROOTS = ["/x/photos", "/x/photos2", "/x/photos/a", "/x/photos.zip", "/x/photos0", "/x/Photos"]
HASHES = [f"{number:0128x}" for number in range(4)]
OLD_HASHES = [*HASHES[:2], "f" * 128]

letters = st.characters(exclude_categories=["Cs"], exclude_characters="\0/")
texts = st.sampled_from(HOSTILE[:3]) | st.sampled_from(HOSTILE) | st.text(letters, min_size=1, max_size=9)
hashes = st.sampled_from(HASHES)
sizes = st.integers(1, 2)
probabilities = st.sampled_from([0.0, 0.1, 0.3, 0.1 + 0.2, 1 / 3, 0.7, 6 / 7, 1.0]) | st.floats(0, 1)


@st.composite
def source_files(draw) -> SourceFile:
    absolute_path = f"{draw(st.sampled_from(ROOTS))}/{draw(texts)}"
    given = draw(st.sampled_from([absolute_path, absolute_path[1:], "." + absolute_path]))
    archive = draw(st.none() | st.just(os.path.dirname(given)))
    return SourceFile(given, absolute_path, draw(st.none() | texts), archive, draw(sizes), draw(sizes), open)


pictures = st.builds(
    Picture, source_files(), hashes, st.none() | st.sampled_from(OLD_HASHES), st.sampled_from(["png", "gif"]), sizes, sizes)
archives = st.builds(Archive, source_files(), st.integers(0, 3))
skipped_paths = st.sampled_from(["x/photos/a", "x/photos/b.png"]) | source_files().map(lambda file: file.file_path)
skips = st.builds(Skipped, skipped_paths, st.sampled_from(sorted(REASONS)), st.just("") | texts)
batches = st.builds(Batch, st.lists(pictures | pictures | archives | skips, min_size=2, max_size=8))
vectors = st.lists(st.floats(-8, 8, width=32), min_size=3, max_size=4).map(lambda values: np.array(values, np.float32))
EVERYWHERE = [
    Picture(SourceFile(f"{root}/{name}"[1:], f"{root}/{name}", "cats", None, 1, 1, open), HASHES[0], None, "png", 1, 1)
    for root in ROOTS for name in HOSTILE[:2]
]


class Store(RuleBasedStateMachine):
    """What holds for all tables: `rows` in the order they came in, by what makes them unique; `skipped` by path."""

    table_class: type[Table]

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.folder.name, "a.sqlite")
        self.table = self.table_class(self.path, create=True)
        self.schema = self.query("SELECT name, sql FROM sqlite_master ORDER BY name")
        self.rows: dict[object, tuple] = {}
        self.skipped: dict[str, tuple] = {}

    def query(self, statement: str) -> list[tuple]:
        return [tuple(row) for row in self.table.connection.execute(statement)]

    def skip(self, items) -> None:
        self.skipped.update((item.file_path, (item.reason, item.detail)) for item in items)

    @invariant()
    def both_hold_the_same(self):
        assert self.query(f"SELECT * FROM {self.table.name} ORDER BY rowid") == list(self.rows.values())
        assert sorted(self.query("SELECT * FROM skipped")) == sorted((path, *why) for path, why in self.skipped.items())
        assert self.table.row_count() == len(self.rows)
        assert self.query("SELECT name, sql FROM sqlite_master ORDER BY name") == self.schema

    @invariant()
    def a_random_row_is_one_of_the_rows(self):
        row = self.table.random_row()
        assert tuple(row) in self.rows.values() if row else not self.rows

    @rule()
    def close_and_open_again(self):
        self.table.close()
        self.table = self.table_class(self.path)

    @precondition(lambda self: len(self.rows) > 4)
    @rule()
    def clear(self):
        assert self.table.clear() == len(self.rows)
        self.rows, self.skipped = {}, {}

    @rule(recorded=st.lists(skips, max_size=3), forgotten=st.integers(0, 3))
    def record_and_forget_skips(self, recorded, forgotten):
        paths = [*list(self.skipped)[:forgotten], "/never/seen"]
        with self.table.connection:
            self.table.forget_skips(paths)
            self.table.record_skips(recorded)
        self.skipped = {path: why for path, why in self.skipped.items() if path not in paths}
        self.skip(recorded)

    def teardown(self):
        self.table.close()
        with closing(self.table_class(self.path)) as self.table:
            self.both_hold_the_same()
            assert self.query("PRAGMA integrity_check") == [("ok",)]
        self.folder.cleanup()


class StoreOfFiles(Store):
    """Of the tables whose rows are files; `absolute_path` and `hash_id` tell where those stand in a row."""

    absolute_path: int
    hash_id: int

    def put(self, batch: Batch) -> None:
        raise NotImplementedError

    @rule(root=st.sampled_from(ROOTS), kept=st.sets(st.sampled_from(HOSTILE), max_size=3), everywhere=st.booleans())
    def forget_missing(self, root, kept, everywhere):
        if everywhere:
            self.put(Batch(EVERYWHERE))
        paths = {key: row[self.absolute_path] for key, row in self.rows.items()}
        present = [path for path in paths.values() if os.path.basename(path) in kept]
        self.table.forget_missing(root, [*present, "/x/elsewhere", *present])
        self.rows = {key: row for key, row in self.rows.items()
                     if paths[key] in present or paths[key] != root and not paths[key].startswith(f"{root}/")}

    @invariant()
    def a_hash_leads_to_a_file(self):
        for hash_id in HASHES:
            paths = [row[self.absolute_path] for row in self.rows.values() if row[self.hash_id] == hash_id]
            assert self.table.absolute_path(hash_id) in (paths or [None])


class Files(StoreOfFiles):
    table_class, absolute_path, hash_id = FileTable, 7, 2

    @rule(batch=batches, times=st.integers(1, 2))
    def add(self, batch, times):
        for _ in range(times):
            self.put(batch)

    @rule(given=st.sampled_from(["", "./..", "/x/.."]), archive=st.none() | texts)
    def read_again(self, given, archive):
        """Every file as the next run finds it, from another folder."""
        files = [SourceFile(given + path, path, None, archive, row[8], row[9], open) for path, row in self.rows.items()]
        self.put(Batch([self.known(Picture(file, HASHES[1], None, "gif", 2, 2)) for file in files]))

    @invariant()
    def a_file_of_another_size_or_time_is_not_known(self):
        for (path, row), (grown, later) in product(self.rows.items(), [(0, 0), (1, 0), (0, 1), (0, -1)]):
            file = SourceFile(path, path, None, None, row[8] + grown, row[9] + later, open)
            self.known(Picture(file, HASHES[0], None, "png", 1, 1))

    def put(self, batch):
        self.table.add(batch)
        for item in batch.of(Picture) + batch.of(Archive):
            self.skipped.pop(item.file.file_path, None)
        for item in batch.items:
            if isinstance(item, Archive) or isinstance(item, Picture) and not item.unchanged:
                self.rows[item.file.absolute_path] = self.row(item)
        for item in batch.of(Picture):
            if item.unchanged:
                self.rename(item.file)
        self.skip(batch.of(Skipped))

    def known(self, picture: Picture) -> Picture:
        """The picture itself, or as the table knows it."""
        file = picture.file
        row = self.rows.get(file.absolute_path)
        known = self.table.known(file)
        if row is None or row[8:10] != (file.size, file.mtime_ns) or row[4]:
            assert known is None
            return picture
        assert known == Picture(file, row[2], row[12], row[3], row[10], row[11], unchanged=True)
        return known

    def rename(self, file: SourceFile) -> None:
        row = self.rows[file.absolute_path]
        if row[1] != file.file_path:
            self.rows[file.absolute_path] = (row[0], file.file_path, *row[2:6], file.archive_path, *row[7:])

    @staticmethod
    def row(item: Picture | Archive) -> tuple:
        file = item.file
        place = (file.archive_path, file.absolute_path, file.size, file.mtime_ns)
        if isinstance(item, Archive):
            return (file.file_name, file.file_path, None, "zip", 1, item.n_content, *place, None, None, None)
        return (file.file_name, file.file_path, item.hash_id, item.type, None, None, *place, item.width, item.height, item.old_hash_id)

    def pictures(self) -> list[tuple]:
        return [row for row in self.rows.values() if not row[4]]

    @invariant()
    def a_hash_leads_to_an_image(self):
        for hash_id in {*HASHES, *OLD_HASHES}:
            found, rows = self.table.image(hash_id), self.rows.values()
            expected = [row for row in rows if row[2] == hash_id] or [row for row in rows if row[12] == hash_id]
            assert (found and self.plain(found)) in (expected or [None])

    @invariant()
    def pages_show_every_picture(self):
        found, after = [], 0
        while page := self.table.page(after, 3):
            assert len(page) <= 3
            found += [self.plain(row) for row in page]
            after = page[-1]["position"]
        assert found == self.pictures()
        assert self.table.counts() == {"pictures": len(found), "archives": len(self.rows) - len(found)}

    @invariant()
    def a_random_image_is_a_picture(self):
        found = self.table.random_image()
        assert (found and self.plain(found)) in (self.pictures() or [None])

    @staticmethod
    def plain(found: dict) -> tuple:
        facts = dict(found)
        facts.pop("position", None)
        assert (facts.pop("file_path"), facts.pop("file_type")) == (facts["path"], facts["type"])
        return tuple(facts.values())


class Tags(StoreOfFiles):
    table_class, absolute_path, hash_id = TagTable, 3, 0

    @rule(batch=batches, times=st.integers(1, 2))
    def add(self, batch, times):
        for _ in range(times):
            self.put(batch)

    def put(self, batch):
        self.table.add(batch)
        for item in batch.of(Picture):
            file = item.file
            if file.folder is not None:
                self.rows[file.absolute_path] = (item.hash_id, file.folder, file.file_path, file.absolute_path)
                self.skipped.pop(file.file_path, None)
        self.skip(batch.of(Skipped))

    @invariant()
    def a_hash_has_all_its_tags(self):
        for hash_id in HASHES:
            tags = sorted({tag for found, tag, *_ in self.rows.values() if found == hash_id})
            assert self.table.tags(hash_id) == ({"hash_id": hash_id, "tag": tags[0], "tags": tags} if tags else None)

    @invariant()
    def counts_and_pages_show_every_tag(self):
        images = Counter(tag for tag, _ in {(row[1], row[0]) for row in self.rows.values()})
        assert list(self.table.counts().items()) == sorted(images.items())
        for tag in images:
            found, after = [], 0
            while page := self.table.page(tag, after, 2):
                found += [(row["hash_id"], row["path"]) for row in page]
                after = page[-1]["position"]
            assert found == [(row[0], row[2]) for row in self.rows.values() if row[1] == tag]


class Clips(Store):
    table_class = ClipTable

    @rule(batch=batches, new=st.dictionaries(hashes, vectors, max_size=4), model=texts, precision=st.sampled_from(["fp32", "bf16"]))
    def add(self, batch, new, model, precision):
        self.table.add(Batch(batch.items, new), model, precision)
        for hash_id, vector in new.items():
            self.rows.setdefault((hash_id, model), (hash_id, model, precision, vector.tobytes()))
        for item in batch.of(Picture):
            self.skipped.pop(item.file.file_path, None)
        self.skip(batch.of(Skipped))

    def of_model(self, model: str) -> dict[str, np.ndarray]:
        return {row[0]: np.frombuffer(row[3], np.float32) for row in self.rows.values() if row[1] == model}

    @invariant()
    def a_hash_leads_to_its_vectors(self):
        for hash_id, preferred in product(HASHES, {model for _, model in self.rows} | {"unheard of"}):
            self.look_up(hash_id, preferred)

    def look_up(self, hash_id: str, preferred: str) -> None:
        vector, any_model = self.table.vector(hash_id, preferred), self.table.any_model(hash_id, preferred)
        expected = {model: row[3] for (found, model), row in self.rows.items() if found == hash_id}
        assert (None if vector is None else vector.tobytes()) == expected.get(preferred)
        assert self.table.has(hash_id, preferred) == (preferred in expected)
        if any_model:
            assert (any_model["hash_id"], any_model["clip_vector"].shape[0]) == (hash_id, 1)
            assert expected[any_model["model"]] == any_model["clip_vector"].tobytes()
            assert any_model["model"] == preferred or preferred not in expected
        assert (any_model is None) == (not expected)

    @invariant()
    def models_have_all_their_vectors(self):
        assert self.table.models() == sorted({model for _, model in self.rows})
        for model in [*self.table.models(), "unheard of"]:
            expected = self.of_model(model)
            assert {name: vector.tobytes() for name, vector in self.table.vectors(model)} == {
                name: vector.tobytes() for name, vector in expected.items()}
            assert self.table.size(model) == (len(expected), max((len(vector) for vector in expected.values()), default=0))

    @invariant()
    def neighbours_are_the_most_similar(self):
        for hash_id, model in product(HASHES, self.table.models()):
            known = self.of_model(model)
            found = self.table.neighbours(hash_id, model, 2)
            vector = known.pop(hash_id, np.empty(0))
            cosines = {name: cosine(vector, other) for name, other in known.items() if len(other) == len(vector)}
            assert len({row["hash_id"] for row in found}) == len(found)
            assert [row["cosine"] for row in found] == pytest.approx([cosines[row["hash_id"]] for row in found], abs=1e-5)
            assert [row["cosine"] for row in found] == pytest.approx(sorted(cosines.values(), reverse=True)[:2], abs=1e-5)


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    one, other = one.astype(float), other.astype(float)
    return float(one @ other / max(np.linalg.norm(one) * np.linalg.norm(other), 1e-12))


class Dataset(Store):
    table_class = DatasetTable

    @rule(parts=st.lists(batches, max_size=3), finishes=st.sampled_from([True, True, False]))
    def run(self, parts, finishes):
        """A run over a folder; one that does not finish is killed and leaves what was there."""
        whole = Batch([item for batch in parts for item in batch.items])
        with DatasetListing() as listing:
            for batch in parts:
                listing.add(batch)
            look_into(listing, whole.of(Picture), whole.of(Archive))
            if finishes:
                self.table.replace(listing)
                self.rows = dict(enumerate(map(dataset_row, whole.of(Picture))))
                self.skipped = {}
                self.skip(whole.of(Skipped))


def look_into(listing: DatasetListing, files: list[Picture], zips: list[Archive]) -> None:
    first, tags = {}, {}
    for picture in files:
        first.setdefault(picture.hash_id, (*dataset_row(picture), picture.file.size, picture.width, picture.height))
        if picture.file.folder is not None:
            tags.setdefault(picture.file.folder, {})[picture.hash_id] = None
    columns = ("file_name", "file_path", "type", "hash_id", "absolute_path", "size_bytes", "width", "height")
    images = list(listing.images())
    assert [tuple(image[name] for name in columns) for image in images] == list(first.values())
    assert [image["tags"] for image in images] == [
        sorted(tag for tag, hash_ids in tags.items() if hash_id in hash_ids) for hash_id in first]
    assert list(listing.hashes_by_tag()) == [(tag, list(tags[tag])) for tag in sorted(tags)]
    assert list(listing.absolute_paths()) == [item.file.absolute_path for item in [*files, *zips]]


def dataset_row(picture: Picture) -> tuple:
    file = picture.file
    return file.file_name, file.file_path, picture.type, picture.hash_id, file.absolute_path


@dataclass(frozen=True)
class Model:
    model_type: str
    tag_name: str
    thresholds: Thresholds | None

    def scored(self, score: float) -> dict:
        return {"model_type": self.model_type, "tag_name": self.tag_name, "tag_prob": score}

    def decided(self, score: float) -> dict:
        return {"decision": self.thresholds.decide(score)} if self.thresholds else {}


thresholds = st.sampled_from([None, Thresholds(0.6, 0.3), Thresholds(None, 0.3), Thresholds(0.6, None)])
models = st.lists(st.builds(Model, st.sampled_from(["ovr-svm", "it's"]), texts, thresholds), min_size=1, max_size=3,
                  unique_by=lambda model: (model.model_type, model.tag_name))


class Scores(Store):
    with_archives = True

    @rule(models=models, found=st.lists(batches, max_size=3), drawn=st.lists(probabilities, min_size=1, max_size=9))
    def run(self, models, found, drawn):
        kinds = (Picture, Archive, Skipped) if self.with_archives else (Picture, Skipped)
        items = [[item for item in batch.items if isinstance(item, kinds)] for batch in found]
        scores = [np.resize(np.array(drawn), (len(batch.of(Picture)), len(models))) for batch in found]
        with ScoreListing(models) as listing:
            for part, of_part in zip(items, scores, strict=True):
                listing.add(Batch(part), of_part)
            whole = Batch([item for part in items for item in part])
            of_all = [row for of_part in scores for row in of_part.tolist()]
            assert list(listing.output_json()) == list(self.output_json(models, whole.of(Picture), of_all))
            self.table.replace(listing)
        for row in self.listed(models, whole, iter(of_all)):
            key = (row["absolute_path"], row["model_type"], row["tag_name"])
            self.rows.pop(key, None)  # a row that replaces another comes in anew
            self.rows[key] = tuple(row.get(name) for name in self.table.columns)
            self.skipped.pop(row["file_path"], None)
        self.skip(whole.of(Skipped))

    @staticmethod
    def output_json(models: list, found: list[Picture], scores: list[list[float]]) -> Iterator[tuple[str, dict]]:
        positions: dict[str, list[int]] = {}
        for position, picture in enumerate(found):
            positions.setdefault(picture.hash_id, []).append(position)
        for hash_id, places in positions.items():
            first, *others = (found[position].file.file_path for position in places)
            outputs = [{**model.scored(score), **model.decided(score)} for model, score in zip(models, scores[places[0]], strict=True)]
            paths = {"file_path": first, "file_paths": others} if others else {"file_path": first}
            yield hash_id, {"hash_id": hash_id, **paths, "classifiers_output": outputs}

    @staticmethod
    def listed(models: list, found: Batch, scores: Iterator[list[float]]) -> Iterator[dict]:
        for item in found.items:
            if isinstance(item, Skipped):
                continue
            file = item.file
            facts = {"file_name": file.file_name, "file_path": file.file_path, "archive_path": file.archive_path,
                     "absolute_path": file.absolute_path}
            if isinstance(item, Archive):
                yield {**facts, "type": "zip", "n_img_content": item.n_content, "model_type": None, "tag_name": None}
            else:
                for model, score in zip(models, next(scores), strict=True):
                    yield {**facts, "type": item.type, "hash_id": item.hash_id, **model.scored(score), **model.decided(score)}

    def dicts(self, **wanted) -> list[dict]:
        rows = (dict(zip(self.table.columns, row, strict=True)) for row in self.rows.values())
        return [row for row in rows if all(row[name] == value for name, value in wanted.items())]

    def classifiers(self) -> list[tuple[str, str]]:
        return sorted({(tag, model_type) for _, model_type, tag in self.rows if tag is not None})

    @invariant()
    def a_hash_leads_to_its_scores(self):
        for hash_id in HASHES:
            found, expected = self.table.of_image(hash_id), self.dicts(hash_id=hash_id)
            assert all(row in expected for row in found)
            assert [(row["tag_name"], row["model_type"]) for row in found] == sorted(
                {(row["tag_name"], row["model_type"]) for row in expected})

    @invariant()
    def pages_show_every_score_between_two_limits(self):
        assert self.table.classifiers() == self.classifiers()
        for tag, (low, high, size) in product({tag for tag, _ in self.classifiers()}, [(0.0, 1.0, 3), (0.1, 0.7, 1)]):
            expected = sorted(map(likeliest, [row for row in self.dicts(tag_name=tag) if low <= row["tag_prob"] <= high]))
            found = []
            for page in count(1):
                rows = self.table.scores(tag, low, high, page, size)
                found += rows
                if len(rows) < size:
                    break
            assert [likeliest(row)[:2] for row in found] == [row[:2] for row in expected]
            assert sorted(map(likeliest, found)) == expected

    @invariant()
    def bins_hold_every_score(self):
        for (tag, model_type), bins in product(self.classifiers(), (3, 10)):
            found = {number: [] for number in range(bins, 0, -1)}
            for row in self.dicts(tag_name=tag, model_type=model_type):
                found[bin_number(row["tag_prob"], bins)].append(row)
            expected = [{"name": bin_name(number, bins), "total": len(rows), "rows": sorted(rows, key=likeliest)[:2]}
                        for number, rows in found.items()]
            assert self.table.bins(tag, model_type, bins, 2) == expected


def likeliest(row: dict) -> tuple:
    return -row["tag_prob"], row["file_path"], row["model_type"]


class Stage3(Scores):
    table_class, with_archives = Stage3Table, False


class Stage4(Scores):
    table_class = Stage4Table


@pytest.mark.parametrize("machine", [Files, Tags, Clips, Dataset, Stage3, Stage4])
def test_a_table_holds_and_answers_what_a_plain_model_of_it_does(machine, full, here):
    run_state_machine_as_test(machine, settings=settings(
        max_examples=200 if full else 20, stateful_step_count=30, deadline=None, derandomize=not full, database=None))
