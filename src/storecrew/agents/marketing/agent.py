"""Selling by letter, at most once a week: who, what for, and what it brought before."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from storecrew.agents.marketing import campaign_messages, overstock, snapshot
from storecrew.agents.marketing.expected import (
    PRIOR_WORDS,
    PastCampaigns,
    UsualCampaign,
    can_show,
    gain,
    usual,
)
from storecrew.agents.marketing.segments import (
    HISTORY_DAYS,
    Rule,
    Segment,
    lapsed,
    loyal,
    split_holdout,
)
from storecrew.agents.marketing.settings import MarketingSettings
from storecrew.domain.control.events import ClockTicked, RunRequested
from storecrew.domain.control.proposals import Effect, Evidence
from storecrew.domain.money import Money
from storecrew.domain.shop.promotions import (
    Campaign,
    CreateDiscount,
    DiscountCreated,
    StartCampaign,
)
from storecrew.sdk import Context, Proposal, Proposals, agent, cron

_WEEK = timedelta(days=7)
_SHOWN = 3
"""Products that a letter names."""


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """A campaign that could be started."""

    name: str
    segment: Segment
    letter: tuple[str, str]
    effect: Effect
    past: PastCampaigns
    usually: UsualCampaign


@dataclass(frozen=True, kw_only=True)
class _Inputs:
    """Everything that a campaign is decided on."""

    ctx: Context[MarketingSettings]
    settings: MarketingSettings
    campaigns: Sequence[Campaign]
    readers: snapshot.CampaignAudience
    shelf: snapshot.InventorySnapshot


@agent(
    name="marketing_automation",
    on=DiscountCreated,
    schedule=cron("0 10 * * mon"),
    allowed_actions=[StartCampaign, CreateDiscount],
    settings=MarketingSettings,
    capabilities=["marketing"],
    tags=["weekly"],
)
async def marketing_automation(
    event: ClockTicked | RunRequested | DiscountCreated, ctx: Context[MarketingSettings]
) -> Proposals:
    """Propose the one campaign of the week that promises most, to customers who agreed to letters.

    A part of each group is written nothing, so that every campaign is measured; where a few could
    not show whether they pay, none is begun, and a kind that was seen to bring nothing is not
    proposed again. What is overstocked gets a code first, where that
    earns more than waiting, and a letter once the code is there.
    """
    settings = ctx.settings
    campaigns = await ctx.store.campaigns()
    if any(each.started_at > ctx.now - _WEEK for each in campaigns):
        return
    readers = await snapshot.readers(ctx, settings)
    if len(readers.allowed) < settings.min_segment_size:
        return
    inputs = _Inputs(
        ctx=ctx,
        settings=settings,
        campaigns=campaigns,
        readers=readers,
        shelf=await snapshot.shelf(ctx),
    )
    if isinstance(event, DiscountCreated):
        found = await _telling(event, inputs)
    else:
        found = await _best(inputs)
    if found is not None:
        yield found


async def _best(inputs: _Inputs) -> Proposal | None:
    """Return what promises most this week: a letter, or a code for what lies too long."""
    plans = [
        plan
        for plan in (
            await _plan("win-back", lapsed, inputs),
            await _plan("thanks", loyal, inputs),
        )
        if plan is not None
        and plan.effect.expected.amount >= _least(inputs)
        and _can_show_effect(plan, inputs)
    ]
    best = max(plans, key=lambda plan: plan.effect.expected.amount, default=None)
    code = await _code(inputs)
    if best is None or (code is not None and _promise(code) > best.effect.expected.amount):
        return code
    return _campaign(best, inputs)


def _least(inputs: _Inputs) -> Decimal:
    return Decimal(str(inputs.settings.min_gain))


def _can_show_effect(plan: _Plan, inputs: _Inputs) -> bool:
    """Tell whether a few campaigns like this one would show that they pay."""
    written, left = split_holdout(plan.name, plan.segment.customers, inputs.settings.holdout)
    base = len(written) * plan.usually.value * inputs.shelf.margin
    needed = float(_cost(inputs, len(written)).amount) / base if base else 0.0
    doubt = plan.usually.doubt(len(written), len(left))
    tries = inputs.settings.max_trials - len(plan.past.lifts)
    return can_show(plan.past.belief, doubt, tries, needed=needed)


def _promise(proposal: Proposal) -> Decimal:
    return proposal.effect.expected.amount if proposal.effect is not None else Decimal(0)


async def _plan(kind: str, rule: Rule, inputs: _Inputs) -> _Plan | None:
    """Return a letter to a group, None where it is too small, known to bring nothing, or mute."""
    ctx, settings = inputs.ctx, inputs.settings
    past = await snapshot.past(ctx, inputs.campaigns, kind)
    name = snapshot.name_of(kind, ctx.now)
    products = inputs.shelf.best_sellers(_SHOWN)
    if past.loses or not products or any(each.name == name for each in inputs.campaigns):
        return None
    group = _rested(kind, rule(inputs.readers.bought, ctx.now), inputs)
    if len(group) < settings.min_segment_size:
        return None
    write = campaign_messages.win_back if kind == "win-back" else campaign_messages.thanks
    usually = await _usually(rule, ctx, settings)
    return _planned(name, group, write(products, settings.shop_name), (past, usually), inputs)


def _rested(kind: str, customers: Sequence[str], inputs: _Inputs) -> list[str]:
    """Return who may be written to and is in no running campaign, nor lately was in one like it.

    Whoever is in two campaigns at once is measured by neither.
    """
    now, rest = inputs.ctx.now, timedelta(days=inputs.settings.rest_days)
    busy = {
        member
        for each in inputs.campaigns
        if each.ends_at > now
        or (snapshot.kind_of(each.name) == kind and each.started_at > now - rest)
        for member in (*each.recipients, *each.holdout)
    }
    return inputs.readers.best_first([c for c in customers if c not in busy])[
        : inputs.settings.max_recipients
    ]


def _planned(
    name: str,
    group: Sequence[str],
    letter: tuple[str, str],
    known: tuple[PastCampaigns, UsualCampaign],
    inputs: _Inputs,
) -> _Plan:
    """Return the campaign with what it should bring."""
    kind, (past, usually) = snapshot.kind_of(name), known
    written, _ = split_holdout(name, group, inputs.settings.holdout)
    cost = _cost(inputs, len(written))
    margin = inputs.shelf.margin
    return _Plan(
        name=name,
        segment=Segment(kind=kind, words=_WORDS[kind], customers=tuple(group)),
        letter=letter,
        effect=gain(len(written), usually, past.belief, margin=margin, cost=cost),
        past=past,
        usually=usually,
    )


def _cost(inputs: _Inputs, letters_written: int) -> Money:
    each = Money(Decimal(str(inputs.settings.cost_per_message)), inputs.ctx.currency)
    return (each * letters_written).rounded()


_WORDS = {
    "win-back": "ordered twice or more within a year, and are overdue twice over",
    "thanks": "ordered three times or more within a year, and are not overdue",
    "clear": "bought the product, or what goes with it, within half a year",
}


async def _usually(
    rule: Rule, ctx: Context[MarketingSettings], settings: MarketingSettings
) -> UsualCampaign:
    """Return what a comparable group, one window earlier and without a message, did since then."""
    then = ctx.now - timedelta(days=settings.window_days)
    before = await ctx.store.customer_spend(then - timedelta(days=HISTORY_DAYS), then)
    return usual(rule(before, then), await ctx.store.customer_spend(then, ctx.now))


async def _code(inputs: _Inputs) -> Proposal | None:
    """Return the code that promises most, None where one is running or none pays."""
    ctx = inputs.ctx
    past = await snapshot.past(ctx, inputs.campaigns, overstock.KIND)
    running = await ctx.store.discounts(ending_after=ctx.now)
    if past.loses or any(overstock.product_of(each, inputs.shelf) for each in running):
        return None
    clearing = overstock.Clearance(
        shelf=inputs.shelf,
        models=ctx.models,
        buyers=await snapshot.buyers(ctx, inputs.readers.allowed),
        belief=past.belief,
        settings=inputs.settings,
        now=ctx.now,
    )
    found = overstock.slowest(clearing)
    if found is None or not await _code_tells(found[0], past, inputs):
        return None
    return overstock.proposal(*found, clearing)


async def _code_tells(slow: overstock.OverstockItem, past: PastCampaigns, inputs: _Inputs) -> bool:
    """Tell whether a few codes like this one would show that they pay.

    A code is a loss on what is bought anyway, so it is given for more than a hope.
    """
    usually = await _usual_after_notice(slow.product.sku, inputs)
    left = round(len(slow.notified) * inputs.settings.holdout)
    doubt = usually.doubt(len(slow.notified) - left, left)
    return can_show(past.belief, doubt, inputs.settings.max_trials - len(past.lifts))


async def _usual_after_notice(sku: str, inputs: _Inputs) -> UsualCampaign:
    """Return what those who would have been told of a product one window ago bought since."""
    ctx = inputs.ctx
    then = ctx.now - timedelta(days=inputs.settings.window_days)
    before = (await snapshot.buyers(ctx, inputs.readers.allowed, until=then)).notified(
        sku, ctx.models
    )
    return usual(before, await ctx.store.customer_spend(then, ctx.now))


async def _telling(event: DiscountCreated, inputs: _Inputs) -> Proposal | None:
    """Return the letter that tells of a code of ours, now that it exists."""
    ctx, settings = inputs.ctx, inputs.settings
    running = {each.code: each for each in await ctx.store.discounts(ending_after=ctx.now)}
    discount = running.get(event.code)
    product = overstock.product_of(discount, inputs.shelf) if discount is not None else None
    if discount is None or product is None:
        return None
    name = snapshot.name_of(overstock.KIND, ctx.now, product.sku)
    buyers = await snapshot.buyers(ctx, inputs.readers.allowed)
    group = _rested(overstock.KIND, buyers.notified(product.sku, ctx.models), inputs)
    if len(group) < settings.min_segment_size or any(
        each.name == name for each in inputs.campaigns
    ):
        return None
    past = await snapshot.past(ctx, inputs.campaigns, overstock.KIND)
    usually = await _usual_after_notice(product.sku, inputs)
    letter = campaign_messages.clearance(product, discount, settings.shop_name)
    return _campaign(_planned(name, group, letter, (past, usually), inputs), inputs)


def _campaign(plan: _Plan, inputs: _Inputs) -> Proposal:
    settings, now = inputs.settings, inputs.ctx.now
    written, left = split_holdout(plan.name, plan.segment.customers, settings.holdout)
    title, body = plan.letter
    return Proposal(
        action=StartCampaign(
            name=plan.name,
            segment=f"customers who {plan.segment.words}",
            title=title,
            body=body,
            recipients=tuple(written),
            holdout=tuple(left),
            ends_at=now + timedelta(days=settings.window_days),
        ),
        reason=(
            f"{len(plan.segment.customers)} customers {plan.segment.words}; a letter to "
            f"{len(written)} of them should sell {plan.past.belief.mean:.0%} more to them within "
            f"{settings.window_days} days."
        ),
        evidence=_evidence(plan, inputs, len(written), len(left)),
        effect=plan.effect,
        assumptions=() if plan.past.lifts else ("lift",),
    )


def _evidence(plan: _Plan, inputs: _Inputs, written: int, left: int) -> Mapping[str, Evidence]:
    belief, settings = plan.past.belief, inputs.settings
    return {
        "segment": plan.segment.words,
        "recipients": written,
        "holdout": left,
        **{f"left_out_{why}": count for why, count in inputs.readers.left_out.items()},
        "group_looked_at": plan.usually.customers,
        "order_without_a_letter": round(plan.usually.rate, 4),
        "spend_without_a_letter": round(plan.usually.value, 2),
        "measured_to_within": _doubt_of(plan, written, left),
        "margin_of_sales": round(inputs.shelf.margin, 3),
        "expected_lift": round(belief.mean, 3),
        "expected_lift_low": round(belief.bound(0.1), 3),
        "expected_lift_high": round(belief.bound(0.9), 3),
        "lift_rests_on": _rests_on(plan.past),
        "cost_of_writing": str(_cost(inputs, written)),
        "window_days": settings.window_days,
        "earlier_campaigns": [
            {
                "name": name,
                "recipients": each.recipients,
                "holdout": each.holdout,
                "order_rate_lift": round(each.rate_lift.mean, 4),
                "low": round(each.rate_lift.low, 4),
                "high": round(each.rate_lift.high, 4),
                "sold_more": round(each.sold, 2),
            }
            for name, each in plan.past.lifts
        ],
    }


def _doubt_of(plan: _Plan, written: int, left: int) -> float | None:
    """Return the standard error with which the campaign will be measured, as a share."""
    doubt = plan.usually.doubt(written, left)
    return round(doubt, 3) if math.isfinite(doubt) else None


def _rests_on(past: PastCampaigns) -> str:
    if not past.lifts:
        return f"no campaign of the kind was measured yet: {PRIOR_WORDS}"
    return f"{PRIOR_WORDS}, moved by {len(past.lifts)} measured campaigns of the kind"
