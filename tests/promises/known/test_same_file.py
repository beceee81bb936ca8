"""Known means: really the same file, whatever size and time say; and any time a file system can hold."""
import os
import zipfile

import pytest

from cache import ClipCache, FileCache, TagCache
from cache.encoders.clip_encoder import ClipEncoder
from stage3 import classify
from stage4 import classify_zip
from tests.cache.doctor.reported import findings_of
from tests.cache.test_caches import hash_of
from tests.drawing import drawn, encoded, png, write, zipped
from tests.promises.known.outcome import rows, vectors
from tests.stages_3_and_4.scoring import ready  # noqa: F401  a fixture
from web_api.cache_web_api import create_app

SECOND = 10**9
THEN = 1_600_000_000 * SECOND
YEARS = {  # seconds since 1970 in which these years begin
    1901: -2_177_452_800, 1969: -31_536_000, 2300: 10_413_792_000, 2446: 15_021_072_000}


def set_time(path, time_ns: int = THEN) -> None:
    os.utime(path, ns=(time_ns, time_ns))


def change_places(one, other) -> None:
    os.rename(one, f"{one}.aside")
    os.rename(other, one)
    os.rename(f"{one}.aside", other)


def two_bmps(here) -> tuple:
    """Of one size and one time, as a burst on a FAT card or a ZIP leaves them."""
    write(here / "photos", {"cats/a.bmp": encoded(drawn(1), "BMP"), "dogs/b.bmp": encoded(drawn(2), "BMP")})
    cat, dog = here / "photos/cats/a.bmp", here / "photos/dogs/b.bmp"
    for path in (cat, dog):
        set_time(path)
    return cat, dog


def test_two_pictures_that_change_places_change_tags_and_vectors(here, stage1):
    cat, dog = two_bmps(here)
    stage1()
    before = vectors()
    change_places(cat, dog)
    assert stage1()["processed"] == 2
    after = vectors()
    assert after["a.bmp"].tolist() == before["b.bmp"].tolist()
    assert after["b.bmp"].tolist() == before["a.bmp"].tolist()
    assert TagCache.get_tag_by_hash("output/tag_cache.sqlite", hash_of(1)) == {
        "hash_id": hash_of(1), "tag": "dogs", "tags": ["dogs"]}
    assert FileCache.get_img_by_hash("output/file_cache.sqlite", hash_of(1))["path"] == "photos/dogs/b.bmp"


def test_two_pictures_that_change_places_change_scores(ready, here):  # noqa: F811
    cat, dog = two_bmps(here)
    query = "SELECT file_name, hash_id FROM stage3 WHERE file_name LIKE '%bmp' GROUP BY file_name, hash_id"
    assert ready(classify, "photos") == 0
    change_places(cat, dog)
    assert ready(classify, "photos", output="again") == 0
    assert rows("output/stage3.db", query) == [
        {"file_name": "a.bmp", "hash_id": hash_of(2)}, {"file_name": "b.bmp", "hash_id": hash_of(1)}]


def bmps_zipped(seed: int) -> bytes:
    """One uncompressed picture: whatever it shows, the ZIP has the same size."""
    return zipped({"cats/a.bmp": encoded(drawn(seed), "BMP")}, compression=zipfile.ZIP_STORED)


def test_a_member_replaced_under_the_old_size_and_time_of_its_zip_is_read_again(here, stage1):
    for seed in (1, 2):
        # Written into, not renamed over: number and size stay.
        with open(here / "photos.zip", "r+b" if seed == 2 else "wb") as archive:
            archive.write(bmps_zipped(seed))
        set_time(here / "photos.zip")
        result = stage1("photos.zip")
    assert (result["processed"], result["unchanged"]) == (1, 0)
    assert FileCache.get_img_by_hash("output/file_cache.sqlite", hash_of(1)) is None
    assert rows("output/tag_cache.sqlite", "SELECT hash_id, tag FROM tag_cache") == [
        {"hash_id": hash_of(2), "tag": "cats"}]


def of_all_years(folder) -> None:
    """A picture and a ZIP of each year, as far as the disk can hold it."""
    for number, (year, seconds) in enumerate(YEARS.items()):
        files = {f"cats/{year}.png": png(number), f"cats/{year}.zip": zipped({"b.png": png(50 + number)})}
        write(folder, files)
        for name in files:
            set_time(folder / name, seconds * SECOND + 5)


def decode_nothing(monkeypatch) -> None:
    monkeypatch.setattr(ClipEncoder, "encode", None)
    monkeypatch.setattr("cache.decoder.decoder_process.WORKER", ["/bin/false"])


