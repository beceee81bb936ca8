"""How far a long piece of work is, on stderr: a bar where that is a terminal or a notebook, and lines that do not tear it."""
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tqdm import tqdm

PATIENCE = 2.0  # seconds of silence that nobody minds


def progress_bar(total: int | None, unit: str, description: str | None = None, delay: float = 0) -> "tqdm":
    """A bar over `total` steps, None where nobody knows how many. It shows after `delay` seconds: work that is over by then shows none."""
    from tqdm import tqdm

    return tqdm(total=total, unit=f" {unit}", desc=description, delay=delay, disable=None, smoothing=0.1)


def say(line: str) -> None:
    """A line on stderr, above the bar if one is up."""
    from tqdm import tqdm

    tqdm.write(line, file=sys.stderr)
