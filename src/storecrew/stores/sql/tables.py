"""The ledger's tables, as the statements beside them see them; migrations create them.

Money is whole minor units, times are UTC in ISO 8601 text of fixed width, so that both databases
sort and cut them alike. Products are named by SKU.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from storecrew.database import moment, stamp


class UtcText(TypeDecorator[datetime]):
    """An aware moment, kept as `2026-01-31T12:00:00.000000+00:00`."""

    impl = sa.String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """Write in UTC and at full width."""
        return None if value is None else stamp(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Read back aware."""
        return None if value is None else moment(value)


Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
METADATA = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _table(name: str, *parts: sa.schema.SchemaItem) -> sa.Table:
    return sa.Table(name, METADATA, *parts, sqlite_autoincrement=True)


def _id() -> sa.Column[int]:
    return sa.Column("id", Id, primary_key=True, autoincrement=True)


def _text(name: str, *, null: bool = False, index: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=null, index=index)


def _count(name: str, *, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=null)


def _at(name: str) -> sa.Column[datetime]:
    return sa.Column(name, UtcText, nullable=False)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False)


def _order(*, null: bool = False) -> sa.Column[int]:
    return sa.Column("order_id", Id, sa.ForeignKey("orders.id"), nullable=null, index=True)


orders = _table(
    "orders",
    _id(),
    _text("order_text"),
    _text("status", index=True),
    sa.Column("timestamp", UtcText, nullable=False, index=True),
    _text("agent"),
    _text("details"),
    _text("customer", null=True, index=True),
    _count("total_minor"),
    _count("paid_minor"),
    _text("currency"),
    _at("updated_at"),
    _flag("imported"),
    sa.Column("external_id", sa.Text, unique=True),
    _text("effect_key", null=True),
    sa.CheckConstraint("total_minor >= 0", name="total"),
    sa.CheckConstraint("paid_minor >= 0", name="paid"),
)
order_items = _table(
    "order_items",
    _id(),
    _order(),
    _text("product"),
    _count("quantity"),
    _count("unit_price_minor"),
    sa.CheckConstraint("quantity > 0", name="quantity"),
)
order_history = _table(
    "order_history",
    _id(),
    _order(),
    _text("previous", null=True),
    _text("status"),
    _at("at"),
    _text("actor"),
)
payments = _table(
    "payments",
    _id(),
    _order(),
    sa.Column("reference", sa.Text, nullable=False, unique=True),
    _count("amount_minor"),
    _at("at"),
)
refunds = _table(
    "refunds",
    _id(),
    _order(),
    _count("amount_minor"),
    _text("reason"),
    _at("at"),
)
reservations = sa.Table(
    "reservations",
    METADATA,
    sa.Column("order_id", Id, sa.ForeignKey("orders.id"), primary_key=True),
    sa.Column("product", sa.Text, primary_key=True),
    sa.Column("warehouse", sa.Text, primary_key=True),
    _count("quantity"),
    sa.CheckConstraint("quantity > 0", name="quantity"),
)
fulfilments = _table(
    "fulfilments",
    _id(),
    _order(),
    _text("product"),
    _text("warehouse"),
    _count("quantity"),
    _at("at"),
)
returns = _table(
    "returns",
    _id(),
    _order(null=True),
    sa.Column("external_id", sa.Text, index=True),
    _text("customer", null=True),
    _count("amount_minor"),
    _text("reason"),
    _at("at"),
)
return_lines = _table(
    "return_lines",
    _id(),
    sa.Column("return_id", Id, sa.ForeignKey("returns.id"), nullable=False, index=True),
    _text("product"),
    _count("quantity"),
    sa.CheckConstraint("quantity > 0", name="quantity"),
)
products = sa.Table(
    "products",
    METADATA,
    sa.Column("sku", sa.Text, primary_key=True),
    _text("name", index=True),
    _count("price_minor"),
    _count("cost_minor", null=True),
    _text("currency"),
    _text("supplier", null=True),
    _count("pack_size"),
    _flag("stocked"),
    _text("assumed"),
    sa.CheckConstraint("price_minor >= 0", name="price"),
)
price_history = _table(
    "price_history",
    _id(),
    _text("product", index=True),
    _count("previous_minor", null=True),
    _count("price_minor"),
    sa.Column("at", UtcText, nullable=False, index=True),
)
stock = sa.Table(
    "stock",
    METADATA,
    sa.Column("product", sa.Text, primary_key=True),
    sa.Column("warehouse", sa.Text, primary_key=True),
    _count("on_hand"),
    _count("reserved"),
    sa.CheckConstraint("on_hand >= 0", name="on_hand"),
    sa.CheckConstraint("reserved >= 0", name="reserved"),
    sa.CheckConstraint("reserved <= on_hand", name="available"),
)
stock_history = _table(
    "stock_history",
    _id(),
    _text("product"),
    _count("quantity_change"),
    _count("new_quantity"),
    _text("reason"),
    _at("timestamp"),
    _text("warehouse"),
    _text("reference"),
    sa.Index(None, "product", "warehouse"),
)
suppliers = sa.Table(
    "suppliers",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    _text("name"),
    sa.Column("lead_time_days", sa.Float, nullable=False),
    sa.Column("lead_time_sd", sa.Float, nullable=False),
)
purchases = _table(
    "purchases",
    _id(),
    _text("product"),
    _text("supplier"),
    _text("warehouse"),
    _count("quantity"),
    _count("received", null=True),
    _count("unit_cost_minor"),
    _text("status", index=True),
    _at("ordered_at"),
    _at("due_at"),
    sa.Index(
        "uq_purchases_open",
        "product",
        "warehouse",
        unique=True,
        sqlite_where=sa.text("status = 'open'"),
        postgresql_where=sa.text("status = 'open'"),
    ),
    sa.CheckConstraint("quantity > 0", name="quantity"),
)
customers = sa.Table(
    "customers",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    _text("name"),
    _text("email", null=True),
    _flag("marketing_consent"),
    _text("locale"),
)
rival_prices = sa.Table(
    "rival_prices",
    METADATA,
    sa.Column("product", sa.Text, primary_key=True),
    sa.Column("rival", sa.Text, primary_key=True),
    _text("amount"),
    _text("currency"),
    _at("seen_at"),
)
messages = _table(
    "messages",
    _id(),
    _text("customer"),
    _text("purpose"),
    _text("title"),
    _text("body"),
    _at("at"),
    sa.Index(None, "customer", "at"),
)
outbox = _table(
    "outbox",
    _id(),
    _text("kind"),
    _text("subject"),
    _text("event"),
    _at("at"),
    _text("actor"),
)
effects = sa.Table(
    "effects",
    METADATA,
    sa.Column("key", sa.Text, primary_key=True),
    _text("fingerprint"),
    _flag("applied"),
    _text("outcome"),
    _at("at"),
)
import_rejects = sa.Table(
    "import_rejects",
    METADATA,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("row", sa.BigInteger, primary_key=True),
    _text("reason"),
    _text("content"),
)
