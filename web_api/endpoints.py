"""The route table: every call of the three caches by its name, and how a query is bound to its signature.

One generic view serves them all; /openapi.json is made from the same table, so that it cannot drift.
"""
import inspect
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cache.cache_clip import ClipCache
from cache.cache_file import FileCache
from cache.cache_tag import TagCache
from cache.serving.api_error import ApiError
from cache.serving.roots import Roots, plain_name
from web_api.arguments import value_of

PATHS = ("data_dir", "out_dir", "db_path")

SUMMARIES = {
    "create": "Make an empty cache; one that is there is left as it is.",
    "add": "Read a folder, a picture or a ZIP into the cache. "
           "Answers 202 and a job if it takes longer than 10 s, unless wait=true.",
    "get": "Look something up.",
    "clear": "Delete all rows; with delete_cache=true the database, too.",
}


@dataclass(frozen=True)
class Endpoint:
    name: str
    call: Callable
    kind: str  # "create", "add", "get" or "clear"; "read" for what brings its own kind of answer
    summary: str = ""

    @property
    def changes(self) -> bool:
        return self.kind in ("create", "add", "clear")

    @property
    def parameters(self) -> list[inspect.Parameter]:
        """The arguments a client may give: those of the Python method, without its keyword-only ones."""
        parameters = inspect.signature(self.call).parameters.values()
        return [parameter for parameter in parameters if parameter.kind is not parameter.KEYWORD_ONLY]

    def bind(self, values: Mapping[str, object], roots: Roots) -> dict[str, Any]:
        """The arguments of the call, each checked.

        Raises ApiError 400 with the name of the bad one, 403 for paths outside the roots.
        """
        unknown = sorted(set(values) - {parameter.name for parameter in self.parameters})
        if unknown:
            raise ApiError(400, "unknown_argument", f"{self.name} has no argument {unknown[0]}")
        bound: dict[str, Any] = {
            parameter.name: self._argument(parameter, values) for parameter in self.parameters}
        for name in PATHS:
            if name in bound:
                bound[name] = roots.check(bound[name])
        if "db_name" in bound:
            _check_database_name(bound["out_dir"], bound["db_name"], roots)
        return bound

    def _argument(self, parameter: inspect.Parameter, values: Mapping[str, object]) -> object:
        if parameter.name in values:
            return value_of(parameter, values[parameter.name])
        if parameter.default is parameter.empty:
            raise ApiError(400, "missing_argument", f"{self.name} needs the argument {parameter.name}")
        return parameter.default


def _check_database_name(folder: str, name: str, roots: Roots) -> None:
    path = os.path.join(folder, plain_name(name))
    if roots.check(path) != path:
        raise ApiError(400, "bad_name", "db_name is a link; name the database itself")


def cache_endpoints() -> dict[str, Endpoint]:
    """The eighteen calls by name. ITT_CLIP_MODEL and ITT_PRETRAINED name the encoder of the clip cache."""
    model, weights = os.environ.get("ITT_CLIP_MODEL", "ViT-B-32"), os.environ.get("ITT_PRETRAINED")
    clips, files, tags = ClipCache(model, weights), FileCache, TagCache
    table: list[tuple[str, Callable, str]] = [
        ("create_file_cache", files.create_file_cache, "create"),
        ("add_folder_to_file_cache", files.add_folder_to_file_cache, "add"),
        ("get_random_file_hash", files.get_random_hash, "get"),
        ("get_img_by_hash", files.get_img_by_hash, "get"),
        ("get_random_img", files.get_random_image, "get"),
        ("clear_file_cache", files.clear_cache, "clear"),
        ("create_clip_cache", clips.create_clip_cache, "create"),
        ("add_folder_to_clip_cache", clips.add_folder_to_clip_cache, "add"),
        ("get_random_clip_hash", clips.get_random_hash, "get"),
        ("get_clip_by_hash", clips.get_clip_by_hash, "get"),
        ("get_random_clip", clips.get_random_clip, "get"),
        ("clear_clip_cache", clips.clear_cache, "clear"),
        ("create_tag_cache", tags.create_tag_cache, "create"),
        ("add_folder_to_tag_cache", tags.add_folder_to_tag_cache, "add"),
        ("get_random_tag_hash", tags.get_random_hash, "get"),
        ("get_tag_by_hash", tags.get_tag_by_hash, "get"),
        ("get_random_tag", tags.get_random_tag, "get"),
        ("clear_tag_cache", tags.clear_cache, "clear"),
    ]
    return {name: Endpoint(name, call, kind, SUMMARIES[kind]) for name, call, kind in table}
