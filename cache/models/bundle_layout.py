"""How models stand in the arrays of a bundle: a support vector that a hundred SVMs have stands there once.

    entries                       JSON: [{"file", "sha256", "group"}, ...], one a model
    stamps                        JSON: [text, ...], likewise
    <linear group>.weights        float64 (models of the group, width)
    <linear group>.offsets        float64 (models,)
    <radial group>.mean, .scale   float64 (width,)
    <radial group>.support        float32, or float64 where that is not exact, (support vectors, width)
    <radial group>.gammas, .offsets  float64 (models,)
    <radial group>.ends           int64 (models,): where the places of each model end
    <radial group>.places         int32, the support vectors of one model after the other
    <radial group>.coefficients   float64, one a place

A group is called linear or radial and a number; its models come in the order of the entries.
"""
import json
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from cache.models.bundle_file import STAMPS, Arrays
from cache.models.score_forms import Form, LinearRow, RadialRow, as_narrow_as_exact

ENTRIES, LINEAR, RADIAL = "entries", "linear", "radial"
UNFIT = "its arrays do not fit each other"
Part = Callable[[str], np.ndarray]  # of the arrays of a group, by name


@dataclass(frozen=True)
class BundledModel:
    file: str  # the name of its .pkl
    sha256: str  # of the .pkl that the form was taken from
    stamp: str  # of the same (see stamp_of() in bundle.py)
    form: Form


def group_of(form: Form) -> tuple[str, Hashable]:
    """Linear or radial, and what the models of a group agree in."""
    if isinstance(form, LinearRow):
        return LINEAR, form.width
    return RADIAL, (form.mean.tobytes(), form.scale.tobytes())


def arrays_of(models: Sequence[BundledModel]) -> Arrays:
    """The radial ones of a group have their support in one matrix."""
    groups: dict[tuple[str, Hashable], list[Form]] = {}
    for model in models:
        groups.setdefault(group_of(model.form), []).append(model.form)
    names = {group: f"{group[0]}{number}" for number, group in enumerate(groups)}
    entries = [{"file": model.file, "sha256": model.sha256, "group": names[group_of(model.form)]}
               for model in models]
    arrays = {ENTRIES: _as_json(entries), STAMPS: _as_json([model.stamp for model in models])}
    for group, forms in groups.items():
        for part, array in _parts(forms).items():
            arrays[f"{names[group]}.{part}"] = array
    return arrays


def models_of(arrays: Arrays) -> Iterator[BundledModel]:
    """Raises ValueError, or whatever arrays give rise to, for those of a file that somebody made up."""
    entries, stamps = (json.loads(arrays[name].tobytes()) for name in (ENTRIES, STAMPS))
    groups: dict[str, list[tuple[str, str, str]]] = {}
    for entry, stamp in zip(entries, stamps, strict=True):
        groups.setdefault(entry["group"], []).append((entry["file"], entry["sha256"], stamp))
    for group, members in groups.items():
        for member, form in zip(members, _forms(arrays, group), strict=True):
            yield BundledModel(*member, form)


def _as_json(value: object) -> np.ndarray:
    return np.frombuffer(json.dumps(value).encode(), np.uint8)


def _parts(forms: Sequence[Form]) -> dict[str, np.ndarray]:
    linear = [form for form in forms if isinstance(form, LinearRow)]
    radial = [form for form in forms if isinstance(form, RadialRow)]
    return _linear_parts(linear) if linear else _radial_parts(radial)


def _linear_parts(forms: Sequence[LinearRow]) -> dict[str, np.ndarray]:
    return {
        "weights": np.stack([form.weights for form in forms]),
        "offsets": np.array([form.offset for form in forms]),
    }


def _radial_parts(forms: Sequence[RadialRow]) -> dict[str, np.ndarray]:
    """The support vectors come in the order in which the models name them, so that the order of the matrix
    does not matter."""
    places = np.concatenate([form.places for form in forms])
    used, first, number = np.unique(places, return_index=True, return_inverse=True)
    by_first_use = np.argsort(first)
    new_place = np.argsort(by_first_use).astype(np.int32)
    return {
        "mean": forms[0].mean,
        "scale": forms[0].scale,
        "support": as_narrow_as_exact(forms[0].support[used[by_first_use]]),
        "gammas": np.array([form.gamma for form in forms]),
        "offsets": np.array([form.offset for form in forms]),
        "ends": np.cumsum([len(form.places) for form in forms], dtype=np.int64),
        "places": new_place[number],
        "coefficients": np.concatenate([form.coefficients for form in forms]),
    }


def _forms(arrays: Arrays, group: str) -> Iterator[Form]:
    def part(name: str) -> np.ndarray:
        return arrays[f"{group}.{name}"]

    return _linear_forms(part) if group.startswith(LINEAR) else _radial_forms(part)


def _linear_forms(part: Part) -> Iterator[LinearRow]:
    weights = _floats(part("weights"), 2)
    offsets = _floats(part("offsets"), 1)
    for row, offset in zip(weights, offsets.tolist(), strict=True):
        yield LinearRow(row, offset)


def _radial_forms(part: Part) -> Iterator[RadialRow]:
    support, coefficients = _floats(part("support"), 2), _floats(part("coefficients"), 1)
    mean, scale, gammas, offsets = (_floats(part(name), 1) for name in ("mean", "scale", "gammas", "offsets"))
    places, ends = (_whole_numbers(part(name)) for name in ("places", "ends"))
    starts = np.concatenate([[0], ends[:-1]])
    sound = (
        len(mean) == len(scale) == support.shape[1],
        scale.all(),
        (gammas >= 0).all(),
        (starts <= ends).all() and ends[-1] == len(places) == len(coefficients),
        (places < len(support)).all(),
    )
    if not all(sound):
        raise ValueError(UNFIT)
    for start, end, gamma, offset in zip(starts, ends, gammas.tolist(), offsets.tolist(), strict=True):
        own = slice(start, end)
        yield RadialRow(mean, scale, gamma, support, places[own], coefficients[own], offset)


def _floats(array: np.ndarray, dimensions: int) -> np.ndarray:
    """The array as it is, if it is of finite float32 or float64."""
    is_of_kind = array.ndim == dimensions and array.dtype in (np.float32, np.float64)
    if not is_of_kind or not np.isfinite(array).all():
        raise ValueError(UNFIT)
    return array


def _whole_numbers(array: np.ndarray) -> np.ndarray:
    """The array as it is, if it is of places or counts."""
    if array.ndim != 1 or array.dtype not in (np.int32, np.int64) or (array < 0).any():
        raise ValueError(UNFIT)
    return array
