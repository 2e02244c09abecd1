"""The SELECTs of a spend report: the database does the sums, in one pass over each table.

Each statement answers with the report's dimensions as `key_0`, `key_1` ..., whether (`apart`) it
is of the simulated part, and sums named as fields of `ledger.report_values.Measures`.

    spending   entries under their own model, route and place: money, tokens, attempts
    answering  requests under the attempt that answered, or was tried last: how they ended, their
               checks, and what those with a baseline cost and would have cost at its price
    judging    what gold, persons and auditors said of answers and fields, and what those answers cost
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    Subquery,
    and_,
    bindparam,
    case,
    false,
    func,
    literal,
    or_,
    select,
    true,
    type_coerce,
)

from ledger.money import UNITS_PER_PRICE
from ledger.report_values import COUNTED, FACTS, JUDGES, NOT_RECORDED, NOT_STATED, Dimension
from ledger.rows import AUDIT_ROLES, ENDED, ESCALATION_ROLES, OutcomeSource, Role, State
from ledger.selectables import ANSWER, ENTRY, OUTCOME, PRICE, REQUEST
from ledger.usage import UNIT_CLASSES

DAY_US = 86_400_000_000
INPUT_CLASSES = tuple(name for name in UNIT_CLASSES if name.startswith(("input_", "cache_")))
OUTPUT_CLASSES = tuple(name for name in UNIT_CLASSES if name.startswith("output_"))
TOKEN_CLASSES = INPUT_CLASSES + OUTPUT_CLASSES
RIGHT = ("right", "passed")
WRONG = ("wrong", "failed")

# Written into the statement, so that SQLite sees that a partial index with the same condition will do.
_DISPATCHED = literal(State.DISPATCHED.value, literal_execute=True)
_ENDED: BindParameter[Any] = bindparam(
    "ended", [state.value for state in ENDED], expanding=True, literal_execute=True
)
_ADJUST = literal(State.ADJUST.value, literal_execute=True)
_CHECK = literal(OutcomeSource.CHECK.value, literal_execute=True)

Sums = Select[*tuple[Any, ...]]
"""A statement whose rows are keys and sums, by name."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which requests are reported, and by what they are grouped. Times in microseconds, half open."""

    team: str | None
    from_us: int | None
    to_us: int | None
    by: tuple[Dimension, ...]

    def conditions(self) -> list[ColumnElement[bool]]:
        """The conditions on the request."""
        found: list[ColumnElement[bool]] = []
        if self.team is not None:
            found.append(REQUEST.c.team == self.team)
        if self.from_us is not None:
            found.append(REQUEST.c.at_us >= self.from_us)
        if self.to_us is not None:
            found.append(REQUEST.c.at_us < self.to_us)
        return found

    def keys(self, attempt: FromClause) -> list[ColumnElement[Any]]:
        """The dimensions as columns; model, route, and where it ran are those of `attempt`."""
        columns: dict[Dimension, ColumnElement[Any]] = {
            Dimension.TEAM: REQUEST.c.team,
            Dimension.MODEL: attempt.c.model,
            Dimension.DAY: type_coerce(REQUEST.c.at_us, Integer) // DAY_US,
            Dimension.ROUTE: attempt.c.route,
            Dimension.PLAN: REQUEST.c.plan,
            Dimension.KIND: REQUEST.c.task_kind,
            Dimension.TIER: attempt.c.origin,
            Dimension.PROVIDER: attempt.c.provider,
            **{dimension: _fact(attempt, column) for dimension, column in FACTS.items()},
            Dimension.CLASS: REQUEST.c.task_class,
            Dimension.LABEL: REQUEST.c.label,
        }
        return [columns[dimension].label(f"key_{place}") for place, dimension in enumerate(self.by)]

    def key_names(self) -> list[str]:
        """The names of the dimensions' columns."""
        return [f"key_{place}" for place in range(len(self.by))]


def spending(scope: Scope) -> Sums:
    """Money by state, tokens and attempts."""
    cost, dispatched = func.coalesce(ENTRY.c.cost_nano_usd, 0), ENTRY.c.state == State.DISPATCHED.value
    input_tokens = _sum_of(ENTRY, INPUT_CLASSES)
    output_tokens = _sum_of(ENTRY, OUTPUT_CLASSES)
    keys = [*scope.keys(ENTRY), or_(REQUEST.c.simulated, ENTRY.c.simulated).label("apart")]
    return (
        select(
            *keys,
            _count(dispatched).label("attempts"),
            _count(and_(dispatched, ENTRY.c.role == Role.AUDIT.value)).label("audited"),
            _count(and_(dispatched, ENTRY.c.role == Role.ESCALATION.value)).label("escalated"),
            _sum_where(ENTRY.c.role.in_(AUDIT_ROLES), cost).label("audit_nano_usd"),
            _sum_where(ENTRY.c.role.in_(ESCALATION_ROLES), cost).label("escalation_nano_usd"),
            _sum_where(ENTRY.c.state == State.SETTLED.value, cost).label("settled_nano_usd"),
            _sum_where(ENTRY.c.state == State.SETTLED_ESTIMATED.value, cost).label("estimated_nano_usd"),
            _sum_where(ENTRY.c.state == State.POSTED_WORST.value, cost).label("posted_worst_nano_usd"),
            _sum_where(ENTRY.c.state == State.ADJUST.value, cost).label("adjusted_nano_usd"),
            func.sum(input_tokens).label("input_tokens"),
            func.sum(ENTRY.c.cache_read).label("cached_tokens"),
            func.sum(output_tokens).label("output_tokens"),
        )
        .select_from(REQUEST.join(ENTRY, ENTRY.c.request_id == REQUEST.c.request_id))
        .where(*scope.conditions())
        .group_by(*_names(keys))
    )