def test_files_of_any_year_are_embedded_once(here, stage1, monkeypatch):
    of_all_years(here / "photos")
    assert stage1()["processed"] == 8
    decode_nothing(monkeypatch)
    assert stage1()["unchanged"] == 8


@pytest.mark.parametrize("stage", [classify, classify_zip])
def test_files_of_any_year_are_scored(ready, here, capsys, monkeypatch, stage):  # noqa: F811
    of_all_years(here / "new")
    assert ready(stage, "new") == 0
    assert "processed 4, unchanged 0, skipped 4" in capsys.readouterr().out
    monkeypatch.setattr(ClipEncoder, "encode", None)
    assert ready(stage, "new", output="again") == 0
    assert "processed 0, unchanged 4, skipped 4" in capsys.readouterr().out


def test_files_of_any_year_go_into_every_cache(here, tiny, monkeypatch):
    of_all_years(here / "photos")
    calls = FileCache.add_folder_to_file_cache, ClipCache(**tiny).add_folder_to_clip_cache
    answers = [call("photos") for call in (*calls, TagCache.add_folder_to_tag_cache)]
    assert [(answer["processed"], answer["unchanged"]) for answer in answers] == [(8, 0), (8, 0), (0, 8)]
    for number in range(len(YEARS)):
        for seed in (number, 50 + number):
            assert FileCache.get_img_by_hash("output/file_cache.sqlite", hash_of(seed)) is not None


def test_files_of_any_year_are_shown_and_the_doctor_finds_nothing_wrong_with_them(here, capsys):
    of_all_years(here / "photos")
    FileCache.add_folder_to_file_cache("photos")
    client = create_app().test_client()
    for number in range(len(YEARS)):
        for seed in (number, 50 + number):
            assert client.get(f"/image/{hash_of(seed)}?db_path=output/file_cache.sqlite").data == png(seed)
    assert client.get("/files?db_path=output/file_cache.sqlite").status_code == 200
    assert findings_of(capsys, "photos") == []
    assert findings_of(capsys, "output") == []


def test_a_burst_renumbered_after_some_were_deleted_keeps_each_picture_with_its_own_vector(here, stage1):
    """All of one size and time: what was shot 4 is called 3 now, 6 is called 4, and so on."""
    write(here / "photos/a", {f"dsc{number}.bmp": encoded(drawn(number), "BMP") for number in range(8)})
    for path in (here / "photos/a").iterdir():
        set_time(path)
    stage1()
    before = vectors()
    kept = [0, 1, 2, 4, 6, 7]
    for number in (3, 5):
        os.remove(f"photos/a/dsc{number}.bmp")
    for new, old in enumerate(kept):
        os.rename(f"photos/a/dsc{old}.bmp", f"photos/a/dsc{new}.bmp")
    stage1()
    after = vectors()
    assert {name: vector.tolist() for name, vector in after.items()} == {
        f"dsc{new}.bmp": before[f"dsc{old}.bmp"].tolist() for new, old in enumerate(kept)}


def test_links_that_are_dealt_anew_lead_to_what_they_lead_to_now(here, stage1):
    for seed in (1, 2):
        write(here / "far", {f"{seed}.bmp": encoded(drawn(seed), "BMP")})
        set_time(here / f"far/{seed}.bmp")
    (here / "photos/a").mkdir(parents=True)
    for targets in ((1, 2), (2, 1)):
        for name, target in zip("xy", targets, strict=True):
            (here / f"photos/a/{name}.bmp").unlink(missing_ok=True)
            os.symlink(here / f"far/{target}.bmp", here / f"photos/a/{name}.bmp")
        stage1()
    assert rows("output/stage1.db", "SELECT file_name, hash_id FROM stage1") == [
        {"file_name": "x.bmp", "hash_id": hash_of(2)}, {"file_name": "y.bmp", "hash_id": hash_of(1)}]


def test_a_picture_read_while_it_was_still_written_is_read_again_when_it_is_whole(here, stage1):
    whole = png(1)
    write(here / "photos/a", {"1.png": whole[: len(whole) // 2].ljust(len(whole), b"\0"), "2.png": png(2)})
    set_time(here / "photos/a/1.png")
    assert stage1()["skipped"] == 1
    with open(here / "photos/a/1.png", "r+b") as file:
        file.write(whole)
    set_time(here / "photos/a/1.png")
    result = stage1()
    assert (result["processed"], result["unchanged"], result["skipped"]) == (1, 1, 0)
    assert FileCache.get_img_by_hash("output/file_cache.sqlite", hash_of(1))["path"] == "photos/a/1.png"

