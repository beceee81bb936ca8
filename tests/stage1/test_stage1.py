"""Stage 1 as a person runs it: whole files, a second run, a run cut short, and everything it refuses."""
import json
import os
import shutil
import sqlite3
import unicodedata
from collections import Counter
from contextlib import closing
from pathlib import Path

import numpy as np
import orjson
import pytest

from cache import ClipCache
from cache.encoders.clip_encoder import ClipEncoder
from cache.pixels.crops import crop
from cache.pixels.seen import Seen
from cache.reader.batches import Counts
from cache.refusal import Refused
from cache.stores import sqlite_file
from cache.stores.dataset_listing import DatasetListing
from stage1.ImageDatasetProcessor import main
from tests.cache.test_caches import hash_of, rows
from tests.drawing import drawn, png, tag_folders, tree, write, zipped

JSON_FILES = ["input-image-hash-to-tag-list.json", "input-metadata.json", "input-tag-to-image-hash-list.json"]


def json_files(folder="output") -> dict[str, bytes]:
    return {name: Path(folder, name).read_bytes() for name in JSON_FILES}


def test_a_tag_spelt_in_two_ways_is_one_tag_and_each_file_keeps_its_path(here, stage1):
    """Folders that were copied from a Mac, beside others."""
    composed, apart = (unicodedata.normalize(form, "Vögel") for form in ("NFC", "NFD"))
    write(here / "photos", {f"{composed}/1.png": png(1), f"{apart}/2.png": png(2)})
    write(here / "photos", {f"{apart}/{apart}/3.png": png(3)})
    notes: list[str] = []
    stage1(notes=notes)
    hashes = json.loads(json_files()["input-tag-to-image-hash-list.json"])
    assert (list(hashes), len(hashes[composed])) == ([composed], 3)
    assert set(rows("output/tag_cache.sqlite", "SELECT path, tag FROM tag_cache")) == {
        (f"photos/{composed}/1.png", composed),
        (f"photos/{apart}/2.png", composed),
        (f"photos/{apart}/{apart}/3.png", composed),
    }
    around = f"photos/{apart}"
    surprise = f"the pictures in {around}/{composed} are tagged {composed}"
    assert notes == [f"1 tag: {composed} 3", f"{around} holds folders of its own: {surprise}"]


def test_the_outputs_describe_the_dataset(here, stage1, tiny):
    write(here, {"photos/cats/a.png": png(1), "photos/cats/b.png": png(2), "photos/cats/read.me": b"text"})
    write(here, {"photos/pets/a again.png": png(1)})
    before = tree(here / "photos")
    result = stage1("photos")
    assert tree(here / "photos") == before
    assert result == {"processed": 3, "unchanged": 0, "skipped": 1, "written": [
        "./output/input-metadata.json",
        "./output/input-tag-to-image-hash-list.json",
        "./output/input-image-hash-to-tag-list.json",
        "./output/stage1.db",
    ]}
    first, second = hash_of(1), hash_of(2)
    written = {name: json.loads(content) for name, content in json_files().items()}
    assert written["input-tag-to-image-hash-list.json"] == {"cats": [first, second], "pets": [first]}
    assert written["input-image-hash-to-tag-list.json"] == {first: ["cats", "pets"], second: ["cats"]}
    encoder = ClipEncoder(**tiny)
    vectors = encoder.encode(np.stack([crop(Seen(drawn(seed)), encoder.crop_spec) for seed in (1, 2)]))
    metadata = json.loads(json_files()["input-metadata.json"])
    assert list(metadata) == [first, second]
    assert metadata[first] == {
        "hash_id": first, "file_path": "photos/cats/a.png", "file_name": "a.png", "file_type": "png",
        "image_size_bytes": len(png(1)), "image_resolution": [48, 40], "image_xsize": 48, "image_ysize": 40,
        "image_tags": ["cats", "pets"],
        "embeddings_type": "CLIP", "model": "tiny-test-clip", "pretrained": encoder.pretrained,
        "embeddings_vector": orjson.loads(orjson.dumps(vectors[0], option=orjson.OPT_SERIALIZE_NUMPY)),
    }
    assert rows("output/stage1.db", "SELECT * FROM stage1") == [
        ("a.png", "photos/cats/a.png", "png", first, str(here / "photos/cats/a.png")),
        ("b.png", "photos/cats/b.png", "png", second, str(here / "photos/cats/b.png")),
        ("a again.png", "photos/pets/a again.png", "png", first, str(here / "photos/pets/a again.png")),
    ]
    assert rows("output/stage1.db", "SELECT * FROM skipped") == [("photos/cats/read.me", "not_an_image", "")]


