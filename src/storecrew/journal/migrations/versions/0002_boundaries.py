"""What guards the boundaries: counts of what was passed by, identities, limits."""

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Change the tables."""
