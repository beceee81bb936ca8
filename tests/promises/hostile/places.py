"""Hostile places: names, links, pipes, rights, depth."""

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.drawing import png
from tests.promises.hostile.case import Case, Outcomes


def cases() -> Iterator[Case]:
    yield from _names()
    yield from _links()
    yield from _no_files()
    yield from _depths()
    yield from _rights()


def _names() -> Iterator[Case]:
    names = {
        "quotes": 'it\'s "quoted".png',
        "a newline": "two\nlines.png",
        "a tab": "a\tb.png",
        "sql": "'; DROP TABLE file_cache; --.png",
        "a flag": "--output=x.png",
        "only a space": " ",
        "a trailing space": "a.png ",
        "a shell": "$(touch marker).png",
        "markup": "<img src=x onerror=alert(1)>.png",
        "percent": "%s%n%00.png",
        "255 bytes": "n" * 251 + ".png",
        "an emoji": "😀.png",
        "right to left": "\u202egnp.exe",
        "parts of a letter": "e\u0301.png",
        "a device": "CON.png",
        "backslashes": "a\\..\\..\\a.png",
        "a control character": "a\x1b[31mred.png",
        "braces": "{0}.png",
        "a star": "*.png",
        "a colon": "C:a.png",
    }
    for kind, name in names.items():
        yield Case(f"name with {kind}", _writers(name), {name: "png"})
    yield Case("name of bytes", _writers(os.fsdecode(b"\xff\xfe\x80.png")), {"\\xff\\xfe\\x80.png": "png"})
    yield Case("name with half a letter", _writers(os.fsdecode(b"caf\xc3.png")), {"caf\\xc3.png": "png"})
    yield Case("folder of bytes", _writers(os.fsdecode(b"\xe9t\xe9/a.png")), {"\\xe9t\\xe9/a.png": "png"})
    yield Case("folder with quotes", _writers('it\'s "quoted"/a.png'), {'it\'s "quoted"/a.png': "png"})
    yield Case("folder named like a picture", _writers("a.png/b.png"), {"a.png/b.png": "png"})
    yield Case("folder named like a zip", _writers("a.zip/b.png"), {"a.zip/b.png": "png"})
    yield Case("hidden file and folder", _writers(".a.png", ".b/c.png"), {".a.png": "hidden", ".b": "hidden"})
    yield Case("name of dots", _writers("....png"), {"....png": "hidden"})
    yield Case("folder of thumbnails of a nas", _writers("@eaDir/a.png/0.png"), {"@eaDir": "hidden"})
    yield Case("hidden link to endless zeros", _hidden_link, {".link": "hidden"})


def _writers(*names: str) -> Callable[[Path], None]:
    def lay(folder: Path) -> None:
        for number, name in enumerate(names):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(png(700 + number + sum(os.fsencode(name))))

    return lay


def _hidden_link(folder: Path) -> None:
    (folder / ".link").symlink_to("/dev/zero")


def _links() -> Iterator[Case]:
    def linking(**links: str) -> Callable[[Path], None]:
        return lambda folder: [(folder / name).symlink_to(target) for name, target in links.items()] and None

    yield Case("link to nothing", linking(link="no-such-file"), {"link": "unreadable"})
    yield Case("link to itself", linking(link="link"), {"link": "unreadable"})
    yield Case(
        "links to each other", linking(one="two", two="one"), {"one": "unreadable", "two": "unreadable"}
    )
    yield Case("link to its own folder", linking(link="."), {"link": "unreadable"})
    yield Case("link to the folder above", _link_upwards, {"inner/link": "unreadable"})
    yield Case("link to endless zeros", linking(link="/dev/zero"), {"link": "unreadable"})
    yield Case("link to a device", linking(link="/dev/null"), {"link": "unreadable"})
    yield Case("link to the memory of the process", linking(link="/proc/self/mem"), {"link": "unreadable"})
    yield Case("link to a neighbour", linking(link="!first.png"), {"link": "png"})
    yield Case("link out of the folder", _link_outside, {"link/passwords.txt": "not_an_image"})
    yield Case("links that multiply", _doubling_links, _doubled())


def _link_outside(folder: Path) -> None:
    outside = folder.parent.parent / "outside"
    outside.mkdir(exist_ok=True)
    (outside / "passwords.txt").write_text("secret")
    (folder / "link").symlink_to(outside)


def _link_upwards(folder: Path) -> None:
    (folder / "inner").mkdir()
    (folder / "inner" / "link").symlink_to("..")


LEVELS = "abcdefghijklmnopqrstuvw"


def _doubling_links(folder: Path) -> None:
    """Every folder has two links to the next: 2 ** 23 ways to the last one."""
    for here, following in zip(LEVELS, LEVELS[1:] + "z", strict=True):
        (folder / here).mkdir()
        for name in ("1", "2"):
            (folder / here / name).symlink_to(f"../{following}")
    (folder / "z").mkdir()
    (folder / "z" / "a.png").write_bytes(png(799))


def _doubled() -> Outcomes:
    """The links of a folder are followed, those behind them only to what has not been read yet."""
    first = {
        f"a/{'1/' * len(LEVELS)}a.png": "png",
        **{f"a/{'1/' * passed}2": "unreadable" for passed in range(1, len(LEVELS))},
    }
    second = {f"a/2/{name}": "unreadable" for name in "12"}
    between = {f"{here}/{one}/{two}": "unreadable" for here in LEVELS[1:-1] for one in "12" for two in "12"}
    return {**first, **second, **between, "w/1/a.png": "png", "w/2/a.png": "png", "z/a.png": "png"}


def _no_files() -> Iterator[Case]:
    yield Case("pipe", lambda folder: os.mkfifo(folder / "pipe.png"), {"pipe.png": "unreadable"})
    yield Case("socket", _socket, {"socket.png": "unreadable"})
    yield Case("empty folder", lambda folder: (folder / "empty").mkdir(), {})


def _socket(folder: Path) -> None:
    """A socket's path may have 107 bytes: it is named from where it lies."""
    here = os.getcwd()
    os.chdir(folder)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind("socket.png")
    finally:
        os.chdir(here)


def _depths() -> Iterator[Case]:
    yield Case("folders 1500 deep", _deep, {"/".join(["d"] * 1500) + "/a.png": "png"})
    yield Case(
        "path of 6000 characters", _beyond_the_longest_path, {"/".join(["n" * 200] * 21): "unreadable"}
    )


def _deep(folder: Path) -> None:
    here = os.getcwd()
    try:
        os.chdir(folder)
        for _ in range(1500):
            os.mkdir("d")
            os.chdir("d")
        Path("a.png").write_bytes(png(798))
    finally:
        os.chdir(here)


def _beyond_the_longest_path(folder: Path) -> None:
    """Made step by step, since no call takes a path of more than 4,096 bytes."""
    here = os.getcwd()
    try:
        os.chdir(folder)
        for _ in range(30):
            os.mkdir("n" * 200)
            os.chdir("n" * 200)
    finally:
        os.chdir(here)


def _rights() -> Iterator[Case]:
    may_read = "png" if os.geteuid() == 0 else "unreadable"
    yield Case(
        "file without rights", lambda folder: _forbidden(folder, "a.png", "a.png"), {"a.png": may_read}
    )
    yield Case(
        "folder without rights",
        lambda folder: _forbidden(folder, "closed/a.png", "closed"),
        {"closed/a.png": "png"} if os.geteuid() == 0 else {"closed": "unreadable"},
    )


def _forbidden(folder: Path, name: str, closed: str) -> None:
    _writers(name)(folder)
    (folder / closed).chmod(0)
