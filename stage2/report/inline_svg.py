"""matplotlib's figures as SVG inside an HTML page: no header, no ids that two plots could share, colours that follow the page's."""
import io
import re
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Colours that stand for those of the page: matplotlib knows no others than its own.
INK, FIRST, SECOND = "#010203", "#010204", "#010205"
COLOURS = {INK: "currentColor", FIRST: "var(--series-1)", SECOND: "var(--series-2)"}

HEAD = re.compile(r'.*?<svg [^>]*?viewBox="([^"]*)"[^>]*>', re.DOTALL)
# The page has its own fonts; a <style> in an SVG would count for the whole page; -0 degrees are none.
SUPERFLUOUS = re.compile(
    r"<style.*?</style>|<!--.*?-->|<metadata>.*?</metadata>|<defs>\s*</defs>|\bxlink:|font(-size|-family)?: [^;\"]*(; )?"
    r'| transform="rotate\(-?0 [^"]*\)"', re.DOTALL)
REFERENCE = re.compile(r'(?<=href="#)[^"]+|(?<=url\(#)[^)]+')
HUNDREDTHS = re.compile(r"(?<=\d\.\d\d)\d+")  # of a point are as fine as anybody can see
ID = re.compile(r' id="([^"]*)"')


def inline_svg(figure: "Figure", name: str, label: str) -> Markup:
    """name: of letters and digits, no other plot's of the page. label: what a screen reader says."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    text = buffer.getvalue()
    head = HEAD.match(text)
    body = SUPERFLUOUS.sub("", text[head.end():])
    used = {found: f"{name}-{number}" for number, found in enumerate(dict.fromkeys(REFERENCE.findall(body)))}
    body = ID.sub(lambda match: f' id="{used[match[1]]}"' if match[1] in used else "", body)
    body = REFERENCE.sub(lambda match: used[match[0]], body)
    for colour, meaning in COLOURS.items():
        body = body.replace(colour, meaning)
    body = re.sub(r"\s*\n\s*", "\n", HUNDREDTHS.sub("", body))
    return Markup(f'<svg class="plot" role="img" aria-label="{escape(label)}" viewBox="{head[1]}">{body.strip()}')
