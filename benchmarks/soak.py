"""Many mixed requests from eight clients against the real server: no unexpected answer, no growing memory, no
leaked descriptors.

    make soak                                         # 20,000 requests
    python -m benchmarks.soak --requests 500          # as in the test suite
"""
import argparse
import http.client
import json
import os
import random
import tempfile
import threading
import time
import zipfile
from collections import Counter
from pathlib import Path
from urllib.parse import quote

from benchmarks.measure import serving

CLIENTS = 8
PICTURES = 60
MOST_GROWTH_MIB = 10
MOST_DESCRIPTORS = 2 * CLIENTS  # connections not yet seen closed by the server; a leak would be one a request


def draw_dataset(folder: Path) -> None:
    from PIL import Image

    for number in range(PICTURES):
        path = folder / "photos" / f"tag-{number % 3}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.effect_noise((64, 48), 20 + number).save(path)
    with zipfile.ZipFile(folder / "photos" / "more.zip", "w") as archive:
        for path in sorted(folder.rglob("*.png"))[:5]:
            archive.write(path, f"zipped/{path.name}")


def get(connection: http.client.HTTPConnection, path: str) -> tuple[int, bytes]:
    connection.request("GET", path)
    response = connection.getresponse()
    return response.status, response.read()


class Client(threading.Thread):
    """Draws its requests from a seeded mix."""

    def __init__(self, number: int, address: str, requests: int, hashes: list[str]):
        super().__init__()
        self._random = random.Random(number)
        self._requests = requests
        self._hashes = hashes
        self._connection = http.client.HTTPConnection(address, timeout=60)
        self.statuses: Counter = Counter()
        self.unexpected: list[str] = []
        self.look_ups: list[float] = []

    def run(self) -> None:
        for _ in range(self._requests):
            path, right, is_look_up = self._next()
            begin = time.perf_counter()
            try:
                status, _ = get(self._connection, path)
            except (OSError, http.client.HTTPException) as error:  # the next request opens a new connection
                self.unexpected.append(f"{type(error).__name__} {path}")
                self._connection.close()
                continue
            if is_look_up:
                self.look_ups.append(time.perf_counter() - begin)
            self.statuses[status] += 1
            if status not in right:
                self.unexpected.append(f"{status} {path}")
        self._connection.close()

    def _next(self) -> tuple[str, tuple[int, ...], bool]:
        """A path, the statuses that are right, and whether it is a look-up, whose time counts."""
        one = self._random.choice(self._hashes)
        own = f"own-{self._random.randrange(4)}.sqlite"
        own_path = quote(f"output/{own}")
        after = self._random.randrange(PICTURES)
        files, tags = "db_path=output/file_cache.sqlite", "db_path=output/tag_cache.sqlite"
        mix = [
            (20, f"/get_img_by_hash?{files}&hash_id={one}", (200,), True),
            (20, f"/get_random_img?{files}", (200,), True),
            (15, f"/get_tag_by_hash?{tags}&hash_id={one}", (200,), True),
            (15, f"/get_random_tag?{tags}", (200,), True),
            (8, f"/thumbnail/{one}?{files}&size=64", (200,), False),
            (8, f"/image/{one}?{files}", (200,), False),
            (4, f"/files?{files}&after={after}", (200,), False),
            (4, f"/picture/{one}?{files}", (200,), False),
            (1, "/", (200,), False),
            (2, "/get_random_img?db_path=/etc/passwd", (403,), False),
            (2, "/get_img_by_hash?db_path=x", (400,), False),
            (1, f"/create_file_cache?db_name={own}", (200,), False),
            (0.3, f"/add_folder_to_file_cache?data_dir=photos&db_name={own}", (200, 202), False),
            (0.5, f"/clear_file_cache?db_path={own_path}&delete_cache=true", (200, 404, 409), False),
        ]
        weights = [weight for weight, *_ in mix]
        [(_, path, right, is_look_up)] = self._random.choices(mix, weights)
        return path, right, is_look_up


def resident_mib(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def descriptors(process: int) -> int:
    return len(os.listdir(f"/proc/{process}/fd"))


def spend(address: str, requests: int, hashes: list[str]) -> list[Client]:
    clients = [Client(number, address, requests // CLIENTS, hashes) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return clients


def random_hash(connection: http.client.HTTPConnection) -> str:
    _, body = get(connection, "/get_random_img?db_path=output/file_cache.sqlite")
    return json.loads(body)["hash_id"]


def soak(address: str, process: int, requests: int) -> dict:
    connection = http.client.HTTPConnection(address, timeout=60)
    for name in ("file", "tag"):
        status, body = get(connection, f"/add_folder_to_{name}_cache?data_dir=photos&wait=true")
        assert status == 200, body
    hashes = [random_hash(connection) for _ in range(20)]
    spend(address, max(CLIENTS, requests // 5), hashes)  # warm: every thread, cache and decoder has been used
    before = resident_mib(process), descriptors(process)
    clients = spend(address, requests, hashes)
    look_ups = sorted(seconds for client in clients for seconds in client.look_ups)
    return {
        "requests": sum(sum(client.statuses.values()) for client in clients),
        "statuses": dict(sorted(sum((client.statuses for client in clients), Counter()).items())),
        "unexpected": [line for client in clients for line in client.unexpected][:10],
        "memory_growth_mib": round(resident_mib(process) - before[0], 1),
        "descriptor_growth": descriptors(process) - before[1],
        "look_up_p50_ms": round(look_ups[len(look_ups) // 2] * 1000, 2),
        "look_up_p99_ms": round(look_ups[int(len(look_ups) * 0.99)] * 1000, 2),
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=20_000, help="how many in all")
    requests = parser.parse_args().requests
    with tempfile.TemporaryDirectory() as folder:
        draw_dataset(Path(folder))
        with serving(folder) as (address, process):
            result = soak(address, process, requests)
    print(json.dumps(result, indent=1))
    grown = result["memory_growth_mib"] >= MOST_GROWTH_MIB or result["descriptor_growth"] > MOST_DESCRIPTORS
    return int(bool(result["unexpected"]) or grown)


if __name__ == "__main__":
    raise SystemExit(main())
