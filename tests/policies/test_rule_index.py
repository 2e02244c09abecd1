"""The index finds the rules that the conditions say, and what it cannot place is held to all of them."""

from dataclasses import replace
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from policies.conditions import Conditions
from policies.facts import Facts, Label, TaskKind
from policies.rule_index import RuleIndex, members
from support.rule_strategies import conditions, facts, labels


@given(st.lists(conditions, max_size=10), facts, labels)
def test_the_index_agrees_with_the_conditions(
    rules: list[Conditions], seen: Facts, label: Label | None
) -> None:
    held = [number for number, rule in enumerate(rules) if rule.hold(seen, label)]
    assert list(members(RuleIndex(rules).applying(seen, label))) == held


@given(st.lists(conditions, max_size=10), facts, labels)
def test_a_value_that_does_not_exist_leaves_every_rule_that_another_would(
    rules: list[Conditions], seen: Facts, label: Label | None
) -> None:
    index = RuleIndex(rules)
    applying = index.applying(seen, label)
    strange = replace(seen, kind=cast("TaskKind", "poem"))
    assert applying & ~index.applying(strange, cast("Label", "secret")) == 0


def test_a_set_of_rules_has_its_members_in_order() -> None:
    assert list(members(0)) == []
    assert list(members(0b101001)) == [0, 3, 5]


def test_more_rules_than_a_machine_word_has_bits_are_told_apart() -> None:
    rules = [Conditions(projects=frozenset({f"p{number}"})) for number in range(200)]
    seen = Facts("finance", "auto", TaskKind.GENERATION, "x", project="p137")
    assert list(members(RuleIndex(rules).applying(seen, None))) == [137]
