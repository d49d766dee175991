"""The rules of the house: pure functions of an action and the facts around it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import time
from decimal import Decimal
from typing import TypeAlias
from zoneinfo import ZoneInfo

from storecrew.domain.actions import (
    AcceptReturn,
    ApproveOrder,
    CancelOrder,
    CapturePayment,
    CompleteDelivery,
    FulfilOrder,
    PlaceOrder,
    Refund,
    Reorder,
    SendMessage,
    SetPrice,
    TransferStock,
)
from storecrew.domain.money import Money
from storecrew.domain.proposals import Proposal, Verdict
from storecrew.policy.facts import Facts, spending
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


def margin_floor(proposal: Proposal, facts: Facts, settings: PolicySettings) -> Opinion | None:
    """Forbid a price that leaves less than the smallest margin, whoever asks for it."""
    if not isinstance(proposal.action, SetPrice):
        return None
    price, product = proposal.action.price, facts.product
    if product is None:
        return _deny("margin_floor", f"there is no product {proposal.action.sku!r}")
    if price.currency != product.price.currency:
        return _deny("margin_floor", f"{price.currency} is not the shop's {product.price.currency}")
    if price.amount <= 0:
        return _deny("margin_floor", f"{price} is not a price")
    if product.cost is None:
        return _ask("margin_floor", "the product's cost is unknown, so its margin is too")
    floor = floor_price(product.cost, settings.margin_floor)
    if price < floor:
        return _deny("margin_floor", f"{price} is below the floor {floor.rounded()}")
    return _allow("margin_floor", f"{price} is at or above the floor {floor.rounded()}")


def floor_price(cost: Money, margin: Decimal) -> Money:
    """Return the lowest price with the margin: cost / (1 − margin)."""
    return Money(cost.amount / (1 - margin), cost.currency)


def price_change(proposal: Proposal, facts: Facts, settings: PolicySettings) -> Opinion | None:
    """Ask about a price that moves further within 24 hours than the limit."""
    if not isinstance(proposal.action, SetPrice) or facts.price_a_day_ago is None:
        return None
    price, before = proposal.action.price, facts.price_a_day_ago
    if before.amount <= 0 or price.currency != before.currency:
        return _ask("price_change", "there is no earlier price to compare with")
    change = price.amount / before.amount - 1
    limit = settings.price_change_per_day
    text = f"{change:+.1%} against {before} a day ago; the limit is {limit:.0%}"
    return _limit("price_change", text) if abs(change) > limit else _allow("price_change", text)


def reorder_budget(proposal: Proposal, facts: Facts, settings: PolicySettings) -> Opinion | None:
    """Ask about a purchase that the day's budget does not cover."""
    if not isinstance(proposal.action, Reorder):
        return None
    if facts.product is None or facts.product.cost is None:
        return _limit("reorder_budget", "the product's cost is unknown, so its price is too")
    if proposal.action.quantity <= 0:
        return _deny("reorder_budget", f"{proposal.action.quantity} is not a quantity to buy")
    cost = spending(proposal.action, facts.product) or Money.of(0, facts.currency)
    spent = facts.spent_today or Money.of(0, facts.currency)
    budget = Money(settings.reorder_budget_per_day, facts.currency)
    if cost.currency != budget.currency:
        return _deny("reorder_budget", f"{cost.currency} is not the shop's {budget.currency}")
    text = f"{cost.rounded()} on top of {spent.rounded()} today; the budget is {budget}"
    within = spent + cost <= budget
    return _allow("reorder_budget", text) if within else _limit("reorder_budget", text)


def order_value(proposal: Proposal, facts: Facts, settings: PolicySettings) -> Opinion | None:
    """Ask a person to approve an order above the limit."""
    if not isinstance(proposal.action, ApproveOrder | CapturePayment):
        return None
    if facts.order is None:
        return _deny("order_value", f"there is no order {proposal.action.order_id}")
    return _up_to("order_value", facts.order.total, settings.order_value_limit)


