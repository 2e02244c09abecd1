"""The peer of `ledger.reports`: every measure of a spend report by a plain scan in Python.

Reads every row of the ledger with sqlite3 and adds up in dictionaries, without an index and without
SQL's sums. The benchmark measures the report against it, and the tests hold the two together: it
was written from the words in `ledger.report_values`, not from the queries.
"""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ledger.money import cost_of
from ledger.report_values import FACTS, NOT_RECORDED, NOT_STATED, Dimension, Measures
from ledger.rows import AnswerRow, EntryRow, OutcomeRow, RequestRow, Row, State
from ledger.usage import UNIT_CLASSES

Groups = dict[tuple[bool, tuple[str, ...]], Measures]
"""Measures by (simulated, key)."""

TOKENS = tuple(name for name in UNIT_CLASSES if not name.endswith("_us"))
INPUTS = tuple(name for name in TOKENS if not name.startswith("output"))
STATES = {
    State.SETTLED: "settled_nano_usd",
    State.SETTLED_ESTIMATED: "estimated_nano_usd",
    State.POSTED_WORST: "posted_worst_nano_usd",
    State.ADJUST: "adjusted_nano_usd",
}
JUDGES = ("gold", "person", "auditor")
VERDICTS = {"right": True, "passed": True, "wrong": False, "failed": False}


@dataclass
class _Path:
    request: RequestRow
    entries: list[EntryRow] = field(default_factory=list)
    answer: AnswerRow | None = None
    outcomes: list[OutcomeRow] = field(default_factory=list)


def naive_report(
    path: Path,
    *,
    by: Sequence[Dimension],
    team: str | None = None,
    from_us: int | None = None,
    to_us: int | None = None,
) -> Groups:
    """Add up the ledger at `path` as `spend_report` promises to."""
    connection = sqlite3.connect(path)
    kinds: dict[str, type[Row]] = {
        "request": RequestRow,
        "entry": EntryRow,
        "answer": AnswerRow,
        "outcome": OutcomeRow,
    }
    rows = {
        table: connection.execute(f"SELECT {', '.join(kind._fields)} FROM {table} ORDER BY seq")  # noqa: S608  (our own names)
        for table, kind in kinds.items()
    }
    rates = {
        price_id: tuple(numbers)
        for price_id, *numbers in connection.execute(f"SELECT price_id, {', '.join(TOKENS)} FROM price")  # noqa: S608  (our own names)
    }
    paths: dict[str, _Path] = {}
    for row in rows["request"]:
        request = RequestRow._make(row)
        if (
            (team is None or request.team == team)
            and (from_us is None or request.at_us >= from_us)
            and (to_us is None or request.at_us < to_us)
        ):
            paths[request.request_id] = _Path(request)
    for row in rows["entry"]:
        entry = EntryRow._make(row)
        if entry.request_id in paths:
            paths[entry.request_id].entries.append(entry)
    for row in rows["answer"]:
        answer = AnswerRow._make(row)
        if answer.request_id in paths:
            paths[answer.request_id].answer = answer
    for row in rows["outcome"]:
        outcome = OutcomeRow._make(row)
        if outcome.request_id in paths:
            paths[outcome.request_id].outcomes.append(outcome)
    connection.close()
    sums: defaultdict[tuple[bool, tuple[str, ...]], Counter[str]] = defaultdict(Counter)
    for one in paths.values():
        _add_path(one, tuple(by), sums, rates)
    return {group: Measures(**counted) for group, counted in sums.items()}


