"""Why a proposal was decided as it was, and what would have to change for another answer."""

from dataclasses import dataclass

from storecrew.domain.control.proposals import Autonomy, Decision, Proposal, Verdict
from storecrew.policy.facts import PolicyFacts
from storecrew.policy.policy import Policy
from storecrew.policy.rule_result import RuleResult

_REMEDIES = {
    "margin_floor": "a price at or above the floor, a lower cost, or a lower policy.margin_floor",
    "price_change": "a smaller move, or a higher policy.price_change_per_day",
    "purchase_budget": "fewer units, another day, or a higher policy.purchase_budget_per_day",
    "order_value": "a higher policy.order_value_limit",
    "order_expiry": "an order that is approved and not held",
    "reservations": "a higher policy.reserved_share or policy.reserved_units",
    "refund_value": "a higher policy.refund_limit",
    "stock_counts": "a person who looks at the count, or policy.autonomy auto for it",
    "consent": "the customer's consent, or fewer messages this week (policy.messages_per_week)",
    "quiet_hours": "another time of day, or other policy.quiet_from and policy.quiet_until",
    "assumptions": "recording the values that it rests on",
    "agent_budget": "another day, or a higher budget.money of the agent",
    "discount": "a smaller or shorter discount, or other policy.discount_limit and discount_days",
    "personal_offers": "policy.personal_offers: true",
    "bundle": "a price nearer to that of its parts, or a higher policy.discount_limit",
    "campaign": "fewer recipients, all of whom agreed, or a higher policy.campaign_recipients",
    "tickets": "an answer to what the customer wrote last",
    "order_holds": "a person who looks at the order and releases it",
    "payment_methods": "another way to pay that is offered",
    "service_restarts": "another day, or a higher policy.restarts_per_day",
    "agent_pauses": "a person's yes; for the resolver itself: storecrew pause",
    "reverts": "a person's yes, or policy.autonomy auto for it",
    "delegation": "an agent that is on duty, and a moment that is yet to come",
    "content": "another text, or other policy.link_hosts and policy.blocked_words",
    "silence": "a rule that covers this action",
}
"""What another answer would take, per rule that did not allow."""


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """What each rule says of a proposal, how far its agent may go, and what follows."""

    decision: Decision
    opinions: tuple[RuleResult, ...]
    """Of every rule that has one, in the order of the rules."""
    autonomy: Autonomy
    line: str
    """The setting that gives the autonomy."""
    changes: tuple[str, ...]
    """What would have to change for it to be allowed; each of them is needed."""


def explain(policy: Policy, proposal: Proposal, agent: str, facts: PolicyFacts) -> Explanation:
    """Return how the policy comes to its decision on an agent's proposal."""
    found = (rule(proposal, facts, policy.settings) for rule in policy.rules)
    opinions = tuple(opinion for opinion in found if opinion is not None)
    action = type(proposal.action).__name__
    autonomy = policy.autonomy(agent, action)
    decision = policy.judge(proposal, agent, facts)
    changes: tuple[str, ...] = ()
    if decision.verdict is not Verdict.ALLOW:
        changes = (*_by_autonomy(autonomy, agent, action), *_by_rules(autonomy, opinions))
    return Explanation(
        decision=decision,
        opinions=opinions,
        autonomy=autonomy,
        line=_line(policy, agent, action),
        changes=changes,
    )


def _line(policy: Policy, agent: str, action: str) -> str:
    name = policy.autonomy_line(agent, action)
    return f'policy.autonomy "{name}"' if name else "policy.default_autonomy"


def _by_autonomy(autonomy: Autonomy, agent: str, action: str) -> tuple[str, ...]:
    if autonomy >= Autonomy.LIMITS:
        return ()
    return (f'policy.autonomy "{agent}.{action}": limits, in place of {autonomy.name.lower()}',)


def _by_rules(autonomy: Autonomy, opinions: tuple[RuleResult, ...]) -> tuple[str, ...]:
    """Return the remedy for each rule that stands in the way."""
    if not opinions:
        return (_REMEDIES["silence"],)
    against = [o for o in opinions if o.verdict is not Verdict.ALLOW]
    if autonomy is Autonomy.AUTO:
        against = [o for o in against if o.verdict is Verdict.DENY or o.binding]
    return tuple(f"{o.rule}: {_REMEDIES[o.rule]}" for o in against)
