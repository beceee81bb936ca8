"""Classifier files of stage 2: their names, saving, and safe loading.

In every model class 0 is the tag and class 1 is everything else: predict_proba(vectors)[:, 0] is the
probability of the tag.
"""
import io
import json
import os
import re
from dataclasses import dataclass
from hashlib import blake2b, sha256
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

import numpy as np

from cache import text
from cache.files.whole_file import whole_file
from cache.models.bundle import ModelBundle, bundle_path, file_digest, read_bundle
from cache.models.cards import Worlds, has_no_examples, read_card
from cache.models.decisions import Thresholds
from cache.models.soundness import sound_width
from cache.models.tag_scores import ModelSet
from cache.progress import say
from cache.refusal import Refused

LOGISTIC_REGRESSION, SVM = "ovr-logistic-regression", "ovr-svm"
NO_BUNDLE = ModelBundle()
MODEL_FILE = re.compile(r"model-(?P<model_type>.+?)-tag-(?P<tag_name>.+)\.pkl")
UNSAFE_CHARACTERS = re.compile(r'[\x00-\x1f/\\:*?"<>|%]|^\.')
LONGEST_NAME = 150  # bytes; file systems allow 255, and a name gets a prefix and a suffix


@dataclass(frozen=True)
class TagModel:
    path: str
    model_type: str
    tag_name: str
    estimator: object  # a fitted scikit-learn classifier, or out of a bundle its form; for ModelSet
    width: int  # features of a vector
    encoder: str | None  # model:weights its vectors come from; None for a model without a JSON beside it
    thresholds: Thresholds | None  # None: it decides nothing, it only scores
    from_text: bool = False  # learnt from the text of its tag alone: no dataset need have the tag
    worlds: Worlds = Worlds()


def safe_name(name: str) -> str:
    """A tag or file name as one part of a path, on any system. unquote() gives it back, unless it was too
    long."""
    safe = UNSAFE_CHARACTERS.sub(lambda match: f"%{ord(match[0]):02X}", name) or "%"
    if len(safe.encode()) <= LONGEST_NAME:
        return safe
    digest = blake2b(name.encode(), digest_size=4).hexdigest()
    start = safe.encode()[:LONGEST_NAME - len(digest) - 1].decode(errors="ignore")
    return f"{start}~{digest}"


def generate_model_path(folder: str, model_type: str, tag_name: str) -> str:
    tag = safe_name(text.tag_name(tag_name))
    return os.path.join(folder, f"model-{safe_name(model_type)}-tag-{tag}.pkl")


def list_models(folder: str) -> list[str]:
    """Print and return the paths of the model files in a folder, sorted."""
    paths = model_paths(folder)
    print(*paths, sep="\n")
    return paths


def model_paths(path: str) -> list[str]:
    """One .pkl, or all in a folder."""
    if os.path.isfile(path):
        return [path]
    if not os.path.isdir(path):
        raise Refused(f"no such model file or folder: {path}; stage 2 makes one")
    names = [name for name in os.listdir(path) if name.endswith(".pkl") and not name.startswith(".")]
    return sorted(os.path.join(path, name) for name in names)


class SavedModel(NamedTuple):
    path: str  # of the .pkl
    sha256: str


def save_model(folder: str, model_type: str, tag_name: str, estimator: object, card: dict) -> SavedModel:
    """Write the .pkl and its JSON, which holds the digest of the .pkl."""
    import joblib

    path = generate_model_path(folder, model_type, tag_name)
    pickled = io.BytesIO()
    joblib.dump(estimator, pickled)
    digest = sha256(pickled.getbuffer()).hexdigest()
    card = {"model_type": model_type, "tag_name": text.tag_name(tag_name), **card, "sha256": digest}
    with whole_file(Path(path).with_suffix(".json")) as file:
        file.write(json.dumps(card, indent=1, ensure_ascii=False).encode() + b"\n")
    with whole_file(path) as file:
        file.write(pickled.getbuffer())
    return SavedModel(path, digest)


