"""A policy's answer: what may be done and why, or what forbids it."""

from dataclasses import dataclass
from enum import StrEnum

from ledger.money import NanoUSD
from policies.audits import AuditRules, GradingRules


class AtLimit(StrEnum):
    """What happens when the headroom is less than the plan's worst case."""

    CLAMP = "clamp"
    DENY = "deny"
    CHEAP_ONLY = "cheap_only"


class Settle(StrEnum):
    """Whether the settlement is on disk after the last byte or before it."""

    AFTER = "after"
    STRICT = "strict"


@dataclass(frozen=True, slots=True)
class Allow:
    """The request may run: the plan's name, its models in order, the routes that are left, and what binds it."""

    plan: str
    """"cheap" or "premium"; "model" where the client named a model."""
    routes: tuple[str, ...]
    """Models, first choice first, each with a route that is permitted; never empty."""
    permitted: frozenset[str]
    """The only routes that may be asked for it, by name: to answer, to fall back on, to audit, to grade."""
    cheap_routes: tuple[str, ...]
    """Under `cheap_only`, what may answer in its place; else, and if nothing is left of it, empty."""
    baseline_route: str | None
    per_request_nano_usd: NanoUSD | None
    at_limit: AtLimit
    min_output_tokens: int
    settle: Settle
    policy_hash: str
    rule_ids: tuple[str, ...]
    places: tuple[str, ...] = ()
    """Where each of these rules stands, FILE:LINE."""
    audits: AuditRules | None = None
    """When an auditor is asked, and what follows; None where the plan has no audits."""
    escalation_routes: tuple[str, ...] = ()
    """What answers when an audit does not settle it; may be empty."""
    grading: GradingRules | None = None
    retries: int = 0
    criteria: str | None = None
    """What generated text is judged by, where it is judged."""


@dataclass(frozen=True, slots=True)
class Deny:
    """The request may not run. `reason` says what to change."""

    reason: str
    policy_hash: str
    rule_ids: tuple[str, ...]
    places: tuple[str, ...] = ()
    """Where each of these rules stands, FILE:LINE."""

    @property
    def cited(self) -> str:
        """The rules, each with its place."""
        return ", ".join(f"{rule} at {place}" for rule, place in zip(self.rule_ids, self.places, strict=True))


Decision = Allow | Deny
