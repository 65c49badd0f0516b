"""What a second engine confirmed of a release, kept with it."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Releases of before have no such record."""
    op.add_column("product_release", sa.Column("confirmation", sa.Text))
