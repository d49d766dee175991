"""The documents: their examples work, and their links lead somewhere."""

import inspect
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "examples").rglob("*.md")),
]
GENERATED = {ROOT / "docs" / "reference" / f"{name}.md" for name in ("cli", "settings", "http-api")}
"""Pages of the site that its build makes (scripts/docs_site.py)."""


async def test_the_agent_in_the_guide_works_as_its_test_says() -> None:
    guide = (ROOT / "docs" / "writing-an-agent.md").read_text("utf-8")
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", guide, re.DOTALL):
        exec(compile(block, "writing-an-agent.md", "exec"), names)  # noqa: S102 - our own example
    tests = [value for name, value in names.items() if name.startswith("test_")]
    assert len(tests) == 1
    assert inspect.iscoroutinefunction(tests[0])
    await tests[0]()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_inside_the_repository_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)", page.read_text("utf-8"))
    targets = [(page.parent / link).resolve() for link in links]
    assert [each for each in targets if not each.exists() and each not in GENERATED] == []


def test_every_folder_has_its_paragraph() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    folders = {p.parent.name for p in (ROOT / "src" / "storecrew").glob("*/__init__.py")}
    assert sorted(name for name in folders if f"\n**{name}** " not in text) == []
