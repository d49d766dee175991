"""What a rule says, and the words in which rules say it."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from storecrew.domain.control.proposals import Proposal, Verdict
from storecrew.domain.money import Money
from storecrew.policy.facts import PolicyFacts
from storecrew.policy.settings import PolicySettings


@dataclass(frozen=True, kw_only=True)
class RuleResult:
    """What one rule says of a proposal."""

    verdict: Verdict
    reason: str
    rule: str
    binding: bool = False
    """Whether an ask holds even for an agent with full autonomy: it breaks a limit."""


Rule: TypeAlias = Callable[[Proposal, PolicyFacts, PolicySettings], RuleResult | None]
"""A rule returns its opinion, or None where it has none."""


def within_limit(rule: str, value: Money, limit: Decimal) -> RuleResult:
    """Allow an amount up to a limit; ask about more."""
    text = f"{value} against a limit of {limit} {value.currency}"
    return ask(rule, text) if value.amount > limit else allow(rule, text)


def allow(rule: str, reason: str) -> RuleResult:
    """Allow it."""
    return RuleResult(verdict=Verdict.ALLOW, reason=reason, rule=rule)


def ask(rule: str, reason: str) -> RuleResult:
    """Ask a person, unless the agent has full autonomy."""
    return RuleResult(verdict=Verdict.ASK, reason=reason, rule=rule)


def require_approval(rule: str, reason: str) -> RuleResult:
    """Ask a person, whatever the agent's autonomy: a limit is broken."""
    return RuleResult(verdict=Verdict.ASK, reason=reason, rule=rule, binding=True)


def deny(rule: str, reason: str) -> RuleResult:
    """Forbid it."""
    return RuleResult(verdict=Verdict.DENY, reason=reason, rule=rule)
