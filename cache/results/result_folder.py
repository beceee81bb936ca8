"""The output folder of stages 3 and 4: <model type>/<tag>/<bin>/<file>, built beside its final name and
put in place as a whole."""
import os
import shutil
from collections.abc import Sequence
from datetime import datetime
from itertools import count
from pathlib import Path

import numpy as np

from cache.files.listed_folder import ListedFolder
from cache.files.placed_names import placed_names
from cache.files.whole_file import make_folder
from cache.limits import Skip
from cache.models.score_bins import bin_name, bin_number
from cache.models.tag_models import TagModel, safe_name
from cache.reader.source_file import Picture, Skipped

PICTURES, OUTPUT, PAGE, CSV = "pictures", "output.json", "index.html", "scores.csv"


def reserve_default_output(now: datetime, parent: str = "./output") -> str:
    """Make ./output/tagging_output_<year>_<month>_<day>_<hour>_<minute>, with _2, _3 ... if that is taken,
    and return its path."""
    make_folder(parent)
    name = os.path.join(parent, f"tagging_output_{now.year}_{now.month}_{now.day}_{now.hour}_{now.minute}")
    for path in (name if number == 1 else f"{name}_{number}" for number in count(1)):
        try:
            os.mkdir(path)
            return path
        except FileExistsError:
            continue
    raise AssertionError("the numbers never end")


class ResultFolder(ListedFolder):
    """with ResultFolder(...) as folder: folder.place(...): visible under its name only after the block has
    ended well."""

    def __init__(self, path: str, models: Sequence[TagModel], bins: int, place: bool):
        """Raises Refused if `path` holds anything but an earlier result, which is replaced as a whole."""
        super().__init__(path)
        self.bins, self.places = bins, place
        self._model_folders = [
            Path(_type_folder(model.model_type), safe_name(model.tag_name)) for model in models
        ]
        self._made: set[Path] = set()

    def prepare(self) -> None:
        if self.places:
            (self.building / PICTURES).mkdir()

    def place(self, pictures: Sequence[Picture], scores: np.ndarray) -> list[str | Skipped | None]:
        """Write each picture once and link it into the bin of its score under every model. scores: float64
        (pictures, models). Returns, for each, the name of its copy, None where nothing is placed; a
        Skipped for one that could no longer be read."""
        if not self.places:
            return [None] * len(pictures)
        return [self._placed(picture, row) for picture, row in zip(pictures, scores, strict=True)]

    def _placed(self, picture: Picture, scores: np.ndarray) -> str | Skipped:
        try:
            data = picture.file.read()
        except Skip as skip:
            return Skipped(picture.file.file_path, skip.reason, skip.detail)
        copy = self._new_file(picture, data)
        for column, score in enumerate(scores):
            self._link(copy, self.bin_folder(column, bin_number(score, self.bins)))
        return copy.name

    def bin_folder(self, column: int, number: int) -> Path:
        """Of a model, by its place among them, and a bin; relative to the result."""
        return self._model_folders[column] / bin_name(number, self.bins)

    def _new_file(self, picture: Picture, data: bytes) -> Path:
        for name in placed_names(picture.file.file_name, picture.file.absolute_path):
            try:
                with open(self.building / PICTURES / name, "xb") as file:
                    file.write(data)
                return Path(file.name)
            except FileExistsError:
                continue
        raise AssertionError("the names never end")

    def _link(self, copy: Path, folder: Path) -> None:
        folder = self.building / folder
        if folder not in self._made:
            folder.mkdir(parents=True, exist_ok=True)
            self._made.add(folder)
        try:
            os.link(copy, folder / copy.name)
        except OSError:  # a file system without hard links, or with too many of them
            shutil.copyfile(copy, folder / copy.name)


def _type_folder(model_type: str) -> str:
    """A card may call a type anything, also as a file of the result is called."""
    name = safe_name(model_type)
    return f"{name}~" if name.lower() in (PICTURES, OUTPUT, PAGE, CSV) else name
