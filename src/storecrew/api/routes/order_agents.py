"""The order system's own paths, as its first clients know them: five agents by number."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from typing_extensions import TypedDict

from storecrew.api import bodies
from storecrew.api.dependencies import CurrentPlane, act, plane_of, skus_of
from storecrew.api.requests import LedgerRoute
from storecrew.api.roles import OPERATOR, VIEWER, requires
from storecrew.api.routes.orders import lines_of
from storecrew.app.briefing import order_flow
from storecrew.domain.errors import InvalidInput, NotFound
from storecrew.domain.ports.store import StoreView
from storecrew.domain.shop.inventory import SetStock, StockCount
from storecrew.domain.shop.orders import (
    ApproveOrder,
    CompleteDelivery,
    FulfilOrder,
    Line,
    Lines,
    Order,
    OrderQuery,
    OrderStatus,
    PlaceOrder,
    parse_order,
    parse_stock,
)

router = APIRouter(route_class=LedgerRoute, tags=["order system"])

AgentCard = TypedDict("AgentCard", {"name": str, "description": str})
OrderAccepted = TypedDict(
    "OrderAccepted",
    {"response": str, "order_id": int, "status": str, "stock_check": dict[str, str]},
)
StockUpdate = TypedDict(
    "StockUpdate",
    {"message": str, "updated_items": dict[str, int], "current_stock": dict[str, int]},
)
OrderApproval = TypedDict(
    "OrderApproval", {"response": str, "payment_order": str, "order_id": int, "status": str}
)
OrderFulfilment = TypedDict(
    "OrderFulfilment", {"confirmation": str, "updated_stock": Any, "status": str}
)
OrderDelivery = TypedDict("OrderDelivery", {"success": bool, "status": str})
OrderFlow = TypedDict(
    "OrderFlow", {"metrics": Mapping[str, Any], "insights": Sequence[Any], "status": str}
)
FlowRecommendations = TypedDict(
    "FlowRecommendations", {"recommendations": Sequence[Any], "metrics": Mapping[str, Any]}
)
OrderLog = TypedDict(
    "OrderLog",
    {"orders": Sequence[Order], "page": int, "per_page": int, "total": int, "pages": int},
)

_FIVE = (
    ("Mail Interface", "Takes orders in and checks that every line is in stock."),
    ("Warehouse", "Keeps the stock levels."),
    ("Order Approval", "Approves orders before they are paid."),
    ("Delivery and Fulfilment", "Hands paid orders to the carrier and records deliveries."),
    ("OrderFlow Oversight", "Watches the flow and names its bottlenecks."),
)


class MailedOrderRequest(bodies.Strict):
    """An order as a customer writes it."""

    mail: bodies.Text
    customer: bodies.Name | None = None


class StockUpdateRequest(bodies.Strict):
    """Stock levels as a warehouse writes them."""

    stock: bodies.Text


class OrderRef(bodies.Strict):
    """Which order."""

    order_id: bodies.OrderId


class ApproveOrderRequest(OrderRef):
    """Which order, and its text where the caller wants it compared."""

    order: bodies.Text | None = None


@router.get("/agent/{number}")
@requires(VIEWER)
async def describe(number: str) -> AgentCard:
    """Say what the order system's agent of this number does."""
    if number not in {"1", "2", "3", "4", "5"}:
        raise NotFound("agent", number)
    name, description = _FIVE[int(number) - 1]
    return {"name": name, "description": description}


@router.post("/agent/1/mail", response_model=OrderAccepted)
@requires(OPERATOR)
@bodies.example(mail="Product A:5, Product B:2", customer="anna@example.com")
async def mail(request: Request, body: MailedOrderRequest) -> JSONResponse:
    """Accept an order written as `Name:quantity, …`."""
    action = PlaceOrder(lines=lines_of(body.mail), customer=body.customer, order_text=body.mail)
    outcome = await act(request, action)
    order_id = outcome.detail["order_id"]
    return JSONResponse(
        {
            "response": f"Order {order_id} received; every line is in stock and reserved.",
            "order_id": order_id,
            "status": OrderStatus.RECEIVED,
            "stock_check": {line.sku: "reserved" for line in action.lines},
        }
    )


