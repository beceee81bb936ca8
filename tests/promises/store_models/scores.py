"""The score tables and the listing of a run: a row for every file and model, the newest only."""
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, product

import numpy as np
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from cache.files.paths import absolute_path, lies_in
from cache.models.decisions import DECISIONS, DecisionCodes, Thresholds
from cache.models.score_bins import bin_name, bin_number
from cache.reader.batches import Batch
from cache.reader.source_file import Archive, Picture, Skipped
from cache.stores.score_listing import ScoreListing
from cache.stores.score_table import Stage3Table, Stage4Table
from cache.stores.table_of_files import NOT_LOOKED_AT
from tests.promises.store_models.store import Store
from tests.promises.store_models.strategies import HASHES, ROOTS, batches, probabilities, texts


@dataclass(frozen=True)
class Model:
    model_type: str
    tag_name: str
    thresholds: Thresholds | None

    def output(self, score: float) -> dict:
        """As it stands in output.json: without a decision, if the model makes none."""
        output = {"model_type": self.model_type, "tag_name": self.tag_name, "tag_prob": score}
        [[code]] = DecisionCodes([self.thresholds]).of(np.array([[score]]))
        return {**output, "decision": DECISIONS[code]} if self.thresholds else output


thresholds = st.sampled_from([None, Thresholds(0.6, 0.3), Thresholds(None, 0.3), Thresholds(0.6, None)])
models = st.lists(
    st.builds(Model, st.sampled_from(["ovr-svm", "it's"]), texts, thresholds),
    min_size=1, max_size=3, unique_by=lambda model: (model.model_type, model.tag_name))


class Scores(Store):
    with_archives = True
    source = ROOTS[0]

    @rule(
        models=models,
        parts=st.lists(batches, max_size=3),
        drawn=st.lists(probabilities, min_size=1, max_size=9),
    )
    def run(self, models, parts, drawn):
        kinds = (Picture, Archive, Skipped) if self.with_archives else (Picture, Skipped)
        parts = [Batch([item for item in batch.items if isinstance(item, kinds)]) for batch in parts]
        whole = Batch([item for part in parts for item in part.items])
        scores = [np.resize(np.array(drawn), (len(part.of(Picture)), len(models))) for part in parts]
        of_all = [row for of_part in scores for row in of_part.tolist()]
        with ScoreListing(models) as listing:
            for part, of_part in zip(parts, scores, strict=True):
                listing.add(part, of_part)
            assert list(listing.output_json()) == list(output_json(models, whole.of(Picture), of_all))
            self.table.replace(self.source, listing)
            self.forget(listing)
        for row in listed(models, whole, iter(of_all)):
            self.put(row)
        self.skip(whole.of(Skipped))

    def forget(self, listing: ScoreListing) -> None:
        """What lies under the source and was looked at, but not read, or as another picture; of a source
        without any file nothing."""
        hash_of = dict(reversed(list(listing.places())))
        skips = list(listing.skips())
        unseen = [absolute_path(skip.file_path) for skip in skips if skip.reason in NOT_LOOKED_AT]
        at, hash_at = (self.table.columns.index(name) for name in ("absolute_path", "hash_id"))

        def stays(row: tuple) -> bool:
            path = row[at]
            is_read = path in hash_of and hash_of[path] == row[hash_at]
            is_unseen = any(lies_in(path, place) for place in unseen)
            return is_read or is_unseen or not lies_in(path, self.source)

        if hash_of or any(skip.reason != "hidden" for skip in skips):
            self.rows = {key: row for key, row in self.rows.items() if stays(row)}
        self.skipped = {
            path: why for path, why in self.skipped.items()
            if not lies_in(absolute_path(path), self.source)}

    def put(self, row: dict) -> None:
        key = (row["absolute_path"], row["model_type"], row["tag_name"])
        self.rows.pop(key, None)  # a row that replaces another comes in anew
        self.rows[key] = tuple(row.get(name) for name in self.table.columns)
        self.skipped.pop(row["file_path"], None)

    def dicts(self, **wanted) -> list[dict]:
        rows = (dict(zip(self.table.columns, row, strict=True)) for row in self.rows.values())
        return [row for row in rows if all(row[name] == value for name, value in wanted.items())]

    def classifiers(self) -> list[tuple[str, str]]:
        return sorted({(tag, model_type) for _, model_type, tag in self.rows if tag is not None})

    @invariant()
    def a_hash_leads_to_its_scores(self):
        for hash_id in HASHES:
            rows, expected = self.table.of_image(hash_id), self.dicts(hash_id=hash_id)
            assert all(row in expected for row in rows)
            assert list(map(classifier, rows)) == sorted(set(map(classifier, expected)))

    @invariant()
    def pages_show_every_score_between_two_limits(self):
        assert self.table.classifiers() == self.classifiers()
        tags = {tag for tag, _ in self.classifiers()}
        for tag, (low, high, size) in product(tags, [(0.0, 1.0, 3), (0.1, 0.7, 1)]):
            between = [row for row in self.dicts(tag_name=tag) if low <= row["tag_prob"] <= high]
            expected = sorted(map(likeliest, between))
            shown = []
            for page in count(1):
                rows = self.table.scores(tag, low, high, page, size)
                shown += rows
                if len(rows) < size:
                    break
            assert [likeliest(row)[:2] for row in shown] == [row[:2] for row in expected]
            assert sorted(map(likeliest, shown)) == expected

    @invariant()
    def bins_hold_every_score(self):
        for (tag, model_type), bins in product(self.classifiers(), (3, 10)):
            in_bin = {number: [] for number in range(bins, 0, -1)}
            for row in self.dicts(tag_name=tag, model_type=model_type):
                in_bin[bin_number(row["tag_prob"], bins)].append(row)
            expected = [
                {"name": bin_name(number, bins), "total": len(rows), "rows": sorted(rows, key=likeliest)[:2]}
                for number, rows in in_bin.items()
            ]
            assert self.table.bins(tag, model_type, bins, 2) == expected


