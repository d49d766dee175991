"""Whether a shop is ready for production: eleven things to look at, each with its fix."""

import asyncio
import ssl
import subprocess
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from time import perf_counter
from typing import Any

from storecrew.app.bootstrap import assemble, open_access
from storecrew.app.clocks import SystemClock
from storecrew.app.crew import CREW
from storecrew.app.settings import Settings
from storecrew.app.shop_books import open_books
from storecrew.database import DISPOSABLE
from storecrew.database.private_files import open_to_others
from storecrew.domain.control.proposals import Proposal
from storecrew.domain.control.runs import RunStatus
from storecrew.domain.errors import StorecrewError
from storecrew.domain.shop.orders import OrderQuery
from storecrew.journal import open_journal
from storecrew.orchestrator.inline import InlineEngine
from storecrew.orchestrator.loop_settings import LoopSettings
from storecrew.orchestrator.orchestrator import Orchestrator
from storecrew.orchestrator.registry import Registry
from storecrew.sdk import Agent, Context, Proposals
from storecrew.stores.sql import open_store

KEY_LENGTH = 32
"""Characters of a key that nobody guesses."""
LOAD = 100
"""Agents that a shop of some size runs."""
LOAD_SECONDS = 30.0
"""Longest that a run of each of them may take together."""
LONGEST_INTERVAL = 60.0
"""Seconds between sweeps above which overdue work waits longer than a person would."""
_PATIENCE = 5.0
_SCHEDULES = (
    Path("/etc/crontab"),
    Path("/etc/cron.d"),
    Path("/etc/systemd/system"),
    Path.home() / ".config/systemd/user",
)
"""Where a machine keeps what runs from time to time."""
_CHECKED_BY = "storecrew health"
_NOTHING: tuple[Proposal, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DoctorFinding:
    """One thing that was looked at."""

    name: str
    ok: bool
    detail: str
    """What was found."""
    fix: str
    """What to do where it is not well."""


@dataclass(frozen=True, kw_only=True)
class HttpAnswers:
    """What the running server said."""

    probes: dict[str, int]
    """Status by path, 0 where nobody answered."""
    strangers: dict[str, int]
    """What a caller without a key, or with a wrong one, got on protected paths."""


class Profile(StrEnum):
    """What kind of machine the shop runs on."""

    LAPTOP = "laptop"
    """For oneself: loopback alone, and nobody watches it at night."""
    SERVER = "server"
    """For others, day and night."""

    @classmethod
    def of(cls, settings: Settings) -> "Profile":
        """Return what the settings look like: a key or another address makes a server."""
        alone = settings.orchestrator.is_loopback and settings.api_key is None
        return cls.LAPTOP if alone else cls.SERVER


_SERVER_ONLY = frozenset({"api_key", "alerts", "heartbeat_checks", "sentry", "protected_endpoints"})
"""What only matters where others call and nobody sits beside it."""


async def examine(
    settings: Settings,
    schedules: tuple[Path, ...] = _SCHEDULES,
    profile: Profile = Profile.SERVER,
) -> list[DoctorFinding]:
    """Look at what the checklist of the profile names, in its order."""
    findings = await _all_findings(settings, schedules)
    skipped = _SERVER_ONLY if profile is Profile.LAPTOP else frozenset()
    return [finding for finding in findings if finding.name not in skipped]


async def _all_findings(settings: Settings, schedules: tuple[Path, ...]) -> list[DoctorFinding]:
    answers = await ask(settings)
    return [
        await _key(settings),
        _enabled(settings),
        await _scope(settings),
        _interval(settings),
        _probes(answers),
        _alerts(settings),
        await asyncio.to_thread(_heartbeats, schedules),
        _sentry(settings),
        _protected(answers),
        await _load(settings),
        await _limits(settings),
        _private(settings),
    ]


async def _key(settings: Settings) -> DoctorFinding:
    async with open_access(settings) as access:
        stored = len((await access.admitted()).keys)
    key = settings.api_key or ""
    detail = f"the key of the settings has {len(key)} characters" if key else "no key in settings"
    return DoctorFinding(
        name="api_key",
        ok=len(key) >= KEY_LENGTH or (not key and stored > 0),
        detail=f"{detail}, {stored} keys in the journal",
        fix=f"set API_KEY_ROYALGPT to {KEY_LENGTH} random characters, or `storecrew keys add`",
    )


def _private(settings: Settings) -> DoctorFinding:
    folder = settings.data_dir
    found = [path.name for path in open_to_others(folder)] if folder.is_dir() else []
    shown = ", ".join(found[:3]) + (", …" if len(found) > 3 else "")
    return DoctorFinding(
        name="private_files",
        ok=not found,
        detail=f"other users may read {shown}" if found else "only their owner may read the data",
        fix=f"chmod -R go-rwx {folder}, as the owner of its files",
    )


def _enabled(settings: Settings) -> DoctorFinding:
    return DoctorFinding(
        name="orchestration",
        ok=settings.orchestrator.enabled,
        detail="schedules and events start runs"
        if settings.orchestrator.enabled
        else "only a person starts runs",
        fix="set ENABLE_ROYALGPT_ORCHESTRATION=true",
    )


async def _scope(settings: Settings) -> DoctorFinding:
    scope = settings.api.authorized_agents
    known = {agent.name for agent in CREW if settings.runs(agent.name)}
    unknown = sorted(set(scope) - known - {"*"})
    if unknown:
        detail = f"no agent of the crew is called {', '.join(unknown)}"
    else:
        detail = f"callers may trigger {', '.join(scope) or 'no agent'}"
    return DoctorFinding(
        name="agents_scope",
        ok=bool(scope) and not unknown,
        detail=detail,
        fix="set AUTHORIZED_AGENTS_SCOPE to names of agents, or to *",
    )


def _interval(settings: Settings) -> DoctorFinding:
    process = settings.orchestrator
    return DoctorFinding(
        name="interval",
        ok=process.interval_seconds <= LONGEST_INTERVAL,
        detail=f"a sweep at least every {process.interval_seconds:g} s, "
        f"{process.max_concurrent} runs at once",
        fix=f"set ORCHESTRATOR_INTERVAL_SECONDS to {LONGEST_INTERVAL:g} or less",
    )


def _probes(answers: HttpAnswers) -> DoctorFinding:
    statuses = ", ".join(
        f"{path} {status or 'no answer'}" for path, status in answers.probes.items()
    )
    return DoctorFinding(
        name="health_endpoints",
        ok=all(status == 200 for status in answers.probes.values()),
        detail=statuses,
        fix="start `storecrew up`, see what /readyz names, and let your monitoring ask /healthz "
        "and /readyz",
    )


def _alerts(settings: Settings) -> DoctorFinding:
    count = len(settings.alerts.urls)
    return DoctorFinding(
        name="alerts",
        ok=count > 0,
        detail=f"{count} addresses in alerts.urls",
        fix="name in alerts.urls whom to tell: mailto://, slack://, pagerduty:// and others",
    )


def _heartbeats(schedules: tuple[Path, ...]) -> DoctorFinding:
    found = [str(path) for place in schedules for path in _files(place) if _mentions(path)]
    if _CHECKED_BY in _crontab():
        found.append("crontab")
    return DoctorFinding(
        name="heartbeat_checks",
        ok=bool(found),
        detail=f"by {', '.join(found)}" if found else f"nothing runs `{_CHECKED_BY}`",
        fix="run `storecrew health --alert` every five minutes by cron or a systemd timer",
    )


def _files(place: Path) -> list[Path]:
    if place.is_dir():
        return sorted(path for path in place.iterdir() if path.is_file())
    return [place] if place.is_file() else []


def _mentions(path: Path) -> bool:
    try:
        return _CHECKED_BY in path.read_text("utf-8", errors="replace")
    except OSError:
        return False


def _crontab() -> str:
    try:
        finished = subprocess.run(
            ["crontab", "-l"],  # noqa: S607 - wherever the system keeps it
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return finished.stdout


def _sentry(settings: Settings) -> DoctorFinding:
    is_set = settings.orchestrator.sentry_dsn is not None
    return DoctorFinding(
        name="sentry",
        ok=is_set,
        detail="unhandled errors are sent" if is_set else "unhandled errors are in the log alone",
        fix="set SENTRY_DSN",
    )


def _protected(answers: HttpAnswers) -> DoctorFinding:
    refused = all(status == 401 for status in answers.strangers.values())
    listed = ", ".join(
        f"{what} {status or 'no answer'}" for what, status in answers.strangers.items()
    )
    return DoctorFinding(
        name="protected_endpoints",
        ok=refused,
        detail=listed,
        fix="set a key (API_KEY_ROYALGPT), start `storecrew up`, and ask again",
    )


async def _limits(settings: Settings) -> DoctorFinding:
    """Compare the limit of an order with what orders are worth."""
    async with open_books(settings) as books:
        newest = (await books.store.orders(OrderQuery(per_page=_ORDERS))).items
    limit, currency = settings.policy.order_value_limit, settings.store.currency
    totals = sorted(order.total.amount for order in newest)
    if len(totals) < _FEWEST_ORDERS:
        detail = f"{limit} {currency}; too few orders to compare with"
        return _limit_finding(detail, ok=True)
    usual = totals[len(totals) // 2]
    detail = f"{limit} {currency}; half of the newest orders are worth {usual} {currency} or less"
    return _limit_finding(detail, ok=usual <= limit <= max(usual, Decimal(1)) * _TIMES_USUAL)


_ORDERS, _FEWEST_ORDERS, _TIMES_USUAL = 200, 20, 200
"""Newest orders looked at, how few say nothing, and how far above them a limit asks never."""


def _limit_finding(detail: str, *, ok: bool) -> DoctorFinding:
    return DoctorFinding(
        name="limits",
        ok=ok,
        detail=f"policy.order_value_limit is {detail}",
        fix="set policy.order_value_limit, and the other limits, to what your orders are worth",
    )


async def _load(settings: Settings) -> DoctorFinding:
    began = perf_counter()
    try:
        done = await run_many(settings, LOAD)
    except StorecrewError as error:
        return _loaded(str(error), ok=False)
    seconds = perf_counter() - began
    detail = f"{done} of {LOAD} agents ran in {seconds:.1f} s on a shop in memory"
    return _loaded(detail, ok=done == LOAD and seconds <= LOAD_SECONDS)


def _loaded(detail: str, *, ok: bool) -> DoctorFinding:
    return DoctorFinding(
        name="load",
        ok=ok,
        detail=detail,
        fix="give the machine more processor time, or run fewer agents on it",
    )


async def run_many(settings: Settings, count: int) -> int:
    """Run so many agents once each over databases in memory; return how many ended well."""
    clock = SystemClock()
    store = await open_store(
        "sqlite://",
        clock=clock,
        currency=settings.store.currency,
        durability=DISPOSABLE,
        inline=True,
    )
    journal = open_journal("sqlite://", durability=DISPOSABLE, inline=True)
    try:
        agents = [Agent(name=f"load_{n:03}", purpose="Look.", propose=_look) for n in range(count)]
        pipeline = replace(assemble(settings, store, journal, clock), registry=Registry(agents))
        loop = Orchestrator(pipeline, InlineEngine(), LoopSettings(wait_for_batches=False))
        await loop.start(alone=True)
        for agent in agents:
            await loop.request_run(agent.name, key=agent.name, by="system", parameters={})
        while (await loop.sweep()).progress:
            pass
        await loop.stop()
        return (await pipeline.journal.runs(page=1, per_page=1, status=RunStatus.DONE)).total
    finally:
        await store.close()
        await journal.close()


async def _look(_event: Any, ctx: Context) -> Proposals:
    await ctx.store.order_counts()
    for proposal in _NOTHING:
        yield proposal


async def ask(settings: Settings) -> HttpAnswers:
    """Ask the running server what it says to probes, and to strangers."""
    import httpx  # only who asks pays for it

    process = settings.orchestrator
    host = "127.0.0.1" if process.host in ("0.0.0.0", "::") else process.host  # noqa: S104 - compared
    scheme = "https" if process.tls_cert else "http"
    base = f"{scheme}://{f'[{host}]' if ':' in host else host}:{process.port}"
    wrong = {"authorization": "Bearer wrong"}
    async with httpx.AsyncClient(
        base_url=base, verify=_trust(settings), timeout=_PATIENCE, trust_env=False
    ) as client:

        async def status(path: str, headers: dict[str, str] | None = None) -> int:
            try:
                return (await client.get(path, headers=headers)).status_code
            except httpx.TransportError:
                return 0

        return HttpAnswers(
            probes={path: await status(path) for path in ("/healthz", "/readyz", "/health")},
            strangers={
                "/api/orders without a key": await status("/api/orders"),
                "/api/keys without a key": await status("/api/keys"),
                "/api/orders with a wrong key": await status("/api/orders", wrong),
            },
        )


def _trust(settings: Settings) -> ssl.SSLContext | bool:
    """Trust the server's own certificate, whatever name it was made for."""
    if settings.orchestrator.tls_cert is None:
        return True
    context = ssl.create_default_context(cafile=str(settings.orchestrator.tls_cert))
    context.check_hostname = False
    return context
