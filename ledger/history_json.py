"""The rows of one request as JSON-ready values: what `GET /v1/steelyard/requests/{id}` answers.

Times are ISO 8601 in UTC, money is an integer of nano-USD and the same in dollars as a string.
A joined column is a list here, and a class of tokens that was not used is left out.
"""

from collections.abc import Sequence

from ledger.clock import to_datetime
from ledger.money import format_usd
from ledger.rows import AnswerRow, EntryRow, OutcomeRow, RequestRow
from ledger.usage import UNIT_CLASSES

JsonValue = bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"] | None
JsonObject = dict[str, JsonValue]


def request_json(row: RequestRow) -> JsonObject:
    """What was asked and decided."""
    return {
        "at": time_json(row.at_us),
        "team": row.team,
        "key_id": row.key_id,
        "endpoint": row.endpoint,
        "model_requested": row.model_requested,
        "plan": row.plan,
        "routes": _listed(row.routes),
        "task": {
            "kind": row.task_kind,
            "class": row.task_class,
            "template_hash": row.template_hash,
            "label": row.label,
            "purpose": row.purpose,
            "features_version": row.features_version,
        },
        "conversation": row.conversation,
        "stream": row.stream,
        "message_count": row.message_count,
        "document_bytes": row.document_bytes,
        "prompt_tokens_bound": row.prompt_tokens_bound,
        "output_tokens_limit": row.output_tokens_limit,
        "choices": row.choices,
        **_money("hold", row.hold_nano_usd),
        "baseline_route": row.baseline_route,
        "baseline_price_id": row.baseline_price_id,
        "propensity": row.propensity,
        "policy_hash": row.policy_hash,
        "rule_ids": _listed(row.rule_ids),
        "simulated": row.simulated,
    }


def attempt_json(
    entries: Sequence[EntryRow], settled: EntryRow | None, cost_nano_usd: int | None
) -> JsonObject:
    """One attempt: whom it asked, how it ended, what it used and cost, and its entries."""
    first = entries[0]
    end = settled if settled is not None else first
    return {
        "attempt_id": first.attempt_id,
        "number": first.attempt_no,
        "role": first.role,
        "route": first.route,
        "provider": first.provider,
        "origin": first.origin,
        "runs": first.runs,
        "place": first.place,
        "jurisdiction": first.jurisdiction,
        "weights_origin": first.weights_origin,
        "weights_licence": first.weights_licence,
        "model": first.model,
        "model_served": end.model_served,
        "fingerprint": end.fingerprint,
        "upstream_id": end.upstream_id,
        "state": entries[-1].state,
        **_money("bound", first.bound_nano_usd),
        **_money("cost", cost_nano_usd),
        "price_id": end.price_id,
        "usage": usage_json(entries),
        "finish_reason": end.finish_reason,
        "error": end.error,
        "overage": end.overage,
        "ttft_us": end.ttft_us,
        "latency_us": end.latency_us,
        "simulated": first.simulated,
        "entries": [_entry(entry) for entry in entries],
    }


def answer_json(row: AnswerRow) -> JsonObject:
    """How the request ended."""
    return {
        "at": time_json(row.at_us),
        "attempt_id": row.attempt_id,
        "status": row.status,
        "http_status": row.http_status,
        "error": row.error,
        "fields_checked": row.fields_checked,
        "fields_flagged": row.fields_flagged,
        "passed": row.passed,
        "score_min": row.score_min,
        "score_mean": row.score_mean,
        "latency_us": row.latency_us,
        "audit": row.audit,
    }


def outcome_json(row: OutcomeRow) -> JsonObject:
    """What somebody says about the answer or one of its fields."""
    return {
        "outcome_id": row.outcome_id,
        "attempt_id": row.attempt_id,
        "at": time_json(row.at_us),
        "source": row.source,
        "check": row.check_name,
        "field": row.field,
        "outcome": row.outcome,
        "code": row.code,
        "reason": row.reason,
        "span": None if row.span_start is None else {"start": row.span_start, "end": row.span_end},
        "score": row.score,
        "flagged": row.flagged,
        "propensity": row.propensity,
        "simulated": row.simulated,
        "judge_attempt_id": row.judge_attempt_id,
    }


def usage_json(entries: Sequence[EntryRow]) -> JsonObject:
    """Units by class over the entries of one attempt, corrections included, without zeros."""
    summed = {name: sum(getattr(entry, name) for entry in entries) for name in UNIT_CLASSES}
    return {name: units for name, units in summed.items() if units}


def time_json(at_us: int) -> str:
    """A moment as ISO 8601 in UTC, with microseconds: 2026-11-24T14:00:00.000000Z."""
    return to_datetime(at_us).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _entry(row: EntryRow) -> JsonObject:
    return {
        "entry_id": row.entry_id,
        "state": row.state,
        "at": time_json(row.at_us),
        **_money("cost", row.cost_nano_usd),
        "error": row.error,
    }


def _money(name: str, nano_usd: int | None) -> JsonObject:
    usd = None if nano_usd is None else format_usd(nano_usd)
    return {f"{name}_nano_usd": nano_usd, f"{name}_usd": usd}


def _listed(joined: str) -> list[JsonValue]:
    return [*joined.split(",")] if joined else []
