"""A shop in which every action has something to act on."""

from ledger_shop import Shop, euro, lines

from storecrew.domain import actions as a
from storecrew.domain.actions import Action, Level
from storecrew.domain.codec import ACTIONS
from storecrew.domain.orders import Status


async def stage(shop: Shop) -> dict[str, Action]:
    """Prepare the shop and return, by name, an action of each kind that will be applied."""
    await shop.peopled()
    await shop.stocked(A=100, B=100)
    at = shop.order_at
    received = await at(Status.RECEIVED, A=1)
    unpaid = await at(Status.AWAITING_PAYMENT, paid=False, A=1)
    paid = await at(Status.AWAITING_PAYMENT, A=1)
    shipped = await at(Status.AWAITING_DELIVERY, A=1)
    delivered = await at(Status.DELIVERED, A=1)
    returned = await at(Status.DELIVERED, A=2)
    await shop.done(a.AcceptReturn(order_id=returned, lines=lines(A=1)))
    cancelled = await at(Status.RECEIVED, B=1)
    bought = await shop.done(a.Reorder(sku="B", quantity=5))
    called_off = await shop.done(a.Reorder(sku="B", quantity=5, warehouse="north"))
    words = {"title": "Hello", "body": "Dear customer"}
    every = [
        a.SetPrice(sku="A", price=euro(11)),
        a.SetCost(sku="A", cost=euro(5)),
        a.PutProduct(sku="C", name="Cup", price=euro(1)),
        a.RecordRivalPrice(sku="A", rival="them", price=euro(9)),
        a.SetStock(levels=(Level(sku="A", on_hand=90),)),
        a.AdjustStock(sku="A", change=1, reason="found"),
        a.TransferStock(sku="A", source="main", target="north", quantity=1),
        a.Reorder(sku="A", quantity=5),
        a.CancelPurchase(purchase_id=called_off.detail["purchase_id"]),
        a.ReceivePurchase(purchase_id=bought.detail["purchase_id"]),
        a.PlaceOrder(lines=lines(A=1)),
        a.ApproveOrder(order_id=received),
        a.CapturePayment(order_id=unpaid, reference="stage"),
        a.FulfilOrder(order_id=paid),
        a.CompleteDelivery(order_id=shipped),
        a.CancelOrder(order_id=cancelled),
        a.AcceptReturn(order_id=delivered),
        a.Refund(order_id=returned),
        a.SendMessage(customer="ann", purpose="marketing", **words),
    ]
    return {type(action).__name__: action for action in every}


KINDS = sorted(ACTIONS.keys() - {"Action"})
