"""Handlers of customers: their data, consent, activity and back-in-stock subscriptions."""

import re

import sqlalchemy as sa

from storecrew.domain.shop.customers import (
    ConsentChanged,
    CustomerActivityRecorded,
    CustomerChanged,
    RecordCustomerActivity,
    SetConsent,
    SubscribeBackInStock,
    UpsertCustomer,
)
from storecrew.stores.sql.checks import bad_name, bad_text
from storecrew.stores.sql.handler_result import HandlerResult, done, invalid, unknown
from storecrew.stores.sql.schema import tables as t
from storecrew.stores.sql.unit_of_work import UnitOfWork

_ADDRESS = re.compile(r"[^@\s<>\"]{1,64}@[^@\s<>\"]{1,190}")
_LOCALE = re.compile(r"[a-z]{2}(-[A-Z]{2})?")


def upsert_customer(unit: UnitOfWork, action: UpsertCustomer) -> HandlerResult:
    """Enter the customer without consent, or change what is named of one."""
    if bad := _bad_customer(action):
        return bad
    here = t.customers.c.id == action.customer
    row = unit.connection.execute(_KNOWN.where(here)).first()
    before = None if row is None else dict(zip(_FIELDS, row, strict=True))
    if before is None and action.name is None:
        return invalid("name", "a new customer needs one")
    known = {"email": None, "locale": "en", **(before or {})}
    named = {"name": action.name, "email": action.email, "locale": action.locale}
    after = known | {field: value for field, value in named.items() if value is not None}
    after["email"] = after["email"] or None
    if before is None:
        new = {"id": action.customer, "marketing_consent": False, **after}
        unit.connection.execute(sa.insert(t.customers), new)
        unit.consents[action.customer] = False
    else:
        unit.connection.execute(sa.update(t.customers).where(here).values(after))
    if changed := tuple(sorted(f for f in after if (before or {}).get(f) != after[f])):
        unit.publish(CustomerChanged(customer=action.customer, fields=changed))
    detail = {"new": before is None}
    return done(before=before or {}, after={"customer": action.customer, **after}, detail=detail)


_FIELDS = ("name", "email", "locale")
_KNOWN = sa.select(t.customers.c.name, t.customers.c.email, t.customers.c.locale)


def _bad_customer(action: UpsertCustomer) -> HandlerResult | None:
    bad = bad_name("customer", action.customer)
    if bad := bad or (None if action.name is None else bad_name("name", action.name)):
        return bad
    if action.email and not _ADDRESS.fullmatch(action.email):
        return invalid("email", f"{action.email!r} is no mail address")
    if action.locale is not None and not _LOCALE.fullmatch(action.locale):
        return invalid("locale", f"{action.locale!r} is not of the form en or en-GB")
    return None


def set_consent(unit: UnitOfWork, action: SetConsent) -> HandlerResult:
    """Record the customer's consent; it holds for every message not sent yet."""
    if (before := unit.consents.get(action.customer)) is None:
        return unknown("customer", action.customer)
    here = t.customers.c.id == action.customer
    agreed = {"marketing_consent": action.marketing}
    unit.connection.execute(sa.update(t.customers).where(here).values(agreed))
    unit.consents[action.customer] = action.marketing
    if before != action.marketing:
        unit.publish(ConsentChanged(customer=action.customer, marketing=action.marketing))
    return done(before={"marketing": before}, after={"marketing": action.marketing})


_SUBSCRIPTION = sa.select(t.back_in_stock_subscriptions.c.at).where(
    t.back_in_stock_subscriptions.c.product == sa.bindparam("product"),
    t.back_in_stock_subscriptions.c.customer == sa.bindparam("customer"),
)
_ADD_SUBSCRIPTION = sa.insert(t.back_in_stock_subscriptions)


def subscribe_back_in_stock(unit: UnitOfWork, action: SubscribeBackInStock) -> HandlerResult:
    """Store the customer's back-in-stock subscription until it is fulfilled."""
    if action.customer not in unit.consents:
        return unknown("customer", action.customer)
    if action.sku not in unit.products:
        return unknown("product", action.sku)
    subscription = {"product": action.sku, "customer": action.customer}
    if unit.connection.execute(_SUBSCRIPTION, subscription).first() is None:
        unit.connection.execute(_ADD_SUBSCRIPTION, {**subscription, "at": unit.now})
    return done(after={"sku": action.sku, "customer": action.customer})


ACTS = ("viewed", "carted", "searched")


def record_customer_activity(unit: UnitOfWork, action: RecordCustomerActivity) -> HandlerResult:
    """Note what the customer did."""
    if action.kind not in ACTS:
        return invalid("kind", f"{action.kind!r} is not one of {', '.join(ACTS)}")
    if bad := bad_name("customer", action.customer) or bad_text("text", action.text, least=0):
        return bad
    if (action.kind == "searched") != bool(action.text) or (
        action.kind != "searched" and bool(bad_name("sku", action.sku))
    ):
        return invalid("kind", "a search has a text, everything else a product")
    what = {"customer": action.customer, "kind": action.kind}
    unit.add(
        t.customer_activity, {**what, "product": action.sku, "text": action.text, "at": unit.now}
    )
    unit.publish(CustomerActivityRecorded(**what, sku=action.sku, text=action.text))
    return done()
