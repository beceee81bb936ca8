"""How far a long piece of work is, on stderr: a bar where somebody sees it, and lines that do not tear it."""
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tqdm import tqdm

PATIENCE = 2.0  # seconds of silence that nobody minds
# tqdm's own, but for rates below one a second: its "3.62s/ files" here reads "0.28 files/s".
KNOWN_TOTAL = "{l_bar}{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}, {rate_noinv_fmt}]"
UNKNOWN_TOTAL = "{desc}{n_fmt}{unit} [{elapsed}, {rate_noinv_fmt}]"


def progress_bar(total: int | None, unit: str, description: str | None = None, delay: float = 0) -> "tqdm":
    """A bar over `total` steps, None where nobody knows how many. It shows after `delay` seconds: work that
    is over by then shows none."""
    from tqdm import tqdm

    return tqdm(
        total=total,
        unit=f" {unit}",
        desc=description and f"{description}: ",  # tqdm adds the colon only where the total is known
        delay=delay,
        disable=not is_watched(),
        smoothing=0.1,
        bar_format=UNKNOWN_TOTAL if total is None else KNOWN_TOTAL,
    )


def is_watched() -> bool:
    """Whether a person sees what is written to stderr as it is written: on a terminal, or below a cell of a
    notebook, whose stream claims to be no terminal but moves its cursor like one. Not in a file or a pipe."""
    stream = sys.stderr
    if stream is None:  # a program without a console
        return False
    return stream.isatty() or type(stream).__module__.startswith("ipykernel.")


def say(line: str) -> None:
    """A line on stderr, above the bar if one is up."""
    from tqdm import tqdm

    if sys.stderr:  # tqdm would turn to stdout
        tqdm.write(line, file=sys.stderr)
