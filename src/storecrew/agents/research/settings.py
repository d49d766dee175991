"""What the owner lets product research read; the agent's section of `storecrew.yaml`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from storecrew.domain.errors import InvalidInput


@dataclass(frozen=True, kw_only=True)
class ResearchSettings:
    """Where product research looks, and how sure it has to be."""

    feeds: tuple[str, ...] = ()
    """Addresses of RSS or Atom feeds about what the shop sells; without any, only what the shop's
    own customers search for is looked at."""
    pages: tuple[str, ...] = ()
    """Addresses of product pages of rivals; each that surely sells a product of ours is
    proposed to be watched."""
    recent_days: int = 7
    """Days that are compared with the weeks before; whole weeks cancel weekdays."""
    least_growth: float = 1.5
    """Growth that must be exceeded with a chance of nine in ten before a product is suggested."""
    most: int = 3
    """Suggestions of one run at most, the surest first: an owner reads a few."""
    most_pages: int = 40
    """Pages read in one run at most; a host is asked once in two seconds."""

    def __post_init__(self) -> None:
        """Refuse what could not be meant."""
        for name in ("recent_days", "most_pages"):
            if getattr(self, name) < 1:
                raise InvalidInput(name, "counts from one")
        if not self.least_growth >= 1:
            raise InvalidInput("least_growth", f"{self.least_growth} is no growth")


def settings_from(given: Mapping[str, Any]) -> ResearchSettings:
    """Return the settings of the agent's section, defaults where it says nothing."""
    usual = ResearchSettings()
    return ResearchSettings(
        feeds=_texts("feeds", given.get("feeds", ())),
        pages=_texts("pages", given.get("pages", ())),
        recent_days=_whole("recent_days", given.get("recent_days", usual.recent_days)),
        least_growth=_number("least_growth", given.get("least_growth", usual.least_growth)),
        most=_whole("most", given.get("most", usual.most)),
        most_pages=_whole("most_pages", given.get("most_pages", usual.most_pages)),
    )


def _texts(name: str, given: object) -> tuple[str, ...]:
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise InvalidInput(name, f"{given!r} is no list of addresses")
    return tuple(str(each) for each in given)


def _whole(name: str, given: object) -> int:
    number = _number(name, given)
    if number != int(number):
        raise InvalidInput(name, f"{given!r} is no whole number")
    return int(number)


def _number(name: str, given: object) -> float:
    try:
        return float(str(given))
    except ValueError:
        raise InvalidInput(name, f"{given!r} is not a number") from None
