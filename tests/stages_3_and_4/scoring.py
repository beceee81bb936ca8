"""What the tests of stages 3 and 4 share: trained models, a run of a stage, the scores it should give."""
import json
from pathlib import Path

import numpy as np
import pytest

from cache.models.tag_models import load_models
from cache.models.tag_scores import ModelSet
from cache.stores.metadata import read_metadata
from tests.cache.test_caches import hash_of

METADATA = "./output/input-metadata.json"
MODELS = ["ovr-logistic-regression", "ovr-svm"]


def set_thresholds(limits: dict | None, model_type: str = "*") -> None:
    """On the cards of the models of one type, or of all."""
    for path in Path("output/models").glob(f"model-{model_type}-tag-*.json"):
        path.write_text(json.dumps({**json.loads(path.read_text()), "thresholds": limits}))


@pytest.fixture
def ready(here, trained, tiny):
    """Trained models without thresholds, and the encoder at hand for pictures without a vector."""
    set_thresholds(None)

    def run(stage, source, *flags: str, output="scored", encoder=True) -> int:
        weights = ["--pretrained", tiny["pretrained"]] if encoder else []
        return stage.command(
            ["--directory", source, "--output", output, "--num_threads", "2", *weights, *flags]
        )

    return run


def expected_scores(*seeds_and_kinds: tuple[int, str]) -> dict[str, dict[tuple[str, str], float]]:
    """hash_id -> {(model type, tag): probability}, computed from the metadata of known pictures."""
    metadata = read_metadata(METADATA)
    models, _ = load_models("./output/models", metadata.key, metadata.width)
    hashes = [hash_of(*picture) for picture in seeds_and_kinds]
    vectors = np.stack([metadata.vector(hash_id) for hash_id in hashes])
    scores = ModelSet([model.estimator for model in models]).score(vectors)
    names = [(model.model_type, model.tag_name) for model in models]
    by_model = [dict(zip(names, row, strict=True)) for row in scores.tolist()]
    return dict(zip(hashes, by_model, strict=True))