def test_a_second_run_decodes_and_embeds_nothing_and_writes_the_same_bytes(photos, stage1, monkeypatch):
    stage1()
    first = json_files()
    monkeypatch.setattr(ClipEncoder, "encode", None)
    monkeypatch.setattr("cache.decoder.decoder_process.WORKER", ["/bin/false"])
    assert stage1()["unchanged"] == 12
    assert json_files() == first


def test_a_batch_is_one_transaction_in_every_database(photos, stage1, monkeypatch):
    statements, connect = [], sqlite_file.connect

    def traced(path, mode):
        connection = connect(path, mode)
        file = Path(path).name
        connection.set_trace_callback(lambda statement: statements.append((file, statement.split()[0])))
        return connection

    monkeypatch.setattr(sqlite_file, "connect", traced)
    stage1()
    commits = Counter(name for name, word in statements if word == "COMMIT")
    # 12 pictures in batches of 4; besides, each makes its tables, and forgets what is gone, but for
    # thumbnails; stage1.db takes over the whole run.
    assert commits == {
        "clip_cache.sqlite": 3 + 2, "tag_cache.sqlite": 3 + 2, "file_cache.sqlite": 3 + 2, "stage1.db": 2,
        "thumbnail_cache.sqlite": 3 + 1,
    }


def test_only_what_is_new_is_embedded_and_what_vanished_is_forgotten_but_for_its_vector(here, photos, stage1):
    stage1()
    os.remove("photos/cats/00.png")
    shutil.move("photos/cats/01.png", "photos/dogs/moved.png")
    write(here / photos, {"birds/new.png": png(999, "birds")})
    result = stage1()
    assert (result["processed"], result["unchanged"]) == (2, 10)
    tags = json.loads(json_files()["input-tag-to-image-hash-list.json"])
    assert tags["birds"] == [hash_of(999, "birds")]
    assert hash_of(1) in tags["dogs"]
    assert hash_of(0) not in json.loads(json_files()["input-metadata.json"])
    assert rows("output/tag_cache.sqlite", "SELECT count(*), count(DISTINCT tag) FROM tag_cache") == [(12, 3)]
    assert rows("output/file_cache.sqlite", "SELECT count(*) FROM file_cache") == [(12,)]
    assert rows("output/clip_cache.sqlite", "SELECT count(*) FROM clip_cache") == [(13,)]


def test_a_run_cut_short_goes_on_where_it_was_and_ends_with_the_same_bytes(photos, stage1, monkeypatch):
    stage1(output_folder="unbroken")
    encode, calls = ClipEncoder.encode, []

    def encode_twice_then_stop(self, crops):
        if len(calls) == 2:
            raise KeyboardInterrupt
        calls.append(len(crops))
        return encode(self, crops)

    monkeypatch.setattr(ClipEncoder, "encode", encode_twice_then_stop)
    counts = Counts()
    with pytest.raises(KeyboardInterrupt):
        stage1(counts=counts)
    assert str(counts) == "processed 8, unchanged 0, skipped 0"
    assert not any(name in os.listdir("output") for name in JSON_FILES)
    monkeypatch.setattr(ClipEncoder, "encode", encode)
    assert (stage1()["processed"], calls) == (4, [4, 4])
    assert json_files() == json_files("unbroken")


def test_the_outputs_do_not_depend_on_the_number_of_decoders(photos, stage1):
    for threads in (1, 5):
        stage1(output_folder=f"with-{threads}", num_threads=threads)
    assert json_files("with-1") == json_files("with-5")


def test_a_dataset_without_tags_goes_into_clip_cache(here, stage1):
    write(here / "mixed bag", {"a.png": png(1), "deep/er/b.png": png(2)})
    result = stage1("mixed bag", tagged_dataset=False)
    assert result["written"] == [
        "./output/clip-cache/mixed bag-metadata.json", "./output/clip-cache/stage1.db"]
    metadata = json.loads((here / "output/clip-cache/mixed bag-metadata.json").read_text())
    assert [(record["file_path"], "image_tags" in record) for record in metadata.values()] == [
        ("mixed bag/a.png", False), ("mixed bag/deep/er/b.png", False)]
    assert sorted(os.listdir("output/clip-cache")) == [
        ".run.lock", "clip_cache.sqlite", "file_cache.sqlite", "mixed bag-metadata.json", "stage1.db",
        "thumbnail_cache.sqlite"]