class Stage3(Scores):
    table_class, with_archives = Stage3Table, False
    columns = ", ".join(Stage3Table.columns)


class Stage4(Scores):
    table_class = Stage4Table
    columns = ", ".join(Stage4Table.columns)


def output_json(
    models: list[Model], pictures: list[Picture], scores: list[list[float]],
) -> Iterator[tuple[str, dict]]:
    positions: dict[str, list[int]] = {}
    for position, picture in enumerate(pictures):
        positions.setdefault(picture.hash_id, []).append(position)
    for hash_id, places in positions.items():
        first, *more = (pictures[position].file.file_path for position in places)
        paths = {"file_path": first, "file_paths": more} if more else {"file_path": first}
        outputs = [model.output(score) for model, score in zip(models, scores[places[0]], strict=True)]
        yield hash_id, {"hash_id": hash_id, **paths, "classifiers_output": outputs}


def listed(models: list[Model], whole: Batch, scores: Iterator[list[float]]) -> Iterator[dict]:
    """The rows of a run: one per archive, one per picture and model."""
    for item in whole.items:
        if isinstance(item, Skipped):
            continue
        file = item.file
        facts = {
            "file_name": file.file_name,
            "file_path": file.file_path,
            "archive_path": file.archive_path,
            "absolute_path": file.absolute_path,
        }
        if isinstance(item, Archive):
            of_archive = {"type": "zip", "n_img_content": item.n_content}
            yield {**facts, **of_archive, "model_type": None, "tag_name": None}
            continue
        for model, score in zip(models, next(scores), strict=True):
            yield {**facts, "type": item.type, "hash_id": item.hash_id, **model.output(score)}


def classifier(row: dict) -> tuple[str, str]:
    return row["tag_name"], row["model_type"]


def likeliest(row: dict) -> tuple:
    return -row["tag_prob"], row["file_path"], row["model_type"]
