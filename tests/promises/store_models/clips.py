"""The clip cache: a row for every hash and model."""
from itertools import product

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from cache.reader.batches import Batch
from cache.reader.source_file import Picture, Skipped
from cache.stores.clip_table import ClipTable
from tests.promises.store_models.store import Store
from tests.promises.store_models.strategies import HASHES, batches, hashes, texts, vectors


class Clips(Store):
    table_class = ClipTable
    columns = "hash_id, model, precision, clip_vector"

    @rule(
        batch=batches,
        new=st.dictionaries(hashes, vectors, max_size=4),
        model=texts,
        precision=st.sampled_from(["fp32", "bf16"]),
    )
    def add(self, batch, new, model, precision):
        self.table.add(Batch(batch.items, new), model, precision)
        for hash_id, vector in new.items():
            self.rows.setdefault((hash_id, model), (hash_id, model, precision, vector.tobytes()))
        for picture in batch.of(Picture):
            self.skipped.pop(picture.file.file_path, None)
        self.skip(batch.of(Skipped))

    def of_model(self, model: str) -> dict[str, np.ndarray]:
        return {row[0]: np.frombuffer(row[3], np.float32) for row in self.rows.values() if row[1] == model}

    @invariant()
    def a_hash_leads_to_its_vectors(self):
        models = {model for _, model in self.rows} | {"unheard of"}
        for hash_id, preferred in product(HASHES, models):
            self.look_up(hash_id, preferred)

    def look_up(self, hash_id: str, preferred: str) -> None:
        expected = {row[1]: row[3] for row in self.rows.values() if row[0] == hash_id}
        vector = self.table.vector(hash_id, preferred)
        assert (None if vector is None else vector.tobytes()) == expected.get(preferred)
        assert self.table.has(hash_id, preferred) == (preferred in expected)
        any_model = self.table.any_model(hash_id, preferred)
        assert (any_model is None) == (not expected)
        if any_model:
            assert (any_model["hash_id"], any_model["clip_vector"].shape[0]) == (hash_id, 1)
            assert expected[any_model["model"]] == any_model["clip_vector"].tobytes()
            assert any_model["model"] == preferred or preferred not in expected

    @invariant()
    def models_have_all_their_vectors(self):
        assert self.table.models() == sorted({model for _, model in self.rows})
        for model in [*self.table.models(), "unheard of"]:
            expected = {name: vector.tobytes() for name, vector in self.of_model(model).items()}
            assert {name: vector.tobytes() for name, vector in self.table.vectors(model)} == expected
            width = max((len(blob) // 4 for blob in expected.values()), default=0)
            assert self.table.size(model) == (len(expected), width)

    @invariant()
    def neighbours_are_the_most_similar(self):
        for hash_id, model in product(HASHES, self.table.models()):
            known = self.of_model(model)
            vector = known.pop(hash_id, np.empty(0))
            cosines = {
                name: cosine(vector, other) for name, other in known.items() if len(other) == len(vector)}
            neighbours = self.table.neighbours(hash_id, model, 2)
            names = [row["hash_id"] for row in neighbours]
            likeness = [row["cosine"] for row in neighbours]
            assert len(set(names)) == len(names)
            assert likeness == pytest.approx([cosines[name] for name in names], abs=1e-5)
            assert likeness == pytest.approx(sorted(cosines.values(), reverse=True)[:2], abs=1e-5)


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    one, other = one.astype(float), other.astype(float)
    return float(one @ other / max(np.linalg.norm(one) * np.linalg.norm(other), 1e-12))
