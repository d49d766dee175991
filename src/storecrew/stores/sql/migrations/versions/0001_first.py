"""The store's tables."""

import sqlalchemy as sa
from alembic import op

from storecrew.database import Counted

revision = "0001"
down_revision = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    _create_customers()
    _create_orders()
    _create_price_history()
    _create_products()
    _create_competitor_prices()
    _create_suppliers()
    _create_order_items()
    _create_reservations()
    _support()
    _promotions()
    _storefront()
    _payments()
    _message_delivery()
    _count_rows()


def _create_customers() -> None:
    op.create_table(
        "customers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("marketing_consent", sa.Boolean(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_customers"),
    )
    op.create_index("ix_customers_address", "customers", [sa.text("lower(email)")])
    op.create_table(
        "applied_commands",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("applied", sa.Boolean(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_applied_commands"),
    )
    op.create_table(
        "import_rejects",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("row", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", "row", name="pk_import_rejects"),
    )
    _numbered_table(
        "messages",
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("topic", sa.Text(), nullable=True),
        sa.Column("campaign", sa.Text(), nullable=True),
        sa.Column("answers", sa.Text(), nullable=True),
    )
    op.create_index("ix_messages_customer_at", "messages", ["customer", "at"])
    op.create_index("ix_messages_campaign", "messages", ["campaign"])
    op.create_index("uq_messages_topic", "messages", ["customer", "topic"], unique=True)


def _create_orders() -> None:
    _numbered_table(
        "orders",
        sa.Column("order_text", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("timestamp", sa.String(length=32), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("customer", sa.Text(), nullable=True),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("paid_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.String(length=32), nullable=False),
        sa.Column("imported", sa.Boolean(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("effect_key", sa.Text(), nullable=True),
        sa.Column("held", sa.Text(), nullable=False, server_default=""),
        sa.CheckConstraint("paid_minor >= 0", name="ck_orders_paid"),
        sa.CheckConstraint("total_minor >= 0", name="ck_orders_total"),
        sa.UniqueConstraint("external_id", name="uq_orders_external_id"),
    )
    for columns in (
        ["timestamp", "id"],
        ["status", "timestamp", "id"],
        ["status", "updated_at"],
        ["customer", "timestamp", "id"],
    ):
        op.create_index(f"ix_orders_{'_'.join(columns)}", "orders", columns)
    waiting = "status = 'awaiting_payment' AND paid_minor >= total_minor"
    _partial_index("ix_orders_paid_not_sent", "orders", ["id"], waiting)
    _numbered_table(
        "outbox",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
    )


def _create_price_history() -> None:
    _numbered_table(
        "price_history",
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("previous_minor", sa.BigInteger(), nullable=True),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
    )
    op.create_index("ix_price_history_at", "price_history", ["at"])
    product_at = ["product", "at"]
    op.create_index("ix_price_history_product_at", "price_history", product_at)


def _create_products() -> None:
    op.create_table(
        "products",
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("cost_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("supplier", sa.Text(), nullable=True),
        sa.Column("pack_size", sa.BigInteger(), nullable=False),
        sa.Column("stocked", sa.Boolean(), nullable=False),
        sa.Column("assumed", sa.Text(), nullable=False),
        sa.CheckConstraint("price_minor >= 0", name="ck_products_price"),
        sa.PrimaryKeyConstraint("sku", name="pk_products"),
    )
    op.create_index("ix_products_name", "products", ["name"])
    _partial_index("ix_products_unpriced", "products", ["sku"], "price_minor <= 0")
    _numbered_table(
        "purchase_orders",
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("supplier", sa.Text(), nullable=False),
        sa.Column("warehouse", sa.Text(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=True),
        sa.Column("unit_cost_minor", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("ordered_at", sa.String(length=32), nullable=False),
        sa.Column("due_at", sa.String(length=32), nullable=False),
        sa.CheckConstraint("quantity > 0", name="ck_purchase_orders_quantity"),
    )
    op.create_index("ix_purchase_orders_status_id", "purchase_orders", ["status", "id"])
    _partial_index(
        "uq_purchase_orders_open",
        "purchase_orders",
        ["product", "warehouse"],
        "status = 'open'",
        unique=True,
    )


def _create_competitor_prices() -> None:
    op.create_table(
        "competitor_prices",
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("competitor", sa.Text(), nullable=False),
        sa.Column("amount", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("product", "competitor", name="pk_competitor_prices"),
    )
    op.create_table(
        "stock",
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("warehouse", sa.Text(), nullable=False),
        sa.Column("on_hand", sa.BigInteger(), nullable=False),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("on_hand >= 0", name="ck_stock_on_hand"),
        sa.CheckConstraint("reserved <= on_hand", name="ck_stock_available"),
        sa.CheckConstraint("reserved >= 0", name="ck_stock_reserved"),
        sa.PrimaryKeyConstraint("product", "warehouse", name="pk_stock"),
    )
    _numbered_table(
        "stock_history",
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("quantity_change", sa.BigInteger(), nullable=False),
        sa.Column("new_quantity", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("timestamp", sa.String(length=32), nullable=False),
        sa.Column("warehouse", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
    )
    op.create_index(
        "ix_stock_history_product_warehouse",
        "stock_history",
        ["product", "warehouse"],
    )


def _create_suppliers() -> None:
    op.create_table(
        "suppliers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("lead_time_days", sa.Float(), nullable=False),
        sa.Column("lead_time_sd", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_suppliers"),
    )
    _numbered_table(
        "fulfilments",
        sa.Column("order_id", ID, nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("warehouse", sa.Text(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_fulfilments_order_id"),
    )
    op.create_index("ix_fulfilments_order_id", "fulfilments", ["order_id"])
    _numbered_table(
        "order_history",
        sa.Column("order_id", ID, nullable=False),
        sa.Column("previous", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_order_history_order_id"),
    )
    op.create_index("ix_order_history_order_id", "order_history", ["order_id"])


def _create_order_items() -> None:
    _numbered_table(
        "order_items",
        sa.Column("order_id", ID, nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("unit_price_minor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("quantity > 0", name="ck_order_items_quantity"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_order_items_order_id"),
    )
    op.create_index("ix_order_items_order_id", "order_items", ["order_id"])
    _numbered_table(
        "payments",
        sa.Column("order_id", ID, nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_payments_order_id"),
        sa.UniqueConstraint("reference", name="uq_payments_reference"),
    )
    op.create_index("ix_payments_order_id", "payments", ["order_id"])
    _numbered_table(
        "refunds",
        sa.Column("order_id", ID, nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_refunds_order_id"),
    )
    op.create_index("ix_refunds_order_id", "refunds", ["order_id"])
    op.create_index("ix_refunds_at", "refunds", ["at"])


def _create_reservations() -> None:
    op.create_table(
        "reservations",
        sa.Column("order_id", ID, nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("warehouse", sa.Text(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("quantity > 0", name="ck_reservations_quantity"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_reservations_order_id"),
        sa.PrimaryKeyConstraint("order_id", "product", "warehouse", name="pk_reservations"),
    )
    _numbered_table(
        "returns",
        sa.Column("order_id", ID, nullable=True),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("customer", sa.Text(), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_returns_order_id"),
    )
    op.create_index("ix_returns_external_id", "returns", ["external_id"])
    op.create_index("ix_returns_order_id", "returns", ["order_id"])
    _numbered_table(
        "return_lines",
        sa.Column("return_id", ID, nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("quantity > 0", name="ck_return_lines_quantity"),
        sa.ForeignKeyConstraint(["return_id"], ["returns.id"], name="fk_return_lines_return_id"),
    )
    op.create_index("ix_return_lines_return_id", "return_lines", ["return_id"])


def _support() -> None:
    op.create_table(
        "tickets",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("customer", sa.Text()),
        sa.Column("order_id", sa.BigInteger()),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.String(32), nullable=False),
        sa.Column("updated_at", sa.String(32), nullable=False),
        sa.Column("rating", sa.Integer()),
        sa.Column("reference", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_tickets"),
    )
    op.create_index("ix_tickets_status_opened_at_id", "tickets", ["status", "opened_at", "id"])
    op.create_index("ix_tickets_opened_at_id", "tickets", ["opened_at", "id"])
    _numbered_table(
        "ticket_replies",
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name="fk_ticket_replies_ticket_id"),
    )
    op.create_index("ix_ticket_replies_ticket_id", "ticket_replies", ["ticket_id"])


def _promotions() -> None:
    op.create_table(
        "discounts",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("percent", sa.Text(), nullable=False),
        sa.Column("skus", sa.Text(), nullable=False),
        sa.Column("customers", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.String(32), nullable=False),
        sa.Column("ends_at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("code", name="pk_discounts"),
    )
    op.create_index("ix_discounts_ends_at", "discounts", ["ends_at"])
    op.create_table(
        "bundles",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("skus", sa.Text(), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_bundles"),
    )
    op.create_table(
        "campaigns",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("started_at", sa.String(32), nullable=False),
        sa.Column("ends_at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_campaigns"),
    )
    op.create_table(
        "campaign_members",
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign"], ["campaigns.name"], name="fk_campaign_members_campaign"
        ),
        sa.PrimaryKeyConstraint("campaign", "customer", name="pk_campaign_members"),
    )


def _storefront() -> None:
    op.create_table(
        "recommendations",
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("skus", sa.Text(), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("place", name="pk_recommendations"),
    )
    op.create_table(
        "product_suggestions",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("suggested_at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_product_suggestions"),
    )
    op.create_table(
        "competitor_pages",
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("competitor", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("product", "competitor", name="pk_competitor_pages"),
    )
    _numbered_table(
        "customer_activity",
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
    )
    op.create_index("ix_customer_activity_at", "customer_activity", ["at"])
    op.create_table(
        "back_in_stock_subscriptions",
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("product", "customer", name="pk_back_in_stock_subscriptions"),
    )


def _payments() -> None:
    op.create_table(
        "authorizations",
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("order_id", ID, nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_authorizations_order_id"),
        sa.PrimaryKeyConstraint("reference", name="pk_authorizations"),
    )
    op.create_index("ix_authorizations_order_id", "authorizations", ["order_id"])
    op.create_table(
        "payment_methods",
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("method", name="pk_payment_methods"),
    )


def _message_delivery() -> None:
    op.create_table(
        "suppressions",
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("address", name="pk_suppressions"),
    )
    op.create_table(
        "message_deliveries",
        sa.Column("message_id", ID, autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name="fk_message_deliveries_message_id"
        ),
        sa.PrimaryKeyConstraint("message_id", name="pk_message_deliveries"),
    )
    op.create_index(
        "ix_message_deliveries_state_message_id", "message_deliveries", ["state", "message_id"]
    )


def _count_rows() -> None:
    op.create_table(
        "row_counts",
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("relation", "part", "state", "shard", name="pk_row_counts"),
        sqlite_with_rowid=False,
    )
    for table in ("products", "stock", "customers", "messages"):
        Counted(table).begin(op.get_bind())
    for table in ("orders", "purchase_orders"):
        Counted(table, state="status").begin(op.get_bind())
    Counted("authorizations", state="method").begin(op.get_bind())
    Counted("message_deliveries", state="state").begin(op.get_bind())


def _numbered_table(name: str, *parts: sa.schema.SchemaItem) -> None:
    """Make a table that numbers its rows."""
    op.create_table(
        name,
        sa.Column("id", ID, autoincrement=True, nullable=False),
        *parts,
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
        sqlite_autoincrement=True,
    )


def _partial_index(
    name: str, table: str, columns: list[str], where: str, *, unique: bool = False
) -> None:
    """Index the rows of which the condition holds."""
    held = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=held, postgresql_where=held)
