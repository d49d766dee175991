"""Each rule by itself: on which side of its limit it says what, in which words, and how firmly."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from storecrew.domain.actions import Action
from storecrew.domain.control.agents import AssignTask, PauseAgent, ResumeAgent
from storecrew.domain.control.incidents import CloseIncident, OpenIncident
from storecrew.domain.control.proposals import Proposal, RevertProposal, Verdict
from storecrew.domain.control.services import RestartService
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import (
    Product,
    RecordCompetitorPrice,
    SetCost,
    SetPrice,
    SuggestProduct,
    TrackCompetitorPage,
    UpsertProduct,
)
from storecrew.domain.shop.customers import Customer
from storecrew.domain.shop.inventory import AdjustStock, SetStock, TransferStock
from storecrew.domain.shop.messages import SendMessage
from storecrew.domain.shop.orders import (
    ApproveOrder,
    CancelOrder,
    CompleteDelivery,
    FulfilOrder,
    HoldOrder,
    Order,
    OrderLine,
    OrderStatus,
    PlaceOrder,
    ReleaseOrder,
)
from storecrew.domain.shop.payments import CapturePayment, Refund, SetPaymentMethod
from storecrew.domain.shop.promotions import (
    CreateDiscount,
    EndDiscount,
    OfferBundle,
    SetRecommendations,
    StartCampaign,
    WithdrawBundle,
)
from storecrew.domain.shop.purchasing import CreatePurchaseOrder
from storecrew.domain.shop.returns import AcceptReturn
from storecrew.domain.shop.support import EscalateTicket, ReplyToTicket, Ticket, TicketStatus
from storecrew.policy import (
    Audience,
    PlaneFacts,
    PolicyFacts,
    PolicySettings,
    ReservedUnits,
    budget_spend,
    cash_out,
)
from storecrew.policy.rule_result import Rule, RuleResult
from storecrew.policy.rules import RULES

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
BY_NAME: dict[str, Rule] = {rule.__name__: rule for rule in RULES}
SETTINGS = PolicySettings(
    campaign_recipients=2, restarts_per_day=2, messages_per_week=3, personal_offers=True
)


def euro(amount: str | int) -> Money:
    return Money.of(str(amount), "EUR")


def dollar(amount: str | int) -> Money:
    return Money.of(str(amount), "USD")


def product(sku: str = "mug", price: Money | None = None, cost: str | None = "45") -> Product:
    known = None if cost is None else euro(cost)
    return Product(sku=sku, name=sku, price=price or euro(100), cost=known)


MUG = product()
PAIR = {sku: product(sku, euro(100), "45") for sku in ("a", "b")}


FREE = OrderLine(sku="mug", quantity=1, unit_price=euro(0))


def order(total: str = "500", paid: str = "100", lines: tuple[OrderLine, ...] = ()) -> Order:
    return Order(
        id=7,
        status=OrderStatus.RECEIVED,
        lines=lines,
        total=euro(total),
        paid=euro(paid),
        placed_at=NOON,
        updated_at=NOON,
    )


def waiting(**more: Any) -> Order:
    return replace(order(paid="0"), status=OrderStatus.AWAITING_PAYMENT, **more)


def held(units: int, on_hand: int) -> dict[str, Any]:
    return {"reservations": {"mug": ReservedUnits(units=units, on_hand=on_hand)}}


def apply_rule(
    name: str, action: Action, settings: PolicySettings = SETTINGS, **known: Any
) -> RuleResult | None:
    """Return what one rule says; `assumptions` are the proposal's, all else is of the shop."""
    assumptions = known.pop("assumptions", ())
    facts = PolicyFacts(**{"now": NOON, "currency": "EUR", **known})
    return BY_NAME[name](
        Proposal(action=action, reason="r", assumptions=assumptions), facts, settings
    )


def price(amount: Money) -> SetPrice:
    return SetPrice(sku="mug", price=amount)


def sale(percent: str, days: float = 31, *skus: str, **more: Any) -> CreateDiscount:
    return CreateDiscount(
        code="c",
        percent=Decimal(percent),
        skus=skus or ("a", "b"),
        starts_at=NOON,
        ends_at=NOON + timedelta(days=days),
        **more,
    )


def set_of(amount: Money, *skus: str) -> OfferBundle:
    return OfferBundle(name="set", skus=skus or ("a", "b"), price=amount)


