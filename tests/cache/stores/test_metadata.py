"""The metadata of stage 1: a matrix comes back, whatever the layout, and nothing else is taken for it."""
import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from cache.files.json_file import write_json_object
from cache.reader.batches import Batch
from cache.refusal import Refused
from cache.stores.clip_table import ClipTable
from cache.stores.metadata import read_metadata
from cache.stores.tag_list import read_tag_to_hashes

VECTORS = np.array([[0.1, -2.5, 3e-9], [1 / 3, 4, 5]], np.float32)


def record(vector, model="M", pretrained="p") -> dict:
    return {"model": model, "pretrained": pretrained, "embeddings_vector": vector}


def write_two(path: str = "metadata.json") -> str:
    write_json_object(path, [("first", record(VECTORS[0])), ("second", record(VECTORS[1]))])
    return path


def test_floats_are_written_as_the_shortest_decimals_that_give_them_back(here):
    assert Path(write_two()).read_bytes() == (
        b'{\n"first": {"model":"M","pretrained":"p","embeddings_vector":[0.1,-2.5,3e-9]},\n'
        b'"second": {"model":"M","pretrained":"p","embeddings_vector":[0.33333334,4.0,5.0]}\n}\n')


@pytest.mark.parametrize("layout", ["as written", "one line", "indented", "vector in a list"])
def test_any_layout_of_the_json_gives_the_same_matrix(here, layout):
    write_two()
    content = json.loads((here / "metadata.json").read_text())
    if layout == "vector in a list":  # how some older tools wrote it
        for facts in content.values():
            facts["embeddings_vector"] = [facts["embeddings_vector"]]
    if layout != "as written":
        (here / "metadata.json").write_text(json.dumps(content, indent=4 if layout == "indented" else None))
    metadata = read_metadata("metadata.json")
    assert (metadata.key, metadata.rows, metadata.width) == ("M:p", {"first": 0, "second": 1}, 3)
    assert np.array_equal(metadata.matrix, VECTORS)
    assert np.array_equal(metadata.vector("second"), VECTORS[1])
    assert metadata.vector("third") is None


def test_a_matrix_of_any_number_of_rows_comes_back_whole(here):
    vectors = np.random.default_rng(0).normal(size=(2500, 3)).astype(np.float32)
    write_json_object("many.json", ((str(number), record(vector)) for number, vector in enumerate(vectors)))
    metadata = read_metadata("many.json")
    assert np.array_equal(metadata.matrix, vectors)
    assert metadata.rows == {str(number): number for number in range(2500)}


def test_a_clip_cache_serves_as_metadata_if_it_holds_one_encoder(here):
    with ClipTable("clips.sqlite", create=True) as table:
        refusal = "clips.sqlite holds no vectors; give the metadata JSON of stage 1 instead"
        with pytest.raises(Refused, match=refusal):
            read_metadata("clips.sqlite")
        table.add(Batch(vectors={"first": VECTORS[0], "second": VECTORS[1]}), "M:p", "fp32")
        metadata = read_metadata("clips.sqlite")
        assert (metadata.key, metadata.rows) == ("M:p", {"first": 0, "second": 1})
        assert np.array_equal(metadata.matrix, VECTORS)
        table.add(Batch(vectors={"first": VECTORS[0]}), "N:q", "fp32")
    with pytest.raises(Refused, match=r"clips.sqlite holds vectors of several encoders \(M:p, N:q\)"):
        read_metadata("clips.sqlite")


NOT_METADATA = "m.json is not a metadata JSON of stage 1:"
NO_VECTOR = f"{NOT_METADATA} record a has no embeddings_vector of finite numbers"
SEVERAL = "m.json mixes vectors of several encoders ({} features); make it anew"


@pytest.mark.parametrize(("content", "message"), [
    ("", "m.json is not valid JSON"),
    ('{"a": ', "m.json is not valid JSON"),
    ('{\n"a": {"embeddings_vector": [1]},\n', "m.json ends in the middle; run stage 1 again"),
    ("{}", "m.json holds no image"),
    ("[1, 2]", f"{NOT_METADATA} it should read {{hash_id: record}}"),
    ('{"a": 1}', NO_VECTOR),
    ('{"a": {"embeddings_vector": "x"}}', NO_VECTOR),
    ('{"a": {"embeddings_vector": [null]}}', NO_VECTOR),
    ('{"a": {"embeddings_vector": []}}', NO_VECTOR),
    ('{"a": {"embeddings_vector": [NaN]}}', "m.json is not valid JSON"),
    (json.dumps({"a": record([1]), "b": record([1, 2])}), SEVERAL.format("M:p; [1, 2]")),
    (json.dumps({"a": record([1]), "b": record([1], "N")}), SEVERAL.format("M:p, N:p; [1]")),
])
def test_anything_else_is_refused_in_one_line(here, content, message):
    (here / "m.json").write_text(content)
    with pytest.raises(Refused) as caught:
        read_metadata("m.json")
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(here):
    refusal = "cannot read nowhere.json: No such file or directory; stage 1 makes it"
    with pytest.raises(Refused, match=refusal):
        read_metadata("nowhere.json")


@pytest.mark.parametrize("content", ["[]", '{"cats": "abc"}', '{"cats": [1]}'])
def test_a_tag_list_must_be_one(here, content):
    (here / "tags.json").write_text(content)
    with pytest.raises(Refused) as caught:
        read_tag_to_hashes("tags.json")
    assert str(caught.value) == "tags.json is not a tag list of stage 1: it should read {tag: [hash_id, ...]}"


def test_one_record_of_a_million_features_takes_no_more_memory_than_it_needs(here):
    (here / "m.json").write_text(json.dumps({"a": record([0.5] * 1_000_000)}))
    tracemalloc.start()
    metadata = read_metadata("m.json")
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert metadata.width == 1_000_000
    assert most < 100_000_000
