"""Stock, prices, purchases, rivals and messages."""

from datetime import timedelta

import pytest
from ledger_shop import Shop, euro, lines

from storecrew.domain.errors import NotFound
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import (
    CompetitorPriceObserved,
    CostChanged,
    PriceChanged,
    ProductChanged,
    RecordCompetitorPrice,
    SetCost,
    SetPrice,
    UpsertProduct,
)
from storecrew.domain.shop.customers import Customer
from storecrew.domain.shop.inventory import (
    AdjustStock,
    SetStock,
    StockChanged,
    StockCount,
    TransferStock,
)
from storecrew.domain.shop.messages import SendMessage
from storecrew.domain.shop.orders import OrderStatus, PlaceOrder
from storecrew.domain.shop.purchasing import (
    CancelPurchaseOrder,
    CreatePurchaseOrder,
    PurchaseOrderReceived,
    ReceivePurchaseOrder,
    Supplier,
)


async def test_r100_warehouse_update_is_all_or_nothing(shop: Shop):
    await shop.stocked(A=5, B=5)
    await shop.placed(B=3)
    low = (StockCount(sku="A", on_hand=100), StockCount(sku="B", on_hand=2))

    outcome = await shop.refused(SetStock(levels=low))

    assert outcome.code == "below_reserved"
    assert outcome.detail["reserved"] == 3
    assert await shop.level("A") == (5, 0)
    assert len(await shop.store.stock_movements()) == 2


async def test_r100_a_count_leaves_one_ledger_row_per_level(shop: Shop):
    await shop.stocked(A=5)

    await shop.done(
        SetStock(levels=(StockCount(sku="A", on_hand=5), StockCount(sku="New", on_hand=7)))
    )

    moves = await shop.store.stock_movements(limit=2)
    assert [(m.sku, m.change, m.on_hand) for m in moves] == [("New", 7, 7), ("A", 0, 5)]
    product = await shop.store.product("New")
    assert (product.name, product.price, product.cost) == ("New", euro(0), None)
    assert ProductChanged(sku="New") in await shop.facts()


@pytest.mark.parametrize(
    "levels",
    [
        (),
        (StockCount(sku="A", on_hand=-1),),
        (StockCount(sku="A", on_hand=10**30),),
        (StockCount(sku=" ", on_hand=1),),
        (StockCount(sku="x" * 201, on_hand=1),),
        (StockCount(sku="A", on_hand=1, warehouse=""),),
        (StockCount(sku="A", on_hand=1), StockCount(sku="A", on_hand=2)),
    ],
)
async def test_impossible_levels_are_refused(shop: Shop, levels):
    assert (await shop.refused(SetStock(levels=levels))).code == "invalid"
    assert list(await shop.store.stock()) == []


async def test_found_and_lost_units_are_adjusted_down_to_what_is_reserved(shop: Shop):
    await shop.stocked(A=5)
    await shop.placed(A=3)

    await shop.done(AdjustStock(sku="A", change=-2, reason="damaged"))
    lost = await shop.refused(AdjustStock(sku="A", change=-1, reason="damaged"))

    assert lost.code == "below_reserved"
    assert (await shop.refused(AdjustStock(sku="A", change=0, reason="-"))).code == "invalid"
    assert (await shop.refused(AdjustStock(sku="Z", change=1, reason="-"))).code == "not_found"
    changed = StockChanged(sku="A", warehouse="main", change=-2, on_hand=3, reason="damaged")
    assert changed in await shop.facts()


async def test_only_available_units_move_between_warehouses(shop: Shop):
    await shop.stocked(A=5)
    await shop.placed(A=3)
    move = {"sku": "A", "source": "main", "target": "north"}

    short = await shop.refused(TransferStock(**move, quantity=3))
    await shop.done(TransferStock(**move, quantity=2))

    assert (short.code, short.detail) == ("short_stock", {"missing": {"A": 1}})
    assert await shop.level("A", "north") == (2, 0)
    itself = TransferStock(sku="A", source="main", target="main", quantity=1)
    assert (await shop.refused(itself)).code == "invalid"
    unknown = TransferStock(sku="Z", source="main", target="north", quantity=1)
    assert (await shop.refused(unknown)).code == "not_found"


