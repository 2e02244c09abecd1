"""The first schema: teams and their keys."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "team",
        sa.Column("name", sa.String(64), primary_key=True, nullable=False),
        sa.Column("created_at_us", sa.Integer(), nullable=False),
    )
    op.create_table(
        "api_key",
        sa.Column("key_id", sa.String(64), primary_key=True, nullable=False),
        sa.Column("team", sa.String(64), sa.ForeignKey("team.name"), nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("key_hmac", sa.String(64), unique=True, nullable=False),
        sa.Column("hint", sa.String(16), nullable=False),
        sa.Column("created_at_us", sa.Integer(), nullable=False),
        sa.Column("revoked_at_us", sa.Integer(), nullable=True),
    )
    op.create_index("ix_api_key_team", "api_key", ["team"])
