"""A supervisor of the test's own over a folder, and services that behave as they are told to."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from storecrew.app.clocks import SystemClock
from storecrew.app.service_files import ServiceFile
from storecrew.app.service_manager import ServiceManager, open_services
from storecrew.app.settings import Settings, load_settings
from storecrew.database import DISPOSABLE
from storecrew.domain.control.services import ServiceStatus, ServiceView
from storecrew.journal import open_journal
from storecrew.journal.services import SqlServiceRegistry

BEHAVIOUR = Path(__file__).with_name("behaviour.py")
PATIENCE = 20.0


def service(name: str, *behaviour: str, **keys: Any) -> dict[str, Any]:
    """Return the description of a service that behaves like this."""
    words = [sys.executable, str(BEHAVIOUR), *behaviour]
    return {"id": name, "executable": " ".join(words), "stop_timeout": 3, **keys}


@dataclass
class ServiceScenario:
    """A folder with a supervisor over it."""

    folder: Path
    manager: ServiceManager
    seen: list[ServiceView] = field(default_factory=list[ServiceView])

    async def add(self, name: str, *behaviour: str, **keys: Any) -> ServiceView:
        """Register a service and start it."""
        body = service(name, *behaviour, **{"auto_start": True, **keys})
        return await self.manager.register(
            ServiceFile.model_validate(body).spec(), by="person:test"
        )

    async def until(
        self, name: str, holds: Callable[[ServiceView], bool], within: float = PATIENCE
    ) -> ServiceView:
        """Return the service as soon as this holds of it."""
        deadline = asyncio.get_running_loop().time() + within
        while not holds(view := await self.manager.show(name)):
            late = asyncio.get_running_loop().time() > deadline
            assert not late, f"{name} is {view.status.value}, {view.health.value}: {view.detail}"
            await asyncio.sleep(0.01)
        return view

    async def until_is(self, name: str, status: ServiceStatus) -> ServiceView:
        """Return the service as soon as it stands like this."""
        return await self.until(name, lambda view: view.status is status)

    async def says(self, name: str, words: str = "") -> str:
        """Return the first line with these words that it wrote."""
        for _ in range(int(PATIENCE / 0.02)):
            if found := await self.manager.logs(name, lines=10_000, search=words):
                return found[0]
            await asyncio.sleep(0.02)
        raise AssertionError(f"{name} never said {words!r}")


def settings_of(folder: Path, **sections: Any) -> Settings:
    """Return settings under which everything lives in the folder."""
    places = {
        "data_dir": folder / "data",
        "log_dir": folder / "logs",
        "services_dir": folder / "services",
    }
    flags = {"orchestrator": places, **sections}
    return load_settings(flags=flags, environ={}, directory=folder)


@asynccontextmanager
async def scenario_in(folder: Path, **sections: Any) -> AsyncIterator[ServiceScenario]:
    """Supervise in this folder until the block is left; then every service has ended."""
    settings = settings_of(folder, **sections)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    journal = open_journal(f"sqlite:///{settings.data_dir}/registry.db", durability=DISPOSABLE)
    registry = SqlServiceRegistry(journal.database)
    try:
        async with open_services(settings, registry, SystemClock(), supervise=True) as manager:
            scenario = ServiceScenario(folder, manager)

            async def changed(view: ServiceView) -> None:
                scenario.seen.append(view)

            manager.on_change(changed)
            yield scenario
    finally:
        await journal.close()


def is_alive(pid: int) -> bool:
    """Tell whether a process lives and is no zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("ascii")
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


async def until_dead(pid: int) -> None:
    """Wait for the end of a process."""
    for _ in range(int(PATIENCE / 0.01)):
        if not is_alive(pid):
            return
        await asyncio.sleep(0.01)
    os.kill(pid, 9)
    raise AssertionError(f"process {pid} lives on")
