"""FileCache, ClipCache and TagCache as a programmer calls them: whole dicts and whole rows."""
import sqlite3
from contextlib import closing
from hashlib import blake2b

import numpy as np
import pytest

from cache import ClipCache, FileCache, TagCache
from cache.reader.batches import Batch
from cache.reader.source_file import Skipped
from cache.refusal import Refused
from cache.stores.file_table import FileTable
from tests.drawing import drawn, encoded, png, write, zipped

FILES, CLIPS, TAGS = "./output/file_cache.sqlite", "./output/clip_cache.sqlite", "./output/tag_cache.sqlite"


def rows(path: str, query: str) -> list[tuple]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def answer(path: str, processed: int = 0, unchanged: int = 0, skipped: int = 0) -> dict:
    """Of add_folder_to_..."""
    return {"db_path": path, "processed": processed, "unchanged": unchanged, "skipped": skipped}


def hash_of(seed: int, kind: str = "cats") -> str:
    return blake2b(drawn(seed, kind).tobytes()).hexdigest()


def test_the_file_cache_has_a_row_for_every_file_and_every_zip(here):
    write(here, {"x/cats/a.png": png(1), "x/cats/copy.bmp": encoded(drawn(1), "BMP"), "x/no.txt": b"-"})
    write(here, {"x/b.zip": zipped({"in/c.png": png(2)})})
    assert FileCache.create_file_cache() == {"db_path": FILES, "created": True, "message": f"created {FILES}"}
    assert FileCache.add_folder_to_file_cache("x") == answer(FILES, processed=3, skipped=1)
    columns = "file_name, path, hash_id, type, is_archive, n_content, container_archive, width, height"
    expected = [
        ("c.png", "x/b.zip/in/c.png", hash_of(2), "png", None, None, "x/b.zip", 48, 40),
        ("b.zip", "x/b.zip", None, "zip", 1, 1, None, None, None),
        ("a.png", "x/cats/a.png", hash_of(1), "png", None, None, None, 48, 40),
        ("copy.bmp", "x/cats/copy.bmp", hash_of(1), "bmp", None, None, None, 48, 40),
    ]
    assert rows(FILES, f"SELECT {columns} FROM file_cache ORDER BY rowid") == expected
    assert rows(FILES, "SELECT * FROM skipped") == [("x/no.txt", "not_an_image", "")]
    assert FileCache.add_folder_to_file_cache(str(here / "x")) == answer(FILES, unchanged=3, skipped=1)
    assert FileCache.create_file_cache() == {
        "db_path": FILES, "created": False, "message": f"{FILES} exists already and was left as it is"}
    assert len(rows(FILES, "SELECT * FROM file_cache")) == 4


def test_a_file_is_found_by_its_hash_with_both_spellings_of_every_name(here):
    write(here, {"x/a.png": png(1)})
    FileCache.add_folder_to_file_cache("x", "caches", "mine.sqlite")
    status = (here / "x" / "a.png").stat()
    assert FileCache.get_img_by_hash("caches/mine.sqlite", hash_of(1)) == {
        "hash_id": hash_of(1),
        "file_name": "a.png",
        "path": "x/a.png",
        "file_path": "x/a.png",
        "type": "png",
        "file_type": "png",
        "is_archive": None,
        "n_content": None,
        "container_archive": None,
        "absolute_path": str(here / "x" / "a.png"),
        "size_bytes": status.st_size,
        "mtime_ns": status.st_mtime_ns,
        "width": 48,
        "height": 40,
        "old_hash_id": None,
    }
    assert FileCache.get_img_by_hash("caches/mine.sqlite", "0" * 128) is None


def test_a_palette_picture_is_also_found_under_the_digest_of_older_tools(here):
    picture = drawn(1).quantize()
    write(here, {"x/a.png": encoded(picture)})
    FileCache.add_folder_to_file_cache("x")
    old = blake2b(picture.tobytes()).hexdigest()
    image = FileCache.get_img_by_hash(FILES, old)
    assert (image["file_name"], image["old_hash_id"]) == ("a.png", old)
    assert image["hash_id"] != old


def test_random_files_are_pictures_and_an_empty_cache_has_none(here):
    FileCache.create_file_cache()
    assert FileCache.get_random_hash(FILES) is None
    write(here, {"x/a.zip": zipped({"c.png": png(2)})})
    FileCache.add_folder_to_file_cache("x")
    assert {FileCache.get_random_image(FILES)["path"] for _ in range(20)} == {"x/a.zip/c.png"}
    assert FileCache.get_random_hash(FILES) == {"hash_id": hash_of(2)}


def test_a_changed_file_replaces_its_row_and_a_repaired_one_is_no_longer_skipped(here):
    write(here, {"x/a.png": png(1), "x/b.png": png(2)[:50]})
    FileCache.add_folder_to_file_cache("x")
    write(here, {"x/a.png": encoded(drawn(3, size=(50, 50))), "x/b.png": png(2)})
    assert FileCache.add_folder_to_file_cache("x")["processed"] == 2
    widths = rows(FILES, "SELECT path, width FROM file_cache ORDER BY path")
    assert widths == [("x/a.png", 50), ("x/b.png", 48)]
    assert rows(FILES, "SELECT * FROM skipped") == []


def test_a_file_that_is_known_again_is_no_longer_skipped(here):
    """It was skipped by a run that had to decode it, for a vector, say, and ran into a timeout."""
    write(here, {"x/a.png": png(1)})
    FileCache.add_folder_to_file_cache("x")
    with FileTable(FILES) as table:
        table.add(Batch([Skipped("x/a.png", "timeout")]))
    assert FileCache.add_folder_to_file_cache("x")["unchanged"] == 1
    assert rows(FILES, "SELECT * FROM skipped") == []


