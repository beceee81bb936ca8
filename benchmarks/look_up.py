"""A file cache of a million rows: inserts a second, and what a random row and a look-up by hash cost, in Python and over HTTP.

    python -m benchmarks.look_up                      # prints the figures as JSON; --rows for another size
"""
import argparse
import http.client
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = 500
BATCH = 10_000


def fill(path: str, rows: int) -> float:
    """Pictures a second into a new file cache, in transactions as a run has them."""
    from cache.batches import Batch
    from cache.cache_file import FileTable
    from cache.source_file import Picture, SourceFile

    def picture(number: int) -> Picture:
        file = SourceFile(f"photos/{number}.png", f"/photos/{number}.png", None, None, 1000, number, lambda: None)
        return Picture(file, hash_of(number), None, "png", 640, 480)

    spent = 0.0
    with FileTable(path, create=True) as table:
        for start in range(0, rows, BATCH):
            batch = Batch([picture(number) for number in range(start, min(rows, start + BATCH))])
            begin = time.perf_counter()
            table.add(batch)
            spent += time.perf_counter() - begin
    return rows / spent


def hash_of(number: int) -> str:
    from hashlib import blake2b

    return blake2b(str(number).encode()).hexdigest()


def median_ms(call: Callable[[], object], samples: int = SAMPLES) -> float:
    seconds = []
    for _ in range(samples):
        begin = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - begin)
    return round(sorted(seconds)[samples // 2] * 1000, 3)


def in_python(path: str, rows: int) -> dict[str, float]:
    from cache import FileCache
    from cache.cache_file import FileTable

    with FileTable(path) as table:
        return {
            "random_row_ms": median_ms(lambda: FileCache.get_random_image(path)),
            "by_hash_ms": median_ms(lambda: FileCache.get_img_by_hash(path, hash_of(random.randrange(rows)))),
            "open_connection_random_row_ms": median_ms(table.random_image),
            "order_by_random_ms": median_ms(
                lambda: table.connection.execute("SELECT * FROM file_cache ORDER BY RANDOM() LIMIT 1").fetchone(), 3),
        }


def over_http(folder: str, name: str, rows: int) -> dict[str, float]:
    command, environment = [sys.executable, "-m", "web_api", "--port", "0"], {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as server:
        try:
            address = server.stdout.readline().removeprefix("serving on ").strip()
            connection = http.client.HTTPConnection(urlsplit(address).netloc)

            def ask(path: str) -> None:
                connection.request("GET", path)
                response = connection.getresponse()
                response.read()
                assert response.status == 200

            return {
                "random_row_ms": median_ms(lambda: ask(f"/get_random_img?db_path={name}")),
                "by_hash_ms": median_ms(lambda: ask(f"/get_img_by_hash?db_path={name}&hash_id={hash_of(random.randrange(rows))}")),
            }
        finally:
            server.terminate()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="size of the cache")
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "file_cache.sqlite")
        print(json.dumps({
            "rows": rows, "inserts_per_second": round(fill(path, rows)), "python": in_python(path, rows),
            "http": over_http(folder, "file_cache.sqlite", rows),
        }, indent=1))


if __name__ == "__main__":
    main()
