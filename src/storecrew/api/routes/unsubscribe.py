"""Where a letter's link ends marketing: a page that asks, and one click that does it (RFC 8058)."""

from collections.abc import Callable, Coroutine
from html import escape
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, Response

from storecrew.api import schemas
from storecrew.api.dependencies import CurrentPlane
from storecrew.api.requests import JsonRoute
from storecrew.api.roles import ANYONE, requires
from storecrew.domain.errors import NotFound
from storecrew.domain.shop.customers import Customer

_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
)
_PAGE = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<style>body{{font:16px/1.5 system-ui,sans-serif;margin:4rem auto;max-width:32rem;padding:0 1rem;\
color:#1f2328}}button{{font:inherit;padding:.6rem 1.2rem;border:0;border-radius:6px;\
background:#1f5fbf;color:#fff;cursor:pointer}}</style></head>
<body><h1>{title}</h1><p>{text}</p>{form}</body></html>
"""
_FORM = '<form method="post"><button type="submit">{button}</button></form>'


class FormRoute(JsonRoute):
    """A route for mail programs and browsers, which send forms; its proof is in its path."""

    remembers = False
    takes_json = False

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, whose answers may be styled and have a button."""
        serve = super().get_route_handler()

        async def served(request: Request) -> Response:
            response = await serve(request)
            response.headers["content-security-policy"] = _POLICY
            response.headers["referrer-policy"] = "no-referrer"  # the address holds the token
            response.headers["cache-control"] = "no-store"
            return response

        return served


router = APIRouter(prefix="/unsubscribe", route_class=FormRoute, tags=["mail"])


@router.get("/{token}", response_class=Response, responses=schemas.text("text/html"))
@requires(ANYONE)
async def ask(plane: CurrentPlane, token: str) -> HTMLResponse:
    """Ask whether the reader wants no more news. Changes nothing: programs open links."""
    return _page(plane, await _customer(plane, token), done=False)


@router.post("/{token}", response_class=Response, responses=schemas.text("text/html"))
@requires(ANYONE)
async def unsubscribe(request: Request, plane: CurrentPlane, token: str) -> HTMLResponse:
    """End marketing for the recipient of the e-mail. Idempotent."""
    customer = await _customer(plane, token)
    if customer.marketing_consent:
        await plane.mail.unsubscribe(customer.id, key=f"unsubscribe/{uuid4().hex}")
    return _page(plane, customer, done=True)


async def _customer(plane: CurrentPlane, token: str) -> Customer:
    named = plane.mail.seals.customer_of(token)
    if named is None:
        raise HTTPException(404)
    try:
        return await plane.store.customer(named)
    except NotFound:
        raise HTTPException(404) from None


def _page(plane: CurrentPlane, customer: Customer, *, done: bool) -> HTMLResponse:
    language, title, text, button = plane.mail.page(customer, done=done)
    form = "" if done else _FORM.format(button=escape(button))
    return HTMLResponse(
        _PAGE.format(language=language, title=escape(title), text=escape(text), form=form)
    )
