"""Names in ZIPs: what the ZIP says of them, what is guessed where it says nothing, and that the doctor says
so."""
import zipfile

import pytest

from cache.reader.image_source import images
from cache.reader.stored_file import stored_file
from tests.cache.doctor.reported import findings_of
from tests.cache.reader.raw_zips import unicode_path, zip_of_raw_names, zip_with_extra
from tests.cache.reader.told import told
from tests.drawing import png, write, zipped

WESTERN = [
    "schön", "café", "élève", "château", "pâté", "été à la mer", "señor niño", "größe/öl", "naïve façade",
    "bébé", "théâtre", "Ärger", "Übung", "Ålesund", "æsel", "Élèves", "brûlât",
]
JAPANESE = ["写真1", "ソニー表", "テストtest", "aテストb", "あ1", "新しいフォルダー/画像", "ＩＭＧ写真"]


def names_in(path: str) -> list[str]:
    *members, archive = told(path)
    assert archive[0] == "archive"
    return [member[1].removeprefix(f"{path}/") for member in members]


@pytest.mark.parametrize(("texts", "codec", "said"), [
    *[([text], "cp437", "code page 437") for text in WESTERN],
    *[([text], "cp932", "Shift-JIS") for text in JAPANESE],
    *[([text], "utf-8", "UTF-8") for text in ("schön", "写真", "日本語/é")],
    (WESTERN, "cp437", "code page 437"),
    (["写", *JAPANESE], "cp932", "Shift-JIS"),
], ids=str)
def test_names_that_say_nothing_get_the_best_guess_over_all_of_them_and_the_doctor_says_which(
        here, capsys, texts, codec, said):
    pictures = {f"{text}.png".encode(codec): png(number) for number, text in enumerate([*texts, "plain"])}
    write(here, {"x.zip": zip_of_raw_names(pictures)})
    assert names_in("x.zip") == [f"{text}.png" for text in [*texts, "plain"]]
    assert findings_of(capsys, "x.zip") == [
        {"kind": "guessed_names", "path": "x.zip", "detail": f"read as {said}", "encoding": said}]
    for item in list(images("x.zip"))[:-1]:
        assert stored_file(item.file.absolute_path).read() == item.file.read()


def test_of_names_of_several_writers_each_gets_its_own_guess(here, capsys):
    names = ["ä.png".encode(), "ö.png".encode("cp437")]
    write(here, {"x.zip": zip_of_raw_names({name: png(number) for number, name in enumerate(names)})})
    assert names_in("x.zip") == ["ä.png", "ö.png"]
    assert [note["encoding"] for note in findings_of(capsys, "x.zip")] == ["UTF-8 and code page 437"]


def test_names_that_say_what_they_are_need_no_guess(here, capsys):
    write(here, {"x.zip": zipped({"写真.png": png(1), "plain.png": png(2)})})
    assert names_in("x.zip") == ["写真.png", "plain.png"]
    assert findings_of(capsys, "x.zip") == []


def test_a_name_that_is_not_the_utf_8_that_it_claims_costs_no_other_member(here):
    data = zipped({"ä.png": png(1), "b.png": png(2)}).replace("ä.png".encode(), b"\x84\x84.png")
    write(here, {"x.zip": data})
    assert told("x.zip") == [
        ("skipped", "x.zip/ää.png", "damaged"), ("picture", "x.zip/b.png", None), ("archive", "x.zip", 1)]


@pytest.mark.parametrize(("extra", "name"), [
    (unicode_path("写真/ä.png", b"_.png"), "写真/ä.png"),
    (b"\x55\x54\x05\x00\x03abcd" + unicode_path("ä.png", b"_.png"), "ä.png"),  # behind a field with times
    (unicode_path("ä.png\0.exe", b"_.png"), "ä.png"),
    (unicode_path("ä.png", b"renamed.png"), "_.png"),
    (unicode_path("ä.png", b"_.png", version=2), "_.png"),
    (unicode_path("", b"_.png"), "_.png"),
    (unicode_path("ä.png", b"_.png")[:-1], "_.png"),
    (b"up\x01\x00\x01", "_.png"),
    (unicode_path("e.png", b"_.png").replace(b"e.png", b"\xff.png"), "_.png"),
], ids=["right", "second field", "zero", "renamed", "version 2", "empty", "cut", "short", "no UTF-8"])
def test_the_unicode_path_counts_if_it_belongs_to_the_name(here, extra, name):
    write(here, {"x.zip": zip_with_extra({"_.png": png(1)}, extra)})
    assert told("x.zip")[0] == ("picture", f"x.zip/{name}", name.split("/")[0] if "/" in name else None)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("names", [("a/1.png", "a\\1.png"), ("a\\1.png", "a/1.png")])
def test_of_two_names_that_become_one_path_the_last_counts(here, names):
    with zipfile.ZipFile("x.zip", "w") as archive:
        for seed, name in enumerate(names):
            archive.writestr(name, png(seed))
    assert told("x.zip") == [
        ("skipped", "x.zip/a/1.png", "duplicate_name"),
        ("picture", "x.zip/a/1.png", "a"),
        ("archive", "x.zip", 1),
    ]
    assert stored_file(str(here / "x.zip/a/1.png")).read() == png(1)
