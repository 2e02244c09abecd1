"""The first schema: requests, entries, answers, outcomes, prices and limits, all append-only."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

APPEND_ONLY = ("request", "entry", "answer", "outcome", "price", "limit_set", "opening")


def upgrade() -> None:
    """Make the tables, and on SQLite the triggers that keep them append-only."""
    _answer()
    _entry()
    _outcome()
    _request()
    _limit_set()
    _opening()
    _price()
    if op.get_bind().dialect.name == "sqlite":
        for table in APPEND_ONLY:
            for change in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table} "
                    "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
                )


def _seq() -> "sa.Column[int]":
    """The order in which rows were written; SQLite counts only in INTEGER, which has 64 bits there."""
    return sa.Column(
        "seq",
        sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
        primary_key=True,
        autoincrement=True,
        nullable=False,
    )


def _answer() -> None:
    """How it ended."""
    op.create_table(
        "answer",
        _seq(),
        sa.Column("request_id", sa.String(), unique=True, nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("attempt_id", sa.String(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("http_status", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("fields_checked", sa.Integer(), nullable=False),
        sa.Column("fields_flagged", sa.Integer(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=True),
        sa.Column("score_min", sa.Float(), nullable=True),
        sa.Column("score_mean", sa.Float(), nullable=True),
        sa.Column("latency_us", sa.BigInteger(), nullable=False),
    )


def _entry() -> None:
    """What it cost."""
    op.create_table(
        "entry",
        _seq(),
        sa.Column("entry_id", sa.String(), nullable=False),
        sa.Column("attempt_id", sa.String(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("window_at_us", sa.BigInteger(), nullable=False),
        sa.Column("attempt_no", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("team", sa.String(), nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("plan", sa.String(), nullable=False),
        sa.Column("route", sa.String(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("model_served", sa.String(), nullable=True),
        sa.Column("fingerprint", sa.String(), nullable=True),
        sa.Column("upstream_id", sa.String(), nullable=True),
        sa.Column("bound_nano_usd", sa.BigInteger(), nullable=False),
        sa.Column("cost_nano_usd", sa.BigInteger(), nullable=True),
        sa.Column("price_id", sa.String(), nullable=True),
        sa.Column("input_uncached", sa.Integer(), nullable=False),
        sa.Column("cache_read", sa.Integer(), nullable=False),
        sa.Column("cache_write_5m", sa.Integer(), nullable=False),
        sa.Column("cache_write_1h", sa.Integer(), nullable=False),
        sa.Column("input_image", sa.Integer(), nullable=False),
        sa.Column("input_audio", sa.Integer(), nullable=False),
        sa.Column("output_text", sa.Integer(), nullable=False),
        sa.Column("output_reasoning", sa.Integer(), nullable=False),
        sa.Column("output_audio", sa.Integer(), nullable=False),
        sa.Column("cpu_us", sa.BigInteger(), nullable=False),
        sa.Column("gpu_us", sa.BigInteger(), nullable=False),
        sa.Column("finish_reason", sa.String(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("overage", sa.Boolean(), nullable=False),
        sa.Column("ttft_us", sa.BigInteger(), nullable=True),
        sa.Column("latency_us", sa.BigInteger(), nullable=True),
        sa.Column("policy_hash", sa.String(), nullable=False),
        sa.Column("rule_ids", sa.String(), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
    )
    op.create_index("ix_entry_request_id", "entry", ["request_id"])
    op.create_index("ix_entry_window_at_us", "entry", ["window_at_us"])
    for name, column, condition in (
        ("ux_entry_dispatched", "attempt_id", "state = 'DISPATCHED'"),
        ("ux_entry_ended", "attempt_id", "state IN ('SETTLED', 'SETTLED_ESTIMATED', 'VOID', 'POSTED_WORST')"),
        ("ux_entry_adjusted", "entry_id", "state = 'ADJUST'"),
    ):
        where = sa.text(condition)
        op.create_index(name, "entry", [column], unique=True, sqlite_where=where, postgresql_where=where)


def _outcome() -> None:
    """How right it was."""
    op.create_table(
        "outcome",
        _seq(),
        sa.Column("outcome_id", sa.String(), unique=True, nullable=False),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("attempt_id", sa.String(), nullable=True),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("check_name", sa.String(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("span_start", sa.Integer(), nullable=True),
        sa.Column("span_end", sa.Integer(), nullable=True),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("flagged", sa.Boolean(), nullable=False),
        sa.Column("propensity", sa.Float(), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
    )
    op.create_index("ix_outcome_request_id", "outcome", ["request_id"])


def _request() -> None:
    """What was asked."""
    op.create_table(
        "request",
        _seq(),
        sa.Column("request_id", sa.String(), unique=True, nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("team", sa.String(), nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("endpoint", sa.String(), nullable=False),
        sa.Column("model_requested", sa.String(), nullable=False),
        sa.Column("plan", sa.String(), nullable=False),
        sa.Column("routes", sa.String(), nullable=False),
        sa.Column("task_kind", sa.String(), nullable=False),
        sa.Column("task_class", sa.String(), nullable=False),
        sa.Column("template_hash", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=True),
        sa.Column("purpose", sa.String(), nullable=True),
        sa.Column("conversation", sa.String(), nullable=True),
        sa.Column("stream", sa.Boolean(), nullable=False),
        sa.Column("message_count", sa.Integer(), nullable=False),
        sa.Column("document_bytes", sa.Integer(), nullable=False),
        sa.Column("prompt_tokens_bound", sa.Integer(), nullable=False),
        sa.Column("output_tokens_limit", sa.Integer(), nullable=False),
        sa.Column("choices", sa.Integer(), nullable=False),
        sa.Column("hold_nano_usd", sa.BigInteger(), nullable=False),
        sa.Column("baseline_route", sa.String(), nullable=True),
        sa.Column("baseline_price_id", sa.String(), nullable=True),
        sa.Column("propensity", sa.Float(), nullable=False),
        sa.Column("features_version", sa.Integer(), nullable=False),
        sa.Column("policy_hash", sa.String(), nullable=False),
        sa.Column("rule_ids", sa.String(), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
    )
    op.create_index("ix_request_at_us", "request", ["at_us"])


def _limit_set() -> None:
    """What may be spent."""
    op.create_table(
        "limit_set",
        _seq(),
        sa.Column("limit_id", sa.String(), unique=True, nullable=False),
        sa.Column("scope_kind", sa.String(), nullable=False),
        sa.Column("scope_id", sa.String(), nullable=False),
        sa.Column("window", sa.String(), nullable=False),
        sa.Column("amount_nano_usd", sa.BigInteger(), nullable=True),
        sa.Column("recorded_at_us", sa.BigInteger(), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
    )


def _price() -> None:
    """What things cost."""
    op.create_table(
        "price",
        _seq(),
        sa.Column("price_id", sa.String(), unique=True, nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("tier", sa.String(), nullable=False),
        sa.Column("min_input_tokens", sa.Integer(), nullable=False),
        sa.Column("weekday_mask", sa.Integer(), nullable=True),
        sa.Column("start_minute", sa.Integer(), nullable=True),
        sa.Column("end_minute", sa.Integer(), nullable=True),
        sa.Column("effective_from_us", sa.BigInteger(), nullable=False),
        sa.Column("effective_to_us", sa.BigInteger(), nullable=True),
        sa.Column("recorded_at_us", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("source_sha256", sa.String(), nullable=False),
        sa.Column("input_uncached", sa.BigInteger(), nullable=False),
        sa.Column("cache_read", sa.BigInteger(), nullable=False),
        sa.Column("cache_write_5m", sa.BigInteger(), nullable=False),
        sa.Column("cache_write_1h", sa.BigInteger(), nullable=False),
        sa.Column("input_image", sa.BigInteger(), nullable=False),
        sa.Column("input_audio", sa.BigInteger(), nullable=False),
        sa.Column("output_text", sa.BigInteger(), nullable=False),
        sa.Column("output_reasoning", sa.BigInteger(), nullable=False),
        sa.Column("output_audio", sa.BigInteger(), nullable=False),
        sa.Column("cpu_us", sa.BigInteger(), nullable=False),
        sa.Column("gpu_us", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_price_sku", "price", ["sku"])


def _opening() -> None:
    """Who took it, and when."""
    op.create_table(
        "opening",
        _seq(),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("process_id", sa.Integer(), nullable=False),
        sa.Column("entry_seq", sa.BigInteger(), nullable=False),
        sa.Column("request_seq", sa.BigInteger(), nullable=False),
        sa.Column("attempts_posted", sa.Integer(), nullable=False),
    )
