"""A file cache of a million rows: inserts, random rows, look-ups, in Python and over HTTP; and filling one.

    python -m benchmarks caches
"""
import http.client
import random
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import blake2b
from io import BytesIO
from pathlib import Path
from statistics import median

from benchmarks.measure import Measurement, decode_pass, report, seconds, serving
from benchmarks.pictures import draw_small
from cache.cache_file import FileCache
from cache.reader.batches import Batch
from cache.reader.source_file import Picture, SourceFile
from cache.stores.file_table import FileTable

ROWS = 1_000_000
ROWS_OF_A_BATCH = 10_000
SAMPLES = 500
SMALL_PICTURES = 20_000
LEAST_INSERTS = 20_000
MOST_MS = 1


def measure() -> Iterator[Measurement]:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "file_cache.sqlite")
        rate = ROWS / fill(path)
        yield Measurement(
            f"file cache, inserts of {ROWS:,} rows", rate, "rows/s",
            "the bar", LEAST_INSERTS, rate / LEAST_INSERTS, f">= {LEAST_INSERTS:,} rows/s")
        yield from in_python(path)
        yield from over_http(path)
        yield beside_order_by_random(path)
    yield beside_decoding()


def fill(path: Path) -> float:
    """Seconds spent in a new file cache, in transactions as a run has them. Its pictures lie in a ZIP that is
    there, since a look-up asks the disk."""
    archive = path.with_name("photos.zip")
    archive.touch()
    with FileTable(path, create=True) as table:
        return sum(seconds(partial(table.add, batch)) for batch in invented_batches(archive))


def invented_batches(archive: Path) -> Iterator[Batch]:
    time = archive.stat().st_mtime_ns
    for start in range(0, ROWS, ROWS_OF_A_BATCH):
        numbers = range(start, min(ROWS, start + ROWS_OF_A_BATCH))
        yield Batch([invented(archive, time, number) for number in numbers])


def invented(archive: Path, time: int, number: int) -> Picture:
    path, stamp = f"{archive}/{number}.png", f"{time} crc32 {number:08x}"
    file = SourceFile(path, path, None, str(archive), 1000, time, stamp, BytesIO)
    return Picture(file, hash_of(number), None, "png", 640, 480)


def hash_of(number: int) -> str:
    return blake2b(str(number).encode()).hexdigest()


def any_hash() -> str:
    return hash_of(random.randrange(ROWS))


def look_up(what: str, call: Callable[[], object]) -> Measurement:
    spent = median_ms(call, SAMPLES)
    name = f"file cache of {ROWS:,} rows, {what}"
    return Measurement(name, spent, "ms", "the bar", MOST_MS, MOST_MS / spent, "< 1 ms")


def median_ms(call: Callable[[], object], samples: int) -> float:
    return median(seconds(call) for _ in range(samples)) * 1000


def in_python(path: Path) -> Iterator[Measurement]:
    yield look_up("random row", lambda: FileCache.get_random_image(str(path)))
    yield look_up("by hash", lambda: FileCache.get_img_by_hash(str(path), any_hash()))


def over_http(path: Path) -> Iterator[Measurement]:
    with serving(path.parent) as (address, _):
        connection = http.client.HTTPConnection(address)

        def ask(query: str) -> None:
            connection.request("GET", query)
            response = connection.getresponse()
            response.read()
            assert response.status == 200

        database = f"db_path={path.name}"
        yield look_up("random row over HTTP", lambda: ask(f"/get_random_img?{database}"))
        yield look_up("by hash over HTTP", lambda: ask(f"/get_img_by_hash?{database}&hash_id={any_hash()}"))
        connection.close()


def beside_order_by_random(path: Path) -> Measurement:
    """Both on an open connection."""
    query = "SELECT * FROM file_cache ORDER BY RANDOM() LIMIT 1"
    with FileTable(path) as table:
        spent = median_ms(table.random_image, SAMPLES)
        limit = median_ms(lambda: table.connection.execute(query).fetchone(), 3)
    what = f"file cache of {ROWS:,} rows, random row, open already"
    return Measurement(what, spent, "ms", "ORDER BY RANDOM()", limit, limit / spent, "")


def beside_decoding() -> Measurement:
    with tempfile.TemporaryDirectory() as name:
        photos = Path(name, "photos")
        draw_small(photos, SMALL_PICTURES)
        turns = []
        for output in ("first", "second"):
            decoding, _ = decode_pass(photos)
            turns.append((decoding, filled(photos, Path(name, output))))
    quickest_decoding, quickest_filling = map(min, zip(*turns, strict=True))
    rate, limit = SMALL_PICTURES / quickest_filling, SMALL_PICTURES / quickest_decoding
    what = f"FileCache.add_folder_to_file_cache, {SMALL_PICTURES:,} small pictures"
    return Measurement(what, rate, "pictures/s", "decode pass", limit, rate / limit, "")


def filled(photos: Path, output: Path) -> float:
    return seconds(lambda: FileCache.add_folder_to_file_cache(str(photos), str(output)))


if __name__ == "__main__":
    report(measure())