def load_model(path: str, trust_pickle: bool = False, bundle: ModelBundle = NO_BUNDLE) -> TagModel:
    """Raises Refused for a file that is not a binary classifier, or that could run code while loading."""
    card = read_card(path)
    bundled = bundle.model_of(path)
    named = MODEL_FILE.fullmatch(os.path.basename(path))
    if not named and not card:
        raise Refused(
            f"{path} has no JSON beside it and is not named model-<type>-tag-<tag>.pkl: its tag is unknown")
    if "sha256" in card and card["sha256"] != (bundled.sha256 if bundled else file_digest(path)):
        raise Refused(f"{path} and the JSON beside it are not of one training; train again")
    names = {**(named.groupdict() if named else {}), **card}
    limits = card.get("thresholds")
    thresholds = None if limits is None else Thresholds.from_card(limits, Path(path).with_suffix(".json"))
    estimator = bundled.form if bundled else _classifier(path, trust_pickle)
    return TagModel(
        path=path,
        model_type=names["model_type"],
        tag_name=text.tag_name(card.get("tag_name") or unquote(names["tag_name"])),
        estimator=estimator,
        width=bundled.form.width if bundled else _proven_width(path, estimator),
        encoder=card.get("model"),
        thresholds=thresholds,
        from_text=has_no_examples(card.get("counts")),
        worlds=Worlds.from_card(card),
    )


def load_models(
    path: str, encoder: str, width: int, trust_pickle: bool = False,
) -> tuple[list[TagModel], list[Refused]]:
    """The models at `path` that fit vectors of `encoder`, and the refusals of the others. Raises Refused
    if none is left."""
    models: dict[tuple[str, str], TagModel] = {}
    refusals: list[Refused] = []
    bundle = bundle_in(path)
    for model_path in sorted(model_paths(path), key=_is_in_another_spelling):
        try:
            model = load_model(model_path, trust_pickle, bundle)
            _refuse_unfit(model, encoder, width)
            twin = models.setdefault((model.model_type, model.tag_name), model)
            if twin is not model:
                raise Refused(f"{model_path} is of the same type and tag as {twin.path}")
        except Refused as refusal:
            refusals.append(refusal)
    if not models:
        reasons = f": {refusals[0]}" if refusals else "; stage 2 makes them"
        raise Refused(f"no usable model in {path}{reasons}" if len(refusals) != 1 else str(refusals[0]))
    return list(models.values()), refusals


def bundle_in(folder: str) -> ModelBundle:
    """An empty one where there is none, and where it is not usable, which is said: the models are in the .pkl
    files all the same."""
    path = bundle_path(folder)
    if not os.path.lexists(path):
        return NO_BUNDLE
    try:
        return read_bundle(path)
    except Refused as refusal:
        say(f"{refusal}; the models are loaded one by one, and the next training writes it anew")
        return NO_BUNDLE


def _is_in_another_spelling(path: str) -> bool:
    """Of a tag in NFD, from before tags had one spelling: the model trained since comes first."""
    name = os.path.basename(path)
    return name != text.tag_name(name)


def _refuse_unfit(model: TagModel, encoder: str, width: int) -> None:
    if model.encoder is not None and model.encoder != encoder:
        raise Refused(
            f"{model.path} was trained on vectors of {model.encoder}, these are of {encoder}; "
            f"train with this metadata")
    if model.width != width:
        raise Refused(
            f"{model.path} takes vectors of {model.width} features, these have {width}; "
            f"train with this metadata")


def _classifier(path: str, trust_pickle: bool) -> object:
    from cache.models.safe_pickle import load_pickle

    estimator = load_pickle(path, trust_pickle)
    if not hasattr(estimator, "predict_proba") or np.shape(getattr(estimator, "classes_", ())) != (2,):
        raise Refused(f"{path} is not a classifier of two classes with probabilities")
    return estimator


def _proven_width(path: str, estimator: object) -> int:
    """Features of a vector, after one was scored: estimators of much older scikit-learn versions load, but
    lack attributes that this version needs (an SVC from before 0.24)."""
    try:
        width = sound_width(estimator)
        [[probability]] = ModelSet([estimator]).score(np.zeros((1, width)))
        if not 0 <= probability <= 1:
            raise ValueError(f"it gives {probability} for a probability")
    except Exception as error:  # in a file from anybody any attribute may be missing, or be anything
        reason = f"{type(error).__name__}: {error}"
        raise Refused(f"{path} does not work with this scikit-learn ({reason}); train again") from None
    return width
