"""Heads hold no view any more: it follows from the events."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let go of what the events tell anyway."""
    op.drop_column("session_head", "view")