def campaign(*recipients: str) -> StartCampaign:
    return StartCampaign(
        name="n", segment="all", title="t", body="b", recipients=recipients, ends_at=NOON
    )


def letter(purpose: str = "marketing") -> SendMessage:
    return SendMessage(customer="ada", purpose=purpose, title="t", body="b")


def ticket(text: str) -> Ticket:
    return Ticket(id="t", status=TicketStatus.OPEN, text=text, opened_at=NOON, updated_at=NOON)


def customer(*, consent: bool = True) -> Customer:
    return Customer(id="ada", name="Ada", marketing_consent=consent)


def task(agent: str = "pricing", due: timedelta = timedelta(hours=1)) -> AssignTask:
    return AssignTask(agent=agent, task="look", due_at=NOON + due)


CREW = PlaneFacts(
    agents={"pricing": (), "shipper": ("flow",), "anomaly_resolver": ("flow",)},
    restarts={"web": 1, "mail": 2},
)
BUY = CreatePurchaseOrder(sku="mug", quantity=10)
PAYABLE = {"card": True, "bank": True, "cash": True, "voucher": False}
INCIDENT = OpenIncident(incident="i", title="t", cause="c", observed="o", expected="e")
RIVAL = RecordCompetitorPrice(competitor="c", sku="mug", price=euro(9))

ALLOWED: list[tuple[str, Action, dict[str, Any], str]] = [
    ("margin_floor", price(euro(50)), {"product": MUG},
     "50.00 EUR is at or above the floor 50.00 EUR"),
    ("margin_floor", price(euro("0.01")), {"product": product(cost="0")},
     "0.01 EUR is at or above the floor 0.00 EUR"),
    ("margin_floor", price(euro(80)), {"product": MUG, "discounted": Decimal("0.375")},
     "80.00 EUR is at or above the floor 50.00 EUR"),
    ("margin_floor", price(euro(100)), {"product": MUG, "discounted": Decimal("0.6")},
     "100.00 EUR is at or above the floor 50.00 EUR"),
    ("price_change", price(euro(110)), {"price_a_day_ago": euro(100)},
     "+10.0% against 100.00 EUR a day ago; the limit is 10%"),
    ("price_change", price(euro(90)), {"price_a_day_ago": euro(100)},
     "-10.0% against 100.00 EUR a day ago; the limit is 10%"),
    ("price_change", price(euro("0.55")), {"price_a_day_ago": euro("0.5")},
     "+10.0% against 0.50 EUR a day ago; the limit is 10%"),
    ("purchase_budget", BUY, {"product": MUG, "spent_today": euro(550)},
     "450.00 EUR on top of 550.00 EUR today; the budget is 1,000.00 EUR"),
    ("purchase_budget", CreatePurchaseOrder(sku="mug", quantity=1), {"product": MUG},
     "45.00 EUR on top of 0.00 EUR today; the budget is 1,000.00 EUR"),
    ("order_value", ApproveOrder(order_id=7), {"order": order()},
     "500.00 EUR against a limit of 500 EUR"),
    ("order_value", CapturePayment(order_id=7, reference="r"), {"order": order("1")},
     "1.00 EUR against a limit of 500 EUR"),
    ("refund_value", Refund(order_id=7), {"order": order()},
     "100.00 EUR against a limit of 100 EUR"),
    ("refund_value", CancelOrder(order_id=7), {"order": order(paid="3")},
     "3.00 EUR against a limit of 100 EUR"),
    *(("order_flow", action, {}, "the store checks stock, payment and state")
      for action in (PlaceOrder(lines=()), FulfilOrder(order_id=7), CompleteDelivery(order_id=7))),
    ("order_expiry", CancelOrder(order_id=7), {"order": waiting()},
     "nothing was paid, and the order waits for its customer"),
    ("transfer", TransferStock(sku="mug", source="a", target="b", quantity=1), {},
     "the store moves available units only"),
    ("consent", letter("service"), {"customer": customer(consent=False)},
     "a message about the customer's own order"),
    ("consent", letter(), {"customer": customer(), "messages_this_week": 2},
     "the customer agreed to marketing"),
    ("quiet_hours", letter(), {"now": NOON.replace(hour=8)}, "outside quiet hours"),
    ("quiet_hours", campaign("ada"), {}, "outside quiet hours"),
    ("discount", sale("20"), {"products": PAIR}, "20 % leaves every product its margin"),
    ("discount", sale("0.5"), {"products": PAIR}, "0.5 % leaves every product its margin"),
    ("discount", sale("20"), {"products": {sku: product(sku, cost="72") for sku in PAIR}},
     "20 % leaves every product its margin"),
    ("personal_offers", sale("5", customers=("ada",)), {},
     "the owner allows personal offers within the limits"),
    ("bundle", set_of(euro(160)), {"products": PAIR}, "20% less than its parts; the limit is 20%"),
    ("bundle", set_of(euro(200)), {"products": PAIR}, "0% less than its parts; the limit is 20%"),
    ("bundle", set_of(euro("0.9")),
     {"products": {sku: product(sku, euro("0.5"), "0") for sku in ("a", "b")}},
     "10% less than its parts; the limit is 20%"),
    ("campaign", campaign("ada", "bob"), {"reach": Audience()},
     "2 recipients, all of whom agreed; the limit is 2"),
    ("storefront", RIVAL, {}, "what a rival was seen asking is noted as it was seen"),
    *(("storefront", action, {}, "it changes what is shown or looked up, no price and no stock")
      for action in (
          SetRecommendations(place="home", skus=("a",)),
          SuggestProduct(name="lamp", reason="searched for", source="own search"),
          TrackCompetitorPage(sku="a", competitor="them", url="https://them.example"),
      )),
    *(("storefront", action, {}, "it ends an offer; orders placed with it stay")
      for action in (EndDiscount(code="c"), WithdrawBundle(name="set"))),
    ("tickets", EscalateTicket(ticket_id="t", reason="unsure"), {}, "a person decides"),
    ("tickets", ReplyToTicket(ticket_id="t", text="Yes.", expected_text="Where?"),
     {"ticket": ticket("Where?")}, "it answers the customer's newest words"),
    ("order_holds", HoldOrder(order_id=7, reason="odd"), {"order": order()},
     "the order waits for a person; nothing else changes"),
    ("payment_methods", SetPaymentMethod(method="card", enabled=False),
     {"payment_methods": PAYABLE}, "left are bank, cash"),
    ("payment_methods", SetPaymentMethod(method="voucher", enabled=True),
     {"payment_methods": {"voucher": False}}, "it is offered again"),
    ("content", letter(), {}, "the text holds nothing odd"),
    ("service_restarts", RestartService(service="web"), {"plane": CREW},
     "1 restarts within a day; the limit is 2"),
    ("service_restarts", RestartService(service="new"), {"plane": CREW},
     "0 restarts within a day; the limit is 2"),
    ("agent_pauses", PauseAgent(agent="pricing"), {"plane": CREW},
     "no order depends on it, and a person can resume it"),
    *(("incident_reports", action, {}, "it changes nothing in the shop")
      for action in (INCIDENT, CloseIncident(incident="i", reason="over"))),
    ("delegation", task(), {"plane": CREW},
     "each thing the agent then proposes is judged by itself"),
]  # fmt: skip

