"""What lies beside a cache, as the pages ask for it."""
import os

import numpy as np

from cache.cache_file import FileCache
from cache.models.tag_models import TagModel
from cache.reader.batches import Batch
from cache.reader.source_file import Picture, SourceFile
from cache.stores.clip_table import ClipTable
from cache.stores.databases import databases
from cache.stores.file_table import FileTable
from cache.stores.score_listing import ScoreListing
from cache.stores.score_table import ScoreTable, Stage3Table, Stage4Table
from cache.stores.surroundings import Surroundings
from cache.stores.tag_table import TagTable
from tests.drawing import png, write


def picture(hash_id: str, tag: str | None = None) -> Picture:
    name = f"{hash_id}-{tag}.png"
    return Picture(SourceFile(name, f"/{name}", tag, None, 1, 1, "1", open), hash_id, None, "png", 1, 1)


def score(kind: type[ScoreTable], path: str, score_of: dict[str, float]) -> None:
    """Of the picture "h" under a model of each tag."""
    models = [TagModel("model.pkl", "ovr-svm", tag, None, 2, None, None) for tag in score_of]
    with kind(path, create=True) as table, ScoreListing(models) as listing:
        listing.add(Batch([picture("h")]), np.array([list(score_of.values())]))
        table.replace("/elsewhere", listing)


def test_an_image_has_its_tags_scores_and_neighbours_wherever_they_stand(here):
    with TagTable("tags.sqlite", create=True) as tags:
        tags.add(Batch([picture("h", "pets"), picture("h", "cats"), picture("i", "dogs")]))
    vectors = {"h": np.float32([1, 0]), "i": np.float32([1, 1]), "j": np.float32([-1, 0])}
    with ClipTable("clips.sqlite", create=True) as clips:
        clips.add(Batch(vectors={"h": vectors["h"]}), "alone:x", "fp32")
        clips.add(Batch(vectors=vectors), "model:x", "fp32")
    score(Stage3Table, "stage3.db", {"cats": 0.75})
    score(Stage4Table, "stage4.db", {"cats": 0.25, "dogs": 0.5})
    with Surroundings("clips.sqlite") as around:
        assert around.tags("h") == ["cats", "pets"]
        scores = [(row["tag_name"], row["tag_prob"], row["db_path"]) for row in around.scores("h")]
        assert scores == [("cats", 0.75, str(here / "stage3.db")), ("dogs", 0.5, str(here / "stage4.db"))]
        assert [row["hash_id"] for row in around.neighbours("h")] == ["i", "j"]
        assert around.path_of(ClipTable) == str(here / "clips.sqlite")
        assert (around.tags("?"), around.scores("?"), around.neighbours("?")) == ([], [], [])


def test_no_neighbour_is_one_that_the_file_cache_cannot_find(here):
    numbers = range(20)
    write(here, {f"photos/{number}.png": png(number) for number in numbers})
    FileCache.add_folder_to_file_cache("photos")
    with FileTable("output/file_cache.sqlite") as files:
        hash_of = {row["file_name"]: row["hash_id"] for row in files.page()}
    hashes = [hash_of[f"{number}.png"] for number in numbers]
    with ClipTable("output/clip_cache.sqlite", create=True) as clips:
        vectors = {hash_id: np.float32([1, number]) for number, hash_id in enumerate(hashes)}
        clips.add(Batch(vectors=vectors), "model:x", "fp32")
    os.remove("photos/1.png")
    write(here, {"photos/2.png": png(2) + b" "})
    with Surroundings("output/clip_cache.sqlite") as around:
        near = [row["hash_id"] for row in around.neighbours(hashes[0], 3)]
    assert near == hashes[3:6]


def test_a_cache_alone_knows_of_nothing_around_it(here):
    FileTable.create("files.sqlite")
    with Surroundings("files.sqlite") as around:
        assert (around.tags("h"), around.scores("h"), around.neighbours("h")) == ([], [], [])
        assert around.path_of(TagTable) is None


def test_databases_of_ours_are_listed_by_name_and_nothing_else(here):
    for path in ("b.sqlite", "a.db", "below/c.sqlite", ".hidden/d.sqlite", "other.txt"):
        FileTable.create(path)
    TagTable.create("a.sqlite")
    (here / "link.sqlite").symlink_to("a.sqlite")
    (here / "text.sqlite").write_text("no database " * 20)
    (here / "empty.sqlite").touch()
    assert list(databases(str(here))) == [
        (str(here / "a.db"), "file_cache"),
        (str(here / "a.sqlite"), "tag_cache"),
        (str(here / "b.sqlite"), "file_cache"),
        (str(here / "below/c.sqlite"), "file_cache"),
    ]
