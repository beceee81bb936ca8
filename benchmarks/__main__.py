"""Every ratio in one table, each measured side by side in one run with the limit it is compared to.

    python -m benchmarks                    # all parts; written to benchmarks/results.json and docs/speed.md
    python -m benchmarks stage_1 caches     # these parts; the others keep their rows in results.json
"""
import argparse
import json
import os
import platform
import subprocess
import sys
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

from benchmarks.measure import ROOT
from cache.encoders.precision import computes_in_bfloat16

PARTS = ["stage_1", "photographs", "stage_2", "stage_3", "caches", "memory", "start_up", "gpu"]
RESULTS = ROOT / "benchmarks" / "results.json"
PAGE, START, END = ROOT / "docs" / "speed.md", "<!-- make bench writes from here -->\n", "\n<!-- to here -->"
HEADINGS = ("what", "measured", "compared with", "ratio", "bar")


def run_part(part: str) -> tuple[list[dict], bool]:
    """The measurements of a part, run as a program of its own so that neither its memory nor its threads
    disturb the next; and whether it came to its end."""
    print(f"measuring {part}", file=sys.stderr)
    command = [sys.executable, "-m", f"benchmarks.{part}"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    measurements = [{"part": part, **json.loads(line)} for line in done.stdout.splitlines()]
    return measurements, done.returncode == 0


def machine() -> dict[str, str | int | bool]:
    import torch  # after the parts, which had the memory to themselves

    return {
        "cpu": cpu_model(),
        "cores": os.cpu_count() or 1,
        "bf16": computes_in_bfloat16(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else "none",
        "python": platform.python_version(),
        "torch": version("torch"),
    }


def cpu_model() -> str:
    information = Path("/proc/cpuinfo")  # Linux; elsewhere platform knows better
    lines = information.read_text().splitlines() if information.is_file() else []
    for line in lines:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def machine_line(facts: dict) -> str:
    bf16 = "bf16" if facts["bf16"] else "no bf16"
    hardware = f"{facts['cpu']}, {facts['cores']} cores, {bf16}, GPU: {facts['gpu']}"
    return f"{hardware}; Python {facts['python']}, torch {facts['torch']}"


def table(rows: list[dict]) -> str:
    """In Markdown, because it stands in the docs, too."""
    cells = [HEADINGS, *map(row_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    cells.insert(1, tuple("-" * width for width in widths))
    return "\n".join(table_line(row, widths) for row in cells)


def table_line(row: tuple[str, ...], widths: list[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
    return f"| {' | '.join(padded)} |"


def row_cells(row: dict) -> tuple[str, ...]:
    measured = f"{number(row['value'])} {row['unit']}".rstrip()
    compared_with = f"{number(row['limit'])}: {row['compared_with']}"
    return row["what"], measured, compared_with, number(row["ratio"]), row["bar"]


def number(value: float) -> str:
    """Three digits: 1,234 and 48.1 and 0.96 and 0.0012."""
    if value == 0 or abs(value) >= 99.95:
        return f"{value:,.0f}"
    if abs(value) < 0.1:
        return f"{value:.2g}"
    return f"{value:.1f}" if abs(value) >= 9.995 else f"{value:.2f}"


def write_results(facts: dict, rows: list[dict]) -> None:
    """Rows of parts that gave none now stay, with their own date and machine; the page shows them all."""
    earlier = json.loads(RESULTS.read_text())["measurements"] if RESULTS.is_file() else []
    date = datetime.now(timezone.utc).isoformat(timespec="seconds")
    measured = {row["part"] for row in rows}
    kept = [row for row in earlier if row["part"] in PARTS and row["part"] not in measured]
    new = [{**row, "date": date, "machine": machine_line(facts)} for row in rows]
    all_rows = sorted(kept + new, key=lambda row: PARTS.index(row["part"]))
    RESULTS.write_text(json.dumps({"measurements": all_rows}, indent=1) + "\n")
    before, rest = PAGE.read_text().split(START)  # ends here, without the marks: half of the page is not lost
    _, after = rest.split(END)
    PAGE.write_text(before + START + page_part(all_rows) + END + after)


def page_part(rows: list[dict]) -> str:
    """A table for each machine."""
    machines = dict.fromkeys(row["machine"] for row in rows)
    text = ""
    for machine in machines:
        rows_of_machine = [row for row in rows if row["machine"] == machine]
        text += f"\nMeasured on: {machine}.\n\n{table(rows_of_machine)}\n"
    return text


def parts_to_run() -> list[str]:
    parser = argparse.ArgumentParser(
        "python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="*", help=f"one of {', '.join(PARTS)}; without any, all of them")
    wanted = parser.parse_args().part
    unknown = [part for part in wanted if part not in PARTS]
    if unknown:
        parser.error(f"no such part: {', '.join(unknown)} (there are {', '.join(PARTS)})")
    return [part for part in PARTS if part in wanted] if wanted else PARTS


def main() -> int:
    parts, rows, failed = parts_to_run(), [], []
    for part in parts:
        measurements, ended_well = run_part(part)
        rows += measurements
        if not ended_well:
            failed.append(part)
    facts = machine()
    print(machine_line(facts), "", table(rows), sep="\n")
    write_results(facts, [row for row in rows if row["part"] not in failed])
    for part in failed:
        print(f"failed: {part}", file=sys.stderr)
    return int(bool(failed))


if __name__ == "__main__":
    raise SystemExit(main())
