"""An explanation says of each rule why not, and of each route by which rule; the rulebook decides, and it agrees."""

from pathlib import Path

import pytest
from hypothesis import given

from policies.conditions import Conditions
from policies.decision import Allow
from policies.explanation import Explanation, Standing, Use, explain
from policies.facts import Facts, Label, TaskKind
from support.places import FINANCE, ROUTES, policies_of
from support.rule_strategies import conditions, facts

ORGANISATION = """\
organisation: acme
default_label: internal
rules:
  - id: restricted-stays-here
    when: {label: restricted}
    require: {local_only: true}
  - id: legal-only
    when: {team: [legal]}
    deny: true
    reason: not yet
"""
RULES = """\
rules:
  - id: eu-only
    reason: promised
    require: {jurisdiction: [EU]}
  - id: no-tools
    when: {tools: true}
    deny: true
    reason: leave them out
"""
LEGAL = 'team: legal\nmodels: ["*"]\n'


def explained(folder: Path, asked: Facts, own: str = RULES) -> Explanation:
    found = policies_of(folder, organisation=ORGANISATION, finance=FINANCE + own, legal=LEGAL)
    return explain(found.rulebooks[asked.team], asked, ROUTES, found.organisation)


def asked(**given: object) -> Facts:
    known = {"team": "finance", "model": "auto", "kind": TaskKind.EXTRACTION, "task_class": "invoice"}
    return Facts(**{**known, **given})  # type: ignore[arg-type]  # a test names a field that exists


def test_each_rule_is_told_with_the_first_condition_that_is_not_met(tmp_path: Path) -> None:
    found = explained(tmp_path, asked())
    assert [(told.rule.id, told.unmet) for told in found.rules] == [
        ("acme.rules.restricted-stays-here", "label is internal, and the rule is about restricted and more closed ones"),
        ("acme.rules.legal-only", "team is finance, and the rule is about legal"),
        ("finance.rules.eu-only", None),
        ("finance.rules.no-tools", "it has no tools"),
    ]  # fmt: skip
    assert [rule.id for rule in found.applying] == ["finance.rules.eu-only"]


def test_each_route_is_told_with_what_it_is_for_or_what_takes_it(tmp_path: Path) -> None:
    found = explained(tmp_path, asked())
    told = {each.facts.name: (each.standing, each.uses) for each in found.routes}
    assert told == {
        "small-here": (Standing.KEPT, (Use.ANSWER,)),
        "flash-cn": (Standing.FALLS, ()),
        "flash-eu": (Standing.KEPT, (Use.ANSWER,)),
        "big": (Standing.KEPT, (Use.AUDIT, Use.ESCALATE, Use.GRADE)),
        "opus": (Standing.NOT_ALLOWED, ()),
    }
    ((rule, why),) = found.routes[1].falls
    assert (rule.place, why) == ("finance.yaml:12", "its jurisdiction is CN, and EU is required")
    assert found.asked_for(Use.ANSWER) == ("flash-eu", "small-here"), "in the plan's order"


def test_a_refused_request_has_routes_that_fall_and_none_that_is_asked(tmp_path: Path) -> None:
    found = explained(tmp_path, asked(model="premium", label=Label.RESTRICTED))
    assert not isinstance(found.decision, Allow)
    assert {each.facts.name for each in found.routes if each.standing is Standing.FALLS} == {
        "flash-cn",
        "flash-eu",
        "big",
    }
    assert all(found.asked_for(use) == () for use in Use)


LABELS = {
    "the organisation's": (None, "", "internal", "default_label of organisation.yaml"),
    "the client's": (Label.CONFIDENTIAL, "", "confidential", "the client declared it"),
    "a client's that is too open": (
        Label.PUBLIC, "", "internal", "default_label of organisation.yaml; the client declared public",
    ),
    "the team's": (None, "default_label: restricted\n", "restricted", "default_label at finance.yaml:11"),
}  # fmt: skip


@pytest.mark.parametrize(("declared", "own", "label", "said"), LABELS.values(), ids=LABELS.keys())
def test_where_the_label_comes_from_is_told(
    tmp_path: Path, declared: Label | None, own: str, label: str, said: str
) -> None:
    found = explained(tmp_path, asked(label=declared), own)
    assert (found.label, found.label_from) == (label, said)


def test_without_a_default_nobody_says_a_label(tmp_path: Path) -> None:
    found = policies_of(tmp_path, finance=FINANCE)
    told = explain(found.rulebooks["finance"], asked(), ROUTES, None)
    assert (told.label, told.label_from) == (None, "nobody says one, which is as open as public")


UNMET = {
    "project": (Conditions(projects=frozenset({"b", "a"})), {"project": "c"}, "project is c, and the rule is about a or b"),
    "no project": (Conditions(projects=frozenset({"a"})), {}, "project is none, and the rule is about a"),
    "key": (Conditions(keys=frozenset({"key_1"})), {"key_id": "key_2"}, "key is key_2, and the rule is about key_1"),
    "purpose": (Conditions(purposes=frozenset({"a"})), {}, "purpose is none, and the rule is about a"),
    "environment": (
        Conditions(environments=frozenset({"production"})), {"environment": "test"},
        "environment is test, and the rule is about production",
    ),
    "kind": (
        Conditions(kinds=frozenset({TaskKind.GENERATION})), {}, "kind is extraction, and the rule is about generation",
    ),
    "class": (
        Conditions(task_classes=frozenset({"receipt"})), {"found_class": "bill"},
        "task_class is invoice, and the rule is about receipt",
    ),
    "length": (
        Conditions(context_tokens_above=2_000), {"context_tokens": 2_000},
        "context_tokens is 2,000 at most, and the rule is about more than 2,000",
    ),
    "images": (Conditions(images=True), {}, "it has no images"),
}  # fmt: skip


@pytest.mark.parametrize(("when", "given_facts", "said"), UNMET.values(), ids=UNMET.keys())
def test_what_is_not_met_is_said_in_words(
    when: Conditions, given_facts: dict[str, object], said: str
) -> None:
    assert when.unmet(asked(**given_facts), None) == said


@given(conditions, facts)
def test_a_condition_is_unmet_exactly_where_it_does_not_hold(when: Conditions, seen: Facts) -> None:
    holds = when.concern(seen.team) and when.hold(seen, seen.label)
    assert (when.unmet(seen, seen.label) is None) is holds
