"""What is written, as values: the rows of the append-only tables, in their columns' order.

`ledger.tables` declares the same columns to SQL; a test holds the two together. Times are
microseconds since 1970 in UTC, money is nano-USD. No row holds text of a prompt or an answer. Named
tuples, since four of them are made and written for every request.
"""

from enum import StrEnum
from typing import NamedTuple


class State(StrEnum):
    """Where an attempt's money stands: dispatched once, ended once, corrected as often as need be."""

    DISPATCHED = "DISPATCHED"
    """Held and on its way: on disk before the first byte goes to the provider."""
    SETTLED = "SETTLED"
    """The provider said what it used."""
    SETTLED_ESTIMATED = "SETTLED_ESTIMATED"
    """All that it wrote was seen, but nobody said what it used: our own count, at most the bound, in suspense
    until usage or an invoice."""
    VOID = "VOID"
    """Nothing was used: refused before any token, by the provider's documentation unbilled."""
    POSTED_WORST = "POSTED_WORST"
    """It may have used more than anybody saw: its answer was lost, its model may have thought out of sight, or we
    died before its settlement. Posted at the bound, in suspense until usage or an invoice."""
    ADJUST = "ADJUST"
    """A later correction: cost_nano_usd is the difference, and may be negative."""


ENDED = (State.SETTLED, State.SETTLED_ESTIMATED, State.VOID, State.POSTED_WORST)
"""The states that end an attempt; it reaches one of them, once (a unique index has this condition)."""


class Role(StrEnum):
    """Why an attempt was made. Of an audit or an escalation that takes several tries, the first alone has
    the plain name, so that counting it counts requests."""

    ANSWER = "answer"
    RETRY = "retry"
    """The same route again, after a failure."""
    FALLBACK = "fallback"
    """The plan's next route, after a failure."""
    AUDIT = "audit"
    """An auditor was asked about an answer."""
    AUDIT_AGAIN = "audit_again"
    ESCALATION = "escalation"
    """A dearer model answered, because a verdict said so."""
    ESCALATION_AGAIN = "escalation_again"
    GRADE = "grade"
    """A sampled answer was graded, so that accuracy can be estimated."""


AUDIT_ROLES = (Role.AUDIT.value, Role.AUDIT_AGAIN.value)
ESCALATION_ROLES = (Role.ESCALATION.value, Role.ESCALATION_AGAIN.value)


class OutcomeSource(StrEnum):
    """Who says that an answer is right or wrong."""

    CHECK = "check"
    RECHECK = "recheck"
    """The checks again, of an answer as its audit corrected it: of what went out."""
    AUDITOR = "auditor"
    PERSON = "person"
    GOLD = "gold"
    SHADOW = "shadow"


class RequestRow(NamedTuple):
    """What was asked and decided, content-free: what later decisions learn from."""

    request_id: str
    at_us: int
    team: str
    key_id: str
    endpoint: str
    """The wire API, e.g. "chat.completions"."""
    model_requested: str
    plan: str
    """The plan's name, or "model" where the client named a model."""
    routes: str
    """The plan's routes in order, joined by ","."""
    task_kind: str
    """"extraction" or "generation"."""
    task_class: str
    """Declared by the caller or found; requests that behave alike."""
    template_hash: str
    """Keyed hash of the parts of the prompt that repeat (system text, schema, tools), hex."""
    label: str | None
    purpose: str | None
    conversation: str | None
    stream: bool
    message_count: int
    document_bytes: int
    prompt_tokens_bound: int
    output_tokens_limit: int
    choices: int
    """How many answers were asked for (`n`)."""
    hold_nano_usd: int
    """The whole plan's worst case."""
    baseline_route: str | None
    """The premium route that an all-premium estimate would name."""
    baseline_price_id: str | None
    """The price row of that route in force at `at_us`."""
    propensity: float
    """Probability with which this plan was chosen: 1.0 where nothing was left to chance."""
    features_version: int
    policy_hash: str
    rule_ids: str
    """The rules that decided, joined by ","."""
    simulated: bool
    project: str | None = None
    """The project of the key, within its team."""
    environment: str | None = None
    """What the key is for, e.g. "production": set on the key, and a fact for rules."""


class EntryRow(NamedTuple):
    """One transition of one attempt. Canonically encoded by `ledger.canonical`."""

    entry_id: str
    attempt_id: str
    request_id: str
    state: str
    at_us: int
    window_at_us: int
    """When the plan was held: the budget windows that this entry belongs to."""
    attempt_no: int
    """1 for the plan's first attempt."""
    role: str
    """A Role."""
    team: str
    key_id: str
    plan: str
    route: str
    provider: str
    origin: str
    """What kind of route: "local", "hosted" or "premium"; reports call it the tier."""
    model: str
    """The model's name at the provider, as asked."""
    model_served: str | None
    """The model's name as the provider answered it."""
    fingerprint: str | None
    """The provider's system fingerprint, or the weights' hash of a local engine."""
    upstream_id: str | None
    """The provider's own id of its answer."""
    bound_nano_usd: int
    """The attempt's own worst case."""
    cost_nano_usd: int | None
    """None until it is known; the difference in an ADJUST."""
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
    cpu_us: int
    gpu_us: int
    finish_reason: str | None
    error: str | None
    """A code such as "upstream_timeout"; never the provider's text."""
    overage: bool
    """The cost exceeded the attempt's bound. It is written all the same."""
    ttft_us: int | None
    """Dispatch to the first byte of content."""
    latency_us: int | None
    """Dispatch to the last byte."""
    policy_hash: str
    rule_ids: str
    simulated: bool
    runs: str | None = None
    """On whose machines: "local", "on_premises" or "hosted". This and the next four are what the configuration
    said of the route when the attempt was dispatched; all None in rows of a release that did not record it."""
    place: str | None = None
    jurisdiction: str | None = None
    """Whose law held there: a country's code, or EU; None where nobody said."""
    weights_origin: str | None = None
    """The country of who made the weights."""
    weights_licence: str | None = None


class AnswerRow(NamedTuple):
    """How a request ended: one row, after its last attempt."""

    request_id: str
    at_us: int
    attempt_id: str | None
    """The attempt whose completion the client got; None if it got an error."""
    status: str
    """"answered", "failed" or "client_left"."""
    http_status: int
    error: str | None
    fields_checked: int
    fields_flagged: int
    passed: bool | None
    """All checks passed and no field is flagged; None where nothing could be checked."""
    score_min: float | None
    """The least field score; None where the route gives no log-probabilities."""
    score_mean: float | None
    latency_us: int
    """Request read to answer written."""
    audit: str | None = None
    """What became of its audit, e.g. "corrected"; None where the plan has none."""


class OutcomeRow(NamedTuple):
    """What somebody says about an answer, or one field of it."""

    outcome_id: str
    request_id: str
    attempt_id: str | None
    at_us: int
    source: str
    """An OutcomeSource."""
    check_name: str
    """The check, e.g. "support"; for gold "gold"."""
    field: str
    """A path such as "items[0].amount"; "" for the whole answer."""
    outcome: str
    """"passed", "failed" or "abstained"; gold and persons: "right" or "wrong"."""
    code: str
    """Machine-readable reason."""
    reason: str
    """A sentence without content of prompt or answer."""
    span_start: int | None
    span_end: int | None
    """Characters of the document that support it."""
    score: float | None
    flagged: bool
    propensity: float
    """Probability with which this answer was chosen to be judged."""
    simulated: bool
    judge_attempt_id: str | None = None
    """The attempt with which an auditor or a grader said so."""


Row = RequestRow | EntryRow | AnswerRow | OutcomeRow
