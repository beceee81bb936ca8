"""The pages that companions bring: found in their folders, registered behind the guard of the app."""
import importlib
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from flask import Flask
from werkzeug.routing import BuildError

import companions
from cache.serving.roots import Roots
from cache.serving.served_pages import ServedPages
from cache.text import on_one_line


class LeftOut(NamedTuple):
    """Why a companion's pages are not served, and the command that mends it, if one does."""

    verb: str
    reason: str
    command: str = ""


def discovered() -> tuple[list[ServedPages], list[LeftOut]]:
    """The pages of the companions that have some, by their verbs, and what is left out of them."""
    results = [_pages_of(verb) for verb, folder in companions.folders().items() if _has_pages(folder)]
    served = [result for result in results if not isinstance(result, LeftOut)]
    return served, [result for result in results if isinstance(result, LeftOut)]


def install(app: Flask, brought: Sequence[ServedPages], roots: Roots) -> None:
    """Raises ValueError for pages that do not keep to ServedPages: before anybody asks for one."""
    for pages in brought:
        blueprint = pages.blueprint(roots)
        if blueprint.name != pages.verb:
            raise ValueError(f"the blueprint of {pages.verb} is called {blueprint.name}")
        app.register_blueprint(blueprint, url_prefix=f"/companions/{pages.verb}")
        try:
            app.url_map.bind("localhost").build(f"{pages.verb}.index")
        except BuildError:
            raise ValueError(f"the blueprint of {pages.verb} has no view index to link to") from None


def _has_pages(folder: Path) -> bool:
    return (folder / "pages.py").is_file()


def _pages_of(verb: str) -> ServedPages | LeftOut:
    try:
        lacking = companions.lacking(verb)
        if lacking:
            return LeftOut(verb, "needs more than is installed", f"pip install {shlex.join(lacking)}")
        return importlib.import_module(f"companions.{verb}.pages").PAGES
    except Exception as error:  # code of others, and of what they import: the other pages do not depend on it
        return LeftOut(verb, f"cannot be loaded: {on_one_line(f'{type(error).__name__}: {error}')}")