def _add_path(
    one: _Path,
    by: tuple[Dimension, ...],
    sums: defaultdict[tuple[bool, tuple[str, ...]], Counter[str]],
    rates: dict[str, tuple[int, ...]],
) -> None:
    request, answer = one.request, one.answer
    for entry in one.entries:
        counted = sums[bool(request.simulated or entry.simulated), _key(by, request, entry)]
        counted["attempts"] += entry.state == State.DISPATCHED
        if entry.state != State.DISPATCHED and entry.state != State.VOID:
            counted[STATES[State(entry.state)]] += entry.cost_nano_usd or 0
        counted["audited"] += entry.state == State.DISPATCHED and entry.role == "audit"
        counted["escalated"] += entry.state == State.DISPATCHED and entry.role == "escalation"
        for purpose in ("audit", "escalation"):
            if entry.role in (purpose, f"{purpose}_again"):
                counted[f"{purpose}_nano_usd"] += entry.cost_nano_usd or 0
        counted["input_tokens"] += sum(getattr(entry, name) for name in INPUTS)
        counted["cached_tokens"] += entry.cache_read
        counted["output_tokens"] += sum(getattr(entry, name) for name in TOKENS if name not in INPUTS)
    dispatched = {entry.attempt_id: entry for entry in one.entries if entry.state == State.DISPATCHED}
    chosen = answer.attempt_id if answer is not None else None
    tried = (
        dispatched.get(chosen)
        if chosen
        else max(dispatched.values(), key=lambda e: e.attempt_no, default=None)
    )
    apart = bool(request.simulated or (tried is not None and tried.simulated))
    key = _key(by, request, tried)
    _add_answer(one, tried, sums[apart, key])
    rate = rates.get(request.baseline_price_id or "")
    if not apart and answer is not None and rate is not None:
        used = [entry for entry in one.entries if chosen is not None and entry.attempt_id == chosen]
        tokens = [sum(getattr(entry, name) for entry in used) for name in TOKENS]
        counted = sums[apart, key]
        counted["baseline_requests"] += 1
        counted["baseline_cost_nano_usd"] += sum(e.cost_nano_usd or 0 for e in one.entries if not e.simulated)
        counted["baseline_estimate_nano_usd"] += cost_of(zip(tokens, rate, strict=True))
    _add_verdicts(one, apart, key, sums)


def _add_answer(one: _Path, tried: EntryRow | None, counted: Counter[str]) -> None:
    answer = one.answer
    counted["requests"] += 1
    if answer is None:
        counted["unfinished"] += 1
        return
    counted[{"answered": "answers", "failed": "failures", "client_left": "left"}[answer.status]] += 1
    if answer.status == "answered":
        if tried is not None:
            counted[f"answers_{tried.origin}"] += 1
        counted["answers_checked"] += answer.passed is not None
        counted["answers_passed"] += bool(answer.passed)
        counted["fields_checked"] += answer.fields_checked
        counted["fields_flagged"] += answer.fields_flagged


def _add_verdicts(
    one: _Path,
    apart: bool,
    key: tuple[str, ...],
    sums: defaultdict[tuple[bool, tuple[str, ...]], Counter[str]],
) -> None:
    chosen = one.answer.attempt_id if one.answer is not None else None
    newest: dict[tuple[bool, str, str], OutcomeRow] = {}
    for outcome in one.outcomes:
        of_the_answer = outcome.attempt_id is None or chosen is None or outcome.attempt_id == chosen
        if outcome.source in JUDGES and of_the_answer:
            newest[bool(apart or outcome.simulated), outcome.source, outcome.field] = outcome
    whole: defaultdict[bool, list[OutcomeRow]] = defaultdict(list)
    for (part, source, field_name), outcome in newest.items():
        if outcome.outcome in VERDICTS:
            noun = "fields" if field_name else "answers"
            counted = sums[part, key]
            counted[f"{source}_{noun}_judged"] += 1
            counted[f"{source}_{noun}_right"] += VERDICTS[outcome.outcome]
            if not field_name:
                whole[part].append(outcome)
    for part, outcomes in whole.items():
        counted = sums[part, key]
        able = [outcome for outcome in outcomes if outcome.source != "auditor"]
        if not able:
            continue
        surest = min(able, key=lambda outcome: JUDGES.index(outcome.source))
        counted["judged"] += 1
        counted["judged_right"] += VERDICTS[surest.outcome]
        counted["judged_cost_nano_usd"] += sum(
            e.cost_nano_usd or 0 for e in one.entries if part or not e.simulated
        )


def _key(by: tuple[Dimension, ...], request: RequestRow, entry: EntryRow | None) -> tuple[str, ...]:
    values = {
        Dimension.TEAM: request.team,
        Dimension.MODEL: entry.model if entry is not None else "",
        Dimension.DAY: datetime.fromtimestamp(request.at_us // 1_000_000, UTC).date().isoformat(),
        Dimension.ROUTE: entry.route if entry is not None else "",
        Dimension.PLAN: request.plan,
        Dimension.KIND: request.task_kind,
        Dimension.TIER: entry.origin if entry is not None else "",
        Dimension.PROVIDER: entry.provider if entry is not None else "",
        **{dimension: _fact(entry, column) for dimension, column in FACTS.items()},
        Dimension.CLASS: request.task_class,
        Dimension.LABEL: request.label or "",
    }
    return tuple(values[dimension] for dimension in by)


def _fact(entry: EntryRow | None, column: str) -> str:
    if entry is None:
        return ""
    return NOT_RECORDED if entry.runs is None else getattr(entry, column) or NOT_STATED