def answering(scope: Scope) -> Sums:
    """Requests and how they ended, shares by origin, checks, and the baseline's cost and estimate."""
    finished = _per_request(scope)
    c = finished.c
    answered = c.status == "answered"
    # the estimate is rounded once a request, half to even, as a cost is
    nano, rest, half = c.whole + c.rest // UNITS_PER_PRICE, c.rest % UNITS_PER_PRICE, UNITS_PER_PRICE // 2
    estimate = nano + case((or_(rest > half, and_(rest == half, nano % 2 == 1)), 1), else_=0)
    keys = [c[name] for name in (*scope.key_names(), "apart")]
    return select(
        *keys,
        func.count().label("requests"),
        _count(answered).label("answers"),
        _count(c.status == "failed").label("failures"),
        _count(c.status == "client_left").label("left"),
        _count(c.status.is_(None)).label("unfinished"),
        *(
            _count(and_(answered, c.origin == origin)).label(f"answers_{origin}")
            for origin in ("local", "hosted", "premium")
        ),
        _count(and_(answered, c.passed.is_not(None))).label("answers_checked"),
        _count(and_(answered, c.passed)).label("answers_passed"),
        _sum_where(answered, c.fields_checked).label("fields_checked"),
        _sum_where(answered, c.fields_flagged).label("fields_flagged"),
        _count(c.covered).label("baseline_requests"),
        _sum_where(c.covered, c.cost).label("baseline_cost_nano_usd"),
        _sum_where(c.covered, estimate).label("baseline_estimate_nano_usd"),
    ).group_by(*keys)


def judging(scope: Scope) -> Sums:
    """How many answers and fields each judge judged and found right, and what those answers cost."""
    judged = _judged(scope)
    c = judged.c
    sums = [
        _count(and_(c.source == judge.value, place, verdict)).label(f"{judge.value}_{noun}_{ending}")
        for judge in COUNTED
        for noun, place in (("answers", c.field == ""), ("fields", c.field != ""))
        for ending, verdict in (("right", c.outcome.in_(RIGHT)), ("judged", true()))
    ]
    surest = and_(c.field == "", c.place == 1, c.source.in_([judge.value for judge in JUDGES]))
    keys = [c[name] for name in (*scope.key_names(), "apart")]
    return select(
        *keys,
        *sums,
        _count(surest).label("judged"),
        _count(and_(surest, c.outcome.in_(RIGHT))).label("judged_right"),
        _sum_where(surest, _cost_of(c.request_id, with_simulated=c.apart)).label("judged_cost_nano_usd"),
    ).group_by(*keys)


def baseline_routes(scope: Scope) -> Select[str]:
    """The routes at whose prices the estimate is made."""
    return (
        select(REQUEST.c.baseline_route)
        .where(*scope.conditions(), REQUEST.c.baseline_price_id.is_not(None), ~REQUEST.c.simulated)
        .distinct()
        .order_by(REQUEST.c.baseline_route)
    )


