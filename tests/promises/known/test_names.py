"""Names as they come from other systems and programs, and ZIPs that hide members."""
import json
import unicodedata
from pathlib import Path

from cache import TagCache
from stage2.train import main as train
from stage4 import classify_zip
from tests.cache.doctor.reported import findings_of
from tests.cache.reader.raw_zips import with_comment, with_table_of, zip_of_raw_names
from tests.cache.test_caches import hash_of
from tests.drawing import png, tag_folders, write, zipped
from tests.promises.known.outcome import rows
from tests.stages_3_and_4.scoring import ready  # noqa: F401  a fixture

TAG_LIST = Path("output/input-tag-to-image-hash-list.json")
MEMBERS = "SELECT file_path FROM stage4 WHERE hash_id NOT NULL GROUP BY file_path ORDER BY file_path"


def test_folders_in_nfc_and_nfd_are_one_tag_and_not_each_others_negative(here, stage1):
    nfc, nfd = (unicodedata.normalize(form, "Käfer") for form in ("NFC", "NFD"))
    write(here / "photos", {f"{nfc}/{number}.png": png(number) for number in range(3)})
    write(here / "photos", {f"{nfd}/{number}.png": png(3 + number) for number in range(3)})
    write(here / "photos", {f"dogs/{number}.png": png(number, "dogs") for number in range(6)})
    stage1()
    tags = json.loads(TAG_LIST.read_text())
    assert sorted(tags) == [nfc, "dogs"]
    assert set(tags[nfc]) == {hash_of(seed) for seed in range(6)}
    assert TagCache.get_tag_by_hash("output/tag_cache.sqlite", hash_of(4))["tags"] == [nfc]
    [row] = rows("output/file_cache.sqlite", "SELECT path FROM file_cache WHERE hash_id = ?", hash_of(4))
    assert Path(row["path"]).read_bytes() == png(4)
    train("output/input-metadata.json", str(TAG_LIST), "output", 0.2)
    card = json.loads(Path(f"output/models/model-ovr-svm-tag-{nfc}.json").read_text())
    assert len(list(Path("output/models").glob("*.pkl"))) == 4
    assert card["tag_name"] == nfc


def test_thumbnails_and_bins_of_programs_are_no_pictures_of_a_person(here, stage1, capsys):
    write(here / "photos", tag_folders(2))
    left = [
        "cats/@eaDir/0.jpg/SYNOPHOTO_THUMB_M.png", "cats/.picasaoriginals/a.png", "cats/.thumbnails/b.png",
        "__MACOSX/cats/._a.png", "cats/._a.png", "#recycle/c.png", "lost+found/d.png", "dogs/Thumbs.db",
    ]
    write(here / "photos", {name: png(100 + number) for number, name in enumerate(left)})
    assert stage1()["skipped"] == len(left)
    assert list(json.loads(TAG_LIST.read_text())) == ["cats", "dogs"]
    assert {note["kind"] for note in findings_of(capsys, "photos")} == {"hidden"}


def test_a_zip_with_shift_jis_names_is_scored_under_readable_ones(ready, here, capsys):  # noqa: F811
    names = ["写真/猫.png", "写真/犬.png"]
    write(here, {"new.zip": zip_of_raw_names({name.encode("cp932"): png(n) for n, name in enumerate(names)})})
    assert ready(classify_zip, "new.zip") == 0
    assert [row["file_path"] for row in rows("output/stage4.db", MEMBERS)] == sorted(
        f"new.zip/{name}" for name in names)
    capsys.readouterr()
    assert findings_of(capsys, "new.zip") == [{
        "kind": "guessed_names", "path": "new.zip", "detail": "read as Shift-JIS", "encoding": "Shift-JIS"}]


def test_a_zip_whose_comment_holds_another_end_record_is_scored_whole(ready, here, capsys):  # noqa: F811
    whole = zipped({"a.png": png(20), "b.png": png(21)})
    write(here, {"new.zip": with_comment(whole, zipped({}))})
    assert ready(classify_zip, "new.zip") == 0
    members = [row["file_path"] for row in rows("output/stage4.db", MEMBERS)]
    assert members == ["new.zip/a.png", "new.zip/b.png"]
    capsys.readouterr()
    assert findings_of(capsys, "new.zip") == []


def test_members_that_the_table_leaves_out_are_told_and_the_rest_is_scored(ready, here, capsys):  # noqa: F811
    write(here, {"new.zip": with_table_of(zipped({"a.png": png(20), "b.png": png(21)}), kept=1)})
    assert ready(classify_zip, "new.zip") == 0
    assert [row["file_path"] for row in rows("output/stage4.db", MEMBERS)] == ["new.zip/b.png"]
    assert rows("output/stage4.db", "SELECT file_path, reason FROM skipped") == [
        {"file_path": "new.zip", "reason": "bad_archive"}]
    capsys.readouterr()
    [note] = findings_of(capsys, "new.zip")
    assert (note["kind"], note["path"]) == ("skipped", "new.zip")
    assert note["reason"] == "bad_archive"


def test_tags_that_differ_by_case_or_a_blank_stay_apart(here, stage1):
    spellings = ["Cats", "cats", "cats ", "😀", "😁"]
    write(here / "photos", {
        f"{tag}/{number}.png": png(10 * place + number)
        for place, tag in enumerate(spellings) for number in range(2)})
    stage1()
    assert json.loads(TAG_LIST.read_text()) == {
        tag: [hash_of(10 * place), hash_of(10 * place + 1)] for place, tag in enumerate(spellings)}
    for place, tag in enumerate(spellings):
        assert TagCache.get_tag_by_hash("output/tag_cache.sqlite", hash_of(10 * place))["tags"] == [tag]
    train("output/input-metadata.json", str(TAG_LIST), "output", 0.2)
    cards = [json.loads(path.read_text()) for path in Path("output/models").glob("*ovr-svm*.json")]
    assert sorted(card["tag_name"] for card in cards) == spellings
