"""The pictures of the README, docs/report.png and docs/gallery.png, of the pages that `make demo` wrote.

    make screenshots        needs a browser, that of the tests; Playwright drives it
"""
import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.browser import MISSING, launched

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).resolve().parents[1]
PAGES = {"report": "demo/output/reports/index.html", "gallery": "demo/scored-folder/index.html"}
CHOSEN = {"gallery": {"Tag": "digit-5", "Model": "ovr-svm"}}  # it has yes, unsure and no
WIDTH, HEIGHT, COLOURS = 1280, 960, 128  # few colours: a picture of a page is then some 70 kB


def main() -> None:
    for page in PAGES.values():
        if not (ROOT / page).exists():
            raise SystemExit(f"error: {page} is not there; run make demo first")
    with launched() as browser:
        if browser is None:
            raise SystemExit(f"error: {MISSING}")
        pictures = {name: taken(browser, name) for name in PAGES}
    for name, png in pictures.items():  # only now: both are of the same run
        save(png, ROOT / "docs" / f"{name}.png")


def taken(browser: "Browser", name: str) -> bytes:
    view = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
    view.goto((ROOT / PAGES[name]).as_uri())
    for label, choice in CHOSEN.get(name, {}).items():
        choices = view.get_by_label(label)
        if not choices.locator(f"option[value='{choice}']").count():  # to select it would wait for it
            raise SystemExit(f"error: {PAGES[name]} shows no {choice}; run make demo first (without DATA)")
        choices.select_option(choice)
    return view.screenshot()


def save(png: bytes, path: Path) -> None:
    from PIL import Image

    Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS).save(path, optimize=True)
    print(f"wrote {path.relative_to(ROOT)}, {path.stat().st_size // 1024} kB", file=sys.stderr)


if __name__ == "__main__":
    main()
