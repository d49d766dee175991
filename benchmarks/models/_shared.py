"""Where the public data lie: the folder `shared` beside the checkout, or STORECREW_SHARED."""

import os
from pathlib import Path


def shared(name: str) -> Path | None:
    """Return the file, or None where it is not there."""
    beside = Path(__file__).resolve().parents[3] / "shared"
    path = Path(os.environ.get("STORECREW_SHARED", beside)) / "data" / name
    return path if path.exists() else None
