"""What guards the boundaries: counts of what was passed by, identities, limits."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Change the tables."""
    _addresses_of_strangers()
    _imports()
    _books()
    _retired_products()
    _tracking_numbers()
    _held_orders()


def _addresses_of_strangers() -> None:
    """Keep where a ticket without a customer is answered."""
    op.add_column("tickets", sa.Column("contact", sa.Text(), nullable=True))
    op.add_column("tickets", sa.Column("escalation", sa.Text(), nullable=True))
    op.add_column("messages", sa.Column("recipient", sa.Text(), nullable=True))


def _imports() -> None:
    """Note which import brought what in, so that it can be taken back."""
    op.create_table(
        "imports",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_imports"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "import_members",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("import_id", _ID, nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name="fk_import_members_import_id"),
        sa.PrimaryKeyConstraint("kind", "key", name="pk_import_members"),
    )
    op.create_index("ix_import_members_import_id", "import_members", ["import_id"])


def _books() -> None:
    """Keep what the numbers in the books mean: the currency."""
    op.create_table(
        "books",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_books"),
    )


def _held_orders() -> None:
    """Find the orders that are held without reading all."""
    held = sa.text("held <> ''")
    op.create_index(
        "ix_orders_held",
        "orders",
        ["timestamp", "id"],
        sqlite_where=held,
        postgresql_where=held,
    )


def _tracking_numbers() -> None:
    """Keep the carrier's number of what was sent."""
    op.add_column(
        "fulfilments", sa.Column("tracking", sa.Text(), nullable=False, server_default="")
    )


def _retired_products() -> None:
    """Let a product be sold no longer."""
    op.add_column(
        "products",
        sa.Column("retired", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
