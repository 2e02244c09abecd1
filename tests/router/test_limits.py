"""A policy's limits reach the budgets with their rule's id."""

from ledger.budgets import Limit, Scope, ScopeKind, Window
from policies.loading import Policies
from router.limits import policy_limits
from support.rules import policy_of


def policies_of(**limits: str) -> Policies:
    teams = {
        team: policy_of(f"team: {team}\nmodels: [small]\nlimits: {{{text}}}\n", ("small",))
        for team, text in limits.items()
    }
    return Policies(teams, {})


def test_each_teams_day_and_month_are_limits_of_that_team() -> None:
    found = policy_limits(policies_of(finance="day_usd: 5, month_usd: 50", legal="month_usd: 7"))
    finance, legal = Scope(ScopeKind.TEAM, "finance"), Scope(ScopeKind.TEAM, "legal")
    assert found == [
        Limit(finance, Window.DAY, 5 * 10**9, "finance.limits.day_usd"),
        Limit(finance, Window.MONTH, 50 * 10**9, "finance.limits.month_usd"),
        Limit(legal, Window.MONTH, 7 * 10**9, "legal.limits.month_usd"),
    ]


def test_a_limit_of_nothing_is_a_limit() -> None:
    (limit,) = policy_limits(policies_of(finance="day_usd: 0"))
    assert limit.amount_nano_usd == 0


def test_a_requests_limit_is_no_windows() -> None:
    assert policy_limits(policies_of(finance="request_usd: 1", legal="")) == []
