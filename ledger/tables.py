"""The ledger's tables, as SQL knows them. Every one is append-only: triggers refuse the rest.

The columns of the four row tables are those of `ledger.rows`, in their order; a test holds the
two together. Indexes are few, since each one is paid for on the hot path.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, text
from sqlmodel import Field, SQLModel

LEDGER_METADATA = MetaData()


def _seq() -> "Column[int]":
    return Column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)


def _unique_where(name: str, column: str, condition: str) -> Index:
    where = text(condition)
    return Index(name, column, unique=True, sqlite_where=where, postgresql_where=where)


class LedgerTable(SQLModel):
    """The base of the ledger's tables, so that they share one metadata and no other."""

    metadata = LEDGER_METADATA


class RequestTable(LedgerTable, table=True):
    """What was asked and decided: `ledger.rows.RequestRow`."""

    __tablename__ = "request"

    seq: int | None = Field(default=None, sa_column=_seq())
    request_id: str = Field(unique=True)
    at_us: int = Field(sa_type=BigInteger, index=True)
    team: str
    key_id: str
    endpoint: str
    model_requested: str
    plan: str
    routes: str
    task_kind: str
    task_class: str
    template_hash: str
    label: str | None
    purpose: str | None
    conversation: str | None
    stream: bool
    message_count: int
    document_bytes: int
    prompt_tokens_bound: int
    output_tokens_limit: int
    choices: int
    hold_nano_usd: int = Field(sa_type=BigInteger)
    baseline_route: str | None
    baseline_price_id: str | None
    propensity: float
    features_version: int
    policy_hash: str
    rule_ids: str
    simulated: bool
    project: str | None
    environment: str | None


class EntryTable(LedgerTable, table=True):
    """One transition of one attempt: `ledger.rows.EntryRow`.

    An attempt is dispatched once and ends once, whatever its end; a correction is written once.
    """

    __tablename__ = "entry"
    __table_args__ = (
        _unique_where("ux_entry_dispatched", "attempt_id", "state = 'DISPATCHED'"),
        _unique_where(
            "ux_entry_ended",
            "attempt_id",
            "state IN ('SETTLED', 'SETTLED_ESTIMATED', 'VOID', 'POSTED_WORST')",
        ),
        _unique_where("ux_entry_adjusted", "entry_id", "state = 'ADJUST'"),
        Index("ix_entry_window_at_us", "window_at_us"),
    )

    seq: int | None = Field(default=None, sa_column=_seq())
    entry_id: str
    attempt_id: str
    request_id: str = Field(index=True)
    state: str
    at_us: int = Field(sa_type=BigInteger)
    window_at_us: int = Field(sa_type=BigInteger)
    attempt_no: int
    role: str
    team: str
    key_id: str
    plan: str
    route: str
    provider: str
    origin: str
    model: str
    model_served: str | None
    fingerprint: str | None
    upstream_id: str | None
    bound_nano_usd: int = Field(sa_type=BigInteger)
    cost_nano_usd: int | None = Field(sa_type=BigInteger)
    price_id: str | None
    input_uncached: int
    cache_read: int
    cache_write_5m: int
    cache_write_1h: int
    input_image: int
    input_audio: int
    output_text: int
    output_reasoning: int
    output_audio: int
    cpu_us: int = Field(sa_type=BigInteger)
    gpu_us: int = Field(sa_type=BigInteger)
    finish_reason: str | None
    error: str | None
    overage: bool
    ttft_us: int | None = Field(sa_type=BigInteger)
    latency_us: int | None = Field(sa_type=BigInteger)
    policy_hash: str
    rule_ids: str
    simulated: bool
    runs: str | None
    place: str | None
    jurisdiction: str | None
    weights_origin: str | None
    weights_licence: str | None


class AnswerTable(LedgerTable, table=True):
    """How a request ended: `ledger.rows.AnswerRow`."""

    __tablename__ = "answer"

    seq: int | None = Field(default=None, sa_column=_seq())
    request_id: str = Field(unique=True)
    at_us: int = Field(sa_type=BigInteger)
    attempt_id: str | None
    status: str
    http_status: int
    error: str | None
    fields_checked: int
    fields_flagged: int
    passed: bool | None
    score_min: float | None
    score_mean: float | None
    latency_us: int = Field(sa_type=BigInteger)
    audit: str | None


