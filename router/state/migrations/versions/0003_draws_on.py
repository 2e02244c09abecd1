"""A key spends out of the budgets of those that it was made with, too."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; keys that are there already spend out of their own budgets alone."""
    op.add_column("api_key", sa.Column("draws_on", sa.String(), nullable=True))
