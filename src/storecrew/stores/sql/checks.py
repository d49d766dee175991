"""Validation common to all actions, run before a transaction starts."""

from storecrew.domain.errors import InvalidInput
from storecrew.domain.money import Money
from storecrew.domain.shop.orders import MAX_QUANTITY, check_quantity
from storecrew.stores.sql.handler_result import HandlerResult, invalid
from storecrew.stores.sql.unit_of_work import UnitOfWork

_LARGEST_AMOUNT = 10**15
"""Minor units; sums of millions of such amounts still fit the database's integers."""
_LARGEST_LEVEL = 10**9
_LONGEST_NAME = 200


def bad_quantity(quantity: int) -> HandlerResult | None:
    """Refuse a quantity that no order line may have."""
    try:
        check_quantity(quantity)
    except InvalidInput as error:
        return invalid(error.field, error.problem)
    return None


def bad_level(on_hand: int) -> HandlerResult | None:
    """Refuse a number of units that no shelf holds."""
    if not 0 <= on_hand <= _LARGEST_LEVEL:
        return invalid("on_hand", f"{on_hand} is not between 0 and {_LARGEST_LEVEL}")
    return None


def bad_amount(
    unit: UnitOfWork, field: str, amount: Money, *, least: int = 0
) -> HandlerResult | None:
    """Refuse an amount of another currency, or out of range."""
    if amount.currency != unit.currency:
        return invalid(field, f"{amount.currency} is not the shop's currency {unit.currency}")
    if abs(amount.amount) > _LARGEST_AMOUNT or not least <= amount.minor <= _LARGEST_AMOUNT:
        return invalid(field, f"{amount} is not between {unit.money(least)} and the largest price")
    return None


def bad_name(field: str, name: str) -> HandlerResult | None:
    """Refuse an empty or endless name."""
    if not name.strip() or len(name) > _LONGEST_NAME:
        return invalid(field, f"has 1 to {_LONGEST_NAME} characters, not all of them blank")
    return None


def bad_pack(pack_size: int) -> HandlerResult | None:
    """Refuse a supplier's pack that cannot be bought."""
    if not 1 <= pack_size <= MAX_QUANTITY:
        return invalid("pack_size", f"{pack_size} is not between 1 and {MAX_QUANTITY}")
    return None


LONGEST_TEXT = 2000


def bad_text(field: str, text: str, *, least: int = 1) -> HandlerResult | None:
    """Refuse a text that is too short or too long."""
    if not least <= len(text) <= LONGEST_TEXT:
        return invalid(field, f"has {least} to {LONGEST_TEXT} characters")
    return None
