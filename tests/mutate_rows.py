# ruff: noqa: T201 - what it prints is its result
"""Mutate the code behind each row of the contract once, and list the mutants that its tests miss.

    python tests/mutate_rows.py [--rows r001,r118] [--seed 7]

For each row the tests that bear its name are run with coverage. Of the lines that they execute, one
is mutated that as few other rows as possible execute: a comparison is turned round, a number moves
by one, `and` becomes `or`, a truth value its opposite. Then the row's tests are run again and must
fail. Works on a copy of the tree; takes about half an hour, so it runs weekly and not in CI.
"""

import argparse
import ast
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = "src/storecrew"
_TURNED: dict[type[ast.cmpop], str] = {
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.Lt: ">=",
    ast.LtE: ">",
    ast.Gt: "<=",
    ast.GtE: "<",
    ast.Is: "is not",
    ast.IsNot: "is",
    ast.In: "not in",
    ast.NotIn: "in",
}
Lines = dict[str, set[int]]
"""The executed lines of each file."""


@dataclass(frozen=True)
class Mutant:
    """One change of one line."""

    file: str
    line: int
    before: str
    after: str


def row_tests(rows: set[str]) -> dict[str, list[str]]:
    """Return the files and names of the tests of each row."""
    sys.path.insert(0, str(ROOT / "tests" / "unit"))
    from test_contract_rows import PROOFS

    found: dict[str, list[str]] = {}
    for row, test, path in PROOFS:
        if not rows or row in rows:
            found.setdefault(row, []).append(f"tests/{path}::{test.name}")
    return found


def run(tree: Path, tests: list[str], *options: str) -> int:
    """Run the tests of a row, each named function with all its parameters; return the exit code."""
    files = sorted({test.partition("::")[0] for test in tests})
    names = " or ".join(sorted({test.rpartition("::")[2] for test in tests}))
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
    command += ["-p", "no:randomly", "-k", f"({names}) and not postgres", *options, *files]
    env = {**os.environ, "PYTHONPATH": str(tree / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(command, cwd=tree, env=env, capture_output=True, timeout=300)
    except subprocess.TimeoutExpired:
        return 1  # a mutant that hangs was noticed
    return done.returncode


def executed(tree: Path, tests: list[str]) -> Lines | None:
    """Return the lines that the tests execute, None where they do not pass as they are."""
    report = tree / "coverage.json"
    report.unlink(missing_ok=True)
    options = (f"--cov={tree / SOURCE}", f"--cov-report=json:{report}")
    if run(tree, tests, *options) != 0 or not report.exists():
        return None
    files = json.loads(report.read_text("utf-8"))["files"]
    return {
        str(Path(name).relative_to(tree) if Path(name).is_absolute() else name): set(
            seen["executed_lines"]
        )
        for name, seen in files.items()
        if seen["executed_lines"]
    }


def mutants(file: str, source: str, lines: set[int]) -> Iterator[Mutant]:
    """Yield the mutants of these lines; code that runs when a module is imported is left alone."""
    rows = source.splitlines()
    tree = ast.parse(source)
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    inside = {n for f in functions for s in f.body for n in ast.walk(s)}
    for node in inside:
        line = getattr(node, "lineno", 0)
        if line not in lines or getattr(node, "end_lineno", line) != line:
            continue
        text = ast.get_source_segment(source, node)
        if text and (after := _mutated(node, text)) and rows[line - 1].count(text) == 1:
            yield Mutant(file, line, rows[line - 1], rows[line - 1].replace(text, after))


def _mutated(node: ast.AST, text: str) -> str | None:
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        left, right = ast.unparse(node.left), ast.unparse(node.comparators[0])
        return f"({left} {_TURNED[type(node.ops[0])]} {right})"
    if isinstance(node, ast.BoolOp):
        old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        return text.replace(f" {old} ", f" {new} ", 1)
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        return str(not node.value)
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return str(node.value + 1)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return f"({ast.unparse(node.operand)})"
    return None


def choose(tree: Path, own: Lines, shared: Counter[tuple[str, int]]) -> Mutant | None:
    """Return a mutant of a line that few other rows execute, None where nothing can be mutated."""
    found = [
        each
        for file, lines in sorted(own.items())
        for each in mutants(file, (tree / file).read_text("utf-8"), lines)
    ]
    random.shuffle(found)
    return min(found, key=lambda m: shared[m.file, m.line], default=None)


def survives(tree: Path, mutant: Mutant, tests: list[str]) -> bool:
    """Tell whether the tests pass with the mutant in place."""
    path = tree / mutant.file
    source = path.read_text("utf-8")
    rows = source.splitlines(keepends=True)
    rows[mutant.line - 1] = rows[mutant.line - 1].replace(mutant.before, mutant.after)
    path.write_text("".join(rows), "utf-8")
    try:
        return run(tree, tests) == 0
    finally:
        path.write_text(source, "utf-8")


def main() -> int:
    """Mutate each row once; print the survivors; exit 1 where there are any."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", default="", help="rows such as r001,r118; all by default")
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    random.seed(given.seed)
    tests = row_tests(set(filter(None, given.rows.split(","))))
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "storecrew"
        ignored = shutil.ignore_patterns(".git", ".venv", "*cache*", "data", "demo", "mutants")
        shutil.copytree(ROOT, tree, ignore=ignored)
        lines = {row: executed(tree, some) for row, some in sorted(tests.items())}
        shared = Counter(
            (file, line)
            for own in lines.values()
            for file, seen in (own or {}).items()
            for line in seen
        )
        missed = 0
        for row, own in lines.items():
            mutant = choose(tree, own, shared) if own else None
            if mutant is None:
                print(f"{row}: not mutated: {'nothing to mutate' if own else 'no test passed'}")
                continue
            lives = survives(tree, mutant, tests[row])
            missed += lives
            word = "SURVIVES" if lives else "noticed"
            print(f"{row}: {word}: {mutant.file}:{mutant.line}: {mutant.after.strip()}", flush=True)
    print(f"{missed} of {len(tests)} mutants survive")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
