"""Proposals, the policy's decisions on them, and the outcomes of applying them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any

from storecrew.domain.actions import Action, ControlAction
from storecrew.domain.money import Money

Scalar = str | int | float | bool | None


Evidence = Scalar | Sequence[Mapping[str, Scalar]]
"""A number an owner can check, or a small table of them."""


REPORTED_BY = "reported_by"
"""The evidence that names the agents and systems whose reports led to a proposal. The pipeline
writes it; what an agent writes there itself is dropped."""


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What a proposal is expected to bring the shop, with an 80 % interval."""

    low: Money
    expected: Money
    high: Money


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """What an agent would like done, why, and the numbers an owner can check."""

    action: Action
    reason: str
    evidence: Mapping[str, Evidence] = field(default_factory=dict[str, Evidence])
    effect: Effect | None = None
    assumptions: tuple[str, ...] = ()
    """What it takes for granted because no record says so, each a noun: `cost`, `stock level`."""


class Verdict(IntEnum):
    """Ordered by strictness: the highest wins."""

    ALLOW = 0
    ASK = 1
    DENY = 2


class Autonomy(IntEnum):
    """How far an agent may go alone with one kind of action."""

    WATCH = 0
    """Nothing is done; the audit shows what would have been."""
    ASK = 1
    """A person decides each one."""
    LIMITS = 2
    """Done at once within the limits; beyond them a person decides."""
    AUTO = 3
    """Done at once; only what the rules forbid is refused."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What the policy, or a person, says of a proposal."""

    verdict: Verdict
    reason: str
    rule: str
    """The rule that decided."""
    by: str = "policy"
    policy_version: str = ""


class Result(StrEnum):
    """What became of an action."""

    APPLIED = "applied"
    REFUSED = "refused"
    """The store said no; nothing changed."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the store did with an action. The same key always has the same outcome."""

    key: str
    result: Result
    code: str = ""
    """For a refusal: `not_found`, `illegal_move`, `short_stock`, `stale`, `unpaid`, `invalid`,
    `below_reserved`, `already_open`, `duplicate_reference` or `unsupported`."""
    message: str = ""
    before: Mapping[str, Any] = field(default_factory=dict[str, Any])
    after: Mapping[str, Any] = field(default_factory=dict[str, Any])
    detail: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What the caller needs to answer: the order's id, the missing units, from and to."""

    @property
    def applied(self) -> bool:
        """Whether the store changed."""
        return self.result is Result.APPLIED


@dataclass(frozen=True, kw_only=True)
class ProposalRecord:
    """A proposal under its id, as the journal keeps it."""

    id: str
    """`<run>/<n>`, which is also the key of its effect."""
    run: str
    agent: str
    proposal: Proposal
    changed_by: str = ""
    """The person who approved it with a change, and whose action it is then."""


@dataclass(frozen=True, kw_only=True)
class JudgedProposal:
    """A proposal and what the policy said of it."""

    filed: ProposalRecord
    decision: Decision
    budget_spend: int = 0
    """What it takes from the day's budget when done, in minor units of the shop's currency."""
    cash_out: int = 0
    """What leaves the shop when done, in the same units: purchases and refunds."""


PURCHASE_POSTPONED = "purchase_postponed"
"""The rule of purchases that are listed in place of being asked about."""


@dataclass(frozen=True, kw_only=True)
class PostponedPurchase:
    """A purchase that an agent proposed and that the day's budget leaves no room to ask about."""

    proposal_id: str
    sku: str
    quantity: int
    warehouse: str
    cost: int
    """In minor units of the shop's currency."""
    effect: Effect | None
    reason: str
    """Why the agent would buy."""
    at: datetime


@dataclass(frozen=True, kw_only=True)
class RevertProposal(ControlAction):
    """Take an applied proposal back: begin the run that does the opposite."""

    proposal_id: str

    @property
    def subject(self) -> str:
        """The proposal."""
        return f"proposal:{self.proposal_id}"
