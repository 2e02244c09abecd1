"""What a person should look at in rules that are valid: warnings, each with its place."""

from dataclasses import dataclass

from policies.decision import AtLimit
from policies.facts import TaskKind
from policies.team import TeamPolicy


@dataclass(frozen=True, slots=True)
class LintWarning:
    """Something that is allowed and probably not meant."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file} line {self.line}: {self.message}"


def lint(policy: TeamPolicy) -> list[LintWarning]:
    """Look through one team's rules."""
    found: list[LintWarning] = []

    def warn(rule: str, message: str) -> None:
        found.append(LintWarning(policy.file, policy.rule_lines.get(policy.rule(rule), 1), message))

    for kind in TaskKind:
        if kind not in policy.auto:
            warn("auto", f"auto says nothing of {kind.value}: a request for 'auto' of that kind is refused")
    if policy.baseline is None:
        warn("team", "no baseline is named, so reports cannot estimate what a premium model would have cost")
    elif policy.baseline in policy.plans.get("cheap", ()):
        warn(
            "baseline",
            f"the baseline '{policy.baseline}' is in the cheap plan; the estimate compares it with itself",
        )
    if policy.at_limit is AtLimit.CHEAP_ONLY and "cheap" not in policy.plans:
        warn("at_limit", "at_limit is cheap_only and plans.cheap is not there: at the limit all is denied")
    if policy.limits.month_nano_usd is None and policy.limits.day_nano_usd is None:
        warn(
            "limits",
            "neither limits.day_usd nor limits.month_usd is set: nothing bounds what the team spends",
        )
    day, month = policy.limits.day_nano_usd, policy.limits.month_nano_usd
    if day is not None and month is not None and day > month:
        warn("limits.day_usd", "limits.day_usd is larger than limits.month_usd and so never reached")
    return found
