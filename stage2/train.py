"""Stage 2: train two small classifiers per tag on the vectors of stage 1, and show how good they are.

    python ./stage2/train.py

Writes models/ (a .pkl and a .json each) and reports/ (index.html for a start) into the output folder. The
same input gives the same models and reports.
"""
import pathlib, sys; sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))  # noqa: E401, E702, I001  the root, home of all rooms

import os
import shlex
import sys
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

from cache import command_line
from cache.command_line import METADATA
from cache.files.run_lock import only_run_in
from cache.files.whole_file import make_folder, sweep_partial_files
from cache.models.tag_models import model_paths
from cache.progress import PATIENCE, progress_bar, say
from cache.reader.batches import Counts
from cache.refusal import Refused
from cache.stores.metadata import read_metadata
from cache.stores.tag_list import read_tag_to_hashes
from cache.text import FEW, plural
from stage2.flags import TrainSettings, add_flags, settings_of

if TYPE_CHECKING:
    from cache.stores.metadata import Metadata
    from stage2.learning.split import Split
    from stage2.learning.tagged_rows import TaggedRows
    from stage2.run import TrainingRun

FAILED_GATE = 4  # the exit code of --fail_under


def main(
    metadata_json: str, tag_to_hash_json: str | None = None, output_dir: str | None = None,
    test_per: float = 0.1, **more: Any,
) -> dict:
    """Train both classifiers of every tag; returns {model type: {tag: metrics and counts}}. More keyword
    arguments: those of TrainSettings. Raises Refused for unusable input."""
    settings = TrainSettings(metadata_json, tag_to_hash_json, output_dir or "./output", test_per, **more)
    return train(settings).by_type()


def train(settings: TrainSettings) -> "TrainingRun":
    from stage2.report.reports import Reports
    from stage2.run import TrainingRun

    with progress_bar(None, "vectors", "reading", delay=PATIENCE) as bar:
        metadata = read_metadata(settings.metadata_json, bar.update)
    tagged = _tagged_rows(settings, metadata)
    _check_overlap(settings, tagged)
    splits = _splits(settings, tagged)
    reports = Reports(settings, metadata, tagged)  # what cannot be read is refused before the work begins
    run = TrainingRun(settings, metadata, tagged, splits)
    with only_run_in(run.models_folder):
        for folder in (run.models_folder, reports.folder):
            make_folder(folder)
            sweep_partial_files(folder)
        with progress_bar(run.training.fits if run.training else 0, "fits") as bar:
            run.fit(bar.update)
        run.add_tags_without_examples()
        run.bundle.write()
        reports.write(run)
    _name_stale_models(run)
    return run


def _tagged_rows(settings: TrainSettings, metadata: "Metadata") -> "TaggedRows":
    """Of many pictures of one tag, to find those that are nearly the same takes a while."""
    from stage2.learning.tagged_rows import TaggedRows

    tag_to_hashes = read_tag_to_hashes(settings.tag_to_hash_json) if settings.tag_to_hash_json else {}
    pictures = len(metadata.rows.keys() & set(chain.from_iterable(tag_to_hashes.values())))
    with progress_bar(pictures, "pictures", "near-duplicates", delay=PATIENCE) as bar:
        return TaggedRows(tag_to_hashes, metadata, bar.update)


def _check_overlap(settings: TrainSettings, tagged: "TaggedRows") -> None:
    tags, vectors = settings.tag_to_hash_json, settings.metadata_json
    if not tagged.with_vector and tagged.without_vector:
        raise Refused(f"no image of {tags} has a vector in {vectors}: these two files are not of one dataset")
    if tagged.without_vector:
        have = "has" if tagged.without_vector == 1 else "have"
        say(f"{plural(tagged.without_vector, 'image')} of {tags} {have} no vector in {vectors}")


def _splits(settings: TrainSettings, tagged: "TaggedRows") -> dict[str, "Split"]:
    """Of every tag that can be learnt. Raises Refused if there is none, and none without examples is asked
    for."""
    held_out = tagged.hold_out(settings.test_per)
    splits = {tag: tagged.split(tag, held_out) for tag in trainable(tagged)}
    if not splits and not settings.tags:
        raise Refused(
            f"no tag of {settings.tag_to_hash_json} has an image with a vector in {settings.metadata_json}")
    return splits


def trainable(tagged: "TaggedRows") -> Iterator[str]:
    """The tags with images on both sides; the others are named on stderr. Raises Refused if no tag has a
    negative."""
    tags = tagged.tags()
    if tags and not any(len(tagged.negatives(tag)) for tag in tags):
        raise Refused(
            "no negatives: every image carries every tag; add a second tag, or a folder other-training")
    for tag in tags:
        if not len(tagged.of(tag)):
            say(f"skipped tag {tag}: no image with a vector")
        elif not len(tagged.negatives(tag)):
            say(f"skipped tag {tag}: no image without it that has a vector")
        else:
            yield tag


def _name_stale_models(run: "TrainingRun") -> None:
    """Models of earlier runs stay, because several datasets may be trained into one folder; a renamed tag
    would live on unnoticed."""
    stale = [path for path in model_paths(run.models_folder) if path not in run.written]
    for path in stale[:FEW]:
        say(f"still there from an earlier run: {path}; delete it if its tag is gone")
    if len(stale) > FEW:
        say(f"... and {plural(len(stale) - FEW, 'more model')} from earlier runs")


def _refuse_missing_tag_list(settings: TrainSettings, maker: str) -> None:
    """Of the list beside the metadata, which nobody named. A missing metadata JSON is refused as such."""
    if settings.metadata_json != METADATA:
        folder = os.path.dirname(settings.metadata_json) or "."
        maker = f"{maker} --output_folder {shlex.quote(folder)}"
    if settings.tag_to_hash_json and os.path.exists(settings.metadata_json):
        command_line.refuse_missing(settings.tag_to_hash_json, maker)


def command(argv: list[str] | None = None, prog: str | None = None) -> int:
    """The command line; prog: how it was called, for its help. Returns the exit code."""
    prog = prog or command_line.call("train")
    parser = command_line.new_parser(
        "Train two classifiers per tag, a logistic regression and an SVM, on the vectors of stage 1.",
        example=prog,
        prog=prog,
    )
    add_flags(parser)
    arguments = parser.parse_args(argv)
    failures: list[str] = []

    def work(counts: Counts) -> None:
        from stage2.report.summary import below_gate, summary

        settings = settings_of(arguments)
        maker = f"{command_line.call('embed', prog)} photos"
        if settings.metadata_json == METADATA:
            command_line.refuse_missing(METADATA, maker)
        if settings.tag_to_hash_json != arguments.tag_to_hash_json:
            _refuse_missing_tag_list(settings, maker)
        run = train(settings)
        print(*summary(run), sep="\n")
        counts.processed = run.images
        failures.extend(below_gate(run, arguments.fail_under))

    code = command_line.run(work, again="what was written is whole, the same command begins again")
    print(*failures, sep="\n", end="\n" if failures else "", file=sys.stderr)
    return FAILED_GATE if code == 0 and failures else code


if __name__ == "__main__":
    raise SystemExit(command())
