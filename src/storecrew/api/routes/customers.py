"""Customers: entered, their consent, and back-in-stock subscriptions."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import StringConstraints
from typing_extensions import TypedDict

from storecrew.api import bodies
from storecrew.api.dependencies import CurrentPlane, act, page_answer, plane_of, skus_of
from storecrew.api.requests import LedgerRoute
from storecrew.api.roles import OPERATOR, VIEWER, requires
from storecrew.api.routes.promotions import Key
from storecrew.api.schemas import PageResponse
from storecrew.domain.shop.customers import (
    Customer,
    SetConsent,
    SubscribeBackInStock,
    UpsertCustomer,
)

router = APIRouter(prefix="/api", route_class=LedgerRoute, tags=["customers"])


CustomerUpdate = TypedDict("CustomerUpdate", {"customer": str, "name": str})


ConsentUpdate = TypedDict("ConsentUpdate", {"customer": str, "marketing": bool})


StockSubscription = TypedDict("StockSubscription", {"customer": str, "product": str})


_Locale = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")]


class CustomerRequest(bodies.Strict):
    """What is known of a customer; what is left out stays, `"email": null` takes it away."""

    name: bodies.Title
    email: bodies.Name | None = None
    locale: _Locale | None = None


class CustomerChangeRequest(bodies.Strict):
    """What changes of a customer; `"email": null` takes the address away."""

    name: bodies.Title | None = None
    email: bodies.Name | None = None
    locale: _Locale | None = None


class ConsentRequest(bodies.Strict):
    """Whether a customer agrees to marketing."""

    marketing: bool


class BackInStockRequest(bodies.Strict):
    """Who wants to be told when a product is back."""

    customer: bodies.Name
    product: bodies.Name


@router.get("/customers")
@requires(VIEWER)
async def customers(
    plane: CurrentPlane, page: bodies.PageNumber = 1, per_page: bodies.PerPage = 50
) -> PageResponse[Customer]:
    """List customers by id."""
    found = await plane.store.customer_page(page=page, per_page=per_page)
    return page_answer(found.items, found.total, page=page, per_page=per_page)


@router.put("/customers/{customer:path}/consent")
@requires(OPERATOR)
@bodies.example(marketing=True)
async def consent(request: Request, customer: Key, body: ConsentRequest) -> ConsentUpdate:
    """Record whether a customer agrees to marketing; an opt-out holds at once."""
    await act(request, SetConsent(customer=customer, marketing=body.marketing))
    return {"customer": customer, "marketing": body.marketing}


@router.put("/customers/{customer:path}")
@requires(OPERATOR)
@bodies.example(name="Anna", email="anna@example.com", locale="de")
async def put_customer(request: Request, customer: Key, body: CustomerRequest) -> CustomerUpdate:
    """Enter a customer, or change what is named of one."""
    return await _set(request, customer, body)


def _is_a_customer(customer: Key) -> None:
    """Refuse a path that belongs to another route, as a customer's id may hold slashes."""
    if customer.endswith("/consent"):
        raise HTTPException(405, headers={"Allow": "PUT"})


@router.patch("/customers/{customer:path}", dependencies=[Depends(_is_a_customer)])
@requires(OPERATOR)
@bodies.example(locale="de")
async def patch_customer(
    request: Request, customer: Key, body: CustomerChangeRequest
) -> CustomerUpdate:
    """Change what is named of a customer who is known."""
    await plane_of(request).store.customer(customer)
    return await _set(request, customer, body)


async def _set(
    request: Request, customer: str, body: CustomerRequest | CustomerChangeRequest
) -> CustomerUpdate:
    removed = "email" in body.model_fields_set and body.email is None
    email = "" if removed else body.email
    action = UpsertCustomer(customer=customer, name=body.name, email=email, locale=body.locale)
    outcome = await act(request, action)
    return {"customer": customer, "name": outcome.after["name"]}


@router.post("/back-in-stock-subscriptions", status_code=201)
@requires(OPERATOR)
@bodies.example(customer="anna", product="Product A")
async def subscribe_back_in_stock(request: Request, body: BackInStockRequest) -> StockSubscription:
    """Have a customer told once when a product can be bought again."""
    skus = await skus_of(plane_of(request).store, [body.product])
    sku = skus[body.product]
    await act(request, SubscribeBackInStock(customer=body.customer, sku=sku))
    return {"customer": body.customer, "product": sku}