def test_a_zip_of_tag_folders_gives_the_same_tags_as_the_folders(here, photos, stage1):
    write(here, {"photos.zip": zipped(tag_folders())})
    stage1("photos")
    stage1("photos.zip", output_folder="zipped")
    for name in ("input-tag-to-image-hash-list.json", "input-image-hash-to-tag-list.json"):
        assert json_files()[name] == json_files("zipped")[name]
    archives = rows("zipped/file_cache.sqlite", "SELECT path, n_content FROM file_cache WHERE is_archive")
    assert archives == [("photos.zip", 12)]
    assert stage1("photos.zip", output_folder="zipped")["unchanged"] == 12


def test_vectors_of_another_model_are_kept_beside_not_mixed(photos, stage1, tiny_checkpoint, tmp_path):
    import torch

    other = tmp_path / "other.pt"
    torch.save({name: value * 1.5 for name, value in torch.load(tiny_checkpoint).items()}, other)
    stage1()
    first = json_files()
    assert stage1(pretrained=str(other))["processed"] == 12
    assert json_files()["input-metadata.json"] != first["input-metadata.json"]
    vectors = rows("output/clip_cache.sqlite", "SELECT count(DISTINCT model), count(*) FROM clip_cache")
    assert vectors == [(2, 24)]
    stage1()
    assert json_files() == first


@pytest.mark.parametrize(("source", "options", "message"), [
    ("nowhere", {}, "no such file or folder: nowhere"),
    ("empty", {}, "no readable picture in a tag folder under empty (it is empty)"),
    ("junk", {}, "no readable picture in a tag folder under junk (2 not_an_image)"),
    ("hidden", {}, "no readable picture in a tag folder under hidden (1 hidden); "
                   "--include_hidden reads what is hidden"),
    ("flat", {}, "no readable picture in a tag folder under flat (1 outside_tag_folder); a tagged dataset "
                 "has its pictures in <folder>/<tag>/, for others add --no-tagged_dataset"),
    ("empty", {"tagged_dataset": False}, "no readable picture under empty (it is empty)"),
    ("photos", {"output_folder": "photos/output"},
     "the output folder {here}/photos/output lies inside the input folder {here}/photos; name another one"),
    ("photos", {"pretrained": "./gone.pt"}, "no such checkpoint: ./gone.pt"),
])
@pytest.mark.usefixtures("photos")
def test_what_cannot_be_done_is_refused_before_anything_is_written(
        here, stage1, source, options, message):
    (here / "empty").mkdir()
    write(here, {"junk/cats/a.txt": b"a", "junk/cats/b.txt": b"b", "flat/a.png": png(1)})
    write(here, {"hidden/@eaDir/a.png": png(1)})
    with pytest.raises(Refused) as caught:
        stage1(source, **options)
    assert str(caught.value) == message.format(here=here)
    assert not any(name in JSON_FILES for _, _, names in os.walk(here) for name in names)


def test_bad_pictures_cost_nothing_but_themselves(here, photos, stage1):
    write(here / photos, {"cats/cut.png": png(1)[:90], "cats/zero.jpg": b"", "dogs/page.html": b"<html>"})
    result = stage1()
    assert (result["processed"], result["skipped"]) == (12, 3)
    assert rows("output/stage1.db", "SELECT file_path, reason FROM skipped ORDER BY 1") == [
        ("photos/cats/cut.png", "damaged"),
        ("photos/cats/zero.jpg", "empty"),
        ("photos/dogs/page.html", "not_an_image"),
    ]


def test_the_command_line_prints_what_it_wrote_and_counts_the_files(here, photos, tiny, capsys):
    write(here / photos, {"cats/zero.jpg": b""})
    encoder = ["--clip-model=" + tiny["clip_model"], "--pretrained", tiny["pretrained"]]
    arguments = ["--input-folder", photos, *encoder, "--num-threads=2"]
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    assert out == (
        "2 tags: cats 6, dogs 6\n"
        "wrote ./output/input-metadata.json\n"
        "wrote ./output/input-tag-to-image-hash-list.json\n"
        "wrote ./output/input-image-hash-to-tag-list.json\n"
        "wrote ./output/stage1.db\n"
        "skipped: 1 empty\n"
        "processed 12, unchanged 0, skipped 1\n")
    assert "skipped photos/cats/zero.jpg: empty\n" in err
    assert main([*arguments, "--strict"]) == 3
    assert main(["--input_folder", "nowhere"]) == 2
    assert capsys.readouterr().err.endswith("error: no such file or folder: nowhere\n")


