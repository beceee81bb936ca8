"""Pictures and ZIPs drawn at test time: nothing binary lies in the repository."""
import io
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw


def drawn(seed: int, kind: str = "cats", size: tuple[int, int] = (48, 40)) -> Image.Image:
    """Cats are warm discs, dogs are cold stripes; every seed gives other pixels."""
    random = np.random.default_rng(seed)
    base = {"cats": (230, 120, 40), "dogs": (40, 90, 220)}.get(kind, (90, 200, 90))
    background = tuple(int(value) for value in np.clip(np.array(base) + random.integers(-25, 25, 3), 0, 255))
    picture = Image.new("RGB", size, background)
    draw = ImageDraw.Draw(picture)
    for _ in range(4):
        x, y = int(random.integers(0, size[0] - 12)), int(random.integers(0, size[1] - 12))
        colour = tuple(int(value) for value in random.integers(0, 255, 3))
        if kind == "cats":
            draw.ellipse((x, y, x + 12, y + 12), fill=colour)
        else:
            draw.line((x, 0, y, size[1]), fill=colour, width=3)
    return picture


def encoded(picture: Image.Image, file_format: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, file_format, **options)
    return buffer.getvalue()


def png(seed: int, kind: str = "cats") -> bytes:
    return encoded(drawn(seed, kind))


def zipped(members: dict[str, bytes], **options) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", **options) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def tag_folders(count: int = 6, tags: tuple[str, ...] = ("cats", "dogs")) -> dict[str, bytes]:
    """{"cats/00.png": ..., "dogs/00.png": ...}"""
    return {
        f"{tag}/{number:02}.png": png(100 * place + number, tag)
        for place, tag in enumerate(tags)
        for number in range(count)
    }


def tree(folder: Path) -> dict[str, bytes]:
    """Every file under a folder with its content."""
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}