async def test_a_service_has_no_stock_to_count(shop: Shop):
    await shop.done(UpsertProduct(sku="POST", name="Postage", price=euro(3), stocked=False))

    levels = (StockCount(sku="POST", on_hand=1),)
    assert (await shop.refused(SetStock(levels=levels))).code == "invalid"
    assert (await shop.refused(AdjustStock(sku="POST", change=1, reason="-"))).code == "invalid"
    await shop.done(UpsertProduct(sku="POST", name="Stamp", price=euro(3)))
    stocked = UpsertProduct(sku="POST", name="Postage", price=euro(3), stocked=True)
    assert (await shop.refused(stocked)).code == "invalid"


async def test_a_price_changes_from_what_was_seen_or_not_at_all(shop: Shop):
    await shop.stocked(A=5)
    since = shop.clock.now()
    shop.clock.advance(hours=1)

    outcome = await shop.done(SetPrice(sku="A", price=euro(12), expected_price=euro(10)))
    stale = await shop.refused(SetPrice(sku="A", price=euro(13), expected_price=euro(10)))

    assert outcome.before == {"price": {"amount": "10.00", "currency": "EUR"}}
    assert outcome.after == {"price": {"amount": "12.00", "currency": "EUR"}}
    assert stale.code == "stale"
    changed = PriceChanged(sku="A", previous=euro("10.00"), price=euro("12.00"))
    assert changed in await shop.facts()
    changes = await shop.store.price_changes(since, ["A"])
    assert [(c.previous, c.price) for c in changes] == [
        (None, euro(0)),
        (euro(0), euro(10)),
        (euro(10), euro(12)),
    ]
    assert len(await shop.store.price_changes(shop.clock.now())) == 1


@pytest.mark.parametrize(
    "price",
    [euro(0), euro(-1), euro("0.004"), Money.of(5, "USD"), euro(10**20), euro("1E+9999")],
)
async def test_impossible_prices_are_refused(shop: Shop, price: Money):
    await shop.stocked(A=5)

    assert (await shop.refused(SetPrice(sku="A", price=price))).code == "invalid"
    assert (await shop.store.product("A")).price == euro(10)


async def test_products_are_described_and_keep_their_price(shop: Shop):
    described = {"sku": "A", "name": "Cup", "supplier": "acme", "pack_size": 6}
    await shop.done(UpsertProduct(**described, price=euro(5), cost=euro(2)))

    await shop.done(UpsertProduct(sku="A", name="Mug", price=euro(9)))

    product = await shop.store.product("A")
    assert (product.name, product.price, product.cost) == ("Mug", euro(5), euro(2))
    assert (product.supplier, product.pack_size) == ("acme", 6)
    assert [p.sku for p in await shop.store.products(["A", "nothing"])] == ["A"]
    with pytest.raises(NotFound):
        await shop.store.product("nothing")


@pytest.mark.parametrize(
    "wrong",
    [{"sku": ""}, {"name": " "}, {"pack_size": 0}, {"supplier": ""}, {"cost": euro(-1)}],
)
async def test_impossible_products_are_refused(shop: Shop, wrong):
    fields = {"sku": "A", "name": "Cup", "price": euro(1), **wrong}

    assert (await shop.refused(UpsertProduct(**fields))).code == "invalid"


async def test_a_cost_is_recorded_with_what_it_was(shop: Shop):
    await shop.done(UpsertProduct(sku="A", name="Cup", price=euro(5)))

    outcome = await shop.done(SetCost(sku="A", cost=euro(2)))

    assert outcome.before == {"cost": None}
    assert CostChanged(sku="A", previous=None, cost=euro("2.00")) in await shop.facts()
    assert (await shop.refused(SetCost(sku="Z", cost=euro(2)))).code == "not_found"
    assert (await shop.refused(SetCost(sku="A", cost=euro(-2)))).code == "invalid"


async def test_one_purchase_is_open_per_product_and_place(shop: Shop):
    await shop.peopled()
    await shop.stocked(A=5)

    outcome = await shop.done(CreatePurchaseOrder(sku="A", quantity=12))
    again = await shop.refused(CreatePurchaseOrder(sku="A", quantity=12))
    await shop.done(CreatePurchaseOrder(sku="A", quantity=12, warehouse="north"))

    number = outcome.detail["purchase_id"]
    assert (again.code, again.detail) == ("already_open", {"purchase_id": number})
    first = (await shop.store.purchase_orders())[0]
    assert (first.supplier, first.unit_cost) == ("acme", euro(4))
    assert first.due_at == shop.clock.now() + timedelta(days=3)


