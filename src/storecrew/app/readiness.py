"""What is looked at to say whether the plane is ready."""

import shutil
from collections.abc import Awaitable, Mapping
from pathlib import Path

from storecrew.app.control_plane import ReadinessCheck
from storecrew.domain.errors import StorecrewError

_ROOM = 20_000_000
"""Bytes free under which a disk counts as full: what a database needs to finish what it began."""


async def database_check(name: str, write: Awaitable[object]) -> ReadinessCheck:
    """Tell whether a database takes writes."""
    try:
        await write
    except StorecrewError as error:
        return ReadinessCheck(name=name, ok=False, detail=str(error))
    return ReadinessCheck(name=name, ok=True)


def disk_check(folder: Path) -> ReadinessCheck:
    """Tell whether there is room for the data."""
    place = next(each for each in (folder.resolve(), *folder.resolve().parents) if each.exists())
    try:
        free = shutil.disk_usage(place).free
    except OSError as error:
        return ReadinessCheck(name="disk", ok=False, detail=str(error.strerror))
    detail = f"{free // 1_000_000} MB free for the data"
    return ReadinessCheck(name="disk", ok=free >= _ROOM, detail=detail)


def background_check(failing: Mapping[str, str]) -> ReadinessCheck:
    """Tell whether all work in the background runs."""
    detail = "; ".join(f"{name}: {problem}" for name, problem in sorted(failing.items()))
    return ReadinessCheck(name="background", ok=not failing, detail=detail)
