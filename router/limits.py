"""A policy's limits as the ledger counts them."""

from ledger.budgets import Limit, Scope, ScopeKind, Window
from policies.loading import Policies


def policy_limits(policies: Policies) -> list[Limit]:
    """Every team's daily and monthly limit."""
    found: list[Limit] = []
    for policy in policies.teams.values():
        scope = Scope(ScopeKind.TEAM, policy.team)
        for window, amount in (
            (Window.DAY, policy.limits.day_nano_usd),
            (Window.MONTH, policy.limits.month_nano_usd),
        ):
            if amount is not None:
                found.append(Limit(scope, window, amount, policy.rule(f"limits.{window.value}_usd")))
    return found