ASKED: list[tuple[str, Action, dict[str, Any], str]] = [
    ("order_value", ApproveOrder(order_id=7), {"order": order("500.01")},
     "500.01 EUR against a limit of 500 EUR"),
    ("refund_value", AcceptReturn(order_id=7), {"order": order(paid="100.01")},
     "100.01 EUR against a limit of 100 EUR"),
    *(("stock_counts", action, {}, "it changes what the books say is on the shelf")
      for action in (SetStock(levels=()), AdjustStock(sku="mug", change=1, reason="found"))),
    *(("assumptions", action, {"assumptions": ("cost", "lead time")},
       "rests on values that nobody recorded: cost, lead time")
      for action in (price(euro(9)), BUY)),
    ("agent_pauses", ResumeAgent(agent="anomaly_resolver"), {"plane": CREW},
     "somebody paused it; whether it may go on is theirs to say"),
    ("reverts", RevertProposal(proposal_id="p"), {}, "it takes back what was decided before"),
]  # fmt: skip

ASKED_OF_ANYBODY: list[tuple[str, Action, dict[str, Any], str]] = [
    ("reservations", PlaceOrder(lines=()), held(51, 100),
     "the customer would hold 51 of 100 units of 'mug' unpaid; alone 50 may be"),
    ("reservations", PlaceOrder(lines=()), held(21, 3),
     "the customer would hold 21 of 3 units of 'mug' unpaid; alone 20 may be"),
    ("order_expiry", CancelOrder(order_id=7), {"order": waiting(held="odd")},
     "the order waits for the shop, not for its customer"),
    ("order_expiry", CancelOrder(order_id=7), {"order": order(paid="0")},
     "the order waits for the shop, not for its customer"),
    ("margin_floor", price(euro(50)), {"product": product(cost=None)},
     "the product's cost is unknown, so its margin is too"),
    ("margin_floor", SetCost(sku="mug", cost=euro(1)), {"product": MUG},
     "a cost moves the floor of the product's price"),
    *(("margin_floor", UpsertProduct(sku="mug", name="Mug", price=euro(100), cost=cost),
       {"product": known}, "a person looks at what a product is and costs")
      for known in (None, MUG, product(cost=None)) for cost in (None, euro(9))),
    *(("price_change", price(euro(50)), {"price_a_day_ago": before},
       "there is no earlier price to compare with") for before in (euro(0), dollar(50))),
    ("order_value", ApproveOrder(order_id=7), {"order": order("0", lines=(FREE,))},
     "'mug' has no price in this order"),
    ("price_change", price(euro("110.01")), {"price_a_day_ago": euro(100)},
     "+10.0% against 100.00 EUR a day ago; the limit is 10%"),
    ("price_change", price(euro("89.99")), {"price_a_day_ago": euro(100)},
     "-10.0% against 100.00 EUR a day ago; the limit is 10%"),
    *(("purchase_budget", BUY, {"product": what},
       "the product's cost is unknown, so its price is too")
      for what in (None, product(cost=None))),
    ("purchase_budget", BUY, {"product": MUG, "spent_today": euro("550.01")},
     "450.00 EUR on top of 550.01 EUR today; the budget is 1,000.00 EUR"),
    ("agent_budget", BUY, {"product": MUG, "money_left": euro("449.99")},
     "450.00 EUR is more than the 449.99 EUR left of its day"),
    ("agent_budget", Refund(order_id=7), {"order": order(), "money_left": euro(99)},
     "100.00 EUR is more than the 99.00 EUR left of its day"),
    ("discount", sale("5"), {"products": PAIR | {"b": product("b", cost=None)}},
     "the cost of a product is unknown, so its margin is too"),
    ("discount", sale("20.01"), {"products": PAIR},
     "20.01 % for 31 days; the limits are 20% and 31 days"),
    ("discount", sale("5", 31.0001), {"products": PAIR},
     "5 % for 31 days; the limits are 20% and 31 days"),
    ("discount", sale("5", 40), {"products": PAIR},
     "5 % for 40 days; the limits are 20% and 31 days"),
    ("bundle", set_of(euro(160)), {"products": PAIR | {"b": product("b", cost=None)}},
     "the cost of a product is unknown, so the margin is too"),
    ("bundle", set_of(euro("159.99")), {"products": PAIR},
     "20% less than its parts; the limit is 20%"),
    ("bundle", set_of(euro(100)), {"products": PAIR}, "50% less than its parts; the limit is 20%"),
    ("campaign", campaign("ada", "bob", "eve"), {"reach": Audience()},
     "3 recipients, all of whom agreed; the limit is 2"),
    ("order_holds", ReleaseOrder(order_id=7), {"order": order()},
     "a person looks at a held order before it goes on"),
    ("content", ReplyToTicket(ticket_id="t", text=" "), {}, "a person reads it first: it is empty"),
    ("content", SendMessage(customer="ada", purpose="service", title="", body="b"), {},
     "a person reads it first: it is empty"),
    ("service_restarts", RestartService(service="mail"), {"plane": CREW},
     "2 restarts within a day; the limit is 2"),
    ("agent_pauses", PauseAgent(agent="shipper"), {"plane": CREW},
     "orders stand still without it"),
]  # fmt: skip

