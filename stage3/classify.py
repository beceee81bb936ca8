"""Stage 3: score a folder of pictures under every model and sort them into score bins.

    python ./stage3/classify.py new-pictures

Writes <output>/<model type>/<tag>/<bin>/<file>, <output>/index.html, <output>/output.json and
./output/stage3.db. The pictures themselves are only read.
"""
import pathlib, sys; sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))  # noqa: E401, E702, I001  the root, home of all rooms

from cache.models.tag_models import generate_model_path, list_models  # noqa: F401  part of this stage's Python interface
from cache.reader.batches import Counts
from cache.reader.zip_reader import LEAVE
from cache.results.command import scoring_command
from cache.results.scoring import score_source
from cache.results.settings import ScoreSettings, ScoringStage
from cache.stores.score_table import Stage3Table

STAGE = ScoringStage(
    verb="classify",
    description="Score a folder of pictures, or one picture, under every model.",
    example="new-pictures",
    source="the folder of pictures",
    source_help="a folder of pictures, or one picture",
    archives=LEAVE,
    tables={"stage3.db": Stage3Table},
    other_verb="classify-zip",
    why_other="is a ZIP; stage 4 scores those",
    left_out_reason="archive",
    left_out_advice="stage 4 scores ZIPs",
)


def main(
    folder_path: str,
    output_dir: str | None = None,
    json_file_path: str = "./output/input-metadata.json",
    bins_number: int = 10,
    model_path: str = "./output/models",
) -> dict:
    """Score a folder or one picture. Returns the counts of files and the paths written. Raises Refused for
    unusable input."""
    settings = ScoreSettings(folder_path, json_file_path, model_path, output_dir, bins_number)
    return score_source(STAGE, settings, Counts())


def command(argv: list[str] | None = None, prog: str | None = None) -> int:
    return scoring_command(STAGE, argv, prog)


if __name__ == "__main__":
    raise SystemExit(command())
