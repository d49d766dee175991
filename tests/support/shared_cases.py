"""Inputs that made trouble in public, beside the checkout; a user's clone does not have them."""

from pathlib import Path

import pytest

_FOLDER = Path(__file__).parents[3] / "shared" / "cases"


def shared_case(name: str) -> Path:
    """Return the path of the case, or skip the test where the cases are absent."""
    path = _FOLDER / name
    if not _FOLDER.is_dir():
        pytest.skip("the shared cases are not beside this checkout")
    assert path.exists(), f"there is no case {name}"
    return path
