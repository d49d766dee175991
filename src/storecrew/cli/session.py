"""How a command gets at the books: settings, the plane, and a clean end on a signal."""

from __future__ import annotations

import getpass
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from storecrew.cli.startup import uncollected

if TYPE_CHECKING:
    from storecrew.app import Settings
    from storecrew.app.access import Access
    from storecrew.app.bootstrap import ControlPlane
    from storecrew.app.service_manager import ServiceManager
    from storecrew.app.shop_books import ShopBooks
    from storecrew.domain.events import Event

T = TypeVar("T")

TERMINATED = 143
"""Exit code after SIGTERM, as a shell reports it."""


def read_settings(
    data_dir: Path | None = None, config: Path | None = None, **process: Any
) -> Settings:
    """Return the settings with these flags over them."""
    with uncollected():
        from storecrew.app import load_settings  # pydantic costs what `--help` need not pay

    flags = {"orchestrator": {"data_dir": data_dir, **process}}
    return load_settings(flags=flags, config=config)


def read_origins(data_dir: Path | None = None, config: Path | None = None) -> dict[str, str]:
    """Return where each setting that is not a default comes from."""
    from storecrew.app.settings import settings_origins  # costs what `--help` need not pay

    return settings_origins(flags={"orchestrator": {"data_dir": data_dir}}, config=config)


def with_plane(
    data_dir: Path | None,
    work: Callable[[ControlPlane], Awaitable[T]],
    *,
    config: Path | None = None,
    create: bool = False,
) -> T:
    """Return what the work returns, given the plane over this data folder.

    Needs no server, and works beside one. SIGTERM ends it in order, as SIGINT does. Without
    `create` there must be a shop: a command in a wrong folder makes none.
    """
    from storecrew.app.bootstrap import open_plane  # the databases cost what `--help` need not pay
    from storecrew.app.logging_config import warn_on_terminal
    from storecrew.app.shop_folder import require_shop

    settings = read_settings(data_dir, config)
    if not create:
        require_shop(settings)

    async def opened() -> T:
        async with open_plane(settings) as plane:
            return await work(plane)

    with warn_on_terminal(settings):
        return run_to_end(opened)


def with_books(
    data_dir: Path | None,
    work: Callable[[ShopBooks], Awaitable[T]],
    *,
    config: Path | None = None,
    create: bool = False,
) -> T:
    """Return what the work returns, given the shop's books alone: no agent is loaded for it."""
    from storecrew.app.shop_books import open_books  # the database costs what `--help` need not pay
    from storecrew.app.shop_folder import require_shop

    settings = read_settings(data_dir, config)
    if not create:
        require_shop(settings)

    async def opened() -> T:
        async with open_books(settings) as books:
            return await work(books)

    return run_to_end(opened)


def report(event: Event, data_dir: Path | None, *, source: str) -> int:
    """Tell the plane what happened, as the person at the terminal; return the event's number."""
    from uuid import uuid4

    from storecrew.domain.control.events import EventEnvelope

    async def work(plane: ControlPlane) -> int:
        at, key = plane.clock.now(), f"cli/{uuid4().hex}"
        fact = EventEnvelope(source=source, external_id=key, event=event, at=at, actor=person())
        (receipt,) = await plane.publish([fact])
        return receipt.event_id

    return with_plane(data_dir, work)


def with_access(
    data_dir: Path | None,
    work: Callable[[Access], Awaitable[T]],
    *,
    config: Path | None = None,
) -> T:
    """Return what the work returns, given the book of those who may come in."""
    from storecrew.app.bootstrap import open_access  # costs what `--help` need not pay
    from storecrew.app.shop_folder import require_shop

    settings = read_settings(data_dir, config)
    require_shop(settings)

    async def opened() -> T:
        async with open_access(settings) as access:
            return await work(access)

    return run_to_end(opened)


def with_services(
    data_dir: Path | None,
    work: Callable[[ServiceManager], Awaitable[T]],
    *,
    config: Path | None = None,
) -> T:
    """Run the work with the service manager, beside the process that supervises."""
    from storecrew.app.service_manager import (
        open_supervised_services,  # costs what `--help` need not pay
    )
    from storecrew.app.shop_folder import require_shop

    settings = read_settings(data_dir, config)
    require_shop(settings)

    async def opened() -> T:
        async with open_supervised_services(settings) as manager:
            return await work(manager)

    return run_to_end(opened)


def run_to_end(work: Callable[[], Awaitable[T]]) -> T:
    """Run a coroutine; SIGTERM and SIGINT cancel it, so that it cleans up after itself."""
    import asyncio  # not needed for `--help`
    import signal

    async def guarded() -> T:
        task = asyncio.ensure_future(work())
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await task

    try:
        return asyncio.run(guarded())
    except asyncio.CancelledError:
        raise typer.Exit(TERMINATED) from None


def person() -> str:
    """Return who is at the keyboard, as the audit names them."""
    try:
        return f"person:{getpass.getuser()}"
    except (OSError, KeyError):  # a container may have no user names
        return "person:cli"