async def test_a_delivery_goes_on_the_shelf_once(shop: Shop):
    await shop.stocked(A=5)
    number = (await shop.done(CreatePurchaseOrder(sku="A", quantity=12))).detail["purchase_id"]

    await shop.done(ReceivePurchaseOrder(purchase_id=number, quantity=10))
    again = await shop.refused(ReceivePurchaseOrder(purchase_id=number))

    assert again.detail == {"from": "received", "to": "received"}
    assert await shop.level("A") == (15, 0)
    assert [p.status for p in await shop.store.purchase_orders(status=None)] == ["received"]
    assert [s.lead_time_days for s in await shop.store.suppliers()] == [7.0]
    received = PurchaseOrderReceived(sku="A", purchase_id=number, quantity=10)
    assert received in await shop.facts()


async def test_a_purchase_is_called_off_while_it_is_open(shop: Shop):
    await shop.stocked(A=5)
    number = (await shop.done(CreatePurchaseOrder(sku="A", quantity=12))).detail["purchase_id"]

    await shop.done(CancelPurchaseOrder(purchase_id=number))

    assert (await shop.refused(CancelPurchaseOrder(purchase_id=number))).code == "illegal_move"
    assert (await shop.refused(ReceivePurchaseOrder(purchase_id=number))).code == "illegal_move"
    assert (await shop.refused(CancelPurchaseOrder(purchase_id=99))).code == "not_found"
    await shop.done(CreatePurchaseOrder(sku="A", quantity=12))


async def test_nothing_is_bought_at_an_unknown_cost_or_from_nobody(shop: Shop):
    await shop.done(UpsertProduct(sku="A", name="Cup", price=euro(5)))
    assert (await shop.refused(CreatePurchaseOrder(sku="A", quantity=1))).code == "invalid"
    assert (await shop.refused(CreatePurchaseOrder(sku="Z", quantity=1))).code == "not_found"
    await shop.done(SetCost(sku="A", cost=euro(2)))
    assert (await shop.refused(CreatePurchaseOrder(sku="A", quantity=0))).code == "invalid"
    both = [Supplier(id=i, name=i, lead_time_days=1) for i in ("x", "y")]
    await shop.store.put_suppliers(both)

    assert (await shop.refused(CreatePurchaseOrder(sku="A", quantity=1))).code == "invalid"


async def test_what_rivals_ask_is_kept_as_it_was_seen(shop: Shop):
    await shop.stocked(A=5)
    seen = [euro(0), euro(-3), Money.of("1E+3", "USD"), Money.of("1E+3", "USD")]

    for price in seen:
        await shop.done(RecordCompetitorPrice(sku="A", competitor="them", price=price))

    assert [r.price for r in await shop.store.competitor_prices()] == [Money.of("1E+3", "USD")]
    facts = [fact for fact in await shop.facts() if isinstance(fact, CompetitorPriceObserved)]
    assert [fact.price for fact in facts] == seen[:3]
    unknown = RecordCompetitorPrice(sku="Z", competitor="them", price=euro(1))
    assert (await shop.refused(unknown)).code == "not_found"


async def test_marketing_needs_consent_and_service_does_not(shop: Shop):
    await shop.peopled()
    words = {"title": "Hello", "body": "Dear customer"}
    start = shop.clock.now()

    await shop.done(SendMessage(customer="ann", purpose="marketing", **words))
    await shop.done(SendMessage(customer="bob", purpose="service", **words))
    without = await shop.refused(SendMessage(customer="bob", purpose="marketing", **words))

    assert without.code == "invalid"
    assert await shop.store.messages_sent(["ann", "bob"], start) == {"ann": 1, "bob": 0}
    unknown = SendMessage(customer="eve", purpose="service", **words)
    assert (await shop.refused(unknown)).code == "not_found"
    odd = SendMessage(customer="ann", purpose="spam", **words)
    assert (await shop.refused(odd)).code == "invalid"
    long = SendMessage(customer="ann", purpose="service", title="t", body="x" * 100_001)
    assert (await shop.refused(long)).code == "invalid"


async def test_customers_and_suppliers_are_added_and_changed(shop: Shop):
    await shop.peopled()

    await shop.store.put_customers([Customer(id="ann", name="Anne", locale="fr")])

    assert (await shop.store.customer("ann")).name == "Anne"
    assert (await shop.store.customer("bob")).name == "Bob"
    with pytest.raises(NotFound):
        await shop.store.customer("eve")


async def test_r117_read_after_write_is_never_stale(shop: Shop):
    await shop.stocked(A=1)

    await shop.placed(A=1)

    assert (await shop.store.stock(["A"]))[0].available == 0
    assert (await shop.refused(PlaceOrder(lines=lines(A=1)))).code == "short_stock"
    assert (await shop.store.order(1)).status is OrderStatus.RECEIVED
