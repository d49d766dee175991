"""A plane that keeps its books in lists, and clients of the HTTP door over it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from fake_crew import close_crew, fake_crew
from fake_services import FakeServices

from storecrew.api.application import create_app
from storecrew.app import ReadinessCheck, Settings, load_settings
from storecrew.app.access import Access
from storecrew.app.agent_service import AgentService
from storecrew.app.intent_files import read_phrases
from storecrew.database import DISPOSABLE, Database, connect
from storecrew.domain.actions import Action
from storecrew.domain.control.agents import Budget, Usage
from storecrew.domain.control.approvals import Approval, ApprovalStatus
from storecrew.domain.control.audit import AuditEntry
from storecrew.domain.control.events import EventEnvelope, PublishAck, StoredEvent
from storecrew.domain.control.model_registry import TrainingResult
from storecrew.domain.control.proposals import Decision, Proposal, ProposalRecord, Verdict
from storecrew.domain.control.runs import Run, RunStatus
from storecrew.domain.control.traces import ProposalHistory
from storecrew.domain.control.updates import LiveUpdate
from storecrew.domain.control.usage import BudgetUse, JournalCounts
from storecrew.domain.errors import AlreadyDecided, InvalidInput, NotFound, NotUndoable
from storecrew.domain.events import Event
from storecrew.domain.money import Money
from storecrew.domain.paging import Page
from storecrew.domain.shop.catalog import SetPrice
from storecrew.journal.access import SqlCredentialRepository
from storecrew.journal.idempotency import SqlIdempotencyStore
from storecrew.journal.incidents import SqlIncidentRepository
from storecrew.journal.model_registry import SqlModelRegistry
from storecrew.journal.schema.journal import metadata
from storecrew.learning.service import ModelService
from storecrew.learning.training import TrainingJob
from storecrew.mail.service import MailService
from storecrew.mail.token_signer import TokenSigner
from storecrew.policy import Explanation, Policy, PolicyFacts, explain
from storecrew.sdk import Agent, every
from storecrew.stores.sql.message_queue import SqlMessageQueue
from storecrew.web.reader import LiveWebReader

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
PROPOSAL = "pricing@2026-03-02T12:00:00/0"


@dataclass
class FixedClock:
    at: datetime = NOW

    def now(self) -> datetime:
        return self.at


async def _nothing(_event: Any, _ctx: Any) -> Any:
    for proposal in ():
        yield proposal


CREW = {
    name: Agent(
        name=name,
        purpose=f"Does {name}.",
        propose=_nothing,
        schedule=every(hours=1),
        allowed_actions=frozenset({SetPrice}),
        capabilities=(name,),
    )
    for name in ("pricing", "inventory")
}


def _page(items: Sequence[Any], page: int, per_page: int) -> Page[Any]:
    newest_first = tuple(reversed(items))
    start = (page - 1) * per_page
    return Page(items=newest_first[start : start + per_page], total=len(items))


@dataclass
class FakeJournal:
    run_list: list[Run] = field(default_factory=list[Run])
    stories: list[ProposalHistory] = field(default_factory=list[ProposalHistory])
    questions: dict[str, Approval] = field(default_factory=dict[str, Approval])
    entries: list[AuditEntry] = field(default_factory=list[AuditEntry])
    recorded: list[StoredEvent] = field(default_factory=list[StoredEvent])

    async def run(self, run_id: str) -> Run:
        return _one("run", run_id, [r for r in self.run_list if r.id == run_id])

    async def runs(
        self, *, page: int, per_page: int, agent: str | None = None, status: RunStatus | None = None
    ) -> Page[Run]:
        found = [
            r for r in self.run_list if agent in (None, r.agent) and status in (None, r.status)
        ]
        return _page(found, page, per_page)

    async def proposals(
        self, *, page: int, per_page: int, run: str | None = None
    ) -> Page[ProposalHistory]:
        return _page([s for s in self.stories if run in (None, s.filed.run)], page, per_page)

    async def story(self, proposal_id: str) -> ProposalHistory:
        return _one("proposal", proposal_id, [s for s in self.stories if s.filed.id == proposal_id])

    async def approvals(
        self, *, status: ApprovalStatus | None = ApprovalStatus.WAITING, page: int, per_page: int
    ) -> Page[Approval]:
        found = [a for a in self.questions.values() if status in (None, a.status)]
        return _page(found, page, per_page)

    async def approval(self, proposal_id: str) -> Approval:
        found = self.questions.get(proposal_id)
        return _one("approval", proposal_id, [found] if found else [])

    async def audit(self, *, page: int, per_page: int) -> Page[AuditEntry]:
        return _page(self.entries, page, per_page)

    async def events(self, *, page: int, per_page: int) -> Page[StoredEvent]:
        return _page(self.recorded, page, per_page)

    async def recent_events(
        self, kinds: Sequence[type[Event]], since: datetime, until: datetime
    ) -> list[StoredEvent]:
        wanted = tuple(kinds)
        return [r for r in self.recorded if isinstance(r.event, wanted) and since <= r.at <= until]

    async def newest_update(self) -> int:
        return 0

    async def updates(self, _since: int, **_which: object) -> list[LiveUpdate]:
        return []


def _one(kind: str, key: str, found: list[Any]) -> Any:
    if not found:
        raise NotFound(kind, key)
    return found[0]


async def no_lesson(_task: TrainingJob, _before: bytes) -> TrainingResult:
    """Learn nothing."""
    raise InvalidInput("orders", "none to learn from")


def fake_access(clock: FixedClock) -> Access:
    """A book of keys and people in memory."""
    engine = connect("sqlite://", durability=DISPOSABLE)
    metadata.create_all(engine)
    return Access(SqlCredentialRepository(Database(engine, name="journal", inline=True)), clock)


def fake_mail(settings: Settings, store: Any, clock: Any) -> MailService:
    """Return the mail desk over a store, with a secret that everybody knows."""
    box: Any = SqlMessageQueue(store.database, clock) if hasattr(store, "database") else None
    seals = TokenSigner(b"a secret of tests")
    return MailService(settings=settings.mail, box=box, store=store, clock=clock, seals=seals)


@dataclass
class FakePlane:
    settings: Settings
    store: Any
    clock: FixedClock = field(default_factory=FixedClock)
    journal: FakeJournal = field(default_factory=FakeJournal)
    agents: Mapping[str, Agent] = field(default_factory=lambda: CREW)
    is_paused: bool = False
    approved_as: Action | None = None
    access: Access = field(default_factory=lambda: fake_access(FixedClock()))
    services: FakeServices = field(default_factory=FakeServices)
    check_list: list[ReadinessCheck] = field(
        default_factory=lambda: [ReadinessCheck(name="journal", ok=True)]
    )
    crew: AgentService = field(init=False)
    models: ModelService = field(init=False)
    web: LiveWebReader = field(init=False)
    mail: MailService = field(init=False)

    def __post_init__(self) -> None:
        self.crew = fake_crew(self.agents, self.settings, self.clock, self.journal)
        self.models = ModelService(
            book=SqlModelRegistry(self.crew.book.database),  # type: ignore[attr-defined]
            store=self.store,
            store_url="",
            settings=self.settings.models,
            read_phrases=read_phrases,
            clock=self.clock,
            learn=no_lesson,
        )
        self.web = LiveWebReader(settings=self.settings.web, clock=self.clock, folder=Path("web"))
        self.mail = fake_mail(self.settings, self.store, self.clock)

    async def close(self) -> None:
        """Release its books."""
        await self.models.close()
        await self.access.book.database.close()  # type: ignore[attr-defined]
        await close_crew(self.crew)

    async def publish(self, events: Sequence[EventEnvelope]) -> Sequence[PublishAck]:
        return [self._record(event) for event in events]

    def _record(self, published: EventEnvelope) -> PublishAck:
        for known in self.journal.recorded:
            if (known.source, known.external_id) == (published.source, published.external_id):
                return PublishAck(event_id=known.seq, duplicate=True, wakes=())
        recorded = StoredEvent(
            seq=len(self.journal.recorded) + 1,
            event=published.event,
            source=published.source,
            external_id=published.external_id,
            at=published.at,
        )
        self.journal.recorded.append(recorded)
        return PublishAck(event_id=recorded.seq, duplicate=False, wakes=("pricing",))

    async def request_run(
        self, agent: str, *, by: str, parameters: Mapping[str, Any] | None = None
    ) -> str:
        if agent not in self.agents:
            raise NotFound("agent", agent)
        run = Run(
            id=f"{agent}@{by}~{len(self.journal.run_list)}",
            agent=agent,
            status=RunStatus.DONE,
            attempt=1,
            actor=by,
            created_at=self.clock.now(),
        )
        self.journal.run_list.append(run)
        return run.id

    async def approve(
        self, proposal_id: str, *, by: str, note: str = "", action: Action | None = None
    ) -> str:
        self._decide(proposal_id, ApprovalStatus.APPROVED, by, note)
        self.approved_as = action
        return f"settle:{proposal_id}"

    async def reject(self, proposal_id: str, *, by: str, note: str = "") -> None:
        self._decide(proposal_id, ApprovalStatus.REJECTED, by, note)

    def _decide(self, proposal_id: str, status: ApprovalStatus, by: str, note: str) -> None:
        question = self.journal.questions.get(proposal_id)
        if question is None:
            raise NotFound("approval", proposal_id)
        if question.status is not ApprovalStatus.WAITING:
            raise AlreadyDecided(proposal_id, question.status)
        self.journal.questions[proposal_id] = replace(
            question, status=status, decided_by=by, note=note
        )

    async def undo(self, proposal_id: str, *, by: str) -> str:
        if proposal_id != PROPOSAL:
            raise NotFound("proposal", proposal_id)
        raise NotUndoable(proposal_id, "the parcel has left")

    async def explain(self, proposal_id: str) -> Explanation:
        question = await self.journal.approval(proposal_id)
        facts = PolicyFacts(now=NOW, currency="EUR")
        return explain(Policy(), question.filed.proposal, question.filed.agent, facts)

    async def pause(self, *, by: str) -> None:
        self.is_paused = True

    async def resume(self, *, by: str) -> None:
        self.is_paused = False

    @property
    def incidents(self) -> SqlIncidentRepository:
        return SqlIncidentRepository(self.access.book.database)  # type: ignore[attr-defined]

    @property
    def replies(self) -> SqlIdempotencyStore:
        return SqlIdempotencyStore(self.access.book.database)  # type: ignore[attr-defined]

    async def paused(self) -> bool:
        return self.is_paused

    async def figures(self) -> JournalCounts:
        return JournalCounts(
            events=len(self.journal.recorded),
            audited=len(self.journal.entries),
            runs={"done": len(self.journal.run_list)},
            approvals={"waiting": len(self.journal.questions)},
            outcomes={},
            budgets={"pricing": BudgetUse(budget=Budget(runs=5), used=Usage(runs=2))},
        )

    async def checks(self) -> Sequence[ReadinessCheck]:
        return self.check_list


@dataclass
class Door:
    """A plane, its settings, and clients of the application over it."""

    plane: FakePlane
    clients: list[httpx.AsyncClient] = field(default_factory=list[httpx.AsyncClient])

    def client(
        self, settings: Settings | None = None, *, peer: str = "127.0.0.1", **options: Any
    ) -> httpx.AsyncClient:
        app = create_app(self.plane, settings or self.plane.settings)  # type: ignore[arg-type]
        transport = httpx.ASGITransport(app, client=(peer, 1234))
        client = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000", **options)
        self.clients.append(client)
        return client


def settings_of(**environ: str) -> Settings:
    """Settings with no general limit, unless told otherwise."""
    given = {"STORECREW_API__RATE_LIMIT": "0", **environ}
    return load_settings(environ=given, directory=Path("/nonexistent"))


NO_LIMITS = {
    f"STORECREW_API__ROUTE_LIMITS__{name}": "0"
    for name in ("MAIL", "WAREHOUSE", "APPROVE", "FULFILLED")
}


def a_question() -> Approval:
    action = SetPrice(sku="Product A", price=Money.of("11.00", "EUR"))
    filed = ProposalRecord(
        id=PROPOSAL,
        run=PROPOSAL.partition("/")[0],
        agent="pricing",
        proposal=Proposal(action=action, reason="sells well"),
    )
    return Approval(
        filed=filed,
        question=Decision(verdict=Verdict.ASK, reason="prices ask", rule="autonomy"),
        status=ApprovalStatus.WAITING,
        asked_at=NOW,
        expires_at=NOW,
    )


Place = Callable[..., Any]
"""Places an order and returns the response."""
