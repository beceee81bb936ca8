"""Writes the bundle of a folder: the models of this run as they are saved, those of earlier runs from the
earlier bundle or from their .pkl files."""
import os
from collections.abc import Hashable
from dataclasses import replace

import numpy as np

from cache.models.bundle import ModelBundle, bundle_path, file_digest, read_bundle, stamp_of
from cache.models.bundle_file import write_arrays
from cache.models.bundle_layout import BundledModel, arrays_of, group_of
from cache.models.score_forms import Form, LinearRow, RadialRow, SharedRows, form_of
from cache.models.tag_models import SavedModel, load_model, model_paths
from cache.progress import say
from cache.refusal import Refused

FAR_FROM_OVERFLOW = 1e100  # what is smaller has a square that is a number, and so has the sum of a billion


class BundleWriter:
    """add() every model once it is saved, then write() once."""

    def __init__(self, folder: str):
        self._folder = folder
        self._models: dict[str, BundledModel] = {}  # by file; radial ones without their support vectors
        self._support: dict[tuple[str, Hashable], SharedRows] = {}  # by group

    def add(self, saved: SavedModel, estimator: object) -> None:
        """What cannot be bundled is left to its .pkl."""
        form, stamp = bundled_form(estimator), stamp_of(saved.path)
        if form is not None and stamp is not None:
            file = os.path.basename(saved.path)
            self._models[file] = BundledModel(file, saved.sha256, stamp, self._with_shared_support(form))

    def _with_shared_support(self, form: Form) -> Form:
        if isinstance(form, LinearRow):
            return form
        support = self._support.setdefault(group_of(form), SharedRows(form.width))
        [places] = support.places_of([form])
        return replace(form, support=np.empty((0, form.width)), places=places.astype(np.int32))

    def write(self) -> None:
        """Whole or not at all. A folder that cannot take it is one of good models all the same: that is said,
        and no fault."""
        path = bundle_path(self._folder)
        self._take_over_others(path)
        try:
            write_arrays(path, arrays_of(self._whole_models()))
        except (OSError, Refused) as error:
            reason = getattr(error, "strerror", None) or error
            say(f"{path} is not written ({reason}); the models are whole, but load one by one")

    def _take_over_others(self, earlier_path: str) -> None:
        """Those of earlier runs, which may have been of other datasets."""
        earlier = _earlier_bundle(earlier_path)
        paths = {os.path.basename(path): path for path in model_paths(self._folder)}
        for file in sorted(paths.keys() - self._models.keys()):
            stamp, bundled = stamp_of(paths[file]), earlier.model_of(paths[file])
            try:
                estimator = bundled.form if bundled else load_model(paths[file]).estimator
                digest = bundled.sha256 if bundled else file_digest(paths[file])
                self.add(SavedModel(paths[file], digest), estimator)
            except Refused:
                continue  # whoever wants to use it is told so
            if file in self._models and self._models[file].stamp != stamp:
                del self._models[file]  # somebody has put another in its place while it was read

    def _whole_models(self) -> list[BundledModel]:
        """By file, the radial ones of a group with all of its support vectors."""
        # The rows go as the matrix comes: of 100,000 pictures it is 200 MB.
        support = {group: self._support.pop(group).rows() for group in list(self._support)}

        def whole(form: Form) -> Form:
            return replace(form, support=support[group_of(form)]) if isinstance(form, RadialRow) else form

        return [replace(model, form=whole(model.form)) for _, model in sorted(self._models.items())]


def _earlier_bundle(path: str) -> ModelBundle:
    try:
        return read_bundle(path)
    except Refused:  # as where there is none
        return ModelBundle()


def bundled_form(estimator: object) -> Form | None:
    """None for what is neither linear nor radial, or might give no number."""
    form = form_of(estimator)
    return form if form is not None and _always_gives_a_number(form) else None


def _always_gives_a_number(form: Form) -> bool:
    """Loaded from its .pkl, such a one is not refused (see _proven_width() in tag_models.py)."""
    if isinstance(form, LinearRow):
        return bool(np.isfinite([*form.weights, form.offset]).all())
    if form.gamma < 0:
        return False
    with np.errstate(all="ignore"):
        parts = (form.mean, form.scale, form.mean / form.scale, form.coefficients, [form.offset],
                 form.support[form.places] * (2 * form.gamma) ** 0.5)
    return all(float(np.abs(part).max(initial=0)) < FAR_FROM_OVERFLOW for part in parts)  # false for NaN
