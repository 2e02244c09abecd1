"""Hold a decision against what a case expects of it: what differs, in words that can be laid side by side."""

from dataclasses import dataclass

from ledger.money import format_usd
from policies.cases import Expected
from policies.decision import Allow, Deny
from policies.explanation import Explanation, Use

USES = {
    "routes": Use.ANSWER,
    "at_limit": Use.AT_LIMIT,
    "auditors": Use.AUDIT,
    "escalation": Use.ESCALATE,
    "graders": Use.GRADE,
}
"""What the routes of a case's key are asked for."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it was expected."""

    what: str
    expected: str
    found: str


def differences(expected: Expected, found: Explanation) -> tuple[Difference, ...]:
    """What of a decision is not as a case expects it; nothing if it is."""
    decision = found.decision
    label = _differing("label", expected.label, found.label)
    if isinstance(decision, Deny):
        if expected.allow:
            return (*label, Difference("decision", "allow", f"deny, by {_listed(decision.rule_ids)}"))
        return (*label, *_refusal(expected, decision))
    if not expected.allow:
        return (*label, Difference("decision", "deny", f"allow, plan {decision.plan}"))
    return (*label, *_permission(expected, decision, found))


def _refusal(expected: Expected, deny: Deny) -> tuple[Difference, ...]:
    found: list[Difference] = []
    if expected.rules is not None and expected.rules != frozenset(deny.rule_ids):
        found.append(Difference("deny", _listed(sorted(expected.rules)), _listed(sorted(deny.rule_ids))))
    if expected.reason is not None and expected.reason not in deny.reason:
        found.append(Difference("reason", expected.reason, deny.reason))
    return tuple(found)


def _permission(expected: Expected, allow: Allow, found: Explanation) -> tuple[Difference, ...]:
    differing = list(_differing("plan", expected.plan, allow.plan))
    for key, wanted in expected.routes.items():
        if key == "never":
            asked = tuple(told.facts.name for told in found.routes if told.uses and told.facts.name in wanted)
            if asked:
                differing.append(Difference(key, f"none of {_listed(wanted)}", _listed(asked)))
        elif (routes := found.asked_for(USES[key])) != wanted:
            differing.append(Difference(key, _listed(wanted), _listed(routes)))
    if expected.request_nano_usd is not None and expected.request_nano_usd != allow.per_request_nano_usd:
        limit = allow.per_request_nano_usd
        told = f"{format_usd(limit)} USD" if limit is not None else "none"
        differing.append(Difference("request_usd", f"{format_usd(expected.request_nano_usd)} USD", told))
    return tuple(differing)


def _differing(what: str, expected: str | None, found: str | None) -> tuple[Difference, ...]:
    if expected is None or expected == found:
        return ()
    return (Difference(what, str(expected), str(found or "none")),)


def _listed(words: "tuple[str, ...] | list[str]") -> str:
    return ", ".join(words) or "none"
