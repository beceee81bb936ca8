"""The pages that companions bring: found in their folders, registered behind the guard of the app."""
import importlib
import shlex
from collections.abc import Sequence

from flask import Flask

import companions
from cache.serving.roots import Roots
from cache.serving.served_pages import ServedPages


def discovered() -> list[ServedPages]:
    """Of every companion that has pages and all it needs, by their verbs."""
    ready = [verb for verb in _with_pages() if not companions.lacking(verb)]
    return [importlib.import_module(f"companions.{verb}.pages").PAGES for verb in ready]


def left_out() -> dict[str, str]:
    """{verb: the command that brings what it lacks} of the other companions with pages."""
    needs = {verb: companions.lacking(verb) for verb in _with_pages()}
    return {verb: f"pip install {shlex.join(lacking)}" for verb, lacking in needs.items() if lacking}


def install(app: Flask, brought: Sequence[ServedPages], roots: Roots) -> None:
    for pages in brought:
        blueprint = pages.blueprint(roots)
        if blueprint.name != pages.verb:
            raise ValueError(f"the blueprint of {pages.verb} is called {blueprint.name}")
        app.register_blueprint(blueprint, url_prefix=f"/companions/{pages.verb}")


def _with_pages() -> list[str]:
    return [verb for verb, folder in companions.folders().items() if (folder / "pages.py").is_file()]
