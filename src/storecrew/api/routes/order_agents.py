"""The order system's own paths, as its first clients know them: five agents by number."""

from dataclasses import fields

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from storecrew.agents.oversight import Survey, Thresholds, survey
from storecrew.api import bodies
from storecrew.api.access import ThePlane, act, answer, plane_of, skus_of
from storecrew.api.requests import LedgerRoute
from storecrew.app.plane import Plane
from storecrew.domain import actions
from storecrew.domain.commerce import Line, Lines, OrderQuery
from storecrew.domain.errors import InvalidInput, NotFound
from storecrew.domain.orders import Status, parse_order, parse_stock
from storecrew.domain.ports import StoreView

router = APIRouter(route_class=LedgerRoute)

_FIVE = (
    ("Mail Interface", "Takes orders in and checks that every line is in stock."),
    ("Warehouse", "Keeps the stock levels."),
    ("Order Approval", "Approves orders before they are paid."),
    ("Delivery and Fulfilment", "Hands paid orders to the carrier and records deliveries."),
    ("Flow Oversight", "Watches the flow and names its bottlenecks."),
)


@router.get("/agent/{number}")
async def describe(number: str) -> JSONResponse:
    """Say what the order system's agent of this number does."""
    if number not in {"1", "2", "3", "4", "5"}:
        raise NotFound("agent", number)
    name, description = _FIVE[int(number) - 1]
    return JSONResponse({"name": name, "description": description})


@router.post("/agent/1/mail")
async def mail(request: Request, body: bodies.MailBody) -> JSONResponse:
    """Accept an order written as `Name:quantity, …`."""
    action = actions.PlaceOrder(
        lines=bodies.lines_of(body.mail), customer=body.customer, order_text=body.mail
    )
    outcome = await act(request, action)
    order_id = outcome.detail["order_id"]
    return JSONResponse(
        {
            "response": f"Order {order_id} received; every line is in stock and reserved.",
            "order_id": order_id,
            "status": Status.RECEIVED,
            "stock_check": {line.sku: "reserved" for line in action.lines},
        }
    )


@router.post("/agent/2/warehouse")
async def warehouse(request: Request, body: bodies.WarehouseBody) -> JSONResponse:
    """Set the levels written as `Name:quantity units, …`: all of them, or none."""
    place = request.app.state.settings.store.warehouse
    told = parse_stock(body.stock)
    skus = await skus_of(plane_of(request).store, [each.name for each in told])
    levels = tuple(
        actions.Level(sku=skus[each.name], on_hand=each.quantity, warehouse=place) for each in told
    )
    outcome = await act(request, actions.SetStock(levels=levels))
    after = {level["sku"]: level["on_hand"] for level in outcome.after["levels"]}
    return JSONResponse(
        {
            "message": f"{len(levels)} stock levels set",
            "updated_items": {each.name: each.quantity for each in told},
            "current_stock": after,
        }
    )


@router.post("/agent/3/approve")
async def approve(request: Request, body: bodies.ApproveBody) -> JSONResponse:
    """Approve a received order; it then awaits payment."""
    if body.order is not None:
        await _compare(plane_of(request).store, body.order_id, body.order)
    await act(request, actions.ApproveOrder(order_id=body.order_id))
    return JSONResponse(
        {
            "response": f"Order {body.order_id} approved.",
            "payment_order": f"Request the payment of order {body.order_id}.",
            "order_id": body.order_id,
            "status": Status.AWAITING_PAYMENT,
        }
    )


async def _compare(store: StoreView, order_id: int, text: str) -> None:
    """Refuse an approval of something else than what was ordered."""
    order = await store.order(order_id)
    if text.strip() == order.order_text.strip():
        return
    told = parse_order(text)
    skus = await skus_of(store, [each.name for each in told])
    lines = [Line(sku=skus[each.name], quantity=each.quantity) for each in told]
    ordered = [Line(sku=line.sku, quantity=line.quantity) for line in order.lines]
    if Lines.summed(lines) != Lines.summed(ordered):
        raise InvalidInput("order", f"differs from order {order.id}, which is {order.order_text!r}")


@router.post("/agent/4/fulfilled")
async def fulfilled(request: Request, body: bodies.OrderRef) -> JSONResponse:
    """Hand a paid order to the carrier; its units leave the shelf."""
    outcome = await act(request, actions.FulfilOrder(order_id=body.order_id))
    return answer(
        {
            "confirmation": f"Order {body.order_id} left the warehouse.",
            "updated_stock": outcome.detail["updated_stock"],
            "status": Status.AWAITING_DELIVERY,
        }
    )


@router.post("/agent/4/delivery-complete")
async def delivered(request: Request, body: bodies.OrderRef) -> JSONResponse:
    """Record that the parcel arrived."""
    await act(request, actions.CompleteDelivery(order_id=body.order_id))
    return JSONResponse({"success": True, "status": Status.DELIVERED})


@router.get("/api/logs")
async def logs(
    plane: ThePlane, page: bodies.PageNumber = 1, per_page: bodies.PerPage = 50
) -> JSONResponse:
    """List orders, newest first, in the order system's own shape."""
    found = await plane.store.orders(OrderQuery(page=page, per_page=per_page))
    return answer(
        {
            "orders": found.items,
            "page": page,
            "per_page": per_page,
            "total": found.total,
            "pages": -(-found.total // per_page),
        }
    )


@router.get("/agent/5/oversight")
async def overview(plane: ThePlane) -> JSONResponse:
    """Show what stands where in the order flow, and what is stuck."""
    seen = await _survey(plane)
    return answer({"metrics": seen.metrics, "insights": seen.insights, "status": seen.status})


@router.get("/agent/5/recommendations")
async def recommendations(plane: ThePlane) -> JSONResponse:
    """Say what would help, each with the numbers it rests on."""
    seen = await _survey(plane)
    return answer({"recommendations": seen.recommendations, "metrics": seen.metrics})


async def _survey(plane: Plane) -> Survey:
    given = plane.settings.options("oversight")
    known = {each.name for each in fields(Thresholds)}
    thresholds = Thresholds(**{name: int(n) for name, n in given.items() if name in known})
    return await survey(plane.store, plane.clock.now(), thresholds)
