"""The JSON beside a model: what it is, what it was made of, how good it is, and which promises it keeps."""
from datetime import datetime, timezone
from hashlib import sha256
from importlib.metadata import version

from cache import __version__
from cache.pixels.fingerprint import preprocessing_fingerprint
from cache.stores.metadata import Metadata
from stage2.flags import CLOSED, STRANGERS
from stage2.judging.results import Judged, ModelResult
from stage2.judging.worlds import tried_on
from stage2.learning.split import Split
from stage2.metrics import base_rate, rounded

LIBRARIES = ("joblib", "numpy", "scikit-learn")


def model_card(metadata: Metadata, split: Split, result: ModelResult, others_taught: bool) -> dict:
    """`metrics` are of the pictures held out, `cross_validation` of the folds, `among_strangers` of pictures
    of kinds that were not seen. `created` is the only thing that differs in a second run."""
    _, is_tag = split.examples()
    counts = split.counts()
    return {
        "model": metadata.key,
        "width": metadata.width,
        "preprocessing": preprocessing_fingerprint(),
        "counts": counts,
        "learnt_from": {"tag": counts["tag_train"] + counts["tag_test"],
                        "other": counts["other_train"] + counts["other_test"]},
        "base_rate": rounded(base_rate(is_tag)),
        "metrics": result.held_out.metrics(),
        "cross_validation": _estimates(result.closed),
        "among_strangers": _estimates(result.strangers),
        "calibration": result.calibration.as_dict(),
        "thresholds": _thresholds(result, others_taught),
        "training_list": training_list_digest(metadata, split),
        "versions": {"image-tagging-tools": __version__, **{name: version(name) for name in LIBRARIES}},
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


def _estimates(judged: Judged) -> dict[str, dict]:
    return {name: estimate.as_dict() for name, estimate in judged.metrics.items()}


def _thresholds(result: ModelResult, others_taught: bool) -> dict | None:
    """Those by which stages 3 and 4 decide, the world they hold in, whose pictures stood for strangers, and
    those of both worlds."""
    closed, strangers = result.closed.promises, result.strangers.promises
    if not result.promises or not closed or not strangers:
        return None
    by_world = {STRANGERS: strangers.as_dict(), CLOSED: closed.as_dict()}
    tried = tried_on(result, others_taught)
    return {**result.promises.as_dict(), "world": result.world, "tried_on": tried, "worlds": by_world}


def training_list_digest(metadata: Metadata, split: Split) -> str:
    """SHA-256 of a line "<hash_id> tag" or "<hash_id> other" for each picture learnt from, sorted: those held
    out, too."""
    names = metadata.hash_ids
    tags = [f"{names[row]} tag\n" for row in (*split.tag_train, *split.tag_test)]
    others = [f"{names[row]} other\n" for row in (*split.other_train, *split.other_test)]
    return sha256("".join(sorted(tags + others)).encode()).hexdigest()
