"""The policy's limits, each with its unit and the reason for its default."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from decimal import Decimal
from typing import Annotated, Any, Literal

from annotated_types import Ge, Le, Lt
from pydantic import AfterValidator, BeforeValidator

from storecrew.domain.codec import ACTIONS
from storecrew.domain.errors import InvalidInput
from storecrew.domain.suggestions import suggestion
from storecrew.domain.zones import zone_of

_AT_FIRST = (
    "*.PlaceOrder",
    "order_management.CancelOrder",
    "*.HoldOrder",
    "*.EscalateTicket",
    "*.OpenIncident",
    "*.CloseIncident",
    "*.AssignTask",
    "*.RecordCompetitorPrice",
    "*.WithdrawCompetitorPrice",
)
_ALL = "*.*"
_HOST = re.compile(r"(?=.{1,253}$)[^\W_](?:[\w-]{0,62})(?:\.[^\W_][\w-]{0,62})*")


def _zone(name: str) -> str:
    try:
        zone_of(name)
    except InvalidInput as error:
        raise ValueError(error.problem) from None
    return name


def host_name(text: str) -> str:
    """Return the name of a host; a ValueError where it is an address or has a path."""
    if not _HOST.fullmatch(text):
        raise ValueError("must be a host such as shop.example, without https:// and path")
    return text


def _word(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError("must be a word of plain text")
    return text


def _autonomy_line(line: str) -> str:
    """Return `agent.Action`; a ValueError where the shop has no such action."""
    agent, dot, action = line.rpartition(".")
    if not dot or not agent:
        raise ValueError("must look like 'agent.Action', where either may be *")
    if action != "*" and action not in ACTIONS:
        advice = suggestion(action, ACTIONS)
        raise ValueError(f"there is no action {action!r}" + (f"; {advice}" if advice else ""))
    return line


def _over_the_shipped(given: Any) -> Any:
    """Return the owner's lines over those that are shipped; a line for everything replaces all."""
    if not isinstance(given, Mapping) or _ALL in given:
        return given
    return {**dict.fromkeys(_AT_FIRST, "limits"), **given}


Zone = Annotated[str, AfterValidator(_zone)]
"""The IANA name of a time zone."""
HostName = Annotated[str, AfterValidator(host_name)]
Word = Annotated[str, AfterValidator(_word)]
AutonomyWord = Literal["watch", "ask", "limits", "auto"]
_Share = Annotated[Decimal, Ge(0), Le(1)]
_Amount = Annotated[Decimal, Ge(0), Lt(10**12)]
_Count = Annotated[int, Ge(0), Le(10**9)]


@dataclass(frozen=True, kw_only=True)
class PolicySettings:
    """What the rules allow; the `policy` section of `storecrew.yaml`."""

    margin_floor: Annotated[Decimal, Ge(0), Lt(1)] = Decimal("0.10")
    """Smallest margin of a price, as a share of the price: (price − cost) / price. A tenth
    covers payment fees and returns in most shops."""
    price_change_per_day: _Share = Decimal("0.10")
    """Largest move of a price within 24 hours, as a share of the price it had then. Customers
    notice more."""
    purchase_budget_per_day: _Amount = Decimal(1000)
    """Most that all agents together may spend on purchase orders within a day, in the shop's
    currency, before a person is asked."""
    order_value_limit: _Amount = Decimal(500)
    """Orders above this value, in the shop's currency, are approved by a person."""
    refund_limit: _Amount = Decimal(100)
    """Returns and cancellations above this value, in the shop's currency, are decided by a
    person."""
    reserved_share: Annotated[Decimal, Ge(0), Le(1)] = Decimal("0.5")
    """Largest share of a product's units on hand that one customer's unpaid orders may hold before
    a person is asked: who orders everything keeps others from buying."""
    reserved_units: _Count = 20
    """Units of a product that one customer may hold in any case, however few are on hand."""
    quiet_from: time = time(20, 0)
    """From this time of the shop's day no message is sent to customers."""
    quiet_until: time = time(8, 0)
    """From this time of the shop's day messages may be sent again."""
    zone: Zone = "UTC"
    """The shop's time zone (IANA name); its days and quiet hours are counted there."""
    messages_per_week: _Count = 2
    """Most marketing messages to one customer within seven days."""
    discount_limit: _Share = Decimal("0.20")
    """Largest discount, as a share, on a code or a bundle before a person is asked: what shops
    commonly give to win a customer back."""
    discount_days: _Count = 31
    """Most days a discount lasts before a person is asked: a month, or customers wait for it."""
    personal_offers: bool = False
    """Whether discounts for single customers may be created at all. Off, because people who
    compare find prices that differ by person unfair; on, the other limits hold for them too."""
    campaign_recipients: _Count = 1000
    """Most recipients of one campaign before a person is asked: a mistake reaches them all."""
    restarts_per_day: _Count = 3
    """Restarts of one service within 24 hours that the crew may do alone; what fails more often
    needs somebody to look."""
    link_hosts: tuple[HostName, ...] = ()
    """Hosts that messages to customers may link to without asking, such as `shop.example`: those
    of the shop. None lets no link out alone, because nobody said which are the shop's."""
    blocked_words: tuple[Word, ...] = ()
    """Words that no message to customers holds before a person has read it."""
    approval_expires_hours: Annotated[int, Ge(1), Le(87_600)] = 72
    """Hours after which an unanswered question expires; a price or purchase older than three
    days was decided on other facts."""
    rejection_cooldown_days: Annotated[int, Ge(0), Le(3_650)] = 14
    """Days in which an agent does not ask again for the very thing that a person said no to; an
    order or a customer that waits is asked about sooner. 0 asks whenever an agent wishes it."""
    default_autonomy: AutonomyWord = "ask"
    """For an agent and action that `autonomy` does not name: a new agent asks first."""
    autonomy: Annotated[
        Mapping[Annotated[str, AfterValidator(_autonomy_line)], AutonomyWord],
        BeforeValidator(_over_the_shipped),
    ] = field(default_factory=lambda: dict.fromkeys(_AT_FIRST, "limits"))
    """`watch`, `ask`, `limits` or `auto` per `agent.Action`, where either may be `*`; the most
    particular line wins. Lines are added to the shipped ones, which `"*.*"` replaces. At first
    only that is done alone which moves neither goods nor money: mailed orders are entered, which
    reserves stock, and unpaid ones give it back; an odd order or question is put before a person,
    who is told of trouble; work is given to agents; rivals' prices are noted. Everything else asks
    until its owner trusts it."""