FORBIDDEN: list[tuple[str, Action, dict[str, Any], str]] = [
    ("margin_floor", price(euro(50)), {}, "there is no product 'mug'"),
    ("margin_floor", price(dollar(50)), {"product": MUG}, "USD is not the shop's EUR"),
    ("margin_floor", price(euro(0)), {"product": product(cost=None)}, "0.00 EUR is not a price"),
    ("margin_floor", price(euro(-1)), {"product": product(cost=None)}, "-1.00 EUR is not a price"),
    ("margin_floor", price(euro("49.99")), {"product": MUG},
     "49.99 EUR is below the floor 50.00 EUR"),
    *(("margin_floor", UpsertProduct(sku="mug", name="Mug", price=euro("0.01"), cost=cost),
       {"product": known}, "0.01 EUR is below the floor 50.00 EUR")
      for cost, known in ((euro(45), None), (None, MUG), (euro(45), product(cost=None)))),
    ("margin_floor", price(euro(80)), {"product": MUG, "discounted": Decimal("0.38")},
     "with 38% discount it is below 50.00 EUR"),
    ("purchase_budget", CreatePurchaseOrder(sku="mug", quantity=0), {"product": MUG},
     "0 is not a quantity to buy"),
    ("purchase_budget", BUY, {"product": MUG, "currency": "USD"}, "EUR is not the shop's USD"),
    ("order_value", ApproveOrder(order_id=7), {}, "there is no order 7"),
    ("refund_value", AcceptReturn(order_id=7), {}, "there is no order 7"),
    ("consent", letter(), {}, "there is no customer 'ada'"),
    ("consent", letter("spam"), {"customer": customer()}, "'spam' is not service or marketing"),
    ("consent", letter(), {"customer": customer(consent=False)},
     "the customer did not agree to marketing"),
    ("consent", letter(), {"customer": customer(), "messages_this_week": 3},
     "3 messages this week are enough"),
    ("quiet_hours", letter("service"), {"now": NOON.replace(hour=20)}, "no messages until 08:00"),
    ("quiet_hours", campaign("ada"), {"now": NOON.replace(hour=7, minute=59)},
     "no messages until 08:00"),
    *(("discount", sale("5", 1, *skus), {"products": PAIR},
       "it is on a product that the shop does not have") for skus in (("a", "ghost"), ("ghost",))),
    ("discount", CreateDiscount(code="c", percent=Decimal(5), skus=(), starts_at=NOON,
                                ends_at=NOON), {"products": PAIR},
     "it is on a product that the shop does not have"),
    *(("discount", sale(percent), {"products": PAIR}, f"{percent} % is no discount")
      for percent in ("0", "-5", "100", "NaN")),
    ("discount", sale("50.01"), {"products": PAIR}, "a would be sold below its floor"),
    ("discount", sale("50.01"), {"products": {"a": product("a", cost=None), "b": PAIR["b"]}},
     "b would be sold below its floor"),
    ("discount", sale("5"), {"products": PAIR | {"b": product("b", dollar(100))}},
     "b would be sold below its floor"),
    ("bundle", set_of(euro(50), "a"), {"products": PAIR},
     "it needs two products that the shop has"),
    ("bundle", set_of(euro(50), "a", "b", "ghost"), {"products": PAIR},
     "it needs two products that the shop has"),
    ("bundle", set_of(dollar(160)), {"products": PAIR}, "USD is not the shop's currency"),
    ("bundle", set_of(euro("200.01")), {"products": PAIR},
     "200.01 EUR is not less than the 200.00 EUR of its parts"),
    ("bundle", set_of(euro(0)), {"products": PAIR},
     "0.00 EUR is not less than the 200.00 EUR of its parts"),
    ("bundle", set_of(euro("99.99")), {"products": PAIR},
     "99.99 EUR is below the floor 100.00 EUR"),
    ("campaign", campaign("ada"), {}, "nobody is written to"),
    ("campaign", campaign(), {"reach": Audience()}, "nobody is written to"),
    ("campaign", campaign("ada"), {"reach": Audience(unknown=2, without_consent=3)},
     "5 of its recipients did not agree to marketing"),
    ("campaign", campaign("ada"), {"reach": Audience(over_frequency_cap=4)},
     "4 of its recipients got enough this week"),
    ("tickets", ReplyToTicket(ticket_id="t", text="Yes."), {}, "there is no ticket 't'"),
    ("tickets", ReplyToTicket(ticket_id="t", text="Yes.", expected_text="Where?"),
     {"ticket": ticket("Stop!")}, "it does not answer the customer's newest words"),
    ("order_holds", HoldOrder(order_id=9, reason="odd"), {}, "there is no order 9"),
    ("order_holds", ReleaseOrder(order_id=9), {}, "there is no order 9"),
    ("payment_methods", SetPaymentMethod(method="shells", enabled=True),
     {"payment_methods": PAYABLE}, "there is no way to pay called 'shells'"),
    ("payment_methods", SetPaymentMethod(method="card", enabled=False),
     {"payment_methods": {"card": True, "bank": False}}, "no other way to pay would be left"),
    ("agent_pauses", PauseAgent(agent="ghost"), {"plane": CREW}, "there is no agent 'ghost'"),
    ("agent_pauses", PauseAgent(agent="anomaly_resolver"), {"plane": CREW},
     "it looks after the others; only a person pauses it, by hand"),
    ("delegation", task("ghost"), {"plane": CREW}, "there is no agent 'ghost'"),
    ("delegation", task(due=timedelta(0)), {"plane": CREW}, "it should have been done before now"),
]  # fmt: skip

