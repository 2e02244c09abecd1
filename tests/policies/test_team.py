"""Rules have ids by which entries, decisions and refusals name them."""

from policies.document import parse_bytes
from policies.team import PLAN_NAMES
from policies.team_reading import read_policy
from support.rules import routes_of


def test_a_rules_id_is_its_teams_name_and_its_path_in_the_file() -> None:
    text = b"team: human resources\nmodels: [small]\nlimits: {day_usd: 5}\n"
    policy = read_policy(parse_bytes(text, "f.yaml"), "h", routes_of(("small",)))
    assert policy.rule("limits.day_usd") == "human resources.limits.day_usd"
    assert policy.rule_lines[policy.rule("limits.day_usd")] == 3
    assert set(policy.rule_lines) == {
        policy.rule(key) for key in ("team", "models", "limits", "limits.day_usd")
    }


def test_a_policy_knows_the_plans_that_a_client_may_name_beside_auto() -> None:
    assert PLAN_NAMES == ("cheap", "premium", "cheap+audit")
