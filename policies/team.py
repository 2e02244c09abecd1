"""One team's policy, typed: what its plans grant, its limits, and all rules that take from it."""

from collections.abc import Mapping
from dataclasses import dataclass

from ledger.money import NanoUSD
from policies.audits import PLAN as AUDITED_PLAN
from policies.audits import AuditRules, GradingRules
from policies.decision import AtLimit, Settle
from policies.facts import Label, TaskKind
from policies.rules import Rule

PLAN_NAMES = ("cheap", "premium", AUDITED_PLAN)
ANY_MODEL = "*"


@dataclass(frozen=True, slots=True)
class SpendingLimits:
    """What a team may spend; None where the policy sets no limit."""

    request_nano_usd: NanoUSD | None
    day_nano_usd: NanoUSD | None
    month_nano_usd: NanoUSD | None


@dataclass(frozen=True, slots=True)
class TeamPolicy:
    """One team's rules."""

    team: str
    models: tuple[str, ...]
    """What the team may use, `*` written out."""
    plans: Mapping[str, tuple[str, ...]]
    """A plan's models in order of preference."""
    auto: Mapping[TaskKind, str]
    """What `auto` means for each kind of task."""
    baseline: str | None
    limits: SpendingLimits
    at_limit: AtLimit
    min_output_tokens: int
    settle: Settle
    policy_hash: str
    """sha256 of the organisation's file, if there is one, and this one after it; hex."""
    file: str
    rule_lines: Mapping[str, int]
    """Rule id -> the line of the file that it stands in."""
    audits: AuditRules | None = None
    """What `cheap+audit` adds to `cheap`; None if the team has no such plan."""
    grading: GradingRules | None = None
    retries: int = 0
    """How often a route is tried again after a failure that cost nothing."""
    default_label: Label | None = None
    """What a request is at least, whatever its client declares."""
    rules: tuple[Rule, ...] = ()
    """All that may apply to a request of the team: the organisation's, then its own."""

    def rule(self, name: str) -> str:
        """The id of a key of this file, by which decisions name it."""
        return f"{self.team}.{name}"

    def place(self, rule_id: str) -> str:
        """Where a key of this file stands, FILE:LINE."""
        return f"{self.file}:{self.rule_lines.get(rule_id, 1)}"
