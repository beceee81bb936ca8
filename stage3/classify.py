"""Stage 3: score a folder of pictures under every model and sort them into score bins.

    python ./stage3/classify.py --directory new-pictures --metadata_json ./output/input-metadata.json --model ./output/models

Writes <output>/<model type>/<tag>/<bin>/<file>, <output>/index.html, <output>/output.json and ./output/stage3.db. The pictures themselves
are only read.
"""
import pathlib, sys; sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))  # noqa: E401, E702, I001  the root, home of all rooms

import shlex

from cache.models.tag_models import generate_model_path, list_models  # noqa: F401  part of this stage's Python interface
from cache.reader.batches import Counts
from cache.reader.image_source import is_zip_file
from cache.reader.zip_reader import LEAVE
from cache.refusal import Refused
from cache.results.scoring import ScoreSettings, score_source, scoring_command
from cache.stores.score_table import Stage3Table

TABLES = {"stage3.db": Stage3Table}


def main(
    folder_path: str, output_dir: str | None = None, json_file_path: str = "./output/input-metadata.json", bins_number: int = 10,
    model_path: str = "./output/models",
) -> dict:
    """Score a folder or one picture; returns the counts of files and the paths written. Raises Refused for unusable input."""
    return classify(ScoreSettings(folder_path, json_file_path, model_path, output_dir, bins_number), Counts())


def classify(settings: ScoreSettings, counts: Counts) -> dict:
    if is_zip_file(settings.source):
        command = f"python ./stage4/classify_zip.py --directory {shlex.quote(settings.source)}"
        raise Refused(f"{settings.source} is a ZIP; stage 4 scores those: {command}")
    return score_source(settings, LEAVE, TABLES, counts)


def command(argv: list[str] | None = None) -> int:
    return scoring_command(
        argv,
        "Score a folder of pictures, or one picture, under every model.",
        "python ./stage3/classify.py --directory new-pictures --metadata_json ./output/input-metadata.json --model ./output/models",
        "a folder of pictures, or one picture",
        classify,
    )


if __name__ == "__main__":
    raise SystemExit(command())
