"""What is offered to customers, and what passes between them and the shop."""

import sqlalchemy as sa
from alembic import op

from storecrew.database import Counted

revision = "0002"
down_revision = "0001"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables, and the columns that old ones lack."""
    _widen()
    _create_care()
    _create_selling()
    _create_window()
    _create_payments()
    _create_post()
    Counted("authorizations", state="method").begin(op.get_bind())
    Counted("message_deliveries", state="state").begin(op.get_bind())


def _widen() -> None:
    op.add_column("orders", sa.Column("held", sa.Text(), nullable=False, server_default=""))
    op.add_column("messages", sa.Column("topic", sa.Text()))
    op.add_column("messages", sa.Column("campaign", sa.Text()))
    op.add_column("messages", sa.Column("answers", sa.Text()))
    op.create_index("ix_messages_campaign", "messages", ["campaign"])
    op.create_index("uq_messages_topic", "messages", ["customer", "topic"], unique=True)


def _create_care() -> None:
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
    op.create_table(
        "ticket_replies",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name="fk_ticket_replies_ticket_id"),
        sa.PrimaryKeyConstraint("id", name="pk_ticket_replies"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_ticket_replies_ticket_id", "ticket_replies", ["ticket_id"])


def _create_selling() -> None:
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


def _create_window() -> None:
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
    op.create_table(
        "customer_activity",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_customer_activity"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_customer_activity_at", "customer_activity", ["at"])
    op.create_table(
        "back_in_stock_subscriptions",
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("product", "customer", name="pk_back_in_stock_subscriptions"),
    )


def _create_payments() -> None:
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


def _create_post() -> None:
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
