"""Of which requests a rule speaks: each key by itself, together, and what a client cannot get round."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.conditions import Conditions
from policies.facts import Facts, Label, TaskKind, stricter
from support.rule_strategies import WORDS, conditions, facts, labels

SEEN = Facts(
    team="finance",
    model="auto",
    kind=TaskKind.EXTRACTION,
    task_class="receipts",
    purpose="audit",
    found_class="invoice",
    project="ledger",
    key_id="key_1",
    environment="production",
    context_tokens=5_000,
    tools=True,
    images=True,
)
ONE = {
    "project": (Conditions(projects=frozenset({"ledger", "x"})), replace(SEEN, project="y")),
    "no project": (Conditions(projects=frozenset({"ledger"})), replace(SEEN, project=None)),
    "key": (Conditions(keys=frozenset({"key_1"})), replace(SEEN, key_id="key_2")),
    "purpose": (Conditions(purposes=frozenset({"audit"})), replace(SEEN, purpose="marketing")),
    "no purpose": (Conditions(purposes=frozenset({"audit"})), replace(SEEN, purpose=None)),
    "environment": (Conditions(environments=frozenset({"production"})), replace(SEEN, environment="test")),
    "kind": (Conditions(kinds=frozenset({TaskKind.EXTRACTION})), replace(SEEN, kind=TaskKind.GENERATION)),
    "declared class": (Conditions(task_classes=frozenset({"receipts"})), replace(SEEN, task_class="x")),
    "found class": (Conditions(task_classes=frozenset({"invoice"})), replace(SEEN, found_class="x")),
    "context": (Conditions(context_tokens_above=4_999), replace(SEEN, context_tokens=4_999)),
    "tools": (Conditions(tools=True), replace(SEEN, tools=False)),
    "images": (Conditions(images=True), replace(SEEN, images=False)),
}  # fmt: skip


@pytest.mark.parametrize(("asked", "another"), ONE.values(), ids=ONE.keys())
def test_a_condition_holds_for_what_it_names_and_for_nothing_else(asked: Conditions, another: Facts) -> None:
    assert asked.hold(SEEN, None)
    assert not asked.hold(another, None)


def test_all_conditions_of_a_rule_must_hold() -> None:
    asked = Conditions(projects=frozenset({"ledger"}), tools=True)
    assert asked.hold(SEEN, None)
    assert not asked.hold(replace(SEEN, tools=False), None)


@pytest.mark.parametrize(
    ("label", "holds"),
    [(None, False), (Label.PUBLIC, False), (Label.INTERNAL, False), (Label.CONFIDENTIAL, True), (Label.RESTRICTED, True)],
)  # fmt: skip
def test_a_label_is_meant_with_all_that_are_more_closed(label: Label | None, holds: bool) -> None:
    assert Conditions(label=Label.CONFIDENTIAL).hold(SEEN, label) is holds


def test_no_label_is_as_open_as_public() -> None:
    assert Conditions(label=Label.PUBLIC).hold(SEEN, None)
    assert stricter(None, Label.PUBLIC) is Label.PUBLIC
    assert stricter(None, None) is None
    assert stricter(Label.RESTRICTED, Label.INTERNAL) is Label.RESTRICTED


def test_a_key_without_an_environment_may_belong_to_any() -> None:
    assert Conditions(environments=frozenset({"production"})).hold(replace(SEEN, environment=None), None)


@given(conditions, facts, labels, st.sampled_from(WORDS), st.sampled_from(WORDS))
def test_what_a_client_declares_makes_no_rule_leave_it_alone(
    asked: Conditions, seen: Facts, label: Label | None, task: str, purpose: str
) -> None:
    silent = replace(seen, task_class=seen.found_class, purpose=None)
    if asked.hold(silent, label):
        assert asked.hold(replace(silent, task_class=task), label)
        assert asked.hold(replace(silent, purpose=purpose), label)
        assert asked.hold(silent, Label.RESTRICTED)


@given(conditions, conditions, facts, labels)
def test_conditions_that_cover_others_hold_wherever_those_do(
    one: Conditions, other: Conditions, seen: Facts, label: Label | None
) -> None:
    if one.cover(other) and other.hold(seen, label):
        assert one.hold(seen, label)
    if one.hold(seen, label) and other.hold(seen, label):
        assert one.may_meet(other)


@given(conditions, facts, labels)
def test_conditions_that_always_hold_do(asked: Conditions, seen: Facts, default: Label | None) -> None:
    if asked.always_hold(seen.kind, default):
        assert asked.hold(seen, stricter(default, seen.label))


def test_a_rule_for_some_teams_concerns_no_other() -> None:
    asked = Conditions(teams=frozenset({"finance"}))
    assert asked.concern("finance")
    assert not asked.concern("legal")
    assert Conditions().concern("legal")
