"""What a rule says, and the words in which rules say it."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from storecrew.domain.money import Money
from storecrew.domain.proposals import Proposal, Verdict
from storecrew.policy.facts import Facts
from storecrew.policy.settings import PolicySettings


@dataclass(frozen=True, kw_only=True)
class Opinion:
    """What one rule says of a proposal."""

    verdict: Verdict
    reason: str
    rule: str
    binding: bool = False
    """Whether an ask holds even for an agent with full autonomy: it breaks a limit."""


Rule: TypeAlias = Callable[[Proposal, Facts, PolicySettings], Opinion | None]
"""A rule returns its opinion, or None where it has none."""


def up_to(rule: str, value: Money, limit: Decimal) -> Opinion:
    """Allow an amount up to a limit; ask about more."""
    text = f"{value} against a limit of {limit} {value.currency}"
    return ask(rule, text) if value.amount > limit else allow(rule, text)


def allow(rule: str, reason: str) -> Opinion:
    """Allow it."""
    return Opinion(verdict=Verdict.ALLOW, reason=reason, rule=rule)


def ask(rule: str, reason: str) -> Opinion:
    """Ask a person, unless the agent has full autonomy."""
    return Opinion(verdict=Verdict.ASK, reason=reason, rule=rule)


def limit(rule: str, reason: str) -> Opinion:
    """Ask a person, whatever the agent's autonomy: a limit is broken."""
    return Opinion(verdict=Verdict.ASK, reason=reason, rule=rule, binding=True)


def deny(rule: str, reason: str) -> Opinion:
    """Forbid it."""
    return Opinion(verdict=Verdict.DENY, reason=reason, rule=rule)