CASES = [
    (*case, verdict, binding)
    for cases, verdict, binding in (
        (ALLOWED, Verdict.ALLOW, False),
        (ASKED, Verdict.ASK, False),
        (ASKED_OF_ANYBODY, Verdict.ASK, True),
        (FORBIDDEN, Verdict.DENY, False),
    )
    for case in cases
]


@pytest.mark.parametrize(("rule", "action", "known", "reason", "verdict", "binding"), CASES)
def test_a_rule_says_this_of_that(rule, action, known, reason, verdict, binding):
    found = apply_rule(rule, action, **known)
    assert found == RuleResult(verdict=verdict, reason=reason, rule=rule, binding=binding)


def test_personal_offers_are_forbidden_unless_the_owner_allows_them():
    personal = sale("5", customers=("ada",))
    found = apply_rule("personal_offers", personal, PolicySettings())
    assert found is not None
    assert found.verdict is Verdict.DENY
    assert found.rule == "personal_offers"
    assert found.reason == "the owner does not allow prices that differ by customer"


def test_every_rule_is_tested_and_has_no_opinion_on_what_it_is_not_about():
    tested = {case[0] for case in CASES}
    assert tested == BY_NAME.keys()
    strange = SetPrice(sku="mug", price=euro(1))
    for rule in tested - {"margin_floor", "price_change"}:
        assert apply_rule(rule, strange) is None
    assert apply_rule("margin_floor", BUY) is None
    assert apply_rule("price_change", price(euro(1))) is None
    assert apply_rule("price_change", BUY, price_a_day_ago=euro(1)) is None
    assert apply_rule("personal_offers", sale("5")) is None
    assert apply_rule("assumptions", BUY) is None
    assert apply_rule("assumptions", FulfilOrder(order_id=7), assumptions=("cost",)) is None


