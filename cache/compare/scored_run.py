"""One run of stages 3 or 4, read picture by picture from its output.json, which is never whole in memory."""
import os
from collections.abc import Iterator
from itertools import chain
from typing import Any, NamedTuple

from cache.files.json_file import JsonFormat
from cache.models.decisions import DECISIONS, is_probability
from cache.results.result_folder import OUTPUT

OUTPUT_JSON = JsonFormat("an output.json", "stage 3 or 4", "{hash_id: record}")


class Model(NamedTuple):
    model_type: str
    tag_name: str


class Score(NamedTuple):
    probability: float
    decision: str | None  # None where the model only scores


class ScoredPicture(NamedTuple):
    hash_id: str
    file_path: str
    scores: dict[Model, Score]


class ScoredRun:
    def __init__(self, folder: str):
        self.folder = folder
        self.models: set[Model] = set()  # of the pictures read so far, as are
        self.undecided: set[Model] = set()  # those of them that only score

    @property
    def path(self) -> str:
        return os.path.join(self.folder, OUTPUT)

    def check_there(self) -> None:
        """Raises Refused if the folder holds no output.json."""
        OUTPUT_JSON.opened(self.path).close()

    def pictures(self) -> Iterator[ScoredPicture]:
        """Raises Refused for what is not an output.json of stage 3 or 4, also in its middle."""
        for hash_id, record in OUTPUT_JSON.members(self.path):
            picture = _scored_picture(hash_id, record)
            if picture is None:
                reason = f"record {hash_id[:16]} has no file_path and classifiers_output of such a run"
                raise OUTPUT_JSON.refusal(self.path, reason)
            self.models.update(picture.scores)
            self.undecided.update(model for model, score in picture.scores.items() if score.decision is None)
            yield picture


def _scored_picture(hash_id: str, record: Any) -> ScoredPicture | None:
    """None for a record of another shape: it may come from anybody."""
    try:
        scores = {}
        for output in record["classifiers_output"]:
            model = Model(output["model_type"], output["tag_name"])
            scores[model] = Score(output["tag_prob"], output.get("decision"))
        picture = ScoredPicture(hash_id, record["file_path"], scores)
    except (AttributeError, KeyError, TypeError):
        return None
    return picture if _is_sound(picture) else None


def _is_sound(picture: ScoredPicture) -> bool:
    texts = [picture.file_path, *chain.from_iterable(picture.scores)]
    if not all(isinstance(text, str) for text in texts):
        return False
    scores = picture.scores.values()
    return all(is_probability(score.probability) and score.decision in DECISIONS for score in scores)