def test_a_known_file_goes_by_the_name_it_was_last_given(here):
    write(here, {"x/a.png": png(1)})
    FileCache.add_folder_to_file_cache("x")
    assert FileCache.add_folder_to_file_cache(str(here / "x"))["unchanged"] == 1
    assert FileCache.get_img_by_hash(FILES, hash_of(1))["file_path"] == str(here / "x" / "a.png")


def test_clearing_empties_or_deletes_a_cache(here):
    write(here, {"x/a.png": png(1)})
    FileCache.add_folder_to_file_cache("x")
    assert FileCache.clear_cache(FILES) == {"db_path": FILES, "cleared": 1, "deleted": False}
    assert FileCache.get_random_image(FILES) is None
    deleted = FileCache.clear_cache(FILES, delete_cache=True)
    assert deleted == {"db_path": FILES, "cleared": 0, "deleted": True}
    assert list((here / "output").iterdir()) == []
    with pytest.raises(Refused, match="no such database"):
        FileCache.clear_cache(FILES)


def test_the_clip_cache_keeps_a_vector_per_picture_and_model(photos, tiny):
    clips = ClipCache(**tiny)
    assert clips.create_clip_cache()["created"] is True
    assert clips.add_folder_to_clip_cache(photos) == answer(CLIPS, processed=12)
    of_models = rows(CLIPS, "SELECT model, count(*), max(length(clip_vector)) FROM clip_cache GROUP BY model")
    assert of_models == [(clips.encoder.key, 12, 64)]
    clip = clips.get_clip_by_hash(CLIPS, hash_of(0))
    assert list(clip) == ["hash_id", "clip_vector", "model"]
    assert (clip["hash_id"], clip["model"]) == (hash_of(0), clips.encoder.key)
    assert (clip["clip_vector"].shape, clip["clip_vector"].dtype) == ((1, 16), np.float32)
    assert clips.get_clip_by_hash(CLIPS, "nothing") is None
    assert clips.get_random_clip(CLIPS)["clip_vector"].shape == (1, 16)
    assert set(clips.get_random_hash(CLIPS)) == {"hash_id"}
    assert clips.clear_cache(CLIPS) == {"db_path": CLIPS, "cleared": 12, "deleted": False}


def test_adding_a_folder_again_embeds_nothing_and_beside_a_file_cache_decodes_nothing(
        photos, tiny, monkeypatch):
    clips = ClipCache(**tiny)
    clips.add_folder_to_clip_cache(photos)
    monkeypatch.setattr(type(clips.encoder), "encode", None)  # calling it would fail
    assert clips.add_folder_to_clip_cache(photos)["processed"] == 12
    FileCache.add_folder_to_file_cache(photos)
    assert clips.add_folder_to_clip_cache(photos) == answer(CLIPS, unchanged=12)
    assert len(rows(CLIPS, "SELECT * FROM clip_cache")) == 12


def test_of_several_models_the_instances_own_vector_comes_first(photos, tiny):
    clips = ClipCache(**tiny)
    clips.add_folder_to_clip_cache(photos)
    with closing(sqlite3.connect(CLIPS)) as connection, connection:
        copy = "SELECT hash_id, 'another:model', precision, clip_vector, NULL FROM clip_cache"
        connection.execute(f"INSERT INTO clip_cache {copy}")
    assert clips.get_clip_by_hash(CLIPS, hash_of(0))["model"] == clips.encoder.key
    assert ClipCache("another", "model").get_clip_by_hash(CLIPS, hash_of(0))["model"] == "another:model"


def test_the_tag_cache_gives_an_image_all_its_tags(here):
    write(here / "x", {"cats/a.png": png(1), "animals/a.png": png(1), "dogs/b.png": png(2)})
    write(here / "x", {"loose.png": png(3)})
    assert TagCache.create_tag_cache()["created"] is True
    assert TagCache.add_folder_to_tag_cache("x") == answer(TAGS, processed=3, skipped=1)
    assert TagCache.add_folder_to_tag_cache("x")["processed"] == 3
    assert rows(TAGS, "SELECT hash_id, tag, path FROM tag_cache ORDER BY rowid") == [
        (hash_of(1), "animals", "x/animals/a.png"),
        (hash_of(1), "cats", "x/cats/a.png"),
        (hash_of(2), "dogs", "x/dogs/b.png"),
    ]
    assert rows(TAGS, "SELECT * FROM skipped") == [("x/loose.png", "outside_tag_folder", "")]
    assert TagCache.get_tag_by_hash(TAGS, hash_of(1)) == {
        "hash_id": hash_of(1), "tag": "animals", "tags": ["animals", "cats"]}
    assert TagCache.get_tag_by_hash(TAGS, hash_of(3)) is None
    assert {TagCache.get_random_tag(TAGS)["tag"] for _ in range(50)} == {"animals", "dogs"}
    assert TagCache.get_random_hash(TAGS)["hash_id"] in (hash_of(1), hash_of(2))
    assert TagCache.clear_cache(TAGS, True) == {"db_path": TAGS, "cleared": 3, "deleted": True}


def test_one_cache_is_not_taken_for_another(photos):
    FileCache.add_folder_to_file_cache(photos)
    refusal = "file_cache.sqlite holds no table tag_cache; it is another cache of these tools"
    with pytest.raises(Refused, match=refusal):
        TagCache.get_random_tag(FILES)