@router.post("/agent/2/warehouse", response_model=StockUpdate)
@requires(OPERATOR)
@bodies.example(stock="Product A:100 units, Product B:20 units")
async def warehouse(request: Request, body: StockUpdateRequest) -> JSONResponse:
    """Set the levels written as `Name:quantity units, …`: all of them, or none."""
    place = request.app.state.settings.store.warehouse
    parsed = parse_stock(body.stock)
    skus = await skus_of(plane_of(request).store, [each.name for each in parsed])
    levels = tuple(
        StockCount(sku=skus[each.name], on_hand=each.quantity, warehouse=place) for each in parsed
    )
    outcome = await act(request, SetStock(levels=levels))
    after = {level["sku"]: level["on_hand"] for level in outcome.after["levels"]}
    return JSONResponse(
        {
            "message": f"{len(levels)} stock levels set",
            "updated_items": {each.name: each.quantity for each in parsed},
            "current_stock": after,
        }
    )


@router.post("/agent/3/approve", response_model=OrderApproval)
@requires(OPERATOR)
@bodies.example(order_id=1)
async def approve(request: Request, body: ApproveOrderRequest) -> JSONResponse:
    """Approve a received order; it then awaits payment."""
    if body.order is not None:
        await _compare(plane_of(request).store, body.order_id, body.order)
    await act(request, ApproveOrder(order_id=body.order_id))
    return JSONResponse(
        {
            "response": f"Order {body.order_id} approved.",
            "payment_order": f"Request the payment of order {body.order_id}.",
            "order_id": body.order_id,
            "status": OrderStatus.AWAITING_PAYMENT,
        }
    )


async def _compare(store: StoreView, order_id: int, text: str) -> None:
    """Refuse an approval of something else than what was ordered."""
    order = await store.order(order_id)
    if text.strip() == order.order_text.strip():
        return
    parsed = parse_order(text)
    skus = await skus_of(store, [each.name for each in parsed])
    lines = [Line(sku=skus[each.name], quantity=each.quantity) for each in parsed]
    ordered = [Line(sku=line.sku, quantity=line.quantity) for line in order.lines]
    if Lines.merge_lines(lines) != Lines.merge_lines(ordered):
        raise InvalidInput("order", f"differs from order {order.id}, which is {order.order_text!r}")


@router.post("/agent/4/fulfilled")
@requires(OPERATOR)
@bodies.example(order_id=1)
async def fulfilled(request: Request, body: OrderRef) -> OrderFulfilment:
    """Hand a paid order to the carrier; its units leave the shelf."""
    outcome = await act(request, FulfilOrder(order_id=body.order_id))
    return {
        "confirmation": f"Order {body.order_id} left the warehouse.",
        "updated_stock": outcome.detail["updated_stock"],
        "status": OrderStatus.AWAITING_DELIVERY,
    }


@router.post("/agent/4/delivery-complete", response_model=OrderDelivery)
@requires(OPERATOR)
@bodies.example(order_id=1)
async def delivered(request: Request, body: OrderRef) -> JSONResponse:
    """Record that the parcel arrived."""
    await act(request, CompleteDelivery(order_id=body.order_id))
    return JSONResponse({"success": True, "status": OrderStatus.DELIVERED})


@router.get("/api/logs")
@requires(VIEWER)
async def logs(
    plane: CurrentPlane, page: bodies.PageNumber = 1, per_page: bodies.PerPage = 50
) -> OrderLog:
    """List orders, newest first, in the order system's own shape."""
    found = await plane.store.orders(OrderQuery(page=page, per_page=per_page))
    return {
        "orders": found.items,
        "page": page,
        "per_page": per_page,
        "total": found.total,
        "pages": -(-found.total // per_page),
    }


@router.get("/agent/5/oversight")
@requires(VIEWER)
async def overview(plane: CurrentPlane) -> OrderFlow:
    """Show what stands where in the order flow, and what is stuck."""
    report = await order_flow(plane)
    return {"metrics": report.metrics, "insights": report.insights, "status": report.status}


@router.get("/agent/5/recommendations")
@requires(VIEWER)
async def recommendations(plane: CurrentPlane) -> FlowRecommendations:
    """Say what would help, each with the numbers it rests on."""
    report = await order_flow(plane)
    return {"recommendations": report.recommendations, "metrics": report.metrics}
