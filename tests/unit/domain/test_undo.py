"""Every action can be taken back, or says why it cannot."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from storecrew.domain.codec import ACTIONS, encode
from storecrew.domain.control.agents import AssignTask, PauseAgent, ResumeAgent
from storecrew.domain.control.incidents import CloseIncident, OpenIncident
from storecrew.domain.control.proposals import Outcome, Result, RevertProposal
from storecrew.domain.control.services import RestartService
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import (
    RecordCompetitorPrice,
    SetCost,
    SetPrice,
    SuggestProduct,
    TrackCompetitorPage,
    UntrackCompetitorPage,
    UpsertProduct,
    WithdrawCompetitorPrice,
)
from storecrew.domain.shop.customers import (
    RecordCustomerActivity,
    SetConsent,
    SubscribeBackInStock,
    UpsertCustomer,
)
from storecrew.domain.shop.inventory import AdjustStock, SetStock, StockCount, TransferStock
from storecrew.domain.shop.messages import LiftSuppression, SendMessage, SuppressAddress
from storecrew.domain.shop.orders import (
    ApproveOrder,
    CancelOrder,
    CompleteDelivery,
    FulfilOrder,
    HoldOrder,
    Line,
    PlaceOrder,
    ReleaseOrder,
)
from storecrew.domain.shop.payments import (
    AuthorizePayment,
    CapturePayment,
    Refund,
    SetPaymentMethod,
)
from storecrew.domain.shop.promotions import (
    CreateDiscount,
    EndDiscount,
    OfferBundle,
    SetRecommendations,
    StartCampaign,
    WithdrawBundle,
)
from storecrew.domain.shop.purchasing import (
    CancelPurchaseOrder,
    CreatePurchaseOrder,
    DelayPurchaseOrder,
    ReceivePurchaseOrder,
)
from storecrew.domain.shop.returns import AcceptReturn
from storecrew.domain.shop.support import (
    CloseTicket,
    EscalateTicket,
    OpenTicket,
    RateTicket,
    ReplyToTicket,
)
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
        SetPrice(sku="mug", price=euro(11)),
        done(before={"price": encode(euro(10))}),
        SetPrice(sku="mug", price=euro(10), expected_price=euro(11)),
    ),
    (
        SetCost(sku="mug", cost=euro(6)),
        done(before={"cost": encode(euro(5))}),
        SetCost(sku="mug", cost=euro(5)),
    ),
    (
        CreatePurchaseOrder(sku="mug", quantity=5),
        done(detail={"purchase_id": 7}),
        CancelPurchaseOrder(purchase_id=7),
    ),
    (
        PlaceOrder(lines=(Line(sku="mug", quantity=1),)),
        done(after={"order_id": 3}),
        CancelOrder(order_id=3, reason="undone"),
    ),
    (ApproveOrder(order_id=3), done(), CancelOrder(order_id=3, reason="undone")),
    (
        TransferStock(sku="mug", source="main", target="north", quantity=2),
        done(),
        TransferStock(sku="mug", source="north", target="main", quantity=2),
    ),
    (
        AdjustStock(sku="mug", change=-2, reason="lost", warehouse="north"),
        done(),
        AdjustStock(sku="mug", change=2, reason="undone: lost", warehouse="north"),
    ),
    (
        SetStock(levels=(StockCount(sku="mug", on_hand=9),)),
        done(before={"levels": [encode(StockCount(sku="mug", on_hand=4))]}),
        SetStock(levels=(StockCount(sku="mug", on_hand=4),), reason="undone: counted"),
    ),
    (
        DelayPurchaseOrder(purchase_id=7, due_at=NOON + WEEK),
        done(before={"due_at": encode(NOON)}),
        DelayPurchaseOrder(purchase_id=7, due_at=NOON),
    ),
    (HoldOrder(order_id=3, reason="odd"), done(), ReleaseOrder(order_id=3)),
    (
        ReleaseOrder(order_id=3),
        done(before={"held": "odd"}),
        HoldOrder(order_id=3, reason="odd"),
    ),
    (
        SetPaymentMethod(method="card", enabled=False),
        done(before={"enabled": True}),
        SetPaymentMethod(method="card", enabled=True),
    ),
    (CreateDiscount(**SALE), done(), EndDiscount(code="SALE")),
    (
        OfferBundle(name="set", skus=("a", "b"), price=euro(9)),
        done(before={"bundle": None}),
        WithdrawBundle(name="set"),
    ),
    (
        WithdrawBundle(name="set"),
        done(before={"bundle": {"skus": ["a", "b"], "price": encode(euro(9))}}),
        OfferBundle(name="set", skus=("a", "b"), price=euro(9)),
    ),
    (
        SetRecommendations(place="home", skus=("b",)),
        done(before={"skus": ["a"]}),
        SetRecommendations(place="home", skus=("a",)),
    ),
    (
        TrackCompetitorPage(sku="mug", competitor="them", url="https://them.example/2"),
        done(before={"url": "https://them.example/1"}),
        TrackCompetitorPage(sku="mug", competitor="them", url="https://them.example/1"),
    ),
    (
        UntrackCompetitorPage(sku="mug", competitor="them"),
        done(before={"url": "https://them.example/1"}),
        TrackCompetitorPage(sku="mug", competitor="them", url="https://them.example/1"),
    ),
    (PauseAgent(agent="pricing"), done(), ResumeAgent(agent="pricing")),
    (ResumeAgent(agent="pricing"), done(), PauseAgent(agent="pricing")),
]

FINAL = [
    CapturePayment(order_id=3, reference="r"),
    FulfilOrder(order_id=3),
    CompleteDelivery(order_id=3),
    AcceptReturn(order_id=3),
    Refund(order_id=3),
    CancelOrder(order_id=3),
    CancelPurchaseOrder(purchase_id=7),
    ReceivePurchaseOrder(purchase_id=7),
    SendMessage(customer="ann", purpose="service", title="t", body="b"),
    UpsertProduct(sku="mug", name="Mug", price=euro(10)),
    RecordCompetitorPrice(sku="mug", competitor="them", price=euro(9)),
    WithdrawCompetitorPrice(sku="mug", competitor="them", reason="sold out there"),
    AuthorizePayment(order_id=3, reference="r", amount=euro(9)),
    EndDiscount(code="SALE"),
    StartCampaign(name="n", segment="all", title="t", body="b", recipients=("ann",), ends_at=NOON),
    SuggestProduct(name="lamp", reason="searched for", source="own search"),
    RecordCustomerActivity(customer="ann", kind="viewed", sku="mug"),
    OpenTicket(ticket_id="t", text="?"),
    ReplyToTicket(ticket_id="t", text="!"),
    EscalateTicket(ticket_id="t", reason="unsure"),
    CloseTicket(ticket_id="t"),
    RateTicket(ticket_id="t", rating=5),
    SetConsent(customer="ann", marketing=True),
    UpsertCustomer(customer="ann", name="Ann"),
    SuppressAddress(address="a@b.example", reason="gone"),
    LiftSuppression(address="a@b.example"),
    SubscribeBackInStock(customer="ann", sku="mug"),
    RestartService(service="web"),
    RevertProposal(proposal_id="r/0"),
    OpenIncident(incident="i", title="t", cause="c", observed="1", expected="2"),
    CloseIncident(incident="i", reason="over"),
    AssignTask(agent="pricing", task="look", due_at=NOON),
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
        (SetPrice(sku="mug", price=euro(11)), done()),
        (SetPrice(sku="mug", price=euro(11)), done(before={"price": None})),
        (SetCost(sku="mug", cost=euro(11)), done(before={"cost": None})),
        (SetStock(levels=()), done()),
        (SetStock(levels=()), done(before={"levels": []})),
        (SetStock(levels=()), done(before={"levels": "many"})),
        (CreatePurchaseOrder(sku="mug", quantity=1), done(detail={"purchase_id": "seven"})),
        (PlaceOrder(lines=()), done()),
        (ReleaseOrder(order_id=3), done(before={"held": ""})),
        (DelayPurchaseOrder(purchase_id=7, due_at=NOON), done()),
        (
            TrackCompetitorPage(sku="a", competitor="b", url="https://b.example"),
            done(before={"url": None}),
        ),
    ],
)
def test_what_was_there_before_may_not_be_known(action, outcome):
    assert opposite(action, outcome) == UNKNOWN_BEFORE
