"""How much is shown and offered; the agent's section of `storecrew.yaml`."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from storecrew.domain.errors import InvalidInput


@dataclass(frozen=True, kw_only=True)
class PersonalizationSettings:
    """The limits of the agent's own proposals; the policy's hold beside them."""

    shown: int = 8
    """Products in a place at most: what fits a screen."""
    places: int = 50
    """Places changed in one run at most, the busiest first, so that an owner who reads each is not
    flooded."""
    changes: int = 3
    """Products that must be new in a place, or sold out there, before it is changed: fewer are not
    worth a look."""
    bundles: int = 10
    """Bundles offered at once at most."""
    new_bundles: int = 3
    """Bundles proposed in one run at most."""
    bundle_discount: float = 10.0
    """Largest saving of a bundle, in per cent of its parts."""
    least_gain: float = 5.0
    """Expected gain of a bundle in four weeks, in the shop's money, below which it is not worth
    proposing."""
    margin_floor: float = 0.10
    """Smallest margin of a bundle or an offer, as a share of its price; as the policy's."""
    personal_offers: bool = False
    """Whether single customers are given discounts: prices then differ by person, which many find
    unfair, so nobody is until the owner wants it. The policy must allow it too."""
    personal_discount: float = 5.0
    """Per cent off that a personal offer gives."""
    personal_days: int = 7
    """Days that a personal offer holds."""
    personal_most: int = 20
    """Personal offers of one run at most."""

    def __post_init__(self) -> None:
        """Refuse what could not be meant."""
        for name, least in _LEAST.items():
            if getattr(self, name) < least:
                raise InvalidInput(name, f"must be {least} or more")
        for name in ("bundle_discount", "personal_discount"):
            if not 0 < getattr(self, name) < 100:
                raise InvalidInput(name, "is no per cent above 0 and below 100")
        if not 0 <= self.margin_floor < 1:
            raise InvalidInput("margin_floor", f"{self.margin_floor} is no share below 1")
        if self.shown > 50:
            raise InvalidInput("shown", "a place shows at most 50 products")


_LEAST = {
    **dict.fromkeys(("shown", "places", "changes", "personal_days"), 1),
    **dict.fromkeys(("bundles", "new_bundles", "personal_most", "least_gain"), 0),
}


def settings_from(given: Mapping[str, Any]) -> PersonalizationSettings:
    """Return the settings of the agent's section, defaults where it says nothing."""
    known = {each.name: each.default for each in fields(PersonalizationSettings)}
    read = {name: _read(name, given[name], usual) for name, usual in known.items() if name in given}
    return PersonalizationSettings(**read)


def _read(name: str, value: Any, usual: Any) -> Any:
    if isinstance(usual, bool):
        if not isinstance(value, bool):
            raise InvalidInput(name, f"{value!r} is neither true nor false")
        return value
    try:
        number = float(str(value))
    except ValueError:
        raise InvalidInput(name, f"{value!r} is not a number") from None
    if isinstance(usual, int) and number != int(number):
        raise InvalidInput(name, f"{value!r} is no whole number")
    return type(usual)(number)
