"""Stage 4: score the pictures inside ZIP archives, nested to any depth, and sort them into score bins.

    python ./stage4/classify_zip.py archives.zip

Writes <output>/<model type>/<tag>/<bin>/<file>, <output>/index.html, <output>/output.json,
./output/stage4.db and ./output/zip_score_cache.sqlite.
"""
import pathlib, sys; sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))  # noqa: E401, E702, I001  the root, home of all rooms

from cache.models.tag_models import generate_model_path, list_models  # noqa: F401  part of this stage's Python interface
from cache.reader.batches import Counts
from cache.reader.zip_reader import ONLY
from cache.results.command import scoring_command
from cache.results.scoring import score_source
from cache.results.settings import ScoreSettings, ScoringStage
from cache.stores.score_table import Stage4Table, ZipScoreTable

STAGE = ScoringStage(
    verb="classify-zip",
    description="Score the pictures inside a ZIP, or inside all ZIPs of a folder, under every model.",
    example="archives.zip",
    source="the ZIP, or the folder of ZIPs",
    source_help="a ZIP, or a folder that holds ZIPs",
    archives=ONLY,
    tables={"stage4.db": Stage4Table, "zip_score_cache.sqlite": ZipScoreTable},
    other_verb="classify",
    why_other="is not a ZIP; stage 3 scores pictures",
    left_out_reason="not_in_archive",
    left_out_advice="stage 3 scores pictures outside ZIPs",
)


def main(
    folder_path: str,
    output_dir: str | None = None,
    json_file_path: str = "./output/input-metadata.json",
    bins_number: int = 10,
    model_path: str = "./output/models",
) -> dict:
    """Score a ZIP or a folder that holds ZIPs. Returns the counts of files and the paths written. Raises
    Refused for unusable input."""
    settings = ScoreSettings(folder_path, json_file_path, model_path, output_dir, bins_number)
    return score_source(STAGE, settings, Counts())


def command(argv: list[str] | None = None, prog: str | None = None) -> int:
    return scoring_command(STAGE, argv, prog)


if __name__ == "__main__":
    raise SystemExit(command())
