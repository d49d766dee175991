"""Every action can be taken back, or says why it cannot."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from storecrew.domain import actions as a
from storecrew.domain import care as k
from storecrew.domain import operations as o
from storecrew.domain import selling as s
from storecrew.domain.actions import Level
from storecrew.domain.codec import ACTIONS, encode
from storecrew.domain.commerce import Line
from storecrew.domain.money import Money
from storecrew.domain.proposals import Outcome, Result
from storecrew.domain.undo import opposite


def euro(amount) -> Money:
    return Money.of(amount, "EUR")


def done(*, before=None, after=None, detail=None, result=Result.APPLIED) -> Outcome:
    return Outcome(
        key="k", result=result, before=before or {}, after=after or {}, detail=detail or {}
    )


NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
WEEK = timedelta(weeks=1)
SALE = {
    "code": "SALE",
    "percent": Decimal(10),
    "skus": ("mug",),
    "starts_at": NOON,
    "ends_at": NOON + WEEK,
}

OPPOSITES = [
    (
        a.SetPrice(sku="mug", price=euro(11)),
        done(before={"price": encode(euro(10))}),
        a.SetPrice(sku="mug", price=euro(10), expect=euro(11)),
    ),
    (
        a.SetCost(sku="mug", cost=euro(6)),
        done(before={"cost": encode(euro(5))}),
        a.SetCost(sku="mug", cost=euro(5)),
    ),
    (
        a.Reorder(sku="mug", quantity=5),
        done(detail={"purchase_id": 7}),
        a.CancelPurchase(purchase_id=7),
    ),
    (
        a.PlaceOrder(lines=(Line(sku="mug", quantity=1),)),
        done(after={"order_id": 3}),
        a.CancelOrder(order_id=3, reason="undone"),
    ),
    (a.ApproveOrder(order_id=3), done(), a.CancelOrder(order_id=3, reason="undone")),
    (
        a.TransferStock(sku="mug", source="main", target="north", quantity=2),
        done(),
        a.TransferStock(sku="mug", source="north", target="main", quantity=2),
    ),
    (
        a.AdjustStock(sku="mug", change=-2, reason="lost", warehouse="north"),
        done(),
        a.AdjustStock(sku="mug", change=2, reason="undone: lost", warehouse="north"),
    ),
    (
        a.SetStock(levels=(Level(sku="mug", on_hand=9),)),
        done(before={"levels": [encode(Level(sku="mug", on_hand=4))]}),
        a.SetStock(levels=(Level(sku="mug", on_hand=4),), reason="undone: counted"),
    ),
    (
        a.DelayPurchase(purchase_id=7, due_at=NOON + WEEK),
        done(before={"due_at": encode(NOON)}),
        a.DelayPurchase(purchase_id=7, due_at=NOON),
    ),
    (a.HoldOrder(order_id=3, reason="odd"), done(), a.ReleaseOrder(order_id=3)),
    (
        a.ReleaseOrder(order_id=3),
        done(before={"held": "odd"}),
        a.HoldOrder(order_id=3, reason="odd"),
    ),
    (
        a.SetPaymentMethod(method="card", enabled=False),
        done(before={"enabled": True}),
        a.SetPaymentMethod(method="card", enabled=True),
    ),
    (s.CreateDiscount(**SALE), done(), s.EndDiscount(code="SALE")),
    (
        s.OfferBundle(name="set", skus=("a", "b"), price=euro(9)),
        done(before={"bundle": None}),
        s.WithdrawBundle(name="set"),
    ),
    (
        s.WithdrawBundle(name="set"),
        done(before={"bundle": {"skus": ["a", "b"], "price": encode(euro(9))}}),
        s.OfferBundle(name="set", skus=("a", "b"), price=euro(9)),
    ),
    (
        s.SetRecommendations(place="home", skus=("b",)),
        done(before={"skus": ["a"]}),
        s.SetRecommendations(place="home", skus=("a",)),
    ),
    (
        s.WatchRival(sku="mug", rival="them", url="https://them.example/2"),
        done(before={"url": "https://them.example/1"}),
        s.WatchRival(sku="mug", rival="them", url="https://them.example/1"),
    ),
    (o.PauseAgent(agent="pricing"), done(), o.ResumeAgent(agent="pricing")),
    (o.ResumeAgent(agent="pricing"), done(), o.PauseAgent(agent="pricing")),
]

FINAL = [
    a.CapturePayment(order_id=3, reference="r"),
    a.FulfilOrder(order_id=3),
    a.CompleteDelivery(order_id=3),
    a.AcceptReturn(order_id=3),
    a.Refund(order_id=3),
    a.CancelOrder(order_id=3),
    a.CancelPurchase(purchase_id=7),
    a.ReceivePurchase(purchase_id=7),
    a.SendMessage(customer="ann", purpose="service", title="t", body="b"),
    a.PutProduct(sku="mug", name="Mug", price=euro(10)),
    a.RecordRivalPrice(sku="mug", rival="them", price=euro(9)),
    a.AuthorizePayment(order_id=3, reference="r", amount=euro(9)),
    s.EndDiscount(code="SALE"),
    s.StartCampaign(
        name="n", segment="all", title="t", body="b", recipients=("ann",), ends_at=NOON
    ),
    s.SuggestProduct(name="lamp", reason="searched for", source="own search"),
    s.RecordAct(customer="ann", kind="viewed", sku="mug"),
    k.OpenTicket(ticket_id="t", text="?"),
    k.ReplyToTicket(ticket_id="t", text="!"),
    k.EscalateTicket(ticket_id="t", reason="unsure"),
    k.CloseTicket(ticket_id="t"),
    k.RateTicket(ticket_id="t", rating=5),
    k.SetConsent(customer="ann", marketing=True),
    k.PutCustomer(customer="ann", name="Ann"),
    k.SuppressAddress(address="a@b.example", reason="gone"),
    k.WatchStock(customer="ann", sku="mug"),
    o.RestartService(service="web"),
    o.RevertProposal(proposal_id="r/0"),
    o.OpenIncident(incident="i", title="t", cause="c", observed="1", expected="2"),
    o.CloseIncident(incident="i", reason="over"),
    o.DelegateWork(agent="pricing", task="look", due_at=NOON),
]

UNKNOWN_BEFORE = "what was there before is not known"


def test_each_kind_of_action_has_an_opposite_or_a_reason():
    known = {type(action).__name__ for action, *_ in OPPOSITES}
    known |= {type(action).__name__ for action in FINAL}
    assert known == ACTIONS.keys() - {"Action"}


@pytest.mark.parametrize(("action", "outcome", "back"), OPPOSITES)
def test_the_opposite_of_what_was_done_takes_it_back(action, outcome, back):
    assert opposite(action, outcome) == back


@pytest.mark.parametrize("action", FINAL, ids=lambda action: type(action).__name__)
def test_what_is_final_says_why(action):
    reason = opposite(action, done(before={"price": encode(euro(1))}, detail={"order_id": 3}))

    assert isinstance(reason, str)
    assert reason not in ("", UNKNOWN_BEFORE)


@pytest.mark.parametrize("action", [action for action, *_ in OPPOSITES] + FINAL)
def test_what_was_refused_needs_no_undoing(action):
    assert opposite(action, done(result=Result.REFUSED)) == "nothing was done"


@pytest.mark.parametrize(
    ("action", "outcome"),
    [
        (a.SetPrice(sku="mug", price=euro(11)), done()),
        (a.SetPrice(sku="mug", price=euro(11)), done(before={"price": None})),
        (a.SetCost(sku="mug", cost=euro(11)), done(before={"cost": None})),
        (a.SetStock(levels=()), done()),
        (a.SetStock(levels=()), done(before={"levels": []})),
        (a.SetStock(levels=()), done(before={"levels": "many"})),
        (a.Reorder(sku="mug", quantity=1), done(detail={"purchase_id": "seven"})),
        (a.PlaceOrder(lines=()), done()),
        (a.ReleaseOrder(order_id=3), done(before={"held": ""})),
        (a.DelayPurchase(purchase_id=7, due_at=NOON), done()),
        (s.WatchRival(sku="a", rival="b", url="https://b.example"), done(before={"url": None})),
    ],
)
def test_what_was_there_before_may_not_be_known(action, outcome):
    assert opposite(action, outcome) == UNKNOWN_BEFORE