class OutcomeTable(LedgerTable, table=True):
    """What somebody says about an answer: `ledger.rows.OutcomeRow`."""

    __tablename__ = "outcome"
    __table_args__ = (
        Index(
            "ix_outcome_sample",
            "request_id",
            sqlite_where=text("check_name = 'sample'"),
            postgresql_where=text("check_name = 'sample'"),
        ),
    )

    seq: int | None = Field(default=None, sa_column=_seq())
    outcome_id: str = Field(unique=True)
    request_id: str = Field(index=True)
    attempt_id: str | None
    at_us: int = Field(sa_type=BigInteger)
    source: str
    check_name: str
    field: str
    outcome: str
    code: str
    reason: str
    span_start: int | None
    span_end: int | None
    score: float | None
    flagged: bool
    propensity: float
    simulated: bool
    judge_attempt_id: str | None


class PriceTable(LedgerTable, table=True):
    """A price in force from `effective_from_us`; rates in nano-USD per million units."""

    __tablename__ = "price"

    seq: int | None = Field(default=None, sa_column=_seq())
    price_id: str = Field(unique=True)
    sku: str = Field(index=True)
    tier: str
    min_input_tokens: int
    weekday_mask: int | None
    start_minute: int | None
    end_minute: int | None
    effective_from_us: int = Field(sa_type=BigInteger)
    effective_to_us: int | None = Field(sa_type=BigInteger)
    recorded_at_us: int = Field(sa_type=BigInteger)
    source: str
    source_sha256: str
    input_uncached: int = Field(sa_type=BigInteger)
    cache_read: int = Field(sa_type=BigInteger)
    cache_write_5m: int = Field(sa_type=BigInteger)
    cache_write_1h: int = Field(sa_type=BigInteger)
    input_image: int = Field(sa_type=BigInteger)
    input_audio: int = Field(sa_type=BigInteger)
    output_text: int = Field(sa_type=BigInteger)
    output_reasoning: int = Field(sa_type=BigInteger)
    output_audio: int = Field(sa_type=BigInteger)
    cpu_us: int = Field(sa_type=BigInteger)
    gpu_us: int = Field(sa_type=BigInteger)


class LimitTable(LedgerTable, table=True):
    """A limit; the latest row of a scope and window is in force, one without an amount lifts it."""

    __tablename__ = "limit_set"

    seq: int | None = Field(default=None, sa_column=_seq())
    limit_id: str = Field(unique=True)
    scope_kind: str
    scope_id: str
    window: str
    amount_nano_usd: int | None = Field(sa_type=BigInteger)
    recorded_at_us: int = Field(sa_type=BigInteger)
    recorded_by: str
    reason: str


class ChangeTable(LedgerTable, table=True):
    """Who changed a key, a role, a limit or a policy, and when: `ledger.changes.Change`."""

    __tablename__ = "change"

    seq: int | None = Field(default=None, sa_column=_seq())
    change_id: str = Field(unique=True)
    at_us: int = Field(sa_type=BigInteger)
    by_kind: str
    by_id: str
    by_key_id: str | None
    action: str
    object_kind: str
    object_id: str = Field(index=True)
    team: str | None
    before: str | None
    after: str | None
    reason: str


class OpeningTable(LedgerTable, table=True):
    """Each time that a process took the ledger: how far it was, so that recovery looks no further back."""

    __tablename__ = "opening"

    seq: int | None = Field(default=None, sa_column=_seq())
    at_us: int = Field(sa_type=BigInteger)
    process_id: int
    entry_seq: int = Field(sa_type=BigInteger)
    request_seq: int = Field(sa_type=BigInteger)
    attempts_posted: int


APPEND_ONLY = ("request", "entry", "answer", "outcome", "price", "limit_set", "opening", "change")
