"""Names: retired words stay out, and a public class name stands once in the tree."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "storecrew"
MODULES = {path: ast.parse(path.read_text("utf-8")) for path in sorted(SOURCE.rglob("*.py"))}
METAPHORS = frozenset(
    [
        "attendant",
        "deed",
        "deeds",
        "desk",
        "desks",
        "doorway",
        "keeper",
        "mailroom",
        "muster",
        "newsstand",
        "physician",
        "postman",
        "purse",
        "voyage",
        "watchman",
        "wish",
        "wishes",
    ]
)
"""Metaphors for a mechanism; the field has a word for each."""
RIDDLES = frozenset(["door", "doors", "house", "nobody", "rival", "rivals", "somebody", "whoever"])
"""Words that make a reader guess, in the first line of a docstring."""


def words(name: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}


def names_in(tree: ast.Module) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return found


def first_lines(tree: ast.Module) -> list[str]:
    documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    texts = [ast.get_docstring(node) for node in ast.walk(tree) if isinstance(node, documented)]
    return [text.splitlines()[0] for text in texts if text]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_no_retired_word_is_in_a_name_or_the_first_line_of_a_docstring(path: Path) -> None:
    tree = MODULES[path]
    names = {path.stem, *names_in(tree)}
    assert sorted(name for name in names if words(name) & METAPHORS) == []
    banned = METAPHORS | RIDDLES
    assert [line for line in first_lines(tree) if words(line) & banned] == []


def test_a_public_class_name_stands_once_in_the_tree() -> None:
    classes = Counter(
        node.name
        for tree in MODULES.values()
        for node in tree.body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert [name for name, count in classes.items() if count > 1] == []
