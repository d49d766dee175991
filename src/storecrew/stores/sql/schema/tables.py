"""The tables of the SQL store, as its statements see them; migrations create them.

Products are named by SKU.
"""

import sqlalchemy as sa

from storecrew.database import Counted, counts_table
from storecrew.stores.sql.schema import columns as c

row_counts = counts_table(c.METADATA)
COUNTED = (
    Counted("orders", state="status"),
    Counted("products"),
    Counted("stock"),
    Counted("customers"),
    Counted("purchase_orders", state="status"),
    Counted("messages"),
    Counted("authorizations", state="method"),
    Counted("message_deliveries", state="state"),
)
"""Tables of which it is known how many rows they have."""
orders = c.table(
    "orders",
    c.number(),
    c.text("order_text"),
    c.text("status"),
    c.at("timestamp"),
    c.text("agent"),
    c.text("details"),
    c.text("customer", null=True),
    c.count("total_minor"),
    c.count("paid_minor"),
    c.text("currency"),
    c.at("updated_at"),
    c.flag("imported"),
    sa.Column("external_id", sa.Text, unique=True),
    c.text("effect_key", null=True),
    sa.Column("held", sa.Text, nullable=False, server_default=""),
    sa.Index(None, "timestamp", "id"),
    sa.Index(None, "status", "timestamp", "id"),
    sa.Index(None, "status", "updated_at"),
    sa.Index(None, "customer", "timestamp", "id"),
    sa.CheckConstraint("total_minor >= 0", name="total"),
    sa.CheckConstraint("paid_minor >= 0", name="paid"),
)
HELD = sa.text("held <> ''")
sa.Index(
    "ix_orders_held", orders.c.timestamp, orders.c.id, sqlite_where=HELD, postgresql_where=HELD
)
PAID_NOT_SENT = sa.text("status = 'awaiting_payment' AND paid_minor >= total_minor")
sa.Index(
    "ix_orders_paid_not_sent",
    orders.c.id,
    sqlite_where=PAID_NOT_SENT,
    postgresql_where=PAID_NOT_SENT,
)
order_items = c.table(
    "order_items",
    c.number(),
    c.of_order(),
    c.text("product"),
    c.count("quantity"),
    c.count("unit_price_minor"),
    sa.CheckConstraint("quantity > 0", name="quantity"),
)
order_history = c.table(
    "order_history",
    c.number(),
    c.of_order(),
    c.text("previous", null=True),
    c.text("status"),
    c.at("at"),
    c.text("actor"),
)
payments = c.table(
    "payments",
    c.number(),
    c.of_order(),
    sa.Column("reference", sa.Text, nullable=False, unique=True),
    c.count("amount_minor"),
    c.at("at"),
)
refunds = c.table(
    "refunds",
    c.number(),
    c.of_order(),
    c.count("amount_minor"),
    c.text("reason"),
    sa.Column("at", c.UtcText, nullable=False, index=True),
)
reservations = sa.Table(
    "reservations",
    c.METADATA,
    sa.Column("order_id", c.Id, sa.ForeignKey("orders.id"), primary_key=True),
    sa.Column("product", sa.Text, primary_key=True),
    sa.Column("warehouse", sa.Text, primary_key=True),
    c.count("quantity"),
    sa.CheckConstraint("quantity > 0", name="quantity"),
)
fulfilments = c.table(
    "fulfilments",
    c.number(),
    c.of_order(),
    c.text("product"),
    c.text("warehouse"),
    c.count("quantity"),
    c.at("at"),
    sa.Column("tracking", sa.Text, nullable=False, server_default=""),
)
returns = c.table(
    "returns",
    c.number(),
    c.of_order(null=True),
    sa.Column("external_id", sa.Text, index=True),
    c.text("customer", null=True),
    c.count("amount_minor"),
    c.text("reason"),
    c.at("at"),
)
return_lines = c.table(
    "return_lines",
    c.number(),
    sa.Column("return_id", c.Id, sa.ForeignKey("returns.id"), nullable=False, index=True),
    c.text("product"),
    c.count("quantity"),
    sa.CheckConstraint("quantity > 0", name="quantity"),
)
products = sa.Table(
    "products",
    c.METADATA,
    sa.Column("sku", sa.Text, primary_key=True),
    c.text("name", index=True),
    c.count("price_minor"),
    c.count("cost_minor", null=True),
    c.text("currency"),
    c.text("supplier", null=True),
    c.count("pack_size"),
    c.flag("stocked"),
    c.text("assumed"),
    sa.Column("retired", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.CheckConstraint("price_minor >= 0", name="price"),
)
UNPRICED = sa.text("price_minor <= 0")
sa.Index(
    "ix_products_unpriced",
    products.c.sku,
    sqlite_where=UNPRICED,
    postgresql_where=UNPRICED,
)
price_history = c.table(
    "price_history",
    c.number(),
    c.text("product"),
    c.count("previous_minor", null=True),
    c.count("price_minor"),
    sa.Column("at", c.UtcText, nullable=False, index=True),
    sa.Index(None, "product", "at"),
)
stock = sa.Table(
    "stock",
    c.METADATA,
    sa.Column("product", sa.Text, primary_key=True),
    sa.Column("warehouse", sa.Text, primary_key=True),
    c.count("on_hand"),
    c.count("reserved"),
    sa.CheckConstraint("on_hand >= 0", name="on_hand"),
    sa.CheckConstraint("reserved >= 0", name="reserved"),
    sa.CheckConstraint("reserved <= on_hand", name="available"),
)
stock_history = c.table(
    "stock_history",
    c.number(),
    c.text("product"),
    c.count("quantity_change"),
    c.count("new_quantity"),
    c.text("reason"),
    c.at("timestamp"),
    c.text("warehouse"),
    c.text("reference"),
    sa.Index(None, "product", "warehouse"),
)
suppliers = sa.Table(
    "suppliers",
    c.METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    c.text("name"),
    sa.Column("lead_time_days", sa.Float, nullable=False),
    sa.Column("lead_time_sd", sa.Float, nullable=False),
)
purchase_orders = c.table(
    "purchase_orders",
    c.number(),
    c.text("product"),
    c.text("supplier"),
    c.text("warehouse"),
    c.count("quantity"),
    c.count("received", null=True),
    c.count("unit_cost_minor"),
    c.text("status"),
    c.at("ordered_at"),
    c.at("due_at"),
    sa.Index(None, "status", "id"),
    sa.Index(
        "uq_purchase_orders_open",
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
    c.METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    c.text("name"),
    c.text("email", null=True),
    c.flag("marketing_consent"),
    c.text("locale"),
)
sa.Index("ix_customers_address", sa.func.lower(customers.c.email))
competitor_prices = sa.Table(
    "competitor_prices",
    c.METADATA,
    sa.Column("product", sa.Text, primary_key=True),
    sa.Column("competitor", sa.Text, primary_key=True),
    c.text("amount"),
    c.text("currency"),
    c.at("seen_at"),
)
messages = c.table(
    "messages",
    c.number(),
    c.text("customer"),
    c.text("purpose"),
    c.text("title"),
    c.text("body"),
    c.at("at"),
    c.text("topic", null=True),
    c.text("campaign", null=True, index=True),
    c.text("answers", null=True),
    c.text("recipient", null=True),
    sa.Index(None, "customer", "at"),
    sa.Index("uq_messages_topic", "customer", "topic", unique=True),
)
outbox = c.table(
    "outbox",
    c.number(),
    c.text("kind"),
    c.text("subject"),
    c.text("event"),
    c.at("at"),
    c.text("actor"),
)
applied_commands = sa.Table(
    "applied_commands",
    c.METADATA,
    sa.Column("key", sa.Text, primary_key=True),
    c.text("fingerprint"),
    c.flag("applied"),
    c.text("outcome"),
    c.at("at"),
)
import_rejects = sa.Table(
    "import_rejects",
    c.METADATA,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("row", sa.BigInteger, primary_key=True),
    c.text("reason"),
    c.text("content"),
)
imports = c.table(
    "imports",
    c.number(),
    c.text("source"),
    c.text("status"),
    c.at("at"),
)
import_members = sa.Table(
    "import_members",
    c.METADATA,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("import_id", c.Id, sa.ForeignKey("imports.id"), nullable=False, index=True),
    c.text("fingerprint"),
)
books = sa.Table(
    "books",
    c.METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    c.text("value"),
)
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
    c.text("contact", null=True),
    c.text("escalation", null=True),
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
