"""The rules of one team, typed, each with an id and the line that it stands in."""

from collections.abc import Mapping
from dataclasses import dataclass

from ledger.money import NanoUSD
from policies.audits import PLAN as AUDITED_PLAN
from policies.audits import AuditRules, GradingRules
from policies.decision import AtLimit, Settle
from policies.facts import TaskKind

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
    """sha256 of the file, hex."""
    file: str
    rule_lines: Mapping[str, int]
    """Rule id -> the line of the file that it stands in."""
    audits: AuditRules | None = None
    """What `cheap+audit` adds to `cheap`; None if the team has no such plan."""
    grading: GradingRules | None = None
    retries: int = 0
    """How often a route is tried again after a failure that cost nothing."""

    def rule(self, name: str) -> str:
        """The id of a rule of this team."""
        return f"{self.team}.{name}"
