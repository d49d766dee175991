"""Every action can be taken back, or says why it cannot."""

import pytest

from storecrew.domain import actions as a
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
    ],
)
def test_what_was_there_before_may_not_be_known(action, outcome):
    assert opposite(action, outcome) == UNKNOWN_BEFORE
