"""Print how many mutants each module had and how many the tests noticed, after `mutmut run`."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from mutmut.stats import status_by_exit_code

MUTANTS = Path("mutants/src/storecrew")


def tallies() -> Iterator[tuple[str, Counter[str]]]:
    """Yield each module that was mutated and the count of its mutants by what became of them."""
    for file in sorted(MUTANTS.rglob("*.py.meta")):
        codes = json.loads(file.read_text("utf-8"))["exit_code_by_key"].values()
        if codes:
            name = str(file.relative_to(MUTANTS)).removesuffix(".py.meta")
            yield name, Counter(status_by_exit_code[code] for code in codes)


def row(name: str, tally: Counter[str]) -> str:
    """Return a line of the table; a mutant that hung was noticed as one that failed was."""
    noticed, mutants = tally["killed"] + tally["timeout"], tally.total()
    survived = mutants - noticed - tally["not checked"]
    return f"| {name} | {mutants} | {noticed} | {survived} | {noticed / mutants:.1%} |"


def main() -> None:
    """Print the table; what was not checked yet counts as not noticed."""
    print("| module | mutants | noticed | survived | score |\n|---|---|---|---|---|")
    total: Counter[str] = Counter()
    for name, tally in tallies():
        total += tally
        print(row(name, tally))
    print(row("**all**", total))


if __name__ == "__main__":
    main()
