"""What became of an answer's audit, and which attempt of a judge a verdict comes from."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the two columns, and find samples without going through all outcomes."""
    op.add_column("answer", sa.Column("audit", sa.String(), nullable=True))
    op.add_column("outcome", sa.Column("judge_attempt_id", sa.String(), nullable=True))
    chosen = sa.text("check_name = 'sample'")
    op.create_index(
        "ix_outcome_sample", "outcome", ["request_id"], sqlite_where=chosen, postgresql_where=chosen
    )
