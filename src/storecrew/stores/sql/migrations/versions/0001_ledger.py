"""The ledger: orders, stock, prices, purchases, messages, keys and outbox."""

import sqlalchemy as sa
from alembic import op

from storecrew.database import Counted

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _create_customers()
    _create_orders()
    _create_price_history()
    _create_products()
    _create_rival_prices()
    _create_suppliers()
    _create_order_items()
    _create_reservations()
    _count_rows()


def _count_rows() -> None:
    op.create_table(
        "row_counts",
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("relation", "part", "state", "shard", name=op.f("pk_row_counts")),
        sqlite_with_rowid=False,
    )
    for table in ("products", "stock", "customers", "messages"):
        Counted(table).begin(op.get_bind())
    for table in ("orders", "purchase_orders"):
        Counted(table, state="status").begin(op.get_bind())


def _create_customers() -> None:
    op.create_table(
        "customers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("marketing_consent", sa.Boolean(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customers")),
    )
    op.create_index("ix_customers_address", "customers", [sa.text("lower(email)")], unique=False)
    op.create_table(
        "applied_commands",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("applied", sa.Boolean(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_applied_commands")),
    )
    op.create_table(
        "import_rejects",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("row", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", "row", name=op.f("pk_import_rejects")),
    )
    op.create_table(
        "messages",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_messages_customer_at"), "messages", ["customer", "at"], unique=False)


def _create_orders() -> None:
    op.create_table(
        "orders",
        sa.Column("id", ID, autoincrement=True, nullable=False),
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
        sa.CheckConstraint("paid_minor >= 0", name=op.f("ck_orders_paid")),
        sa.CheckConstraint("total_minor >= 0", name=op.f("ck_orders_total")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sa.UniqueConstraint("external_id", name=op.f("uq_orders_external_id")),
        sqlite_autoincrement=True,
    )
    for columns in (
        ["timestamp", "id"],
        ["status", "timestamp", "id"],
        ["status", "updated_at"],
        ["customer", "timestamp", "id"],
    ):
        op.create_index(op.f(f"ix_orders_{'_'.join(columns)}"), "orders", columns, unique=False)
    waiting = sa.text("status = 'awaiting_payment' AND paid_minor >= total_minor")
    op.create_index(
        "ix_orders_paid_not_sent",
        "orders",
        ["id"],
        unique=False,
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    op.create_table(
        "outbox",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sqlite_autoincrement=True,
    )


def _create_price_history() -> None:
    op.create_table(
        "price_history",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("previous_minor", sa.BigInteger(), nullable=True),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_history")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_price_history_at"), "price_history", ["at"], unique=False)
    product_at = ["product", "at"]
    op.create_index(op.f("ix_price_history_product_at"), "price_history", product_at, unique=False)


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
        sa.CheckConstraint("price_minor >= 0", name=op.f("ck_products_price")),
        sa.PrimaryKeyConstraint("sku", name=op.f("pk_products")),
    )
    op.create_index(op.f("ix_products_name"), "products", ["name"], unique=False)
    op.create_index(
        "ix_products_unpriced",
        "products",
        ["sku"],
        unique=False,
        sqlite_where=sa.text("price_minor <= 0"),
        postgresql_where=sa.text("price_minor <= 0"),
    )
    op.create_table(
        "purchase_orders",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("supplier", sa.Text(), nullable=False),
        sa.Column("warehouse", sa.Text(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=True),
        sa.Column("unit_cost_minor", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("ordered_at", sa.String(length=32), nullable=False),
        sa.Column("due_at", sa.String(length=32), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_purchase_orders_quantity")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchase_orders")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_purchase_orders_status_id"), "purchase_orders", ["status", "id"], unique=False
    )
    op.create_index(
        "uq_purchase_orders_open",
        "purchase_orders",
        ["product", "warehouse"],
        unique=True,
        sqlite_where=sa.text("status = 'open'"),
        postgresql_where=sa.text("status = 'open'"),
    )


def _create_rival_prices() -> None:
    op.create_table(
        "competitor_prices",
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("competitor", sa.Text(), nullable=False),
        sa.Column("amount", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("product", "competitor", name=op.f("pk_competitor_prices")),
    )
    op.create_table(
        "stock",
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("warehouse", sa.Text(), nullable=False),
        sa.Column("on_hand", sa.BigInteger(), nullable=False),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("on_hand >= 0", name=op.f("ck_stock_on_hand")),
        sa.CheckConstraint("reserved <= on_hand", name=op.f("ck_stock_available")),
        sa.CheckConstraint("reserved >= 0", name=op.f("ck_stock_reserved")),
        sa.PrimaryKeyConstraint("product", "warehouse", name=op.f("pk_stock")),
    )
    op.create_table(
        "stock_history",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("quantity_change", sa.BigInteger(), nullable=False),
        sa.Column("new_quantity", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("timestamp", sa.String(length=32), nullable=False),
        sa.Column("warehouse", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_history")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_stock_history_product_warehouse"),
        "stock_history",
        ["product", "warehouse"],
        unique=False,
    )


def _create_suppliers() -> None:
    op.create_table(
        "suppliers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("lead_time_days", sa.Float(), nullable=False),
        sa.Column("lead_time_sd", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppliers")),
    )
    op.create_table(
        "fulfilments",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("order_id", ID, nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("warehouse", sa.Text(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_fulfilments_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fulfilments")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_fulfilments_order_id"), "fulfilments", ["order_id"], unique=False)
    op.create_table(
        "order_history",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("order_id", ID, nullable=False),
        sa.Column("previous", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_order_history_order_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_history")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_order_history_order_id"), "order_history", ["order_id"], unique=False)


def _create_order_items() -> None:
    op.create_table(
        "order_items",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("order_id", ID, nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("unit_price_minor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_order_items_quantity")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_items_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_items")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_order_items_order_id"), "order_items", ["order_id"], unique=False)
    op.create_table(
        "payments",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("order_id", ID, nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_payments_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments")),
        sa.UniqueConstraint("reference", name=op.f("uq_payments_reference")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_payments_order_id"), "payments", ["order_id"], unique=False)
    op.create_table(
        "refunds",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("order_id", ID, nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_refunds_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refunds")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_refunds_order_id"), "refunds", ["order_id"], unique=False)
    op.create_index(op.f("ix_refunds_at"), "refunds", ["at"], unique=False)


def _create_reservations() -> None:
    op.create_table(
        "reservations",
        sa.Column("order_id", ID, nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("warehouse", sa.Text(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_reservations_quantity")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_reservations_order_id")),
        sa.PrimaryKeyConstraint("order_id", "product", "warehouse", name=op.f("pk_reservations")),
    )
    op.create_table(
        "returns",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("order_id", ID, nullable=True),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("customer", sa.Text(), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_returns_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_returns")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_returns_external_id"), "returns", ["external_id"], unique=False)
    op.create_index(op.f("ix_returns_order_id"), "returns", ["order_id"], unique=False)
    op.create_table(
        "return_lines",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("return_id", ID, nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_return_lines_quantity")),
        sa.ForeignKeyConstraint(
            ["return_id"], ["returns.id"], name=op.f("fk_return_lines_return_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_return_lines")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_return_lines_return_id"), "return_lines", ["return_id"], unique=False)
