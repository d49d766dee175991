"""The rules of the house: pure functions of an action and the facts around it."""

from datetime import time
from zoneinfo import ZoneInfo

from storecrew.domain.actions import (
    AcceptReturn,
    AdjustStock,
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
    SetStock,
    TransferStock,
)
from storecrew.domain.money import Money
from storecrew.domain.proposals import Proposal
from storecrew.domain.selling import StartCampaign
from storecrew.policy.care_rules import holds, payment_methods, tickets
from storecrew.policy.content import content
from storecrew.policy.facts import Facts, moving, spending
from storecrew.policy.operations_rules import OPERATIONS
from storecrew.policy.opinions import Opinion, Rule, allow, ask, deny, limit, up_to
from storecrew.policy.selling_rules import (
    bundle,
    campaign,
    discount,
    floor_price,
    personal_offers,
    window,
)
from storecrew.policy.settings import PolicySettings


def margin_floor(proposal: Proposal, facts: Facts, settings: PolicySettings) -> Opinion | None:
    """Forbid a price that leaves less than the smallest margin, whoever asks for it."""
    if not isinstance(proposal.action, SetPrice):
        return None
    price, product = proposal.action.price, facts.product
    if product is None:
        return deny("margin_floor", f"there is no product {proposal.action.sku!r}")
    if price.currency != product.price.currency:
        return deny("margin_floor", f"{price.currency} is not the shop's {product.price.currency}")
    if price.amount <= 0:
        return deny("margin_floor", f"{price} is not a price")
    if product.cost is None:
        return ask("margin_floor", "the product's cost is unknown, so its margin is too")
    floor = floor_price(product.cost, settings.margin_floor)
    if price < floor:
        return deny("margin_floor", f"{price} is below the floor {floor.rounded()}")
    discounted = Money(price.amount * (1 - facts.discounted), price.currency)
    if discounted < floor and price < product.price:
        share = f"{facts.discounted:.0%}"
        return deny("margin_floor", f"with {share} discount it is below {floor.rounded()}")
    return allow("margin_floor", f"{price} is at or above the floor {floor.rounded()}")


def price_change(proposal: Proposal, facts: Facts, settings: PolicySettings) -> Opinion | None:
    """Ask about a price that moves further within 24 hours than the limit."""
    if not isinstance(proposal.action, SetPrice) or facts.price_a_day_ago is None:
        return None
    price, before = proposal.action.price, facts.price_a_day_ago
    if before.amount <= 0 or price.currency != before.currency:
        return ask("price_change", "there is no earlier price to compare with")
    change = price.amount / before.amount - 1
    most = settings.price_change_per_day
    text = f"{change:+.1%} against {before} a day ago; the limit is {most:.0%}"
    return limit("price_change", text) if abs(change) > most else allow("price_change", text)


def reorder_budget(proposal: Proposal, facts: Facts, settings: PolicySettings) -> Opinion | None:
    """Ask about a purchase that the day's budget does not cover."""
    if not isinstance(proposal.action, Reorder):
        return None
    if facts.product is None or facts.product.cost is None:
        return limit("reorder_budget", "the product's cost is unknown, so its price is too")
    if proposal.action.quantity <= 0:
        return deny("reorder_budget", f"{proposal.action.quantity} is not a quantity to buy")
    cost = spending(proposal.action, facts.product) or Money.of(0, facts.currency)
    spent = facts.spent_today or Money.of(0, facts.currency)
    budget = Money(settings.reorder_budget_per_day, facts.currency)
    if cost.currency != budget.currency:
        return deny("reorder_budget", f"{cost.currency} is not the shop's {budget.currency}")
    text = f"{cost.rounded()} on top of {spent.rounded()} today; the budget is {budget}"
    within = spent + cost <= budget
    return allow("reorder_budget", text) if within else limit("reorder_budget", text)


def order_value(proposal: Proposal, facts: Facts, settings: PolicySettings) -> Opinion | None:
    """Ask a person to approve an order above the limit."""
    if not isinstance(proposal.action, ApproveOrder | CapturePayment):
        return None
    if facts.order is None:
        return deny("order_value", f"there is no order {proposal.action.order_id}")
    return up_to("order_value", facts.order.total, settings.order_value_limit)


