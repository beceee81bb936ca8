"""What a run of stage 2 may be asked for: its settings, the flags that set them, and what is refused at
once."""
import argparse
import re
from dataclasses import dataclass

from cache.command_line import METADATA
from cache.refusal import Refused
from cache.stores.tag_list import TAG_LIST_NAME, tag_list_beside

PROMPT = "a photo of {tag}"
# What --fail_under calls the metrics. Three must not fall below, the calibration error must not rise above.
SHORT_NAMES = {"AP": "average_precision", "AUC": "roc_auc", "F1": "f1", "ECE": "calibration_error"}


# Whom a promise holds among. Strangers: new pictures may be of kinds that nobody has taught. Closed: every
# one surely carries one of the tags.
STRANGERS, CLOSED = WORLDS = ("strangers", "closed")


@dataclass(frozen=True)
class TrainSettings:
    """Raises Refused for values without sense."""

    metadata_json: str
    tag_to_hash_json: str | None = None
    output: str = "./output"
    test_per: float = 0.1
    target_precision: float | None = None
    target_recall: float | None = None
    unlabelled: str | None = None
    prompt: str | None = None
    tags: tuple[str, ...] = ()
    checkpoint: str | None = None
    world: str = STRANGERS

    def __post_init__(self) -> None:
        if not 0 <= self.test_per < 1:
            raise Refused(f"--test_per {self.test_per} is not a share of the images, between 0 and 1")
        for name in ("target_precision", "target_recall"):
            target = getattr(self, name)
            if target is not None and not 0 < target < 1:
                raise Refused(f"--{name} {target} cannot be promised; name a share between 0 and 1")
        if self.world not in WORLDS:
            raise Refused(f"--world {self.world} is none of {', '.join(WORLDS)}")
        if self.tag_to_hash_json is None and not self.tags:
            raise Refused(
                "nothing to learn: name --tag_to_hash_json, the tag list of stage 1, "
                "or --tags for tags without examples")

    @property
    def targets(self) -> tuple[float, float] | None:
        """Of precision and recall; where one is named, the other is the same."""
        precision = self.target_precision or self.target_recall
        recall = self.target_recall or self.target_precision
        return None if precision is None or recall is None else (precision, recall)

    @property
    def template(self) -> str | None:
        """The text of a tag, if texts are asked for."""
        return self.prompt or (PROMPT if self.tags else None)


def add_flags(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--metadata_json", default=METADATA, metavar="PATH",
        help="the metadata JSON of stage 1, or a clip cache (.sqlite)")
    add("--tag_to_hash_json", default=None, metavar="PATH",
        help=f"the tag list of stage 1; None is {TAG_LIST_NAME} beside the metadata, and with --tags no list")
    add("--output", default="./output", metavar="PATH", help="where models/ and reports/ go")
    add("--test_per", type=float, default=0.1, metavar="SHARE",
        help="share of the images held out for the reports")
    add("--target_precision", type=float, default=None, metavar="SHARE",
        help="promise: of what is called yes, at least this share is the tag")
    add("--target_recall", type=float, default=None, metavar="SHARE",
        help="promise: of the tag, at most the rest is called no; of the two targets, one stands for both")
    add("--world", choices=WORLDS, default=STRANGERS,
        help="whom a promised yes holds among: pictures of other kinds, too, as far as these can be tried "
             "(strangers), or only those that surely carry one of the tags (closed)")
    add("--fail_under", action="append", default=[], type=gate, metavar="METRIC=VALUE",
        help="exit with 4 if a tag's better model is worse than this; may be repeated; of "
             f"{', '.join(SHORT_NAMES)}")
    add("--unlabelled", default=None, metavar="PATH",
        help="metadata JSON or clip cache of pictures without tags: which of them to label next")
    add("--prompt", default=None, metavar="TEXT",
        help=f'text that a CLIP model knows a tag by, such as "{PROMPT}": learning begins there')
    add("--tags", type=_names, default=(), metavar="A,B",
        help="tags without any example, known by their text alone")
    add("--pretrained", default=None, metavar="PATH",
        help="the checkpoint on disk, for texts, if the vectors come from one")


def settings_of(arguments: argparse.Namespace) -> TrainSettings:
    tag_list = arguments.tag_to_hash_json
    if tag_list is None and not arguments.tags:  # what the tags' texts say is enough
        tag_list = tag_list_beside(arguments.metadata_json)
    return TrainSettings(
        metadata_json=arguments.metadata_json,
        tag_to_hash_json=tag_list,
        output=arguments.output,
        test_per=arguments.test_per,
        target_precision=arguments.target_precision,
        target_recall=arguments.target_recall,
        unlabelled=arguments.unlabelled,
        prompt=arguments.prompt,
        tags=arguments.tags,
        checkpoint=arguments.pretrained,
        world=arguments.world,
    )


def gate(text: str) -> tuple[str, float]:
    """ "AP=0.8" -> ("average_precision", 0.8)"""
    parts = re.fullmatch(r"(\w+)=(0|1|1\.0*|0?\.\d+)", text)
    if not parts or parts[1].upper() not in SHORT_NAMES:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not one of {', '.join(SHORT_NAMES)} and a value, as in AP=0.8")
    return SHORT_NAMES[parts[1].upper()], float(parts[2])


def _names(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    # Bytes that the terminal's encoding lacks arrive as surrogates, which no file name can hold.
    if not names or not text.isprintable():
        raise argparse.ArgumentTypeError(f"{text!r} names no tag")
    return names
