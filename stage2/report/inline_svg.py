"""matplotlib's figures as SVG inside an HTML page: no header, no ids that two plots could share, colours that
follow the page's."""
import io
import re
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Colours that stand for those of the page: matplotlib knows no others than its own.
INK, FIRST, SECOND = "#010203", "#010204", "#010205"
COLOURS = {INK: "currentColor", FIRST: "var(--series-1)", SECOND: "var(--series-2)"}

HEAD = re.compile(r'^.*?<svg [^>]*?viewBox="([^"]*)"[^>]*>', re.DOTALL)
# The page has its own fonts; a <style> in an SVG would count for the whole page; -0 degrees are none.
SUPERFLUOUS = re.compile(
    r"<style.*?</style>|<!--.*?-->|<metadata>.*?</metadata>|<defs>\s*</defs>|\bxlink:"
    r"|font(-size|-family)?: [^;\"]*(; )?"
    r'| transform="rotate\(-?0 [^"]*\)"', re.DOTALL)
REFERENCE = re.compile(r'(?<=href="#)[^"]+|(?<=url\(#)[^)]+')
HUNDREDTHS = re.compile(r"(?<=\d\.\d\d)\d+")  # of a point are as fine as anybody can see
ID = re.compile(r' id="([^"]*)"')
METADATA = ("Creator", "Date", "Format", "Type")


def inline_svg(figure: "Figure", name: str, label: str) -> Markup:
    """name: of letters and digits, no other plot's of the page. label: what a screen reader says."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata=dict.fromkeys(METADATA))
    _, view_box, body = HEAD.split(buffer.getvalue(), maxsplit=1)
    body = _with_own_ids(SUPERFLUOUS.sub("", body), name)
    for colour, meaning in COLOURS.items():
        body = body.replace(colour, meaning)
    body = re.sub(r"\s*\n\s*", "\n", HUNDREDTHS.sub("", body))
    begin = f'<svg class="plot" role="img" aria-label="{escape(label)}" viewBox="{view_box}">'
    return Markup(begin + body.strip())


def _with_own_ids(body: str, name: str) -> str:
    """Ids that something refers to are numbered behind the name, others left out."""
    references = dict.fromkeys(REFERENCE.findall(body))
    own_id = {reference: f"{name}-{number}" for number, reference in enumerate(references)}

    def kept_id(match: re.Match[str]) -> str:
        return f' id="{own_id[match[1]]}"' if match[1] in own_id else ""

    return REFERENCE.sub(lambda match: own_id[match[0]], ID.sub(kept_id, body))