def refund_value(proposal: Proposal, facts: Facts, settings: PolicySettings) -> Opinion | None:
    """Ask a person about money going back above the limit."""
    if not isinstance(proposal.action, AcceptReturn | CancelOrder | Refund):
        return None
    if facts.order is None:
        return deny("refund_value", f"there is no order {proposal.action.order_id}")
    return up_to("refund_value", facts.order.paid, settings.refund_limit)


def order_flow(proposal: Proposal, facts: Facts, settings: PolicySettings) -> Opinion | None:
    """Allow the steps of an order whose conditions the store itself enforces."""
    if isinstance(proposal.action, PlaceOrder | FulfilOrder | CompleteDelivery):
        return allow("order_flow", "the store checks stock, payment and state")
    return None


def transfer(proposal: Proposal, facts: Facts, settings: PolicySettings) -> Opinion | None:
    """Allow moves between warehouses: only available units move, and they can move back."""
    if isinstance(proposal.action, TransferStock):
        return allow("transfer", "the store moves available units only")
    return None


def counts(proposal: Proposal, facts: Facts, settings: PolicySettings) -> Opinion | None:
    """Ask before the books are set to what somebody counted: a slip of the pen sells air."""
    if isinstance(proposal.action, SetStock | AdjustStock):
        return ask("counts", "it changes what the books say is on the shelf")
    return None


def consent(proposal: Proposal, facts: Facts, settings: PolicySettings) -> Opinion | None:
    """Forbid marketing to who did not agree to it, or got enough of it this week."""
    if not isinstance(proposal.action, SendMessage):
        return None
    if facts.customer is None:
        return deny("consent", f"there is no customer {proposal.action.customer!r}")
    if proposal.action.purpose == "service":
        return allow("consent", "a message about the customer's own order")
    if proposal.action.purpose != "marketing":
        return deny("consent", f"{proposal.action.purpose!r} is not service or marketing")
    if not facts.customer.marketing_consent:
        return deny("consent", "the customer did not agree to marketing")
    if facts.messages_this_week >= settings.messages_per_week:
        return deny("consent", f"{facts.messages_this_week} messages this week are enough")
    return allow("consent", "the customer agreed to marketing")


def quiet_hours(proposal: Proposal, facts: Facts, settings: PolicySettings) -> Opinion | None:
    """Forbid messages in the night of the shop's time zone."""
    if not isinstance(proposal.action, SendMessage | StartCampaign):
        return None
    local = facts.now.astimezone(ZoneInfo(settings.zone)).time()
    if is_quiet(local, settings.quiet_from, settings.quiet_until):
        return deny("quiet_hours", f"no messages until {settings.quiet_until:%H:%M}")
    return allow("quiet_hours", "outside quiet hours")


def is_quiet(local: time, start: time, end: time) -> bool:
    """Tell whether the time lies in the quiet hours, which may span midnight."""
    if start <= end:
        return start <= local < end
    return local >= start or local < end


def assumptions(proposal: Proposal, facts: Facts, settings: PolicySettings) -> Opinion | None:
    """Ask about money moved on numbers that nobody recorded."""
    if proposal.assumptions and isinstance(proposal.action, SetPrice | Reorder):
        named = ", ".join(proposal.assumptions)
        return ask("assumptions", f"rests on values that nobody recorded: {named}")
    return None


def agent_budget(proposal: Proposal, facts: Facts, settings: PolicySettings) -> Opinion | None:
    """Ask about money that the agent's own budget of the day does not cover."""
    moved = moving(proposal.action, facts)
    if facts.money_left is None or moved is None or moved <= facts.money_left:
        return None
    left = facts.money_left.rounded()
    return limit("agent_budget", f"{moved.rounded()} is more than the {left} left of its day")


RULES: tuple[Rule, ...] = (
    margin_floor,
    price_change,
    reorder_budget,
    order_value,
    refund_value,
    order_flow,
    transfer,
    counts,
    consent,
    quiet_hours,
    assumptions,
    agent_budget,
    discount,
    personal_offers,
    bundle,
    campaign,
    window,
    tickets,
    holds,
    payment_methods,
    content,
    *OPERATIONS,
)
