"""The program as a process of its own, how to wait for it, and a shop for it to work on."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import httpx

from storecrew.app import load_settings
from storecrew.app.bootstrap import open_plane

PROGRAM = [sys.executable, "-c", "from storecrew.cli import main; main()"]


def clean_environment() -> dict[str, str]:
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}


def wait_until_ready(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended"
        try:
            if httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError("the server did not become ready")


def make_books() -> None:
    """Make empty books in the working directory, as `storecrew init` does."""

    async def make() -> None:
        async with open_plane(load_settings()):
            pass

    asyncio.run(make())


def stocked(run: Callable[..., Any], product: str, units: str) -> None:
    """Put a product with a price, and so many units of it."""
    run("products", "set", product, "--price", "10.00", "--cost", "4.00")
    run("stock", "set", product, units)
