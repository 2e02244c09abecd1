"""Rules that do nothing or leave nothing are told, at their line, and no other."""

from pathlib import Path

import pytest
from hypothesis import given

from policies.requirements import Requirements
from policies.route_facts import RouteFacts
from policies.rule_lint import KnownKeys, implies, lint_rules
from support.places import FINANCE, policies_of
from support.places import ROUTES as PLACES
from support.rule_strategies import requirements, route_lists

LEGAL = 'team: legal\nmodels: ["*"]\n'
KNOWN = KnownKeys(
    {("finance", "march"), ("legal", "case")}, {"key_1": ("finance", "march"), "key_2": ("legal", None)}
)


def rule(name: str, says: str, when: str = "{}") -> str:
    return f"  - id: {name}\n    when: {when}\n    {says}\n"


DENY = "deny: true\n    reason: no"
EU, DE, HERE = "require: {jurisdiction: [EU]}", "require: {jurisdiction: [DE]}", "require: {local_only: true}"


def warned(
    folder: Path, *, organisation: str = "", finance: str = "", known: KnownKeys | None = None
) -> list[str]:
    files = {"finance": FINANCE + (f"rules:\n{finance}" if finance else ""), "legal": LEGAL}
    if organisation:
        files["organisation"] = f"organisation: acme\nrules:\n{organisation}"
    return [str(found) for found in lint_rules(policies_of(folder, **files), PLACES, known)]


IDLE = "does nothing: wherever it applies,"
WARNED = {
    "a requirement that no route meets": (
        "", rule("swiss", "require: {jurisdiction: [CH]}", "{purpose: [bank]}"),
        [("finance.yaml line 12: no configured route is jurisdiction CH, so whatever finance.rules.swiss applies to is "
         "refused; add such a route, say in the configuration that one is so, or write deny with a reason")],
    ),
    "a requirement that a narrower one makes idle": (
        "", rule("eu", EU) + rule("de", DE),
        [(f"finance.yaml line 12: finance.rules.eu {IDLE} finance.rules.de (finance.yaml:15) applies and takes no less; "
         "leave it out, or make it say more")],
    ),
    "a narrow condition under a wide one": (
        "", rule("eu", EU) + rule("eu-tools", EU, "{tools: true}"),
        [(f"finance.yaml line 15: finance.rules.eu-tools {IDLE} finance.rules.eu (finance.yaml:12) applies and takes no "
         "less; leave it out, or make it say more")],
    ),
    "a rule that stands there twice": (
        "", rule("one", EU, "{images: true}") + rule("two", EU, "{images: true}"),
        [(f"finance.yaml line 15: finance.rules.two {IDLE} finance.rules.one (finance.yaml:12) applies and takes no less; "
         "leave it out, or make it say more")],
    ),
    "a limit above another": (
        "", rule("low", 'limit: {request_usd: "0.10"}') + rule("high", "limit: {request_usd: 1}"),
        [(f"finance.yaml line 15: finance.rules.high {IDLE} finance.rules.low (finance.yaml:12) applies and takes no less; "
         "leave it out, or make it say more")],
    ),
    "a requirement of what is denied": (
        "", rule("none", DENY, "{label: confidential}") + rule("here", HERE, "{label: restricted}"),
        [(f"finance.yaml line 16: finance.rules.here {IDLE} finance.rules.none (finance.yaml:12) applies and takes no "
         "less; leave it out, or make it say more")],
    ),
    "a team's rule that the organisation's makes idle": (
        rule("here", HERE, "{label: internal}"),
        rule("house", "require: {on_premises_only: true}", "{label: restricted}"),
        [(f"finance.yaml line 12: finance.rules.house {IDLE} acme.rules.here (organisation.yaml:3) applies and takes no "
         "less; leave it out, or make it say more")],
    ),
    "two that no route meets together": (
        "", rule("here", HERE, "{label: restricted}") + rule("made-in", "require: {weights_origin: [CN]}", "{tools: true}"),
        [("finance.yaml line 15: no configured route is both local only (finance.rules.here, finance.yaml:12) and weights "
         "origin CN (finance.rules.made-in): a request to which both apply is refused")],
    ),
    "a plan of which nothing is left": (
        "", rule("here", HERE),
        [("finance.yaml line 5: no route is left for the plan 'premium' by finance.rules.here (finance.yaml:12), which "
         "applies to every request of the team; name other models, or leave the plan out")],
    ),
    "plans that two rules close together": (
        rule("made-in", "require: {weights_origin: [CN, FR]}"), rule("eu", EU) + rule("ours", "require: {provider: [deepseek, local]}"),
        ["finance.yaml line 4: no route is left for the plan 'cheap' by",
         "finance.yaml line 5: no route is left for the plan 'premium' by"],
    ),
    "a team that nothing is left to": (
        rule("closed", DENY, "{team: [legal]}"), "",
        [("legal.yaml line 2: the organisation's rules leave team 'legal' nothing: every request is refused by "
         "acme.rules.closed (organisation.yaml:3); give it other models, or change those")],
    ),
    "a project that is not there": (
        rule("p", EU, "{team: [finance], project: [case, april]}"), "",
        ["organisation.yaml line 3: acme.rules.p can never hold: no project of 'april', 'case' of its teams is there"],
    ),
    "a key that is not there": (
        "", rule("k", EU, "{key: [key_9]}"), ["finance.yaml line 12: finance.rules.k can never hold: no key 'key_9' is there"],
    ),
    "a key of another team": (
        "", rule("k", EU, "{key: [key_2]}"),
        ["finance.yaml line 12: finance.rules.k can never hold: no key 'key_2' is of its teams and projects"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("organisation", "finance", "said"), WARNED.values(), ids=WARNED.keys())
def test_what_does_nothing_or_leaves_nothing_is_told(
    tmp_path: Path, organisation: str, finance: str, said: list[str]
) -> None:
    found = warned(tmp_path, organisation=organisation, finance=finance, known=KNOWN)
    for sentence in said:
        assert [each for each in found if each.startswith(sentence)], found
    if len(said) == 1:
        assert found == said


FINE = {
    "no rule": ("", ""),
    "rules that add to each other": ("", rule("eu", EU) + rule("here", HERE, "{label: restricted}")),
    "the same in two conditions that do not cover each other": (
        "", rule("a", EU, "{tools: true}") + rule("b", EU, "{images: true}"),
    ),
    "the organisation's, although one team says more": (rule("eu", EU), rule("de", DE)),
    "a plan that some requests lose": ("", rule("here", HERE, "{label: restricted}")),
    "a project and a key that are there": ("", rule("k", EU, "{key: [key_1], project: [march]}")),
    "limits in two conditions": (
        "", rule("low", "limit: {request_usd: 0.1}", "{tools: true}") + rule("high", "limit: {request_usd: 1}"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("organisation", "finance"), FINE.values(), ids=FINE.keys())
def test_what_is_meant_is_not_warned_of(tmp_path: Path, organisation: str, finance: str) -> None:
    assert warned(tmp_path, organisation=organisation, finance=finance, known=KNOWN) == []


def test_without_the_keys_nothing_is_said_of_them(tmp_path: Path) -> None:
    assert warned(tmp_path, finance=rule("k", EU, "{key: [key_9]}")) == []


@given(requirements, requirements, route_lists)
def test_a_requirement_thatimplies_another_leaves_no_route_that_the_other_takes(
    one: Requirements, other: Requirements, routes: tuple[RouteFacts, ...]
) -> None:
    if implies(one, other):
        assert all(other.missed_by(route) is None for route in routes if one.missed_by(route) is None)
