"""A bit that flipped on the disk: the doctor finds it, nothing is scored with it, and it is made anew."""
import json
import sqlite3
import struct
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from cache import ClipCache
from cache.encoders.clip_encoder import ClipEncoder
from cache.pages.thumbnails import page_pictures
from cache.refusal import Refused
from cache.stores.clip_table import ClipTable
from cache.stores.kept_thumbnails import thumbnails_in
from cache.stores.surroundings import Surroundings
from stage2.train import main as train
from stage3.classify import command
from stage3.classify import main as classify
from tests.cache.doctor.reported import findings_of

FILES, CLIPS, SCORES = "output/file_cache.sqlite", "output/clip_cache.sqlite", "output/stage3.db"
THUMBNAILS = "output/thumbnail_cache.sqlite"
METADATA, TAGS = "output/input-metadata.json", "output/input-tag-to-image-hash-list.json"
NOT_AS_WRITTEN = "not as it was written, by its checksum"


def flipped(path: str, value: bytes, *, place: int = 0, times: int = 1) -> None:
    """One bit of the first copies of a value in a file."""
    data = bytearray(Path(path).read_bytes())
    start = -1
    for _ in range(times):
        start = data.index(value, start + 1)
        data[start + place] ^= 1
    Path(path).write_bytes(data)


def ask(path: str, query: str, *values: object) -> list[tuple]:
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(query, values).fetchall()


def vectors() -> dict[str, list[float]]:
    records = json.loads(Path(METADATA).read_text())
    return {hash_id: record["embeddings_vector"] for hash_id, record in records.items()}


@pytest.fixture
def damaged(photos, stage1) -> dict[str, list[float]]:
    """The vectors of a dataset, of which the first two have a flipped bit in the clip cache: one in the
    exponent of its first number, which makes it another number, not none."""
    stage1()
    right = vectors()
    for vector in list(right.values())[:2]:
        flipped(CLIPS, np.float32(vector).tobytes(), place=3)
    return right


def assert_close(found: dict[str, list[float]], expected: dict[str, list[float]]) -> None:
    """But for the last digits, which depend on the pictures that shared a batch."""
    assert list(found) == list(expected)
    assert np.allclose(list(found.values()), list(expected.values()), atol=1e-6)


def test_the_doctor_counts_vectors_with_a_flipped_bit(damaged, tiny, capsys):
    key = ClipEncoder(**tiny).key
    assert findings_of(capsys, CLIPS) == [
        {"kind": "damaged", "path": CLIPS, "detail": f"2 rows of {key}: {NOT_AS_WRITTEN}"}]


def test_the_doctor_finds_a_flipped_bit_in_a_hash(photos, stage1, capsys):
    stage1()
    hash_id = next(iter(vectors()))
    flipped(CLIPS, hash_id.encode())
    [finding] = findings_of(capsys, CLIPS)
    assert finding["kind"] == "damaged"
    assert "missing from index" in finding["detail"]


def test_a_hash_that_became_another_one_is_found_and_embedded_anew(photos, stage1, tiny, capsys):
    stage1()
    right = vectors()
    hash_id = next(iter(right))
    another = hash_id[:-1] + ("0" if hash_id[-1] != "0" else "1")
    ask(CLIPS, "UPDATE clip_cache SET hash_id = ? WHERE hash_id = ?", another, hash_id)
    assert [finding["detail"] for finding in findings_of(capsys, CLIPS)] == [
        f"1 row of {ClipEncoder(**tiny).key}: {NOT_AS_WRITTEN}"]
    assert ClipCache(**tiny).get_clip_by_hash(CLIPS, another) is None
    stage1()
    assert_close(vectors(), right)


def test_rows_of_version_1_are_no_fault(photos, stage1, capsys):
    stage1()
    ask(CLIPS, "UPDATE clip_cache SET checksum = NULL")
    assert findings_of(capsys, CLIPS) == []


def test_stage_1_makes_such_vectors_anew_in_the_same_run(damaged, stage1, capsys):
    assert stage1()["unchanged"] == 12
    assert_close(vectors(), damaged)
    assert findings_of(capsys, CLIPS) == []


def test_stage_2_refuses_them_in_one_line(damaged):
    name = next(iter(damaged))[:16]
    with pytest.raises(Refused) as caught:
        train(CLIPS, TAGS)
    assert str(caught.value) == (
        f"{CLIPS}: the vector of {name} was damaged on the disk; "
        "run stage 1 again, or delete it, it is made anew")


def scores(folder: str) -> dict[str, list[float]]:
    records = json.loads(Path(folder, "output.json").read_text())
    return {hash_id: [row["tag_prob"] for row in record["classifiers_output"]]
            for hash_id, record in records.items()}


