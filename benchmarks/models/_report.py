"""How the benchmarks of the models print their tables and, with `--write`, publish them.

A table stands in docs/benchmarks.md between `<!-- NAME -->` and `<!-- /NAME -->`; publishing
replaces what is there, with the date and the command. The first time it is put at the end of the
section "Models".
"""

import argparse
import re
import resource
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean, stdev

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"


def parser(description: str | None) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--write", action="store_true", help="put the tables into docs/benchmarks.md")
    return made


def cpu() -> float:
    """Return the seconds of processor time of this process and of those that it ended."""
    own, ended = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return own.ru_utime + own.ru_stime + ended.ru_utime + ended.ru_stime


def peak_mb() -> float:
    """Return the most memory that this process has used, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def interval(values: Sequence[float], digits: int = 3) -> str:
    """Return mean and half width of the 95 % interval of the mean (normal), as text."""
    if len(values) < 2:
        return f"{values[0]:.{digits}f}"
    half = 1.96 * stdev(values) / len(values) ** 0.5
    return f"{fmean(values):.{digits}f} ± {half:.{digits}f}"


def table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table; floats with three decimals."""

    def shown(cell: object) -> str:
        return f"{cell:.3f}" if isinstance(cell, float) else str(cell)

    lines = [list(headers), ["---"] * len(headers), *([shown(c) for c in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def publish(name: str, body: str, *, command: str, write: bool) -> None:
    """Print the text and, when asked, put it under its name into docs/benchmarks.md."""
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    text = f"<!-- {name} -->\n`{command}`, {today}.\n\n{body.strip()}\n<!-- /{name} -->"
    print(text, flush=True)
    if not write:
        return
    page = PAGE.read_text()
    place = re.compile(rf"<!-- {re.escape(name)} -->.*?<!-- /{re.escape(name)} -->", re.DOTALL)
    if place.search(page):
        PAGE.write_text(place.sub(lambda _: text, page))
        return
    head, mark, rest = page.partition("\n## Models\n")
    section, following, tail = rest.partition("\n## ")
    PAGE.write_text(f"{head}{mark}{section.rstrip()}\n\n{text}\n{following}{tail}")
