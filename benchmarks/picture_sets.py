"""Two real tagged sets for the benchmarks of quality, made of Debian packages: about a minute.

    python -m benchmarks.picture_sets OUT       needs apt-get, dpkg, tar and Debian's keyring

OUT/tiles     what a game draws its dungeon, things and monsters with, 32 px (Dungeon Crawl Stone Soup, CC0)
OUT/clipart   drawings by subject, at most 256 px a side (Open Clip Art Library, public domain)

Layout: OUT/<set>/<tag>/<file>. What is there already stays. A tag has between FEWEST and MOST different
pictures; of more, those are taken whose names have the smallest checksums: a choice by chance that is the
same everywhere.
"""
import subprocess
import sys
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from PIL import Image

FEWEST, MOST = 20, 120
LONGEST_SIDE = 256
MOST_PIXELS = 4_000_000
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
SOURCES = f"deb-src [signed-by={KEYRING}] http://deb.debian.org/debian bookworm main\n"
# Folders of no one kind, or with pieces of pictures: heroes of all kinds, what single rooms need, limbs.
NO_KIND_OF_TILE = ("mon/unique", "mon/vault", "mon/tentacles", "mon/mutantbeast", "mon/panlord")
GLYPH = "i-"  # such a file's sign lies upon a thing once it is known, on rings, scrolls and staffs alike
# Not by subject: what nobody had sorted, parts of user interfaces; or hundreds nearly alike: the stars of one
# script, colour gradients, four packs of cards, the symbols that signs_and_symbols has too.
NO_SUBJECT = (
    "unsorted", "computer/icons", "computer/buttons", "special/gradients", "shapes/stars",
    "recreation/games/cards", "transportation/aiga-symbols",
)

Tagged = tuple[str, Path]  # a tag and a picture


def main(out: Path) -> None:
    Image.MAX_IMAGE_PIXELS = None  # of the largest only the size is read
    packages = out / ".packages"
    packages.mkdir(parents=True, exist_ok=True)
    for name, tagged in (("tiles", tiles), ("clipart", clipart)):
        folder = out / name
        if not folder.exists():
            write(folder, tagged(packages))
        tags = [tag for tag in folder.iterdir() if tag.is_dir()]
        print(name, len(tags), "tags", sum(len(list(tag.iterdir())) for tag in tags), "pictures")


def tiles(packages: Path) -> Iterator[Tagged]:
    """dngn-trees, item-wand, mon-animals; the installed game has them packed into large sheets only."""
    root = next(source_of("crawl", packages).rglob("rltiles"))
    for kind in ("dngn", "item", "mon"):
        for tag, path in by_subfolder(root / kind, root):
            if not path.name.startswith((GLYPH, ".")) and not is_in(NO_KIND_OF_TILE, path, root):
                yield tag, path


def clipart(packages: Path) -> Iterator[Tagged]:
    """animals-birds, plants-flowers, office."""
    root = package("openclipart-png", packages) / "usr/share/openclipart/png"
    for tag, path in by_subfolder(root, root):
        if not is_in(NO_SUBJECT, path, root):
            yield tag, path


def by_subfolder(folder: Path, root: Path) -> Iterator[Tagged]:
    """The tag is the way from the root, of two steps at most."""
    for path in sorted(folder.rglob("*.png")):
        yield "-".join(path.relative_to(root).parts[:-1][:2]), path


def is_in(folders: tuple[str, ...], path: Path, root: Path) -> bool:
    return any(path.is_relative_to(root / folder) for folder in folders)


def package(name: str, packages: Path) -> Path:
    """The unpacked files of a binary package."""
    folder = packages / name
    if not folder.exists():
        if not list(packages.glob(f"{name}_*.deb")):
            subprocess.run(["apt-get", "--quiet", "download", name], cwd=packages, check=True)
        archive = next(packages.glob(f"{name}_*.deb"))
        subprocess.run(["dpkg", "--extract", archive, folder], check=True)
    return folder


def source_of(name: str, packages: Path) -> Path:
    """The unpacked pictures of a source package, by an apt-get whose lists are its own: the machine's may
    name no sources, and stay as they are."""
    folder = packages / f"{name}-source"
    if not folder.exists():
        if not list(packages.glob(f"{name}_*.orig.tar.xz")):
            download_source(name, packages)
        folder.mkdir()
        archive = next(packages.glob(f"{name}_*.orig.tar.xz"))
        subprocess.run(["tar", "-xJf", archive, "-C", folder, "--wildcards", "*.png"], check=True)
    return folder


def download_source(name: str, packages: Path) -> None:
    own = (packages / "apt").absolute()
    for part in ("lists/partial", "cache/archives/partial"):
        (own / part).mkdir(parents=True, exist_ok=True)
    (own / "sources.list").write_text(SOURCES)
    places = {
        "Dir::Etc::sourcelist": own / "sources.list", "Dir::Etc::sourceparts": "-",
        "Dir::State::lists": own / "lists", "Dir::Cache": own / "cache",
    }
    command = ["apt-get", "--quiet", *(f"--option={key}={value}" for key, value in places.items())]
    subprocess.run([*command, "update"], check=True)
    subprocess.run([*command, "source", "--download-only", "--tar-only", name], cwd=packages, check=True)


def write(folder: Path, tagged: Iterator[Tagged]) -> None:
    paths_of: dict[str, list[Path]] = {}
    for tag, path in tagged:
        paths_of.setdefault(tag, []).append(path)
    enough = {tag: paths for tag, paths in paths_of.items() if len(paths) >= FEWEST}
    for tag, paths in enough.items():
        pictures = list(islice(different(sorted(paths, key=checksum)), MOST))
        # The rest of a subject whose parts are tags of their own is none.
        if len(pictures) >= FEWEST and not any(other.startswith(f"{tag}-") for other in enough):
            (folder / tag).mkdir(parents=True)
            for number, (name, picture) in enumerate(pictures):
                picture.save(folder / tag / f"{number:03d}-{name}")  # one name may be in several folders


def checksum(path: Path) -> tuple[int, Path]:
    return zlib.crc32(path.name.encode()), path


def different(paths: list[Path]) -> Iterator[tuple[str, Image.Image]]:
    """Names and pictures without copies, and without those that take seconds to read."""
    seen = set()
    for path in paths:
        with Image.open(path) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                continue
            small = picture.convert("RGBA")
        small.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
        if small.tobytes() not in seen:
            seen.add(small.tobytes())
            yield path.name, small


if __name__ == "__main__":
    main(Path(sys.argv[1]))
