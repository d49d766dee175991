"""What goes together is shown and offered together; prices differ by person only if wanted."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, strategies as st
from sample_values import amount, eur, product

from storecrew.agents.personalization import personalization
from storecrew.domain.control.events import ClockTicked
from storecrew.domain.control.proposals import Proposal
from storecrew.domain.errors import InvalidSettings
from storecrew.domain.events import Event
from storecrew.domain.ports.models import ProductAffinity, RecommendedProduct
from storecrew.domain.shop.customers import (
    Customer,
    CustomerActivity,
    CustomerActivityRecorded,
    CustomerSpend,
)
from storecrew.domain.shop.inventory import StockLevel
from storecrew.domain.shop.promotions import (
    Bundle,
    CreateDiscount,
    Discount,
    OfferBundle,
    SetRecommendations,
    WithdrawBundle,
)
from storecrew.models.basic import BasicModels
from storecrew.testing.fake_store import FakeStore, SoldLine
from storecrew.testing.run_agent import NOON, run_agent

TICK = ClockTicked(agent="personalization", due=NOON)
SKUS = ("box", "rack", "bar", "mat", "lamp")


def baskets(*orders: Sequence[str], first: int = 0) -> list[SoldLine]:
    return [
        SoldLine(order=first + n, sku=sku, day=NOON.date() - timedelta(days=1 + n % 60))
        for n, order in enumerate(orders)
        for sku in order
    ]


def shop(price: str = "100", cost: str = "20", **more: object) -> FakeStore:
    """Return a shop in which box and rack are bought together, and the rest apart."""
    sold = {NOON.date() - timedelta(days=n): 1 for n in range(1, 28)}
    together = baskets(*[["box", "rack"]] * 40, *[["bar"], ["mat"], ["lamp"]] * 40)
    store = FakeStore(
        product_list=[product(sku, name=sku.title(), price=price, cost=eur(cost)) for sku in SKUS],
        levels=[StockLevel(sku=sku, warehouse="main", on_hand=50, reserved=0) for sku in SKUS],
        sales=dict.fromkeys(SKUS, sold),
        line_list=together,
    )
    for name, value in more.items():
        setattr(store, name, value)
    return store


async def found(
    store: FakeStore, event: Event | Sequence[Event] = TICK, **more: object
) -> list[Proposal]:
    said = await run_agent(
        personalization, event if isinstance(event, list) else [event], store, **more
    )  # type: ignore[arg-type, list-item]
    assert all(isinstance(each, Proposal) for each in said)
    return said  # type: ignore[return-value]


def of(said: Sequence[Proposal], kind: type) -> list[Proposal]:
    return [each for each in said if isinstance(each.action, kind)]


def places(said: Sequence[Proposal]) -> dict[str, tuple[str, ...]]:
    return {p.action.place: p.action.skus for p in said if isinstance(p.action, SetRecommendations)}


class Learned(BasicModels):
    """Has learned that everything goes with everything, the lamp first."""

    def related_products(self, cart: Sequence[str], count: int) -> Sequence[RecommendedProduct]:
        others = [sku for sku in ("lamp", *SKUS) if sku not in cart]
        return [
            RecommendedProduct(sku=sku, score=1.0, reason=f"bought together with {cart[0]} 9 times")
            for sku in dict.fromkeys(others)
        ][:count]

    def recommend_for_customer(
        self, bought: Mapping[str, tuple[float, int]], count: int, day: date
    ) -> Sequence[RecommendedProduct]:
        return [RecommendedProduct(sku="mat", score=1.0, reason="bought before")]

    def product_affinities(self, count: int) -> Sequence[ProductAffinity]:
        return [ProductAffinity(skus=("mat", "lamp"), together=60, lift=3.0, days=365)][:count]


async def test_the_home_page_shows_what_earns_most_and_can_be_had() -> None:
    store = shop()
    store.levels = [level for level in store.levels if level.sku != "mat"]
    store.sales["lamp"] = {NOON.date() - timedelta(days=2): 90}
    home = places(await found(store))["home"]
    assert home[0] == "lamp"
    assert "mat" not in home


async def test_r125_what_is_learned_to_go_together_is_shown_beside_a_product() -> None:
    said = await found(shop(), models=Learned())
    assert places(said)["product:box"][0] == "lamp"
    (proposal,) = [p for p in said if p.action.subject == "place:product:box"]
    rows = proposal.evidence["products"]
    assert isinstance(rows, list)
    assert rows[0]["why"] == "bought together with box 9 times"
    assert all(row["new"] for row in rows)


async def test_what_is_shown_is_not_proposed_again_until_it_changes_enough() -> None:
    store = shop()
    first = places(await found(store, models=Learned()))
    store.shown = dict(first)
    assert places(await found(store, models=Learned())) == {}
    store.shown["product:box"] = ("lamp", "rack", "bar", "box")  # one of four differs
    assert places(await found(store, models=Learned())) == {}
    store.levels = [level for level in store.levels if level.sku not in ("rack", "bar", "lamp")]
    assert places(await found(store, models=Learned(), settings={"min_changes": 4})) == {}
    changed = places(await found(store, models=Learned()))
    assert "product:box" in changed
    assert not any({"rack", "bar", "lamp"} & {*skus} for skus in changed.values())


async def test_who_looks_at_something_is_shown_what_goes_with_it() -> None:
    acts = [
        CustomerActivityRecorded(customer="C1", kind="viewed", sku="box"),
        CustomerActivityRecorded(customer="C2", kind="searched", text="box"),
        CustomerActivityRecorded(customer="C3", kind="carted", sku="nothing known"),
    ]
    said = places(await found(shop(), acts, models=Learned()))
    assert said["customer:C1"][0] == "lamp"
    assert "box" not in said["customer:C1"]
    assert "customer:C2" not in said
    store = shop(shown={"product:box": ("rack",), "home": ("lamp", "mat", "box")})
    plain = await found(store, acts[:1])
    assert places(plain) == {"customer:C1": ("rack", "lamp", "mat")}
    rows = plain[0].evidence["products"]
    assert isinstance(rows, list)
    assert rows[0]["why"] == "shown beside box"
    store.shown["customer:C1"] = ("rack", "lamp", "mat")
    assert await found(store, acts[:1]) == []


async def test_an_owner_is_not_flooded() -> None:
    acts = [CustomerActivityRecorded(customer=f"C{n}", kind="viewed", sku="box") for n in range(90)]
    busy = CustomerActivityRecorded(customer="C89", kind="carted", sku="mat")
    said = await found(shop(), [*acts, busy, TICK], models=Learned())
    assert len(places(said)) == 50
    assert next(iter(places(said))) == "customer:C89"
    few = await found(shop(), acts, models=Learned(), settings={"max_placements": 3})
    assert len(few) == 3


async def test_r127_bundle_keeps_margin_and_is_offered_once() -> None:
    (proposal,) = of(await found(shop()), OfferBundle)
    bundle = proposal.action
    assert isinstance(bundle, OfferBundle)
    assert bundle.skus == ("box", "rack")
    assert eur(180) <= bundle.price < eur(200)
    said = proposal.evidence
    assert amount(said["price_apart"]) == 200
    assert said["product_affinities"] == 40
    assert said["margin_together"] == pytest.approx(float(1 - 40 / bundle.price.amount), abs=0.001)
    assert proposal.effect is not None
    assert proposal.effect.low <= proposal.effect.expected <= proposal.effect.high
    assert proposal.effect.expected > eur(0)
    offered = Bundle(name=bundle.name, skus=bundle.skus, price=bundle.price)
    assert of(await found(shop(bundle_list=[offered])), OfferBundle) == []


@given(
    price=st.integers(200, 100_000), share=st.floats(0.05, 0.99), floor=st.floats(0.0, 0.6),
    discount=st.floats(1, 60),
)  # fmt: skip
async def test_r127_bundle_keeps_margin_whatever_prices(
    price: int, share: float, floor: float, discount: float
) -> None:
    listed, cost = Decimal(price) / 100, Decimal(int(price * share)) / 100
    settings = {"margin_floor": floor, "max_bundle_discount_percent": discount}
    store = shop(price=str(listed), cost=str(cost))
    for proposal in of(await found(store, settings=settings), OfferBundle):
        action = proposal.action
        assert isinstance(action, OfferBundle)
        assert action.price.amount * (1 - Decimal(str(floor))) >= 2 * cost - Decimal("0.0001")
        assert action.price.amount < 2 * listed


async def test_no_bundle_where_it_costs_more_than_it_brings_or_may_be_chance() -> None:
    assert of(await found(shop(cost="75")), OfferBundle) == []
    few = shop(line_list=baskets(*[["box", "rack"]] * 4, *[["bar"]] * 60))
    assert of(await found(few), OfferBundle) == []
    unknown = shop(product_list=[product(sku, cost=None) for sku in SKUS])
    assert of(await found(unknown), OfferBundle) == []
    assert of(await found(shop(), settings={"max_bundles": 0}), OfferBundle) == []


async def test_a_learned_pair_counts_the_days_it_was_learned_from() -> None:
    (proposal,) = of(await found(shop(), models=Learned()), OfferBundle)
    assert proposal.evidence["in_days"] == 365
    assert proposal.evidence["product_affinities"] == 60


async def test_a_bundle_that_lost_its_margin_or_a_part_is_withdrawn() -> None:
    bundle = Bundle(name="a", skus=("box", "rack"), price=eur(180))
    gone = Bundle(name="b", skus=("bar", "sold no more"), price=eur(100))
    dear = Bundle(name="c", skus=("mat", "lamp"), price=eur(200))
    fine = Bundle(name="d", skus=("mat", "bar"), price=eur(190))
    store = shop(bundle_list=[bundle, gone, dear, fine])
    store.product_list = [
        product(sku, price="100", cost=eur(90 if sku == "box" else 80)) for sku in SKUS
    ]
    said = of(await found(store), WithdrawBundle)
    assert [p.action.subject for p in said] == ["bundle:a", "bundle:b", "bundle:c"]
    assert "floor" in said[0].reason


def cart_shop(**more: object) -> FakeStore:
    acts = [
        CustomerActivity(customer=f"C{n}", kind="carted", sku="box", at=NOON - timedelta(days=days))
        for n, days in enumerate((2, 3, 0.2, 9, 2, 2, 2))
    ]
    given = [
        Discount(
            code="OLD", percent=Decimal(5), skus=("box",), customers=("C6",),
            starts_at=NOON - timedelta(days=40), ends_at=NOON - timedelta(days=30),
        )
    ]  # fmt: skip
    return shop(
        **({
            "act_list": acts,
            "people": [
                Customer(id=f"C{n}", name="", marketing_consent=n != 4) for n in range(7)
            ],
            "spent": {"C5": CustomerSpend(orders=1, value=eur(1), last_at=NOON)},
            "discount_list": given,
        } | more)
    )  # fmt: skip


async def test_r126_personal_price_bounds_off_by_default_and_inside_the_floor() -> None:
    assert of(await found(cart_shop()), CreateDiscount) == []
    on = {"personal_offers": True}
    said = of(await found(cart_shop(), settings=on), CreateDiscount)
    offers = [p.action for p in said if isinstance(p.action, CreateDiscount)]
    assert [offer.customers for offer in offers] == [("C0",), ("C1",)]
    assert {offer.percent for offer in offers} == {Decimal(5)}
    assert len({offer.code for offer in offers}) == 2
    assert all(re.fullmatch(r"FOR-YOU-[0-9A-F]{8}", offer.code) for offer in offers)
    assert said[0].evidence["price_with_offer"] == "95.00 EUR"
    thin = cart_shop(product_list=[product(sku, price="100", cost=eur(90)) for sku in SKUS])
    assert of(await found(thin, settings=on), CreateDiscount) == []


async def test_r126_personal_price_bounds_hold_in_the_policy_too() -> None:
    from storecrew.domain.control.proposals import Verdict
    from storecrew.policy import Policy, PolicyFacts, PolicySettings

    (offer, *_) = of(await found(cart_shop(), settings={"personal_offers": True}), CreateDiscount)
    box = product("box", price="100", cost=eur(20))

    def verdict(item: object, **limits: object) -> Verdict:
        policy = Policy(PolicySettings(autonomy={"*.*": "limits"}, **limits))  # type: ignore[arg-type]
        facts = PolicyFacts(now=NOON, currency="EUR", products={"box": item})  # type: ignore[dict-item]
        return policy.judge(offer, "personalization", facts).verdict

    assert verdict(box) is Verdict.DENY
    assert verdict(box, personal_offers=True) is Verdict.ALLOW
    thin = product("box", price="100", cost=eur(90))
    assert verdict(thin, personal_offers=True) is Verdict.DENY


@pytest.mark.parametrize(
    "wrong",
    [{"max_products": 0}, {"max_products": 51}, {"max_bundle_discount_percent": 0},
     {"margin_floor": 1}, {"max_placements": "all"},
     {"personal_offers": "some"}, {"max_bundles": -1}, {"max_placements": 1.5}],
)  # fmt: skip
async def test_settings_that_are_none_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidSettings, match=rf"agents\.personalization\.{next(iter(wrong))}:"):
        await found(shop(), settings=wrong)


async def test_an_empty_shop_shows_nothing() -> None:
    assert await found(FakeStore()) == []
