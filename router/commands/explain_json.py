"""An explanation as JSON: the names are those of the policy files; money in nano-USD."""

from policies.decision import Allow
from policies.explanation import RouteTold, RuleTold, Use
from router.commands.explained import Explained
from router.json_types import JsonObject, JsonValue
from router.sampling import audit_percent


def explanation_json(found: Explained, notes: tuple[str, ...]) -> JsonObject:
    """Give the whole explanation as JSON-ready values."""
    told, refusal = found.explanation, found.refusal
    refused: JsonValue = None
    if refusal is not None:
        refused = {"status": refusal.status, "code": refusal.code, "message": str(refusal)}
    return {
        "decision": "deny" if refusal is not None else "allow",
        "refusal": refused,
        "request": _request(found),
        "label": {"in_force": told.label, "from": told.label_from},
        "policy_hash": told.decision.policy_hash,
        "rule_ids": [*told.decision.rule_ids],
        "places": [*told.decision.places],
        "rules": [_rule(each) for each in told.rules],
        "routes": [_route(each) for each in told.routes],
        "plan": _plan(found, found.allow) if found.allow is not None else None,
        "notes": [*notes, *found.notes],
    }


def _request(found: Explained) -> JsonObject:
    facts, caller = found.explanation.facts, found.caller
    return {
        "team": facts.team,
        "project": facts.project,
        "key": facts.key_id or None,
        "environment": facts.environment,
        "key_models": None if caller.models is None else [*sorted(caller.models)],
        "model": facts.model,
        "kind": facts.kind,
        "task_class": facts.task_class,
        "found_class": facts.found_class,
        "declared_label": facts.label,
        "purpose": facts.purpose,
        "context_tokens": facts.context_tokens,
        "tools": facts.tools,
        "images": facts.images,
    }


def _rule(told: RuleTold) -> JsonObject:
    rule = told.rule
    return {
        "id": rule.id,
        "at": rule.place,
        "says": str(rule.demand),
        "reason": rule.reason,
        "applies": told.unmet is None,
        "unmet": told.unmet,
    }


def _route(told: RouteTold) -> JsonObject:
    facts = told.facts
    return {
        "route": facts.name,
        "model": facts.model,
        "provider": facts.provider,
        "runs": facts.runs,
        "place": facts.place,
        "jurisdiction": facts.jurisdiction,
        "weights_licence": facts.weights_licence,
        "weights_origin": facts.weights_origin,
        "zero_retention": facts.zero_retention,
        "no_training": facts.no_training,
        "standing": told.standing,
        "asked_for": [*told.uses],
        "falls_by": [{"id": rule.id, "at": rule.place, "because": why} for rule, why in told.falls],
    }


def _plan(found: Explained, allow: Allow) -> JsonObject:
    told, plan, audits = found.explanation, found.plan, allow.audits
    return {
        "name": allow.plan,
        **{use.value: [*told.asked_for(use)] for use in Use},
        "attempts": [
            {
                "route": each.route.name,
                "output_tokens_limit": each.max_tokens,
                "bound_nano_usd": each.bound_nano_usd,
            }
            for each in (plan.attempts if plan is not None else ())
        ],
        "left_out": [*(plan.left_out if plan is not None else ())],
        "hold_nano_usd": plan.hold_nano_usd if plan is not None else None,
        "request_limit_nano_usd": allow.per_request_nano_usd,
        "day_limit_nano_usd": found.caller.policy.limits.day_nano_usd,
        "month_limit_nano_usd": found.caller.policy.limits.month_nano_usd,
        "at_limit": allow.at_limit,
        "min_output_tokens": allow.min_output_tokens,
        "settle": allow.settle,
        "retries": allow.retries,
        "baseline": allow.baseline_route,
        "audit": None
        if audits is None
        else {
            "mode": audits.mode,
            "percent": audit_percent(audits, told.facts.kind),
            "when_wrong": audits.when_wrong,
            "when_unsettled": audits.when_unsettled,
            "when_unaudited": audits.when_unaudited,
            "stream": audits.delivery,
        },
        "grading_percent": allow.grading.percent if allow.grading is not None else None,
    }
