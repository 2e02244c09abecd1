"""Where each attempt ran, under whose law, and who made its weights, as of its dispatch."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

COLUMNS = ("runs", "place", "jurisdiction", "weights_origin", "weights_licence")


def upgrade() -> None:
    """Add the columns; what was written before has none of it."""
    for name in COLUMNS:
        op.add_column("entry", sa.Column(name, sa.String(), nullable=True))
