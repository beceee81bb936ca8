"""What stands in place of a picture that cannot be shown: an SVG with the reason.

A browser draws it in the <img>, whatever the status of the answer, so that pages need no script for it.
"""
import textwrap

from markupsafe import escape

from cache.limits import Skip

LARGE, SMALL = 160, 64  # sides of the two drawings; either is scaled to the room that the page has
FONT_SIZE = {LARGE: 17, SMALL: 11}
LINE_LENGTH = {LARGE: 15, SMALL: 10}  # characters that fit beside one another
MOST_LINES = {LARGE: 6, SMALL: 4}
LARGEST_SMALL = 112  # pixels of a tile up to which it is the small drawing, whose letters are larger

SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" width="{side}" height="{side}"\
 font-family="system-ui, sans-serif" font-size="{size}" text-anchor="middle">
<style>text {{ fill: #5c6370 }} @media (prefers-color-scheme: dark) {{ text {{ fill: #9aa3b2 }} }}</style>
{lines}
</svg>
"""
LINE = '<text x="{x:g}" y="{y:g}">{text}</text>'

SHORT = {
    "empty": "empty file",
    "not_an_image": "no picture any more",
    "damaged": "damaged",
    "too_many_pixels": "too large",
    "too_large": "too large",
    "unsupported_type": "type not read",
    "other_file": "no picture any more",
    "encrypted": "behind a password",
    "timeout": "took too long",
}


def short_reason(skip: Skip) -> str:
    """A few words for why a file that was a picture cannot be shown."""
    return SHORT.get(skip.reason) or skip.detail or skip.reason.replace("_", " ")


def tile(reason: str, pixels: int = LARGE) -> str:
    """An SVG that says why. pixels: about the side at which the page shows it."""
    side = SMALL if pixels <= LARGEST_SMALL else LARGE
    size = FONT_SIZE[side]
    texts = textwrap.wrap(reason, LINE_LENGTH[side], max_lines=MOST_LINES[side], placeholder="...")
    height = 1.3 * size
    first = (side - height * len(texts)) / 2 + size
    lines = [
        LINE.format(x=side / 2, y=first + height * number, text=escape(text))
        for number, text in enumerate(texts)]
    return SVG.format(side=side, size=size, lines="\n".join(lines))
