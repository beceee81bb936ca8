"""The browser of tests and screenshots: which one is here, and how it stays off the network."""
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:  # Playwright is in requirements-dev.txt, and takes a while to import
    from playwright.sync_api import Browser, Playwright

PROGRAMS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "microsoft-edge-stable",
    "msedge",
)
MISSING = "no browser here: apt install chromium, or have any Chromium, Chrome or Edge in PATH"
REQUIRED = "ITT_BROWSER"  # set to "required" where the browser tests have to run
PATIENCE = 30_000  # milliseconds, as of clicks; the 5,000 of expect() are too few on a loaded machine
OFF_THE_NETWORK = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
)


def program_in_path() -> str | None:
    """$CHROMIUM if it is set, else the first of PROGRAMS."""
    chosen = os.environ.get("CHROMIUM")
    paths = (shutil.which(name) for name in ([chosen] if chosen else PROGRAMS))
    return next(filter(None, paths), None)


@contextmanager
def launched() -> Iterator["Browser | None"]:
    """The browser of this machine, or the one that `playwright install` fetched; None without either."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    program = program_in_path()
    with sync_playwright() as playwright:
        program = program or _program_of(playwright)
        if program is None:
            yield None
            return
        flags = ["--disable-gpu", *OFF_THE_NETWORK]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            flags.append("--no-sandbox")  # it does not start for root with one
        browser = playwright.chromium.launch(executable_path=program, args=flags)
        yield browser
        browser.close()


def _program_of(playwright: "Playwright") -> str | None:
    path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def missing() -> NoReturn:
    """Ends a test that finds no browser: skipped, or failed where browser tests are required."""
    if os.environ.get(REQUIRED) == "required":
        pytest.fail(MISSING)
    pytest.skip(MISSING)
