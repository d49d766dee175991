"""What a campaign should bring: what the group buys anyway, times by how much a message raises it.

The belief begins modest and every measured campaign of the kind moves it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import stdev

from storecrew.domain.control.proposals import Effect
from storecrew.domain.money import Money
from storecrew.domain.shop.customers import CustomerSpend
from storecrew.domain.shop.promotions import Campaign
from storecrew.models.lift import Lift, NormalBelief, lift, relative

PRIOR = NormalBelief(mean=0.15, sd=0.15)
"""Share by which a message raises what its readers spend while it works, before the shop has
measured any. Sahni, Zou and Chintagunta (2017, "Do targeted discount offers serve as advertising?",
Management Science 63) found 37 % in seventy experiments with mail; less than half of it is taken,
as what is published is what worked, and as much doubt as mean."""
PRIOR_WORDS = "15 % ± 15 % more, less than half of what published experiments found"
_NOTHING = 0.02
"""A measured share up to this is about nothing."""
_TRIALS = 2
"""Campaigns about nothing after which a kind is not proposed any more."""
_LOW, _HIGH = 0.1, 0.9
_SURELY = 0.05
"""Quantile of a belief that must be above what writing costs, for it to be beyond doubt."""


@dataclass(frozen=True, kw_only=True)
class PastCampaigns:
    """Earlier campaigns of one kind and what they brought."""

    lifts: Sequence[tuple[str, Lift]]
    """Name and measured lift, newest first."""

    @property
    def belief(self) -> NormalBelief:
        """What is believed of the next one: the prior, moved by each that could be measured."""
        belief = PRIOR
        for _, each in self.lifts:
            belief = belief.with_seen(*relative(each))
        return belief

    @property
    def loses(self) -> str:
        """Why no other campaign of the kind is proposed; "" where one may be."""
        for name, each in self.lifts:
            if each.loses:
                return f"{name} surely sold less to those who were written to"
        shares = [relative(each)[0] for _, each in self.lifts]
        known = [share for share in shares if share == share]  # a NaN equals nothing
        if len(known) >= _TRIALS and sum(known) / len(known) <= _NOTHING:
            return f"{len(known)} campaigns brought about nothing"
        return ""


@dataclass(frozen=True, kw_only=True)
class UsualCampaign:
    """What a group did in as long a time as a campaign lasts, without one."""

    customers: int
    buyers: int
    value: float
    """Ordered per customer, in the shop's money."""
    spread: float = 0.0
    """Standard deviation of what a customer ordered."""

    def doubt(self, written: int, left: int) -> float:
        """Return the standard error of the lift, as a share, that a campaign of this size measures.

        Infinite where nobody bought, or where nobody is written to or left out.
        """
        if not self.value or not written or not left:
            return math.inf
        return self.spread / self.value * math.sqrt(1 / written + 1 / left)

    @property
    def rate(self) -> float:
        """Share of the group that ordered."""
        return self.buyers / self.customers if self.customers else 0.0


def measured(campaign: Campaign, spent: Mapping[str, CustomerSpend]) -> Lift | None:
    """Return the effect of a campaign; None where its recipients or its holdout are empty."""
    if not campaign.recipients or not campaign.holdout:
        return None
    return lift(
        [amount_of(spent, customer) for customer in campaign.recipients],
        [amount_of(spent, customer) for customer in campaign.holdout],
    )


def usual(group: Sequence[str], spent: Mapping[str, CustomerSpend]) -> UsualCampaign:
    """Return what a group of an earlier moment bought in the days after it."""
    amounts = [amount_of(spent, customer) for customer in group]
    return UsualCampaign(
        customers=len(group),
        buyers=sum(each > 0 for each in amounts),
        value=sum(amounts) / len(amounts) if amounts else 0.0,
        spread=stdev(amounts) if len(amounts) > 1 else 0.0,
    )


def can_show(belief: NormalBelief, doubt: float, tries: int, *, needed: float = 0.0) -> bool:
    """Tell whether so many further campaigns would show beyond doubt that such letters pay.

    Each is measured with this standard error, if it brings what is believed; `needed` is the share
    that writing costs. Without further tries, what is known must show it. Where nobody could ever
    tell whether letters pay, they are work and lost readers for a hope.
    """
    if tries > 0 and doubt == 0:  # all buy alike: one campaign tells
        return belief.mean > needed
    later = belief.with_seen(belief.mean, doubt / math.sqrt(tries)) if tries > 0 else belief
    return later.bound(_SURELY) > needed


def gain(
    recipients: int, usually: UsualCampaign, belief: NormalBelief, *, margin: float, cost: Money
) -> Effect:
    """Return the margin of what is sold more, less the cost of writing, at 80 %."""
    base = recipients * usually.value * margin
    low, mean, high = (base * b for b in (belief.bound(_LOW), belief.mean, belief.bound(_HIGH)))
    return Effect(
        low=_money(low, cost) - cost, expected=_money(mean, cost) - cost,
        high=_money(high, cost) - cost,
    )  # fmt: skip


def amount_of(spent: Mapping[str, CustomerSpend], customer: str) -> float:
    """Return what the customer spent."""
    each = spent.get(customer)
    return float(each.value.amount) if each is not None else 0.0


def _money(amount: float, like: Money) -> Money:
    return Money(Decimal(str(round(amount, 4))), like.currency).rounded()
