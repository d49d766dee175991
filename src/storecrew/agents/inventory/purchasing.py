"""Purchases: what runs low, within the day's budget, and what replaces a late delivery."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np

from storecrew.agents.inventory import wording
from storecrew.agents.inventory.snapshot import QUANTILES, ProductSituation
from storecrew.domain.control.proposals import Effect, Evidence
from storecrew.domain.money import Money
from storecrew.domain.shop.purchasing import CreatePurchaseOrder, PurchaseOrder
from storecrew.models.inventory import Buy, allocate
from storecrew.sdk import Proposal

_DELAY = 7.0
"""Days of waiting by which purchases are compared."""


@dataclass(frozen=True, kw_only=True)
class PurchaseBudget:
    """What may be spent on purchases today, where the agent has a budget of its own."""

    budget: Money
    spent: Money

    @property
    def left(self) -> Money:
        """What is left of the day's budget."""
        return max(self.budget - self.spent, self.budget - self.budget)


@dataclass(frozen=True, kw_only=True)
class PurchaseCandidate:
    """A purchase that should be made, and how much of it the money reaches for."""

    case: ProductSituation
    warehouse: str
    needed: int
    quantity: int

    @property
    def wait(self) -> float:
        """Days until another order, placed later, would come."""
        terms = self.case.terms
        return terms.lead_days + max(terms.cycle_days, terms.lead_days)

    @property
    def effect(self) -> Effect | None:
        """What it should bring: the margin of sales that would be lost without it."""
        return _saved(self.case, self.quantity, self.case.short(self.wait))


def purchase_budget(
    money: Decimal | None, bought: Sequence[PurchaseOrder], now: datetime, currency: str
) -> PurchaseBudget | None:
    """Return the day's purchase budget, None where the agent has no budget of money."""
    if money is None:
        return None
    spent = Money.of(0, currency)
    for each in bought:
        today = each.ordered_at.date() == now.date() and each.status != "cancelled"
        if today and each.unit_cost.currency == currency:
            spent = spent + each.unit_cost * each.quantity
    return PurchaseBudget(budget=Money(money, currency), spent=spent)


def purchase_candidates(
    cases: Sequence[ProductSituation], warehouses: Mapping[str, str], handling_cost: Decimal
) -> list[PurchaseCandidate]:
    """Return what is worth buying, that first whose delay would lose most for its cost.

    What brings less than it costs to order, receive and put away is left until it is worth more.
    Where cost or margin is not known nothing can be compared: those come last, what would run out
    first before the others.
    """
    candidates = [
        PurchaseCandidate(
            case=case,
            warehouse=_neediest(case, warehouses[case.product.sku]),
            needed=case.quantity,
            quantity=case.quantity,
        )
        for case in cases
        if case.quantity > 0
    ]
    ranked = [(_rank(each), each) for each in candidates if _is_worth(each, handling_cost)]
    return [each for _, each in sorted(ranked, key=lambda pair: pair[0])]


def _is_worth(each: PurchaseCandidate, handling_cost: Decimal) -> bool:
    effect = each.effect
    return effect is None or effect.expected.amount >= handling_cost


def _rank(each: PurchaseCandidate) -> tuple[float, float, str]:
    """Return what sorts purchases: the loss by waiting a week per money, urgency, the SKU.

    What is missing before a delivery ordered today could come is lost anyway and does not count.
    """
    case, cost, lead = each.case, _cost(each), each.case.terms.lead_days
    loss = 0.0
    if case.margin is not None and cost:
        late = float(np.mean(case.short(lead + _DELAY)) - np.mean(case.short(lead)))
        loss = float(case.margin.amount) * min(late, each.quantity) / float(cost)
    return (-loss, case.cover(0.5) - lead, case.product.sku)


def within(
    purchases: Sequence[PurchaseCandidate], money: PurchaseBudget | None
) -> list[PurchaseCandidate]:
    """Return what the day's money reaches for: most expected margin first, in whole packs."""
    priced = [each for each in purchases if each.case.product.cost is not None]
    if money is None or sum(map(_cost, priced)) <= money.left.amount:
        return list(purchases)
    reached = allocate([_buy(each) for each in priced], float(money.left.amount))
    quantities = {each.case.product.sku: n for each, n in zip(priced, reached, strict=True)}
    found = [
        PurchaseCandidate(
            case=each.case,
            warehouse=each.warehouse,
            needed=each.needed,
            quantity=quantities.get(each.case.product.sku, each.quantity),
        )
        for each in purchases
    ]
    return [each for each in found if each.quantity > 0]


