"""How opinions combine: the strictest wins, silence asks, and autonomy bounds what is done."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from storecrew.domain.control.proposals import (
    PURCHASE_POSTPONED,
    Autonomy,
    Decision,
    Proposal,
    Verdict,
)
from storecrew.policy.facts import PolicyFacts
from storecrew.policy.rule_result import Rule, RuleResult
from storecrew.policy.rules import RULES
from storecrew.policy.rules.purchasing import postponed_purchase
from storecrew.policy.settings import PolicySettings

SILENCE = RuleResult(verdict=Verdict.ASK, reason="no rule covers this action", rule="silence")


@dataclass(frozen=True)
class Policy:
    """The policy under one set of limits. Pure: the same input gives the same decision."""

    settings: PolicySettings = field(default_factory=PolicySettings)
    rules: Sequence[Rule] = RULES

    @cached_property
    def version(self) -> str:
        """Return a short fingerprint of the limits and rules in force."""
        names = ",".join(rule.__name__ for rule in self.rules)
        return hashlib.sha256(f"{self.settings!r}{names}".encode()).hexdigest()[:12]

    def judge(self, proposal: Proposal, agent: str, facts: PolicyFacts) -> Decision:
        """Decide on an agent's proposal."""
        decision = self._judge(proposal, agent, facts)
        if decision.verdict is Verdict.ASK:
            reason = postponed_purchase(proposal, facts, self.settings)
            if reason is not None:
                return self._decision(Verdict.DENY, reason, PURCHASE_POSTPONED)
        return decision

    def _judge(self, proposal: Proposal, agent: str, facts: PolicyFacts) -> Decision:
        opinion = self._strictest(proposal, facts)
        match self.autonomy(agent, type(proposal.action).__name__):
            case Autonomy.WATCH if opinion.verdict is not Verdict.DENY:
                word = "allowed" if opinion.verdict is Verdict.ALLOW else "asked about"
                reason = f"only watching; would have been {word}: {opinion.reason}"
                return self._decision(Verdict.DENY, reason, "watch")
            case Autonomy.ASK if opinion.verdict is Verdict.ALLOW:
                reason = f"{agent} asks before each such action; {opinion.reason}"
                return self._decision(Verdict.ASK, reason, "autonomy")
            case Autonomy.AUTO if opinion.verdict is Verdict.ASK and not opinion.binding:
                reason = f"{agent} may act alone; {opinion.reason}"
                return self._decision(Verdict.ALLOW, reason, "autonomy")
        return self._decision(opinion.verdict, opinion.reason, opinion.rule)

    def confirm(self, proposal: Proposal, person: str, facts: PolicyFacts) -> Decision:
        """Decide on what a person wants: nothing is asked twice, what is forbidden stays so."""
        opinion = self._strictest(proposal, facts)
        if opinion.verdict is Verdict.DENY:
            return self._decision(Verdict.DENY, opinion.reason, opinion.rule)
        reason = f"decided by a person; {opinion.reason}"
        return self._decision(Verdict.ALLOW, reason, opinion.rule, by=person)

    def autonomy(self, agent: str, action: str) -> Autonomy:
        """Return how far the agent may go with the action: the most particular line decides."""
        line = self.autonomy_line(agent, action)
        level = self.settings.autonomy[line] if line else self.settings.default_autonomy
        return Autonomy[level.upper()]

    def autonomy_line(self, agent: str, action: str) -> str | None:
        """Return the line of `autonomy` that decides; None where the default does."""
        names = (f"{agent}.{action}", f"{agent}.*", f"*.{action}", "*.*")
        return next((name for name in names if name in self.settings.autonomy), None)

    def _strictest(self, proposal: Proposal, facts: PolicyFacts) -> RuleResult:
        """Return the strictest opinion; among equals a binding one, then the earliest rule's."""
        opinions = (rule(proposal, facts, self.settings) for rule in self.rules)
        held = [opinion for opinion in opinions if opinion is not None]
        return max(held, key=lambda o: (o.verdict, o.binding), default=SILENCE)

    def _decision(self, verdict: Verdict, reason: str, rule: str, by: str = "policy") -> Decision:
        return Decision(
            verdict=verdict, reason=reason, rule=rule, by=by, policy_version=self.version
        )
