"""What a run of stage 3 or 4 is given: what differs between the two stages, as one value, and what their
flags say."""
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from cache.command_line import call
from cache.limits import Limits
from cache.reader.image_source import is_zip_file
from cache.reader.zip_reader import ONLY
from cache.refusal import Refused
from cache.stores.score_table import ScoreTable

CACHE_FOLDER = "./output"


@dataclass(frozen=True)
class ScoringStage:
    verb: str  # of command_line.SCRIPTS
    description: str
    example: str  # what may stand behind the verb
    source: str  # what it scores, for whoever forgot to name it
    source_help: str
    archives: str  # LEAVE: a ZIP among the pictures is skipped; ONLY: pictures outside ZIPs are
    tables: Mapping[str, type[ScoreTable]]  # by file name in CACHE_FOLDER, the stage's own first
    other_verb: str  # of the other stage
    why_other: str  # that one is for a source
    left_out_reason: str  # of the files that the other stage would score
    left_out_advice: str

    def refuse_unsuitable(self, source: str, prog: str | None = None) -> None:
        """Raises Refused for a ZIP where pictures are scored, and for a picture where ZIPs are. prog: how the
        stage was called."""
        wants_zip = self.archives == ONLY
        if os.path.isfile(source) and is_zip_file(source) != wants_zip:
            command = f"{call(self.other_verb, prog)} --directory {shlex.quote(source)}"
            raise Refused(f"{source} {self.why_other}: {command}")


@dataclass(frozen=True)
class ScoreSettings:
    source: str
    metadata_path: str
    model_path: str = "./output/models"
    output: str | None = None  # None: a folder in CACHE_FOLDER, named by the minute
    bins: int = 10
    place: bool = True
    csv: bool = False
    batch_size: int = 32
    num_threads: int = 4
    device: str | None = None
    precision: str | None = None
    checkpoint: str | None = None
    trust_pickle: bool = False
    thumbnails: bool = True  # are kept of what is decoded
    limits: Limits = Limits()
