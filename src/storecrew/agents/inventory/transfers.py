"""Transfers: one warehouse runs short while another has more than it needs."""

from collections.abc import Iterator, Mapping

from storecrew.agents.inventory import wording
from storecrew.agents.inventory.snapshot import ProductSituation
from storecrew.domain.shop.inventory import TransferStock
from storecrew.models.inventory import Transfer, plan_transfers
from storecrew.sdk import Proposal


def transfers(case: ProductSituation, days: float, why: str) -> Iterator[Proposal]:
    """Propose the moves that let each warehouse last so many days, as far as others have spare.

    Nothing moves before a warehouse is more likely than not to run out within these days; then it
    is filled up to what lasts with the wanted service, and whoever gives keeps as much.
    """
    if len(case.levels) < 2 or days <= 0:
        return
    parts = [case.shares.get(level.warehouse, 0.0) for level in case.levels]
    usual = case.forecast.quantile(0.5, days)
    safe = case.forecast.quantile(case.terms.service, days)
    available = [level.available for level in case.levels]
    short = [part > 0 and have < part * usual for part, have in zip(parts, available, strict=True)]
    keep = [part * safe for part in parts]
    needed = [k if s else 0.0 for k, s in zip(keep, short, strict=True)]
    moves = plan_transfers(available, needed, keep=keep)
    for move in sorted(moves, key=lambda m: (-m.quantity, m.source, m.target)):
        yield _proposal(case, move, days, why)


def _proposal(case: ProductSituation, move: Transfer, days: float, why: str) -> Proposal:
    source, target = case.levels[move.source], case.levels[move.target]
    moved: Mapping[str, int] = {
        source.warehouse: -move.quantity,
        target.warehouse: move.quantity,
    }
    part = case.shares.get(target.warehouse, 0.0)
    return Proposal(
        action=TransferStock(
            sku=case.product.sku,
            source=source.warehouse,
            target=target.warehouse,
            quantity=move.quantity,
        ),
        reason=(
            f"{max(0, target.available)} left in {target.warehouse} last "
            f"{case.cover_in(target):.1f} days, {why} in {days:.1f}; {source.warehouse} has "
            f"{source.available} and can spare {move.quantity}."
        ),
        evidence={
            **wording.demand(case),
            "days_until_new_goods": round(days, 1),
            "needed_p50": round(part * case.forecast.quantile(0.5, days), 1),
            "needed_at_service": round(part * case.forecast.quantile(case.terms.service, days), 1),
            "service": case.terms.service,
            "days_of_cover_p50": wording.days(case.cover_in(target)),
            **wording.warehouses(case, moved=moved),
        },
        assumptions=_assumptions(case),
    )


def _assumptions(case: ProductSituation) -> tuple[str, ...]:
    found = ["cost of moving"]
    if case.assumed_shares:
        found.append("demand by warehouse")
    if "stock" in case.product.assumed:
        found.append("stock level")
    return tuple(found)
