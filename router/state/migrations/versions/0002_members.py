"""The organisation, its members and projects; keys with rights, whose texts can be rotated."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the new tables, and keep of each key what identifies it apart from what opens it."""
    _organisation()
    op.add_column("team", sa.Column("closed_at_us", sa.Integer(), nullable=True))
    op.drop_index("ix_api_key_team", "api_key")
    op.rename_table("api_key", "api_key_first")
    _keys()
    op.execute(
        "INSERT INTO api_key (key_id, team, name, created_at_us, revoked_at_us) "
        "SELECT key_id, team, name, created_at_us, revoked_at_us FROM api_key_first"
    )
    op.execute(
        "INSERT INTO key_secret (key_hmac, key_id, hint, created_at_us) "
        "SELECT key_hmac, key_id, hint, created_at_us FROM api_key_first"
    )
    op.drop_table("api_key_first")
    op.create_table(
        "pending_change",
        sa.Column("change_id", sa.String(64), primary_key=True, nullable=False),
        sa.Column("fields", sa.String(), nullable=False),
    )


def _organisation() -> None:
    op.create_table(
        "organisation",
        sa.Column("name", sa.String(128), primary_key=True, nullable=False),
        sa.Column("created_at_us", sa.Integer(), nullable=False),
    )
    op.create_table(
        "project",
        sa.Column("team", sa.String(64), sa.ForeignKey("team.name"), primary_key=True, nullable=False),
        sa.Column("name", sa.String(64), primary_key=True, nullable=False),
        sa.Column("created_at_us", sa.Integer(), nullable=False),
        sa.Column("closed_at_us", sa.Integer(), nullable=True),
    )
    op.create_table(
        "member",
        sa.Column("member_id", sa.String(64), primary_key=True, nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("team", sa.String(64), sa.ForeignKey("team.name"), nullable=True),
        sa.Column("created_at_us", sa.Integer(), nullable=False),
        sa.Column("removed_at_us", sa.Integer(), nullable=True),
    )


def _keys() -> None:
    op.create_table(
        "api_key",
        sa.Column("key_id", sa.String(64), primary_key=True, nullable=False),
        sa.Column("team", sa.String(64), sa.ForeignKey("team.name"), nullable=True),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("created_at_us", sa.Integer(), nullable=False),
        sa.Column("revoked_at_us", sa.Integer(), nullable=True),
        sa.Column("project", sa.String(64), nullable=True),
        sa.Column("member_id", sa.String(64), sa.ForeignKey("member.member_id"), nullable=True),
        sa.Column("environment", sa.String(32), nullable=True),
        sa.Column("models", sa.String(), nullable=True),
        sa.Column("paths", sa.String(), nullable=True),
        sa.Column("expires_at_us", sa.Integer(), nullable=True),
    )
    op.create_index("ix_api_key_team", "api_key", ["team"])
    op.create_table(
        "key_secret",
        sa.Column("key_hmac", sa.String(64), primary_key=True, nullable=False),
        sa.Column("key_id", sa.String(64), sa.ForeignKey("api_key.key_id"), nullable=False),
        sa.Column("pepper_id", sa.String(16), nullable=True),
        sa.Column("hint", sa.String(16), nullable=False),
        sa.Column("created_at_us", sa.Integer(), nullable=False),
        sa.Column("expires_at_us", sa.Integer(), nullable=True),
    )
    op.create_index("ix_key_secret_key_id", "key_secret", ["key_id"])
