"""A result of pictures that are drawn, with names that pages stumble over: copies, a chain, two alike, two
outliers. ZIPs are gone, and z.png is another picture by now."""
from pathlib import Path

from cache.pixels.pixel_hash import hash_ids
from companions.cluster.groups import Cluster, Member, Place
from companions.cluster.methods.method import Pair
from companions.cluster.result import Result
from tests.drawing import drawn, png, write

MARKUP = "<img src=x onerror=alert(1)>.png"
TWO_LINES = "two\nlines.png"
FILES = [  # of each picture
    ["Old.zip/a.png", "a.png", "backup/a.png"],
    ["b/1.png"], ["b/2.png"], ["b/3.png"], ["b/4.zip/4.png"],
    [MARKUP], ["50% off?#.png", TWO_LINES],
    ["صورة.png"], ["z.png"],
]
SIZES = [(48, 40), (48, 40), (480, 400), (48, 40), (48, 40), (4000, 3000), (4000, 3000), (48, 40), (48, 40)]
SHARPNESS = [1.0, 9.0, 28.0, 9.0, 30.0, 1234.567, 5.5, 1.0, 1.0]
PAIRS = [Pair(1, 2, 0.8), Pair(2, 3, 0.25), Pair(3, 4, 0.5), Pair(5, 6, 0.9)]


def member(folder: Path, number: int) -> Member:
    places = [
        Place(f"photos/{name}", f"{folder}/photos/{name}", ".zip/" in name, 1000 * number + place)
        for place, name in enumerate(FILES[number])]
    hash_id = "another" if FILES[number] == ["z.png"] else hash_ids(drawn(number))[0]
    return Member(hash_id, *SIZES[number], SHARPNESS[number], tuple(places))


def drawn_result(folder: Path) -> Result:
    """Its files lie in folder/photos."""
    on_disk = {name: png(number) for number, names in enumerate(FILES) for name in names}
    write(folder / "photos", {name: data for name, data in on_disk.items() if ".zip/" not in name})
    return Result(
        method="orb", threshold=0.2, linkage="chain",
        members=[member(folder, number) for number in range(len(FILES))],
        clusters=[Cluster((1, 2, 3, 4), 0.25, 0.9), Cluster((0,), 1.0, 0.0), Cluster((5, 6), 0.9, 0.1)],
        outliers=[7, 8],
        pairs=PAIRS,
    )