def purchase(each: PurchaseCandidate, money: PurchaseBudget | None) -> Proposal:
    """Return the proposal to buy."""
    case, product = each.case, each.case.product
    cost = product.cost * each.quantity if product.cost else None
    less = f" {each.quantity} of {each.needed} wanted: the day's budget reaches no further."
    effect = each.effect
    return Proposal(
        action=CreatePurchaseOrder(
            sku=product.sku, quantity=each.quantity, warehouse=each.warehouse
        ),
        reason=(
            f"{max(0, case.position)} left, {case.forecast.daily:.2f} sold a day, "
            f"a delivery takes {case.terms.lead_days:g} days. With {case.advice.reorder_point} or "
            f"fewer left it comes too late in {1 - case.terms.service:.0%} of cases or more."
            + (less if each.quantity < each.needed else "")
        ),
        evidence={
            **wording.demand(case),
            "days_of_cover_p50": wording.days(case.cover(0.5)),
            "days_of_cover_p90": wording.days(case.cover(0.9)),
            "lead_time_days": case.terms.lead_days,
            "position": case.position,
            "reorder_point": case.advice.reorder_point,
            "order_up_to": case.advice.order_up_to,
            "pack_size": case.advice.pack_size,
            "cost": str(cost) if cost else None,
            **_waiting(effect, each.wait),
            **_budget(money),
            **wording.warehouses(case, bought={each.warehouse: each.quantity}),
        },
        effect=effect,
        assumptions=case.assumptions(),
    )


def replacement(
    case: ProductSituation, late: PurchaseOrder, due: datetime, now: datetime
) -> Proposal | None:
    """Return the purchase that fills the gap a late delivery leaves, None where none helps.

    It goes to a warehouse without a purchase of the product under way, as one is open per place,
    and only where it arrives before the late one.
    """
    until = (due - now) / timedelta(days=1)
    free = [
        level for level in case.levels if level.warehouse not in {p.warehouse for p in case.open}
    ]
    soon = case.terms.lead_days
    if not free or len(case.open) > 1 or until <= soon or case.short(until)[2] <= 0:
        return None
    missing = case.forecast.quantile(0.9, until) - max(0, case.position)
    pack = case.terms.pack_size
    quantity = -(-int(np.ceil(missing)) // pack) * pack
    place = max(free, key=lambda level: (case.shares.get(level.warehouse, 0.0), level.warehouse))
    lost_anyway = case.short(soon)
    saved = [a - b for a, b in zip(case.short(until), lost_anyway, strict=True)]
    effect = _saved(case, quantity, saved)
    if quantity <= 0 or (effect is not None and effect.expected.amount <= 0):
        return None
    product = case.product
    cost = product.cost * quantity if product.cost else None
    return Proposal(
        action=CreatePurchaseOrder(sku=product.sku, quantity=quantity, warehouse=place.warehouse),
        reason=(
            f"Purchase {late.id} of {late.quantity} comes on {due:%Y-%m-%d} only; {case.position} "
            f"left last {case.cover(0.5):.1f} days, and a new order takes {soon:g} days."
        ),
        evidence={
            **wording.demand(case),
            "late_purchase": late.id,
            "late_due": due.isoformat(),
            "days_until_late_delivery": wording.days(until),
            "days_of_cover_p50": wording.days(case.cover(0.5)),
            "days_of_cover_p90": wording.days(case.cover(0.9)),
            "lead_time_days": soon,
            "position": case.position,
            "missing_p50": round(case.short(until)[2], 1),
            "cost": str(cost) if cost else None,
            **_waiting(effect, until),
            **wording.warehouses(case, bought={place.warehouse: quantity}),
        },
        effect=effect,
        assumptions=(*case.assumptions(), "lead time of a late supplier"),
    )


def _neediest(case: ProductSituation, usual: str) -> str:
    """Return where a delivery belongs: where shipments show demand, the emptiest for its part."""
    if case.assumed_shares or len(case.levels) < 2:
        return usual
    part = {level.warehouse: case.shares.get(level.warehouse, 0.0) for level in case.levels}
    lack = {
        level.warehouse: part[level.warehouse] * case.advice.order_up_to - level.available
        for level in case.levels
    }
    return max(lack, key=lambda place: (lack[place], place))


def _saved(case: ProductSituation, quantity: int, units: Sequence[float]) -> Effect | None:
    """Return the margin of the sales that would be lost without these units."""
    if case.margin is None:
        return None
    return wording.worth(case.margin, [min(each, quantity) for each in units])


def _waiting(effect: Effect | None, wait: float) -> Mapping[str, Evidence]:
    """Return what it costs to wait until another order, placed later, would come."""
    if effect is None:
        return {}
    return {"cost_of_waiting": str(effect.expected), "cost_of_waiting_days": round(wait, 1)}


def _budget(money: PurchaseBudget | None) -> Mapping[str, Evidence]:
    if money is None:
        return {}
    return {"budget": str(money.budget), "budget_left": str(money.left)}


def _cost(each: PurchaseCandidate) -> Decimal:
    cost = each.case.product.cost
    return cost.amount * each.quantity if cost else Decimal(0)


def _buy(each: PurchaseCandidate) -> Buy:
    """Return the purchase as the budget sees it: what its first and its last units should earn."""
    case, product = each.case, each.case.product
    levels = np.array([0.02, 0.05, *QUANTILES, 0.95, 0.98])
    sold = np.array([case.forecast.quantile(q, each.wait) for q in levels])
    reached = max(0, case.position) + np.linspace(0, each.quantity, 5)
    chance = 1 - np.interp(reached, np.maximum.accumulate(sold), levels, left=0.0, right=1.0)
    margin = case.margin
    return Buy(
        quantity=each.quantity,
        pack_size=case.terms.pack_size,
        unit_cost=float(product.cost.amount) if product.cost else 0.0,
        unit_value=float(margin.amount) if margin else 0.0,
        chance=np.minimum.accumulate(chance).tolist(),
    )
