"""Nothing grows past what a person can read: 500 lines a module, 50 a function."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODULES = [p for d in ("src", "tests", "benchmarks") for p in sorted((ROOT / d).rglob("*.py"))]


def test_no_module_is_longer_than_500_lines() -> None:
    long = {str(p.relative_to(ROOT)): n for p in MODULES if (n := len(lines(p))) > 500}
    assert long == {}


def test_no_function_is_longer_than_50_lines() -> None:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    long = {
        f"{path.relative_to(ROOT)}:{node.name}": length
        for path in MODULES
        if "migrations" not in path.parts  # a migration is one list of tables
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, kinds) and (length := node.end_lineno - node.lineno + 1) > 50
    }
    assert long == {}


def lines(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines()
