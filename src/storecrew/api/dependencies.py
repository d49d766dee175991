"""What every route gets at: the plane, the caller, and one way to change the store."""

from collections.abc import Sequence
from typing import Annotated, TypeVar

from fastapi import Depends, HTTPException, Request

from storecrew.api.authentication import caller
from storecrew.api.errors import Refused
from storecrew.api.requests import scoped_key
from storecrew.api.schemas import PageResponse
from storecrew.app.control_plane import Plane
from storecrew.app.settings import Settings
from storecrew.domain.actions import Action
from storecrew.domain.control.proposals import Outcome
from storecrew.domain.errors import InvalidInput
from storecrew.domain.ports.store import StoreView
from storecrew.domain.shop.catalog import ProductIndex


def plane_of(request: Request) -> Plane:
    """Return the plane that the application serves."""
    plane: Plane = request.app.state.plane
    return plane


async def _plane(request: Request) -> Plane:  # async, so that it needs no thread
    return plane_of(request)


async def _caller(request: Request) -> str:
    return caller(request)


T = TypeVar("T")
CurrentPlane = Annotated[Plane, Depends(_plane)]
CurrentPrincipal = Annotated[str, Depends(_caller)]


def check_scope(request: Request, agent: str) -> None:
    """Refuse a caller who would trigger an agent outside AUTHORIZED_AGENTS_SCOPE: 403."""
    settings: Settings = request.app.state.settings
    if not settings.api.may_trigger(agent):
        raise HTTPException(403, f"agent {agent!r} is outside AUTHORIZED_AGENTS_SCOPE")


async def act(request: Request, action: Action) -> Outcome:
    """Apply the action once per Idempotency-Key; raises `Refused` where the store says no."""
    store = plane_of(request).store
    outcome = await store.apply(action, key=action_key(request), actor=caller(request))
    if not outcome.applied:
        raise Refused(outcome)
    return outcome


def action_key(request: Request) -> str:
    """Return the key under which the request's action happens at most once."""
    return f"http/{scoped_key(request)}"


async def skus_of(store: StoreView, names: Sequence[str]) -> dict[str, str]:
    """Return the SKU of each name; an unknown name stands for itself."""
    found = {product.sku: product.sku for product in await store.products(names)}
    if missing := [name for name in names if name not in found]:
        catalogue = ProductIndex(await store.products())
        for name in missing:
            try:
                found[name] = catalogue.find(name).sku
            except InvalidInput:
                found[name] = name
    return found


def page_answer(items: Sequence[T], total: int, *, page: int, per_page: int) -> PageResponse[T]:
    """Return one page in the shape that every list has."""
    pages = -(-total // per_page)
    return {"items": items, "page": page, "per_page": per_page, "total": total, "pages": pages}
