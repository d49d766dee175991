"""Every row of the contract that is due has a test that bears its name, or a stated reason.

A name proves nothing by itself: each of those tests asserts something, and none is always skipped.
Whether it asserts the row's claim is for a reader to say.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]

ROWS = {f"r{number:03d}" for number in (*range(1, 143), 144, 186, 188)}
"""The control plane's, the order system's and the crew's, and those whose tests the rows name."""

MISSING = {
    "r016": "there is no dashboard whose development server could proxy",
    "r036": "there is no MCP gateway; every path that is not public needs a key already",
}
"""Rows that rest on parts the product does not have yet."""

Test = ast.FunctionDef | ast.AsyncFunctionDef


def rows_and_tests(source: str) -> Iterator[tuple[str, Test]]:
    """Yield each row that a test's name bears, with the test."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, Test) and node.name.startswith("test_"):
            for row in re.findall(r"(?<![a-z0-9])r[01]\d\d(?![0-9])", node.name):
                yield row, node


PROOFS = [
    (row, test, path.relative_to(TESTS))
    for path in sorted(TESTS.rglob("test_*.py"))
    for row, test in rows_and_tests(path.read_text("utf-8"))
]
PROVED = {row for row, _, _ in PROOFS}


def called(node: ast.AST) -> str:
    """Return the dotted name of what a call or a decorator calls, or nothing."""
    return ast.unparse(node.func if isinstance(node, ast.Call) else node)


def asserts_something(test: Test) -> bool:
    """Tell whether the test asserts what may be false, itself or by an `assert_…` of ours."""
    for node in ast.walk(test):
        if isinstance(node, ast.Assert) and not isinstance(node.test, ast.Constant):
            return True
        if isinstance(node, ast.Call):
            name = called(node)
            if name == "pytest.raises" or name.rpartition(".")[2].startswith("assert_"):
                return True
    return False


def is_never_run(test: Test) -> bool:
    """Tell whether the test is skipped, or expected to fail, whatever the circumstances."""
    marks = {called(each) for each in test.decorator_list}
    first = [node.value for node in test.body if isinstance(node, ast.Expr)]
    calls = {called(each) for each in first if isinstance(each, ast.Call)}
    return bool(marks & {"pytest.mark.skip", "pytest.mark.xfail"} or calls & {"pytest.skip"})


def test_every_row_has_a_test_with_its_name_or_a_reason():
    assert ROWS - PROVED - MISSING.keys() == set()


def test_no_reason_stands_for_a_row_that_has_a_test():
    assert MISSING.keys() & PROVED == set()


def test_every_test_of_a_row_asserts_something():
    assert [f"{path}: {test.name}" for _, test, path in PROOFS if not asserts_something(test)] == []


def test_no_test_of_a_row_is_always_skipped():
    assert [f"{path}: {test.name}" for _, test, path in PROOFS if is_never_run(test)] == []


@pytest.mark.parametrize(
    "source",
    [
        "def test_r001(): look()",
        "def test_r001(): assert True",
        "@pytest.mark.skip\ndef test_r001(): assert look()",
        "@pytest.mark.skip(reason='later')\ndef test_r001(): assert look()",
        "@pytest.mark.xfail(strict=True)\nasync def test_r001(): assert look()",
        "def test_r001():\n  pytest.skip('later')\n  assert look()",
    ],
)
def test_a_test_that_cannot_fail_is_no_proof(source):
    [(row, test)] = rows_and_tests(source)
    assert row == "r001"
    assert is_never_run(test) or not asserts_something(test)


@pytest.mark.parametrize(
    "source",
    [
        "def test_r001(): assert look()",
        "async def test_r001():\n  with pytest.raises(ValueError): look()",
        "def test_r001(): assert_json(look())",
        "def test_r001():\n  if no_server: pytest.skip('none here')\n  assert look()",
    ],
)
def test_a_test_that_can_fail_is_a_proof(source):
    [(_, test)] = rows_and_tests(source)
    assert asserts_something(test)
    assert not is_never_run(test)
