"""What lies among a person's pictures but is ours: databases, metadata JSONs, models, results, leftovers.

Each is examined, and in the end they are compared: vectors and models near each other are of one encoder, and
of one dataset.
"""
import os
from collections.abc import Iterator
from dataclasses import dataclass

from cache.doctor.bundle_check import CheckedBundle, check_bundle, unusable
from cache.doctor.database_check import check_database
from cache.doctor.file_kinds import UnreadPlaces, is_passed_over, kind_of_file
from cache.doctor.findings import Finding, refusal_of
from cache.models.bundle_writer import bundled_form
from cache.models.tag_models import load_model
from cache.models.undecided import Undecided, why_undecided
from cache.reader.source_file import SetAside, SourceFile
from cache.refusal import Refused
from cache.stores.metadata import read_metadata
from cache.stores.tag_list import TAG_LIST_NAME, read_tag_to_hashes


@dataclass(frozen=True)
class Vectors:
    """What a metadata JSON or a clip cache holds."""

    path: str
    widths: dict[str, int]  # {encoder: features of its vectors}

    @property
    def folder(self) -> str:
        return os.path.dirname(self.path)

    def fit(self, encoder: str | None, width: int) -> bool:
        """A model of an unknown encoder fits by its width alone."""
        return width in self.widths.values() if encoder is None else self.widths.get(encoder) == width


@dataclass(frozen=True)
class Model:
    path: str
    encoder: str | None
    width: int  # features of a vector
    tag: str | None  # None: learnt from a text, no dataset need have it


class OwnFiles:
    """The files of ours below one source."""

    def __init__(self, source: str):
        self._unread_places = UnreadPlaces(source)
        self._places_named: set[str] = set()  # of results and leftovers
        self._metadata: list[Vectors] = []
        self._caches: list[Vectors] = []
        self._models: list[Model] = []
        self._bundles: list[CheckedBundle] = []
        self._could_be_bundled: list[str] = []  # paths of models
        self._tag_lists: dict[str, tuple[str, set[str]]] = {}  # by folder: path and tags of its list

    def known(self, file: SourceFile) -> SetAside | None:
        """For images(): what is ours is not for decoding."""
        path = file.file_path
        if not os.path.isfile(path):  # in a ZIP, or a name that is no UTF-8 and does not open by its text
            return None
        kind = "unread" if self._unread_places.around(path) else kind_of_file(file)
        return SetAside(file, kind) if kind else None

    def examine(self, own: SetAside) -> list[Finding]:
        path = own.file.file_path
        try:
            match own.kind:
                case "database":
                    return self._database(path)
                case "metadata":
                    metadata = read_metadata(path)
                    self._metadata.append(Vectors(path, {metadata.key: metadata.width}))
                case "model":
                    return self._model(path)
                case "bundle":
                    return self._bundle(path)
                case "tag_list":
                    tags = set(read_tag_to_hashes(path))
                    if os.path.basename(path) == TAG_LIST_NAME:
                        self._tag_lists[os.path.dirname(path)] = path, tags
                case "unread":
                    return self._unread(path)
        except Refused as refusal:
            return [refusal_of(path, refusal)]
        return []

    def _model(self, path: str) -> list[Finding]:
        model = load_model(path)
        tag = None if model.from_text else model.tag_name
        self._models.append(Model(path, model.encoder, model.width, tag))
        if bundled_form(model.estimator) is not None:
            self._could_be_bundled.append(path)
        if why_undecided(model) is Undecided.NO_CARD:
            return [Finding("cardless", path, Undecided.NO_CARD.advice)]
        return []  # whether thresholds were asked for, and could be had, is in the report of stage 2

    def _bundle(self, path: str) -> list[Finding]:
        try:
            self._bundles.append(check_bundle(path))
        except Refused as refusal:
            return [unusable(path, refusal)]
        return []  # which models it lacks is known once all have been looked at

    def _database(self, path: str) -> list[Finding]:
        checked = check_database(path)
        if checked.widths:
            self._caches.append(Vectors(path, checked.widths))
        return checked.findings

    def examine_hidden(self, path: str) -> list[Finding]:
        """What runs leave behind is hidden, as are some files of a result; the rest is not ours."""
        if self._unread_places.around(path):
            return self._unread(path)
        return [] if is_passed_over(path) else [Finding("hidden", path)]

    def _unread(self, path: str) -> list[Finding]:
        """One finding for all that lies in one place."""
        place = self._unread_places.around(path)
        if place is None or place.path in self._places_named:  # None: it has gone in the meantime
            return []
        self._places_named.add(place.path)
        return [Finding(place.kind, place.path)]

    def mismatches(self) -> Iterator[Finding]:
        """Bundles that are behind the models beside them; vectors of another encoder or width than the cache
        beside them; models that fit no vectors near, or whose tag is not in the tag list near."""
        for bundle in self._bundles:
            if finding := bundle.finding(self._could_be_bundled):
                yield finding
        for metadata in self._metadata:
            for cache in self._caches:
                if cache.folder == metadata.folder and not metadata.widths.items() <= cache.widths.items():
                    yield _mismatch(metadata.path, f"has vectors of {_listed(metadata.widths)}", cache)
        for model in self._models:
            near = self._vectors_near(model.path)
            if near and not any(vectors.fit(model.encoder, model.width) for vectors in near):
                needs = {model.encoder or "an unknown encoder": model.width}
                yield _mismatch(model.path, f"takes vectors of {_listed(needs)}", near[0])
            tag_list, tags = self._tags_near(model.path)
            if tag_list and model.tag and model.tag not in tags:
                facts = {"tag": model.tag, "other": tag_list}
                yield Finding("gone", model.path, f"{model.tag} is not in {tag_list}", facts)

    def _vectors_near(self, path: str) -> list[Vectors]:
        """What lies in the nearest folder above that has vectors: metadata JSONs, else clip caches."""
        for folder in _folders_above(path):
            for stores in (self._metadata, self._caches):
                near = [vectors for vectors in stores if vectors.folder == folder]
                if near:
                    return near
        return []

    def _tags_near(self, path: str) -> tuple[str, set[str]]:
        """The tag list in the nearest folder above that has one, and its tags; an empty path if there is
        none."""
        lists = (self._tag_lists[folder] for folder in _folders_above(path) if folder in self._tag_lists)
        return next(lists, ("", set()))


def _folders_above(path: str) -> Iterator[str]:
    """The nearest first."""
    while path != os.path.dirname(path):
        path = os.path.dirname(path)
        yield path


def _mismatch(path: str, needs: str, other: Vectors) -> Finding:
    detail = f"{needs}; {other.path} has {_listed(other.widths)}"
    return Finding("mismatch", path, detail, {"other": other.path})


def _listed(widths: dict[str, int]) -> str:
    return ", ".join(f"{encoder} ({width} features)" for encoder, width in widths.items())
