"""Tables of what is offered to customers and what passes between them and the shop."""

import sqlalchemy as sa

from storecrew.database import Counted
from storecrew.stores.sql.schema import columns as c
from storecrew.stores.sql.schema.ledger import messages

COUNTED = (Counted("authorizations", state="method"), Counted("message_deliveries", state="state"))
"""Tables of which it is known how many rows they have."""
tickets = sa.Table(
    "tickets",
    c.METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    c.text("status"),
    c.text("text"),
    c.text("customer", null=True),
    sa.Column("order_id", sa.BigInteger, nullable=True),
    c.text("channel"),
    c.at("opened_at"),
    c.at("updated_at"),
    sa.Column("rating", sa.Integer, nullable=True),
    c.text("reference", null=True),
    sa.Index(None, "opened_at", "id"),
    sa.Index(None, "status", "opened_at", "id"),
)
ticket_replies = c.table(
    "ticket_replies",
    c.number(),
    sa.Column("ticket_id", sa.Text, sa.ForeignKey("tickets.id"), nullable=False, index=True),
    c.text("text"),
    c.at("at"),
)
discounts = sa.Table(
    "discounts",
    c.METADATA,
    sa.Column("code", sa.Text, primary_key=True),
    c.text("percent"),
    c.text("skus"),
    c.text("customers"),
    c.at("starts_at"),
    sa.Column("ends_at", c.UtcText, nullable=False, index=True),
)
bundles = sa.Table(
    "bundles",
    c.METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    c.text("skus"),
    c.count("price_minor"),
)
recommendations = sa.Table(
    "recommendations",
    c.METADATA,
    sa.Column("place", sa.Text, primary_key=True),
    c.text("skus"),
    c.at("at"),
)
campaigns = sa.Table(
    "campaigns",
    c.METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    c.text("segment"),
    c.text("title"),
    c.text("body"),
    c.at("started_at"),
    c.at("ends_at"),
)
campaign_members = sa.Table(
    "campaign_members",
    c.METADATA,
    sa.Column("campaign", sa.Text, sa.ForeignKey("campaigns.name"), primary_key=True),
    sa.Column("customer", sa.Text, primary_key=True),
    c.text("part"),
)
product_suggestions = sa.Table(
    "product_suggestions",
    c.METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    c.text("reason"),
    c.text("source"),
    c.at("suggested_at"),
)
competitor_pages = sa.Table(
    "competitor_pages",
    c.METADATA,
    sa.Column("product", sa.Text, primary_key=True),
    sa.Column("competitor", sa.Text, primary_key=True),
    c.text("url"),
)
customer_activity = c.table(
    "customer_activity",
    c.number(),
    c.text("customer"),
    c.text("kind"),
    c.text("product"),
    c.text("text"),
    sa.Column("at", c.UtcText, nullable=False, index=True),
)
authorizations = sa.Table(
    "authorizations",
    c.METADATA,
    sa.Column("reference", sa.Text, primary_key=True),
    c.of_order(),
    c.count("amount_minor"),
    c.text("method"),
    c.at("at"),
)
payment_methods = sa.Table(
    "payment_methods",
    c.METADATA,
    sa.Column("method", sa.Text, primary_key=True),
    c.flag("enabled"),
)
back_in_stock_subscriptions = sa.Table(
    "back_in_stock_subscriptions",
    c.METADATA,
    sa.Column("product", sa.Text, primary_key=True),
    sa.Column("customer", sa.Text, primary_key=True),
    c.at("at"),
)
suppressions = sa.Table(
    "suppressions",
    c.METADATA,
    sa.Column("address", sa.Text, primary_key=True),
    c.text("reason"),
    c.at("at"),
)
message_deliveries = sa.Table(
    "message_deliveries",
    c.METADATA,
    sa.Column("message_id", c.Id, sa.ForeignKey(messages.c.id), primary_key=True),
    c.text("state"),
    c.text("address"),
    sa.Column("attempts", sa.Integer, nullable=False),
    c.text("detail"),
    c.at("at"),
    sa.Index(None, "state", "message_id"),
)
