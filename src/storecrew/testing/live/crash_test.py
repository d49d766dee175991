"""Traffic on a server that is killed again and again, and what became of it all."""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from storecrew.testing.live.connection import call
from storecrew.testing.live.load import Acknowledged, Load, Traffic
from storecrew.testing.live.reconciliation import Reconciliation, reconcile
from storecrew.testing.live.server import ServerProcess
from storecrew.testing.live.shop import stock_shop

UNLIMITED = {"STORECREW_API__RATE_LIMIT": "0"}
_TRUSTED = ("PlaceOrder", "ApproveOrder", "FulfilOrder", "CompleteDelivery")
TRUSTING = {
    "STORECREW_POLICY__AUTONOMY": json.dumps({f"*.{action}": "limits" for action in _TRUSTED}),
    "STORECREW_POLICY__QUIET_FROM": "00:00",
    "STORECREW_POLICY__QUIET_UNTIL": "00:00",
}
"""The crew carries orders through alone; it asks about costly ones and about prices. It is never
quiet, as what waits for the morning would look like what is stuck."""
_UNITS = 1_000_000
_LOOK_AGAIN = 0.4


@dataclass(frozen=True, kw_only=True)
class CrashPlan:
    """How often the server is killed, and when."""

    kills: int = 20
    soonest: float = 0.3
    """Seconds from being ready to the next kill, at least and at most."""
    latest: float = 3.0
    starting: float = 0.2
    """Share of the kills that come while the server is still starting."""
    settle_within: float = 180
    """Seconds in which all must have come to rest in the end."""
    quiet_seconds: float = 4.0
    """How long nothing must move to be at rest; agents wait seconds for their batch to fill."""
    seed: int = 1


@dataclass(kw_only=True)
class Survival:
    """What was answered, and what the books say."""

    heard: Acknowledged
    account: Reconciliation
    kills: int
    ready_seconds: list[float]
    up_seconds: float
    """How long the server was ready and alive, in all, while there was traffic."""
    settle_seconds: float
    """From the last answer until nothing moved any more."""
    exit_code: int
    runs: Mapping[str, int] = field(default_factory=dict[str, int])
    """Runs by status."""
    problems: list[Mapping[str, str]] = field(default_factory=list[Mapping[str, str]])
    """What `storecrew verify` names."""

    @property
    def holds(self) -> bool:
        """Whether every promise was kept."""
        kept = self.account.is_clean and not self.heard.wrong and not self.problems
        return kept and self.exit_code == 0


async def run_crash_test(folder: Path, crashes: CrashPlan, load: Load) -> Survival:
    """Trade, kill and restart in this folder, let it come to rest, and hold answers to books."""
    server = ServerProcess(folder, UNLIMITED | TRUSTING)
    server.data.mkdir(parents=True, exist_ok=True)
    await stock_shop(server.data, products=load.products, units=_UNITS)
    server.start()
    traffic = Traffic(server.port, load, crashes.seed)
    try:
        ready = [await server.ready()]
        traffic.start()
        up = await _kill_often(server, crashes, ready)
        began = time.perf_counter()
        await asyncio.sleep(crashes.latest)
        async with asyncio.timeout(crashes.settle_within):
            heard = await traffic.stop()
        up, began = up + time.perf_counter() - began, time.perf_counter()
        runs = await _rest(server, crashes, began + crashes.settle_within)
        settled = time.perf_counter() - began
        stopped, code = datetime.now(UTC), await server.stop()
    finally:
        await traffic.cancel()
        server.kill()
    verified = await asyncio.to_thread(server.run, "verify", "--json")
    return Survival(
        heard=heard,
        account=reconcile(server.data, heard, units=_UNITS, at=stopped),
        kills=crashes.kills,
        ready_seconds=ready,
        up_seconds=up,
        settle_seconds=settled,
        exit_code=code,
        runs=runs,
        problems=_problems(verified.stdout, verified.stderr),
    )


async def _kill_often(server: ServerProcess, crashes: CrashPlan, ready: list[float]) -> float:
    """Kill and restart, note each time until ready, and return the seconds in between."""
    rng = random.Random(crashes.seed)  # noqa: S311 - moments, no secret
    up = 0.0
    for number in range(crashes.kills):
        if number == 0 or rng.random() >= crashes.starting:
            if number:
                ready.append(await server.ready())
            pause = rng.uniform(crashes.soonest, crashes.latest)
            up += pause
        else:
            pause = rng.uniform(0, 2)
        await asyncio.sleep(pause)
        server.kill()
        server.start()
    ready.append(await server.ready())
    return up


async def _rest(server: ServerProcess, crashes: CrashPlan, deadline: float) -> Mapping[str, int]:
    """Wait until nothing moves any more, or the time is over; return the runs by status."""
    looks: list[Counter[str]] = []
    alike = max(2, round(crashes.quiet_seconds / _LOOK_AGAIN))
    while time.perf_counter() < deadline:
        looks.append(await _look(server.port))
        last = looks[-alike:]
        still = len(last) == alike and all(look == last[0] for look in last)
        if still and not (last[0]["running"] or last[0]["retrying"]):
            break
        await asyncio.sleep(_LOOK_AGAIN)
    return {name: n for name, n in looks[-1].items() if name not in ("events", "audit")}


async def _look(port: int) -> Counter[str]:
    found: Counter[str] = Counter()
    for status in ("running", "retrying", "done", "failed", "split"):
        answer = await call(port, "GET", f"/api/runs?per_page=1&status={status}")
        found[status] = answer.json()["total"]
    for rows in ("events", "audit"):
        found[rows] = (await call(port, "GET", f"/api/{rows}?per_page=1")).json()["total"]
    return found


def _problems(said: bytes, complaint: bytes) -> list[Mapping[str, str]]:
    try:
        found: list[Mapping[str, str]] = json.loads(said)["problems"]
    except ValueError:
        return [{"check": "verify", "problem": complaint.decode("utf-8", "replace")[-500:]}]
    return found
