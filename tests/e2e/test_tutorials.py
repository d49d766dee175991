"""The tutorials: each step works, and prints what the page says."""

from pathlib import Path

import pytest
from written_steps import blocks, run_steps

TUTORIALS = Path(__file__).parents[2] / "docs" / "tutorials"


@pytest.mark.parametrize("name", [page.stem for page in sorted(TUTORIALS.glob("*.md"))])
def test_a_tutorial_works_as_it_is_written(name: str, tmp_path: Path):
    text = (TUTORIALS / f"{name}.md").read_text("utf-8")
    steps = [block for block in blocks(text) if not block.startswith("make ")]
    said = run_steps(steps, tmp_path)
    promised = [line for block in blocks(text, "text") for line in block.splitlines()]
    assert promised
    assert [line for line in promised if line not in said] == []
