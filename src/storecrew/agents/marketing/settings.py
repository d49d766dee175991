"""How often, to how many and how cheaply marketing may sell: the agent's section of settings."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from storecrew.domain.errors import InvalidInput


@dataclass(frozen=True, kw_only=True)
class MarketingSettings:
    """The limits of the agent's own proposals; the policy's hold beside them."""

    holdout: float = 0.15
    """Share of a segment that is written nothing, so that what the campaign brings can be
    measured: between a tenth and a fifth."""
    fewest: int = 50
    """Customers of a segment below whom no campaign is worth the trouble, or could be measured."""
    most: int = 2000
    """Customers of one campaign at most; those who spent most come first."""
    messages_per_week: int = 2
    """Marketing messages within seven days after which a customer is left out; as the policy's."""
    rest_days: int = 60
    """Days within which a customer is in one campaign of a kind at most, written to or left out:
    who is thanked every week stops reading."""
    tries: int = 4
    """Campaigns of a kind that must be enough to show beyond doubt whether such letters pay. Where
    so few could not show it, because customers are few or buy unevenly, none is written; more
    tries let a smaller shop write."""
    least_gain: float = 10.0
    """Expected gain, in the shop's money, below which nothing is proposed."""
    window_days: int = 14
    """Days for which the effect of a campaign is counted, and a code holds."""
    discount: float = 10.0
    """Per cent off that a code gives."""
    margin_floor: float = 0.10
    """Smallest margin of a price with a code, as a share of it; as the policy's."""
    overstock_days: float = 90.0
    """Days of cover from which a product counts as overstocked."""
    cost_per_message: float = 0.0
    """What one message costs, in the shop's money."""
    shop: str = ""
    """The shop's name, with which letters are signed."""

    def __post_init__(self) -> None:
        """Refuse what could not be meant, or could not be measured."""
        if not 0.1 <= self.holdout <= 0.2:
            raise InvalidInput("holdout", f"{self.holdout} is not between 0.1 and 0.2")
        if not 0 < self.discount < 100:
            raise InvalidInput("discount", f"{self.discount} is no per cent below 100")
        if not 0 <= self.margin_floor < 1:
            raise InvalidInput("margin_floor", f"{self.margin_floor} is no share below 1")
        for name in ("fewest", "most", "messages_per_week", "rest_days", "tries", "window_days"):
            if getattr(self, name) < 1:
                raise InvalidInput(name, "counts from one")
        for name in ("overstock_days", "cost_per_message", "least_gain"):
            if not getattr(self, name) >= 0:
                raise InvalidInput(name, "must not be negative")


def settings_from(given: Mapping[str, Any]) -> MarketingSettings:
    """Return the settings of the agent's section, defaults where it says nothing."""
    known = {each.name: each.default for each in fields(MarketingSettings)}
    read = {name: _read(name, given[name], usual) for name, usual in known.items() if name in given}
    return MarketingSettings(**read)


def _read(name: str, value: Any, usual: Any) -> Any:
    if isinstance(usual, str):
        return str(value)
    try:
        number = float(str(value))
    except ValueError:
        raise InvalidInput(name, f"{value!r} is not a number") from None
    if isinstance(usual, int):
        if number != int(number):
            raise InvalidInput(name, f"{value!r} is no whole number")
        return int(number)
    return number
