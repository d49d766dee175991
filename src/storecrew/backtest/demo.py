"""The demo: the crew runs a simulated shop beside a plain owner, same shop, same seed."""

import asyncio
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from storecrew.app.settings import Settings
from storecrew.backtest.experiments import (
    START,
    TrialProgress,
    TrialResult,
    TrialSettings,
    crew_trial,
    plain_trial,
)
from storecrew.backtest.trial import TrialReport
from storecrew.domain.errors import StorecrewError
from storecrew.policy import PolicySettings

MARKER = "demo.txt"
"""Marks a data folder whose shop is made up and may be made anew."""


_PURCHASE_BUDGET = Decimal(3000)
"""What purchases of one day may cost in the demo where the settings leave it at its default: the
shop's sales of two days."""


@dataclass(frozen=True, kw_only=True)
class DemoReport(TrialResult):
    """What the crew and the plain owner made of the same shop."""

    seed: int
    baseline: TrialReport


class NotADemo(StorecrewError):
    """The data folder holds a shop that the demo did not make."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{str(folder)!r} holds a real shop; give the demo another --data-dir")
        self.folder = folder


@dataclass
class ShiftedClock:
    """Goes on from where a simulation ended, at the pace of the machine's clock."""

    start: datetime
    opened: datetime

    @classmethod
    def going_on_from(cls, moment: datetime) -> "ShiftedClock":
        """Return a clock that shows the moment now."""
        return cls(moment, datetime.now(UTC))

    def now(self) -> datetime:
        """Return the present moment of the demo's shop."""
        return self.start + (datetime.now(UTC) - self.opened)


async def run_demo(
    settings: Settings,
    *,
    days: int,
    seed: int,
    progress: TrialProgress = lambda _what, _done, _all: None,
) -> DemoReport:
    """Run both trials, the crew's in the data folder, and return what came of them.

    The plain owner's shop runs in a process of its own, so that both cores are used.
    """
    prepare_folder(settings)
    trial = TrialSettings(days=days, seed=seed, currency=settings.store.currency)
    with ProcessPoolExecutor(1) as pool:
        loop = asyncio.get_running_loop()
        plain = loop.run_in_executor(pool, plain_trial, trial)
        tally = await crew_trial(demo_settings(settings), trial, progress)
        if not plain.done():
            progress("Waiting for the plain owner's shop", days, days)
        return DemoReport(**vars(tally), seed=seed, baseline=await plain)


def end_of(days: int) -> datetime:
    """Return the moment at which a trial of so many days ends."""
    return START + timedelta(days=days)


def demo_settings(settings: Settings) -> Settings:
    """Return the settings with a policy under which the crew acts alone within its limits.

    The owner's services are left alone: they belong to the real shop.
    """
    policy = replace(settings.policy, autonomy={"*.*": "limits", **settings.policy.autonomy})
    if policy.purchase_budget_per_day == PolicySettings().purchase_budget_per_day:
        policy = replace(policy, purchase_budget_per_day=_PURCHASE_BUDGET)
    process = settings.orchestrator.model_copy(
        update={"services_dir": settings.data_dir / "services"}
    )
    return settings.model_copy(update={"policy": policy, "orchestrator": process})


def prepare_folder(settings: Settings) -> None:
    """Empty the data folder of an earlier demo; raise `NotADemo` for any other shop."""
    folder = settings.data_dir
    folder.mkdir(parents=True, exist_ok=True)
    marker = folder / MARKER
    if (folder / "orders.db").exists() and not marker.exists():
        raise NotADemo(folder)
    for file in folder.glob("*.db*"):
        file.unlink()
    marker.write_text("The shop in this folder is made up by `storecrew demo`.\n")