@pytest.mark.parametrize(
    ("action", "known"),
    [
        (BUY, {"product": MUG}),
        (BUY, {"product": MUG, "money_left": euro(450)}),
        (BUY, {"money_left": euro(0)}),
        (Refund(order_id=7), {"money_left": euro(0)}),
        (ApproveOrder(order_id=7), {"order": order(), "money_left": euro(0)}),
    ],
)
def test_the_budget_of_an_agent_binds_only_money_that_leaves_the_shop(action, known):
    assert apply_rule("agent_budget", action, **known) is None


def test_money_leaves_by_refunds_and_purchases_alone():
    facts = PolicyFacts(now=NOON, currency="EUR", product=MUG, order=order(paid="30"))
    assert budget_spend(BUY, MUG) == euro(450)
    assert budget_spend(BUY, None) is None
    for action in (AcceptReturn(order_id=7), CancelOrder(order_id=7), Refund(order_id=7)):
        assert cash_out(action, facts) == euro(30)
        assert cash_out(action, PolicyFacts(now=NOON, currency="EUR", product=MUG)) is None
    assert cash_out(BUY, facts) == euro(450)
    assert cash_out(FulfilOrder(order_id=7), facts) is None


def test_quiet_hours_are_counted_in_the_shops_zone():
    tokyo = PolicySettings(zone="Asia/Tokyo")
    night = apply_rule("quiet_hours", letter(), tokyo)
    assert night is not None
    assert night.verdict is Verdict.DENY
    morning = apply_rule("quiet_hours", letter(), tokyo, now=NOON.replace(hour=0))
    assert morning is not None
    assert morning.verdict is Verdict.ALLOW


@pytest.mark.parametrize(("units", "on_hand"), [(50, 100), (20, 3), (20, 0), (1, 1)])
def test_a_customer_may_hold_a_share_of_the_shelf_or_a_few_units(units: int, on_hand: int) -> None:
    assert apply_rule("reservations", PlaceOrder(lines=()), **held(units, on_hand)) is None
