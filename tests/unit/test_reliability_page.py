"""The page on reliability names tests that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
HERE = "tests/contract/test_earlier_defects.py"


def test_every_proof_that_is_named_exists() -> None:
    page = (ROOT / "docs" / "reliability.md").read_text("utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)?(?:::)?(test_\w+)?`", page)
    proofs = [(file or HERE, test) for file, test in named if file or test]

    assert len(proofs) > 50
    for file, test in proofs:
        assert f"def {test}(" in (ROOT / file).read_text("utf-8") or not test, (file, test)


def test_every_test_of_an_earlier_defect_is_on_the_page() -> None:
    page = (ROOT / "docs" / "reliability.md").read_text("utf-8")
    tests = re.findall(r"def (test_\w+)", (ROOT / HERE).read_text("utf-8"))

    assert [test for test in tests if f"`{test}`" not in page] == []