def test_stage_3_embeds_the_pictures_anew_and_scores_as_before(damaged, stage1, tiny, monkeypatch):
    train(METADATA, TAGS, "./output", 0.2)
    embedded, encode = [], ClipEncoder.encode

    def counting(encoder: ClipEncoder, crops: np.ndarray) -> np.ndarray:
        embedded.append(len(crops))
        return encode(encoder, crops)

    monkeypatch.setattr(ClipEncoder, "encode", counting)
    classify("photos", "right", METADATA)
    Path("alone").mkdir()
    Path(CLIPS).rename("alone/clip_cache.sqlite")
    flags = ["--metadata_json", "alone/clip_cache.sqlite", "--output", "scored"]
    assert command(["--directory", "photos", *flags, "--pretrained", tiny["pretrained"]]) == 0
    assert embedded == [2]
    assert_close(scores("scored"), scores("right"))


def test_no_look_up_gives_such_a_vector(damaged, tiny):
    clips, (first, second, *others) = ClipCache(**tiny), damaged
    with Surroundings(FILES) as around:
        assert {row["hash_id"] for row in around.neighbours(others[0])} == set(others[1:])
    assert {clips.get_random_hash(CLIPS)["hash_id"] for _ in range(100)} <= set(others)
    assert clips.get_clip_by_hash(CLIPS, first) is None
    with ClipTable(CLIPS) as table:
        assert table.neighbours(second, table.only_model()) == []
    clips.add_folder_to_clip_cache("photos")
    assert np.allclose(clips.get_clip_by_hash(CLIPS, first)["clip_vector"][0], damaged[first], atol=1e-6)


def test_a_damaged_vector_of_the_preferred_model_gives_way_to_that_of_another(damaged, tiny):
    first = next(iter(damaged))
    ask(CLIPS, "INSERT INTO clip_cache SELECT hash_id, 'another:model', precision, clip_vector, NULL "
               "FROM clip_cache WHERE hash_id = ?", first)
    assert ClipCache(**tiny).get_clip_by_hash(CLIPS, first)["model"] == "another:model"


def test_thumbnails_with_a_flipped_bit_are_counted_by_the_doctor_and_made_anew_by_a_page(
    photos, stage1, capsys,
):
    stage1()
    jpegs = [jpeg for jpeg, in ask(THUMBNAILS, "SELECT jpeg FROM thumbnail_cache ORDER BY rowid")]
    for jpeg in jpegs[:2]:
        flipped(THUMBNAILS, jpeg, place=len(jpeg) // 2)
    assert findings_of(capsys, THUMBNAILS) == [
        {"kind": "damaged", "path": THUMBNAILS, "detail": f"2 rows: {NOT_AS_WRITTEN}"}]
    names = list(vectors())
    with thumbnails_in("output") as kept:
        shown = page_pictures({names[0]: ["photos/cats/00.png"], names[2]: []}, kept)
        assert list(shown) == [names[0], names[2]]
        assert kept.jpeg(names[0]) == jpegs[0], "made anew"
        assert kept.jpeg(names[1]) is None, "gone, since nobody has opened the picture"
    assert findings_of(capsys, THUMBNAILS) == []


def test_the_doctor_names_thumbnails_that_are_no_pictures(photos, stage1, capsys):
    stage1()
    ask(THUMBNAILS, "UPDATE thumbnail_cache SET jpeg = x'3c7376673e' WHERE rowid = 1")
    ask(THUMBNAILS, "UPDATE thumbnail_cache SET jpeg = 'text' WHERE rowid = 2")
    ask(THUMBNAILS, "UPDATE thumbnail_cache SET jpeg = zeroblob(131073) WHERE rowid = 3")
    details = {finding["detail"] for finding in findings_of(capsys, THUMBNAILS)}
    assert details == {
        "1 row: jpeg is not blob", "1 row: the thumbnail is no JPEG",
        "1 row: the thumbnail is larger than 128 KiB"}


def in_the_file(probability: float) -> None:
    flipped(SCORES, struct.pack(">d", probability), place=1)


def by_a_statement(probability: float) -> None:
    ask(SCORES, "UPDATE stage3 SET tag_prob = tag_prob / 2 WHERE tag_prob = ?", probability)


def another_decision(probability: float) -> None:
    ask(SCORES, "UPDATE stage3 SET decision = 'yes' WHERE tag_prob = ?", probability)


@pytest.mark.parametrize("damage", [in_the_file, by_a_statement, another_decision])
def test_the_doctor_counts_scores_with_a_flipped_bit(
    trained, capsys, damage: Callable[[float], None],
):
    classify("photos", "scored")
    assert findings_of(capsys, SCORES) == []
    [(probability,)] = ask(SCORES, "SELECT tag_prob FROM stage3 WHERE tag_prob BETWEEN 0.01 AND 0.99 LIMIT 1")
    ask(SCORES, "DROP INDEX stage3_tag")  # which holds it once more
    damage(probability)
    assert findings_of(capsys, SCORES) == [
        {"kind": "damaged", "path": SCORES, "detail": f"1 row: {NOT_AS_WRITTEN}"}]
