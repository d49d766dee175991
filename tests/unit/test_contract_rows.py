"""Every row of the contract that is due has a test that bears its name, or a stated reason."""

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parents[1]

ROWS = {f"r{number:03d}" for number in [*range(1, 99), *range(118, 143)]}
"""The control plane's and the crew's."""

MISSING = {
    "r016": "there is no dashboard whose development server could proxy",
    "r036": "there is no MCP gateway; every path that is not public needs a key already",
}
"""Rows that rest on parts the product does not have yet."""


def proved() -> set[str]:
    """Return the rows named by a test."""
    found = set()
    for path in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                found |= set(re.findall(r"(?<![a-z0-9])r[01]\d\d(?![0-9])", node.name))
    return found


def test_every_row_has_a_test_with_its_name_or_a_reason():
    assert ROWS - proved() - MISSING.keys() == set()


def test_no_reason_stands_for_a_row_that_has_a_test():
    assert MISSING.keys() & proved() == set()