def _per_request(scope: Scope) -> Subquery:
    """A row a request: its answer, its cost, and its answer's tokens at the baseline's rates.

    A rate is taken apart into whole nano-USD a token (summed in `whole`) and the rest (in `rest`,
    millionths of a nano-USD), so that no product leaves 64 bits.
    """
    tried, used, adjusted = ENTRY.alias("tried"), ENTRY.alias("used"), _adjusted()
    apart = or_(REQUEST.c.simulated, func.coalesce(tried.c.simulated, false()))
    covered = and_(~apart, PRICE.c.price_id.is_not(None), ANSWER.c.status.is_not(None))
    whole: ColumnElement[int] = literal(0)
    rest: ColumnElement[int] = literal(0)
    for name in TOKEN_CLASSES:
        tokens = func.coalesce(used.c[name], 0) + func.coalesce(adjusted.c[name], 0)
        whole = whole + tokens * (PRICE.c[name] // UNITS_PER_PRICE)
        rest = rest + tokens * (PRICE.c[name] % UNITS_PER_PRICE)
    return (
        select(
            *scope.keys(tried),
            apart.label("apart"),
            tried.c.origin,
            ANSWER.c.status,
            ANSWER.c.passed,
            ANSWER.c.fields_checked,
            ANSWER.c.fields_flagged,
            covered.label("covered"),
            case((covered, _cost_of(REQUEST.c.request_id, with_simulated=false()))).label("cost"),
            whole.label("whole"),
            rest.label("rest"),
        )
        .select_from(
            _requests_with(tried)
            .outerjoin(
                used,
                and_(
                    used.c.attempt_id == ANSWER.c.attempt_id,
                    used.c.state.in_(_ENDED),
                ),
            )
            .outerjoin(adjusted, adjusted.c.attempt_id == ANSWER.c.attempt_id)
            .outerjoin(PRICE, PRICE.c.price_id == REQUEST.c.baseline_price_id)
        )
        .where(*scope.conditions())
        .offset(0)  # a fence: sorting these few columns for the groups is faster than sorting all
        .subquery("finished")
    )


def _requests_with(tried: FromClause) -> FromClause:
    """Requests, their answers, and the dispatch of the attempt that answered or was tried last."""
    every = ENTRY.alias("every")
    last = (
        select(every.c.attempt_id)
        .where(every.c.request_id == REQUEST.c.request_id, every.c.state == State.DISPATCHED.value)
        .order_by(every.c.attempt_no.desc())
        .limit(1)
        .scalar_subquery()
    )
    return REQUEST.outerjoin(ANSWER, ANSWER.c.request_id == REQUEST.c.request_id).outerjoin(
        tried,
        and_(
            tried.c.attempt_id == func.coalesce(ANSWER.c.attempt_id, last),
            tried.c.state == _DISPATCHED,
        ),
    )


def _adjusted() -> Subquery:
    """By how much later corrections changed each attempt's tokens."""
    return (
        select(ENTRY.c.attempt_id, *(func.sum(ENTRY.c[name]).label(name) for name in TOKEN_CLASSES))
        .where(ENTRY.c.state == _ADJUST)
        .group_by(ENTRY.c.attempt_id)
        .subquery("adjusted")
    )


def _judged(scope: Scope) -> Subquery:
    """The newest verdict of each judge on each answer and field that a client got.

    `place` is 1 for the surest judge of an answer. A verdict on a completion that was escalated
    says nothing about the answer, and is left out; so is an abstention.
    """
    tried = ENTRY.alias("tried")
    apart = or_(REQUEST.c.simulated, func.coalesce(tried.c.simulated, false()), OUTCOME.c.simulated)
    about = (OUTCOME.c.request_id, OUTCOME.c.source, OUTCOME.c.field, apart)
    told = (
        select(
            *scope.keys(tried),
            apart.label("apart"),
            OUTCOME.c.request_id,
            OUTCOME.c.source,
            OUTCOME.c.field,
            OUTCOME.c.outcome,
            func.row_number().over(partition_by=about, order_by=OUTCOME.c.seq.desc()).label("age"),
        )
        .select_from(_requests_with(tried).join(OUTCOME, OUTCOME.c.request_id == REQUEST.c.request_id))
        .where(
            *scope.conditions(),
            OUTCOME.c.source != _CHECK,
            OUTCOME.c.source.in_([judge.value for judge in COUNTED]),
            or_(
                OUTCOME.c.attempt_id.is_(None),
                ANSWER.c.attempt_id.is_(None),
                OUTCOME.c.attempt_id == ANSWER.c.attempt_id,
            ),
        )
        .subquery("told")
    )
    surest = case({judge.value: place for place, judge in enumerate(COUNTED)}, value=told.c.source)
    whose = (told.c.request_id, told.c.field, told.c.apart)
    return (
        select(told, func.row_number().over(partition_by=whose, order_by=surest).label("place"))
        .where(told.c.age == 1, told.c.outcome.in_(RIGHT + WRONG))
        .subquery("judged")
    )


def _cost_of(request_id: ColumnElement[str], *, with_simulated: ColumnElement[bool]) -> ColumnElement[int]:
    """What a request cost so far."""
    spent = ENTRY.alias("spent")
    return (
        select(func.coalesce(func.sum(spent.c.cost_nano_usd), 0))
        .where(spent.c.request_id == request_id, or_(with_simulated, ~spent.c.simulated))
        .scalar_subquery()
    )


def _fact(attempt: FromClause, column: str) -> ColumnElement[str]:
    """What was known of an attempt's route, or that it was not; nothing for a request without an attempt."""
    known = func.coalesce(attempt.c[column], NOT_STATED)
    return case((attempt.c.attempt_id.is_(None), None), (attempt.c.runs.is_(None), NOT_RECORDED), else_=known)


def _sum_of(source: FromClause, names: Sequence[str]) -> ColumnElement[int]:
    total: ColumnElement[int] = source.c[names[0]]
    for name in names[1:]:
        total = total + source.c[name]
    return total


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


def _sum_where(condition: ColumnElement[bool], value: ColumnElement[int]) -> ColumnElement[int]:
    return func.sum(case((condition, value), else_=0))


def _names(labelled: Sequence[ColumnElement[Any]]) -> list[str]:
    return [column.name for column in labelled]
