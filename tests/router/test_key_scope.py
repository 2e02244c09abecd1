"""What a key's scope leaves of a policy's answer."""

from dataclasses import replace

import pytest

from policies.decision import Allow, AtLimit, Settle
from router.errors import ForbiddenError
from router.key_scope import within_scope

ALLOW = Allow(
    plan="cheap",
    routes=("a", "b", "c"),
    permitted=frozenset("abcd"),
    cheap_routes=("a", "b"),
    baseline_route="c",
    per_request_nano_usd=None,
    at_limit=AtLimit.CLAMP,
    min_output_tokens=1,
    settle=Settle.AFTER,
    policy_hash="",
    rule_ids=(),
    escalation_routes=("c", "d"),
)


def test_only_the_keys_models_may_answer_in_the_policys_order() -> None:
    left = within_scope(ALLOW, {"c", "b"})
    assert left == replace(ALLOW, routes=("b", "c"), cheap_routes=("b",), escalation_routes=("c",))


def test_where_nothing_is_left_the_message_says_what_to_name() -> None:
    with pytest.raises(ForbiddenError, match="this key may use x, y") as caught:
        within_scope(ALLOW, {"y", "x"})
    assert (caught.value.code, caught.value.param) == ("key_scope", "model")
