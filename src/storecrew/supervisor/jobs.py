"""Work that a process of its own does once: what it needs comes in on stdin, and it ends."""

import asyncio
import sys
from collections.abc import Mapping
from contextlib import suppress

from storecrew.domain.errors import StorecrewError

_LAST_WORDS = 2_000
"""Characters of what a failed job wrote that are passed on."""


class JobFailed(StorecrewError):
    """A job ended otherwise than well."""

    def __init__(self, name: str, how: str) -> None:
        super().__init__(f"{name} {how}")


async def run_job(
    module: str,
    given: bytes,
    *,
    environment: Mapping[str, str],
    timeout: float,  # noqa: ASYNC109 - the job is ended, not only this wait
) -> bytes:
    """Run a Python module in a process of its own and return what it wrote to stdout.

    `given` is its stdin, `environment` all that it gets of ours. Raises `JobFailed` where it does
    not end with 0 within `timeout` seconds, with its last words. Whoever cancels the wait ends
    the job.
    """
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=dict(environment),
    )
    try:
        async with asyncio.timeout(timeout):
            out, complaint = await child.communicate(given)
    except TimeoutError:
        raise JobFailed(module, f"took longer than {timeout:g} s and was ended") from None
    finally:
        await _end(child)
    if child.returncode != 0:
        message = complaint.decode(errors="replace").strip()[-_LAST_WORDS:]
        raise JobFailed(module, f"ended with {child.returncode}: {message or 'it said nothing'}")
    return out


async def _end(child: asyncio.subprocess.Process) -> None:
    if child.returncode is None:
        with suppress(ProcessLookupError):
            child.kill()
        await asyncio.shield(child.wait())