def test_the_largest_tags_are_named_and_folders_in_tag_folders_are_pointed_out(here, stage1):
    """A tag is the folder a picture lies in directly: photos/flowers/2019 is 2019, which surprises people."""
    for tag in range(12):
        write(here / f"photos/{tag:02}", {f"{file}.png": png(file) for file in range(1 + tag // 6)})
    notes: list[str] = []
    stage1(notes=notes)
    assert notes == ["12 tags: 06 2, 07 2, 08 2, 09 2, 10 2, 11 2, 00 1, 01 1, 02 1, 03 1 and 2 more"]
    write(here / "photos", {"11/20\n19/a.png": png(1), "11/2020/a.png": png(2)})
    stage1("./photos/", notes=notes)
    assert notes[1:] == [
        "14 tags: 06 2, 07 2, 08 2, 09 2, 10 2, 11 2, 00 1, 01 1, 02 1, 03 1 and 4 more",
        "./photos/11 holds folders of its own: the pictures in ./photos/11/20\\n19 are tagged 20\\n19",
    ]


@pytest.mark.parametrize(("files", "nested"), [
    ({"cats.zip": zipped({"a.png": png(1)}), "dogs/a.png": png(2)}, []),
    ({"trip.zip": zipped({"dogs/a.png": png(1)})}, []),
    ({"dogs/trip.zip": zipped({"a.png": png(1)})}, []),
    ({"dogs/dogs": zipped({"a.png": png(1), "rex/b.png": png(2)})}, []),  # a ZIP by its content
    ({"trip.zip": zipped({"cats/b.png": png(2), "dogs/rex/a.png": png(1)})},
     ["photos/trip.zip/dogs holds folders of its own: "
      "the pictures in photos/trip.zip/dogs/rex are tagged rex"]),
])
def test_a_zip_is_no_folder_around_a_tag(here, stage1, files, nested):
    write(here / "photos", files)
    notes: list[str] = []
    stage1(notes=notes)
    assert notes[1:] == nested


@pytest.mark.parametrize(("files", "nested"), [
    ({"pets/cats/a.png": png(1), "pets/dogs/b.png": png(2), "loose.png": png(3)}, ("photos/pets", "cats")),
    # In a ZIP a folder around all tag folders, often called like the ZIP, surprises nobody.
    ({"dogs/a.png": png(1), "b.zip": zipped({"b/cats/b.png": png(2), "b/dogs/c.png": png(3)})}, None),
    ({"cats/a.png": png(1), "flowers/2019/b.png": png(2)}, ("photos/flowers", "2019")),
    ({"flowers/a.png": png(1), "flowers/2019/b.png": png(2)}, ("photos/flowers", "2019")),
    ({"dogs/rex/b.png": png(1)}, ("photos/dogs", "rex")),
])
def test_a_folder_in_a_tag_folder_is_pointed_out(here, stage1, files, nested):
    write(here / "photos", files)
    notes: list[str] = []
    stage1(notes=notes)
    assert notes[1:] == [
        f"{around} holds folders of its own: the pictures in {around}/{tag} are tagged {tag}"
        for around, tag in filter(None, [nested])]


def test_a_zip_of_one_folder_of_tag_folders_surprises_nobody(here, stage1):
    write(here, {"photos.zip": zipped({"photos/cats/a.png": png(1), "photos/dogs/b.png": png(2)})})
    notes: list[str] = []
    stage1("photos.zip", notes=notes)
    assert notes == ["2 tags: cats 1, dogs 1"]


def test_a_dataset_without_tags_has_nothing_to_say_of_them(here, stage1):
    write(here / "photos", {"deep/er/a.png": png(1)})
    notes: list[str] = []
    stage1(tagged_dataset=False, notes=notes)
    assert notes == []


def test_the_embedded_encoder_is_asked_for_by_its_name_alone(here, photos, capsys):
    assert main([photos, "--clip_model", "EfficientNet-Lite0-MS"]) == 0
    assert rows("output/clip_cache.sqlite", "SELECT DISTINCT model FROM clip_cache") == [
        ("EfficientNet-Lite0-MS:imagenet",)]


def test_a_cache_of_another_kind_in_the_output_folder_is_refused(here, photos, stage1):
    (here / "output").mkdir()
    with closing(sqlite3.connect("output/clip_cache.sqlite")) as connection:
        connection.execute("CREATE TABLE clip_cache(hash_id, clip_vector)")
    with pytest.raises(Refused, match=r"output/clip_cache.sqlite was not made by these tools"):
        stage1()


def test_a_clip_cache_that_is_cleared_meanwhile_is_filled_again_by_the_same_run(photos, stage1, monkeypatch):
    stage1()
    before = json_files("output")
    places = DatasetListing.places

    def cleared(listing: DatasetListing):
        ClipCache().clear_cache("output/clip_cache.sqlite")
        return places(listing)

    # Asked for behind the last batch, before anything is written.
    monkeypatch.setattr(DatasetListing, "places", cleared)
    assert stage1()["unchanged"] == 12
    assert json_files("output") == before
