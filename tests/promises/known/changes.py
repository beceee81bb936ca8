"""What becomes of pictures between two runs, each in a folder of its own: photos/<change>/<tag>/<picture>."""
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from tests.drawing import png, write, zipped

TEXT = b"notes, not a picture"
BEFORE = {
    "cats/a.png": png(1), "cats/b.png": png(2), "dogs/c.png": png(3, "dogs"), "dogs/copy of a.png": png(1),
    "cats/x.zip": zipped({"in/d.png": png(4), "e.png": png(5)}), "dogs/y.zip": zipped({"g.png": png(7)}),
    "notes/no.txt": TEXT,
}


def picture_moved(folder: Path) -> None:
    shutil.move(folder / "cats/a.png", folder / "dogs/a.png")


def picture_deleted(folder: Path) -> None:
    os.remove(folder / "cats/b.png")


def picture_overwritten_by_text(folder: Path) -> None:
    write(folder, {"cats/b.png": TEXT})


def picture_overwritten_by_another(folder: Path) -> None:
    write(folder, {"cats/b.png": png(9)})


def text_became_a_picture(folder: Path) -> None:
    write(folder, {"notes/no.txt": png(9)})


def folder_renamed(folder: Path) -> None:
    os.rename(folder / "cats", folder / "kittens")


def folder_deleted(folder: Path) -> None:
    shutil.rmtree(folder / "cats")


def folder_hidden(folder: Path) -> None:
    os.rename(folder / "cats", folder / ".cats")


def picture_became_a_folder(folder: Path) -> None:
    os.remove(folder / "cats/b.png")
    write(folder, {"cats/b.png/f.png": png(6)})


def picture_became_a_zip(folder: Path) -> None:
    write(folder, {"cats/b.png": zipped({"f.png": png(6)})})


def zip_became_a_folder(folder: Path) -> None:
    os.remove(folder / "cats/x.zip")
    write(folder, {"cats/x.zip/e.png": png(6)})


def zip_lost_a_member(folder: Path) -> None:
    write(folder, {"cats/x.zip": zipped({"e.png": png(5)})})


def zip_got_another_inside(folder: Path) -> None:
    write(folder, {"cats/x.zip": zipped({"in/d.png": zipped({"e.png": png(5)})})})


def zip_deleted(folder: Path) -> None:
    os.remove(folder / "cats/x.zip")


CHANGES: list[Callable[[Path], None]] = [
    picture_moved, picture_deleted, picture_overwritten_by_text, picture_overwritten_by_another,
    text_became_a_picture, folder_renamed, folder_deleted, folder_hidden, picture_became_a_folder,
    picture_became_a_zip, zip_became_a_folder, zip_lost_a_member, zip_got_another_inside, zip_deleted,
]


def write_before(photos: Path) -> None:
    for change in CHANGES:
        write(photos / change.__name__, BEFORE)


def change_all(photos: Path) -> None:
    for change in CHANGES:
        change(photos / change.__name__)
