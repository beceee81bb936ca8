"""The command lines of stages 3 and 4: flags -> settings -> exit code."""
import argparse
from collections.abc import Sequence

from cache import command_line
from cache.argument_parser import ArgumentParser, positive
from cache.command_line import METADATA, MODELS
from cache.reader.batches import Counts
from cache.results.scoring import score_source
from cache.results.settings import ScoreSettings, ScoringStage
from cache.text import plural


def scoring_command(stage: ScoringStage, argv: Sequence[str] | None = None, prog: str | None = None) -> int:
    """The command line of a stage; prog: how it was called, for its help. Returns the exit code."""
    prog = prog or command_line.call(stage.verb)
    parser = command_line.new_parser(stage.description, f"{prog} {stage.example}", prog)
    _add_flags(parser, stage)
    arguments = parser.parse_args(argv)
    settings = _settings_of(arguments)

    def work(counts: Counts) -> None:
        stage.refuse_unsuitable(settings.source, prog)
        if settings.metadata_path == METADATA:
            command_line.refuse_missing(METADATA, f"{command_line.call('embed', prog)} photos")
        if settings.model_path == MODELS:
            command_line.refuse_missing(MODELS, command_line.call("train", prog))
        result = score_source(stage, settings, counts)
        print(f"scored under {plural(result['models'], 'model')}")
        for path in (*result["written"], *result["tables"]):
            print(f"wrote {path}")

    return command_line.run(work, arguments.strict)


def _add_flags(parser: ArgumentParser, stage: ScoringStage) -> None:
    parser.add_input("--directory", stage.source, stage.source_help)
    add = parser.add_argument
    add("--metadata_json", default=METADATA, metavar="PATH",
        help="the metadata JSON of stage 1, or a clip cache (.sqlite)")
    add("--model", default=MODELS, metavar="PATH", help="a folder of models, or one .pkl")
    add("--output", default=None, metavar="PATH", help="None is ./output/tagging_output_<date and time>")
    add("--output_bins", type=positive, default=10, metavar="N", help="score bins per tag")
    add("--place", choices=["bins", "none"], default="bins", help="none: score without placing the pictures")
    add("--csv", action="store_true", help="write the scores into <output>/scores.csv, too")
    add("--pretrained", default=None, metavar="PATH",
        help="the checkpoint on disk, if the vectors come from one and new pictures have to be embedded")
    add("--trust_pickle", action="store_true", help="load model files of any class; they can run code")
    command_line.add_encoder_flags(parser)
    command_line.add_reading_flags(parser)


def _settings_of(arguments: argparse.Namespace) -> ScoreSettings:
    return ScoreSettings(
        source=arguments.directory,
        metadata_path=arguments.metadata_json,
        model_path=arguments.model,
        output=arguments.output,
        bins=arguments.output_bins,
        place=arguments.place == "bins",
        csv=arguments.csv,
        batch_size=arguments.batch_size,
        num_threads=arguments.num_threads,
        device=arguments.device,
        precision=arguments.precision,
        checkpoint=arguments.pretrained,
        trust_pickle=arguments.trust_pickle,
        thumbnails=arguments.thumbnails,
        limits=command_line.limits_of(arguments),
    )
