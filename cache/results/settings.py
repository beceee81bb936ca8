"""What a run of stage 3 or 4 is given: what differs between the two stages, as one value, and what their flags say."""
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from cache.decoder.limits import Limits
from cache.reader.image_source import is_zip_file
from cache.reader.zip_reader import ONLY
from cache.refusal import Refused
from cache.stores.score_table import ScoreTable

CACHE_FOLDER = "./output"


@dataclass(frozen=True)
class ScoringStage:
    description: str
    example: str
    source_help: str
    archives: str  # LEAVE: a ZIP among the pictures is skipped; ONLY: pictures outside ZIPs are
    tables: Mapping[str, type[ScoreTable]]  # by file name in CACHE_FOLDER, the stage's own first
    not_for_it: str  # why the other stage is the one for a source, up to the source that follows
    left_out_reason: str  # of the files that the other stage would score
    left_out_advice: str

    def refuse_unsuitable(self, source: str) -> None:
        """Raises Refused for a ZIP where pictures are scored, and for a picture where ZIPs are."""
        wants_zip = self.archives == ONLY
        if os.path.isfile(source) and is_zip_file(source) != wants_zip:
            raise Refused(f"{source} {self.not_for_it} {shlex.quote(source)}")


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
    limits: Limits = Limits()