def refund_value(proposal: Proposal, facts: Facts, settings: PolicySettings) -> Opinion | None:
    """Ask a person about money going back above the limit."""
    if not isinstance(proposal.action, AcceptReturn | CancelOrder | Refund):
        return None
    if facts.order is None:
        return _deny("refund_value", f"there is no order {proposal.action.order_id}")
    return _up_to("refund_value", facts.order.paid, settings.refund_limit)


def order_flow(proposal: Proposal, facts: Facts, settings: PolicySettings) -> Opinion | None:
    """Allow the steps of an order whose conditions the store itself enforces."""
    if isinstance(proposal.action, PlaceOrder | FulfilOrder | CompleteDelivery):
        return _allow("order_flow", "the store checks stock, payment and state")
    return None


def transfer(proposal: Proposal, facts: Facts, settings: PolicySettings) -> Opinion | None:
    """Allow moves between warehouses: only available units move, and they can move back."""
    if isinstance(proposal.action, TransferStock):
        return _allow("transfer", "the store moves available units only")
    return None


def consent(proposal: Proposal, facts: Facts, settings: PolicySettings) -> Opinion | None:
    """Forbid marketing to who did not agree to it, or got enough of it this week."""
    if not isinstance(proposal.action, SendMessage):
        return None
    if facts.customer is None:
        return _deny("consent", f"there is no customer {proposal.action.customer!r}")
    if proposal.action.purpose == "service":
        return _allow("consent", "a message about the customer's own order")
    if proposal.action.purpose != "marketing":
        return _deny("consent", f"{proposal.action.purpose!r} is not service or marketing")
    if not facts.customer.marketing_consent:
        return _deny("consent", "the customer did not agree to marketing")
    if facts.messages_this_week >= settings.messages_per_week:
        return _deny("consent", f"{facts.messages_this_week} messages this week are enough")
    return _allow("consent", "the customer agreed to marketing")


def quiet_hours(proposal: Proposal, facts: Facts, settings: PolicySettings) -> Opinion | None:
    """Forbid messages in the night of the shop's time zone."""
    if not isinstance(proposal.action, SendMessage):
        return None
    local = facts.now.astimezone(ZoneInfo(settings.zone)).time()
    if is_quiet(local, settings.quiet_from, settings.quiet_until):
        return _deny("quiet_hours", f"no messages until {settings.quiet_until:%H:%M}")
    return _allow("quiet_hours", "outside quiet hours")


def is_quiet(local: time, start: time, end: time) -> bool:
    """Tell whether the time lies in the quiet hours, which may span midnight."""
    if start <= end:
        return start <= local < end
    return local >= start or local < end


def assumptions(proposal: Proposal, facts: Facts, settings: PolicySettings) -> Opinion | None:
    """Ask about money moved on numbers that nobody recorded."""
    if proposal.assumptions and isinstance(proposal.action, SetPrice | Reorder):
        named = ", ".join(proposal.assumptions)
        return _ask("assumptions", f"rests on values that nobody recorded: {named}")
    return None


RULES: tuple[Rule, ...] = (
    margin_floor,
    price_change,
    reorder_budget,
    order_value,
    refund_value,
    order_flow,
    transfer,
    consent,
    quiet_hours,
    assumptions,
)


def _up_to(rule: str, value: Money, limit: Decimal) -> Opinion:
    text = f"{value} against a limit of {limit} {value.currency}"
    return _ask(rule, text) if value.amount > limit else _allow(rule, text)


def _allow(rule: str, reason: str) -> Opinion:
    return Opinion(verdict=Verdict.ALLOW, reason=reason, rule=rule)


def _ask(rule: str, reason: str) -> Opinion:
    return Opinion(verdict=Verdict.ASK, reason=reason, rule=rule)


def _limit(rule: str, reason: str) -> Opinion:
    return Opinion(verdict=Verdict.ASK, reason=reason, rule=rule, binding=True)


def _deny(rule: str, reason: str) -> Opinion:
    return Opinion(verdict=Verdict.DENY, reason=reason, rule=rule)
