"""What rules take from what plans grant: only ever something, from every route, with the rule and its place."""

from dataclasses import replace
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.money import NanoUSD
from policies.audits import AuditMode, AuditRules, Delivery, WhenUnaudited, WhenUnsettled, WhenWrong
from policies.conditions import Conditions
from policies.decision import Allow, AtLimit, Decision, Deny, Settle
from policies.facts import Facts, Label, TaskKind, stricter
from policies.requirements import Requirements
from policies.route_facts import RouteFacts, Runs
from policies.rulebook import Rulebook
from policies.rules import Demand, Denial, RequestLimit, Rule
from policies.team import SpendingLimits, TeamPolicy
from support.rule_strategies import facts, policies, route_lists, rule_lists, rules

HERE = RouteFacts("flash-here", "flash", "ours", Runs.ON_PREMISES, jurisdiction="DE", weights_origin="CN")
THERE = RouteFacts("flash", "flash", "deepseek", jurisdiction="CN", weights_origin="CN")
OPUS = RouteFacts("opus", "opus", "anthropic", jurisdiction="US", weights_origin="US", zero_retention=True)
SMALL = RouteFacts("small", "small", "local", Runs.LOCAL, jurisdiction="DE", zero_retention=True)
ROUTES = (HERE, THERE, OPUS, SMALL)
AUDITS = AuditRules(
    AuditMode.BY_RISK, 0, ("opus",), WhenWrong.CORRECT, WhenUnsettled.ESCALATE, WhenUnaudited.PASS,
    Delivery.VERIFY_THEN_STREAM, None,
)  # fmt: skip
POLICY = TeamPolicy(
    team="finance",
    models=("flash", "opus", "small"),
    plans={"cheap": ("flash", "small"), "premium": ("opus",), "cheap+audit": ("flash", "small")},
    auto=dict.fromkeys(TaskKind, "cheap"),
    baseline="opus",
    limits=SpendingLimits(NanoUSD(500), None, None),
    at_limit=AtLimit.CLAMP,
    min_output_tokens=64,
    settle=Settle.AFTER,
    policy_hash="hash",
    file="finance.yaml",
    rule_lines={},
    audits=AUDITS,
)
SEEN = Facts("finance", "auto", TaskKind.EXTRACTION, "invoice")
EU = Requirements({"jurisdiction": frozenset({"EU"})})
LOCAL = Requirements({}, frozenset({"local_only"}))


def rule_of(demand: Demand, name: str = "one", reason: str | None = None, **when: object) -> Rule:
    conditions = Conditions(**when)  # type: ignore[arg-type]  # a test names a condition that exists
    return Rule(f"finance.rules.{name}", "finance.yaml", 7, conditions, demand, reason)


def decided(*rules: Rule, facts: Facts = SEEN, policy: TeamPolicy = POLICY) -> Decision:
    return Rulebook(replace(policy, rules=rules), ROUTES).decide(facts)


def allowed(*rules: Rule, facts: Facts = SEEN, policy: TeamPolicy = POLICY) -> Allow:
    decision = decided(*rules, facts=facts, policy=policy)
    assert isinstance(decision, Allow), decision
    return decision


def denied(*rules: Rule, facts: Facts = SEEN, policy: TeamPolicy = POLICY) -> Deny:
    decision = decided(*rules, facts=facts, policy=policy)
    assert isinstance(decision, Deny)
    return decision


def test_a_model_served_by_two_routes_keeps_the_one_that_is_left() -> None:
    left = allowed(rule_of(EU))
    assert left.routes == ("flash", "small")
    assert left.permitted == {"flash-here", "small"}


def test_rules_that_took_something_are_named_with_their_places_and_others_are_not() -> None:
    idle = rule_of(Requirements({"model": frozenset(POLICY.models)}), "idle")
    left = allowed(rule_of(EU, "eu"), idle, rule_of(LOCAL, "elsewhere", tools=True))
    assert left.rule_ids == ("finance.auto.extraction", "finance.plans.cheap", "finance.rules.eu")
    assert left.places == ("finance.yaml:1", "finance.yaml:1", "finance.yaml:7")


def test_where_no_route_is_left_each_route_is_told_with_the_rule_that_took_it() -> None:
    refused = denied(rule_of(EU, "eu"), facts=replace(SEEN, model="premium"))
    assert refused.reason == (
        "no route is left for 'premium': route 'opus' falls by rule finance.rules.eu (finance.yaml:7): "
        "its jurisdiction is US, and EU is required"
    )
    assert refused.cited == "finance.rules.eu at finance.yaml:7"


def test_two_rules_may_leave_nothing_together() -> None:
    refused = denied(
        rule_of(EU, "eu"), rule_of(Requirements({"model": frozenset({"opus"})}), "opus", "we like it")
    )
    assert refused.rule_ids == ("finance.rules.eu", "finance.rules.opus")
    assert (
        "route 'small' falls by rule finance.rules.opus (finance.yaml:7): its model is small"
        in refused.reason
    )
    assert "(we like it)" in refused.reason


def test_a_denial_wins_over_whatever_is_left_and_gives_its_reason() -> None:
    refused = denied(
        rule_of(EU),
        rule_of(Denial(), "no-images", "send text", images=True),
        facts=replace(SEEN, images=True),
    )
    assert refused.rule_ids == ("finance.rules.no-images",)
    assert (
        refused.reason
        == "such requests are denied by the rule finance.rules.no-images (finance.yaml:7): send text"
    )
    assert isinstance(decided(rule_of(Denial(), images=True)), Allow)


def test_what_no_plan_grants_no_rule_gives() -> None:
    assert denied(rule_of(EU), facts=replace(SEEN, model="gpt-9")).rule_ids == ("finance.models",)


def test_a_limit_binds_where_it_is_the_tightest_and_is_named_where_it_binds() -> None:
    tight = rule_of(RequestLimit(NanoUSD(100)), "tight")
    left = allowed(tight, rule_of(RequestLimit(NanoUSD(400)), "wide"))
    assert left.per_request_nano_usd == 100
    assert left.rule_ids[2:] == ("finance.rules.tight",)
    loose = allowed(rule_of(RequestLimit(NanoUSD(900)), "loose"))
    assert (loose.per_request_nano_usd, len(loose.rule_ids)) == (500, 2)
    unbounded = replace(POLICY, limits=SpendingLimits(None, None, None))
    assert allowed(tight, policy=unbounded).per_request_nano_usd == 100


CHECKED = replace(SEEN, model="cheap+audit")


def test_an_auditor_that_may_not_be_asked_is_left_out_and_the_answer_passes_unaudited() -> None:
    left = allowed(rule_of(EU, "eu", label=Label.RESTRICTED), facts=replace(CHECKED, label=Label.RESTRICTED))
    assert left.audits is not None
    assert (left.audits.auditors, left.audits.escalates, left.escalation_routes) == ((), False, ())
    assert left.audits.when_unaudited is WhenUnaudited.PASS
    assert "finance.rules.eu" in left.rule_ids
    unlabelled = allowed(rule_of(EU, "eu", label=Label.RESTRICTED), facts=CHECKED)
    assert unlabelled.audits == AUDITS
    assert unlabelled.escalation_routes == ("opus",)


@pytest.mark.parametrize("unaudited", [WhenUnaudited.ESCALATE, WhenUnaudited.FAIL])
@pytest.mark.parametrize("auditor", ["opus", "small"])
def test_a_plan_that_must_escalate_and_has_nowhere_to_go_is_denied(
    unaudited: WhenUnaudited, auditor: str
) -> None:
    policy = replace(POLICY, audits=replace(AUDITS, when_unaudited=unaudited, auditors=(auditor,)))
    refused = denied(rule_of(EU, "eu"), facts=CHECKED, policy=policy)
    assert refused.reason.startswith(
        "no route is left for 'cheap+audit' to escalate to: route 'opus' falls by"
    )


def test_an_auditor_that_is_left_corrects_where_nobody_is_left_to_escalate_to() -> None:
    policy = replace(POLICY, audits=replace(AUDITS, auditors=("small",)))
    left = allowed(rule_of(EU, "eu"), facts=CHECKED, policy=policy)
    assert left.audits is not None
    assert (left.audits.auditors, left.audits.escalates) == (("small",), False)
    assert left.audits.when_wrong is WhenWrong.CORRECT


def test_the_label_in_force_is_the_default_or_a_more_closed_one() -> None:
    policy = replace(POLICY, default_label=Label.CONFIDENTIAL)
    book = Rulebook(policy, ROUTES)
    told = {declared: book.label(declared) for declared in (None, *Label)}
    assert told == {
        None: Label.CONFIDENTIAL,
        Label.PUBLIC: Label.CONFIDENTIAL,
        Label.INTERNAL: Label.CONFIDENTIAL,
        Label.CONFIDENTIAL: Label.CONFIDENTIAL,
        Label.RESTRICTED: Label.RESTRICTED,
    }
    assert Rulebook(POLICY, ROUTES).label(None) is None
    here = rule_of(LOCAL, label=Label.CONFIDENTIAL)
    assert allowed(here, policy=policy).routes == ("small",)


@pytest.mark.parametrize("strange", [{"label": "secret"}, {"kind": "poem", "model": "cheap"}], ids=str)
def test_a_request_that_a_rule_cannot_judge_is_held_to_it(strange: dict[str, object]) -> None:
    rule = (
        rule_of(LOCAL, label=Label.RESTRICTED)
        if "label" in strange
        else rule_of(LOCAL, kinds=frozenset({TaskKind.EXTRACTION}))
    )
    seen = replace(SEEN, **strange)  # type: ignore[arg-type]  # values of no type that a rule knows
    assert allowed(rule, facts=seen).routes == ("small",)


def test_decisions_are_kept_but_not_by_what_a_client_makes_up() -> None:
    book = Rulebook(POLICY, ROUTES)
    assert book.decide(SEEN) is book.decide(replace(SEEN, purpose="other", project="p"))
    made_up = replace(SEEN, model="x" * 1_000)
    assert book.decide(made_up) == book.decide(made_up)
    assert book.decide(made_up) is not book.decide(made_up)


def test_applying_rules_and_fallen_routes_are_told() -> None:
    rule = rule_of(EU, "eu", kinds=frozenset({TaskKind.EXTRACTION}))
    book = Rulebook(replace(POLICY, rules=(rule,)), ROUTES)
    assert book.applying(SEEN) == (rule,)
    assert set(book.fallen(SEEN)) == {"flash", "opus"}
    assert book.fallen(SEEN)["flash"].startswith("falls by rule finance.rules.eu (finance.yaml:7): its")
    generation = replace(SEEN, kind=TaskKind.GENERATION)
    assert (book.applying(generation), book.fallen(generation)) == ((), {})


@given(policies(), route_lists, facts)
def test_every_request_has_a_decision_with_its_rules(
    policy: TeamPolicy, routes: tuple[RouteFacts, ...], seen: Facts
) -> None:
    decision = Rulebook(policy, routes).decide(seen)
    assert decision.rule_ids
    assert len(decision.rule_ids) == len(decision.places)
    if isinstance(decision, Allow):
        assert set(decision.routes) <= {route.model for route in routes if route.name in decision.permitted}
    else:
        assert decision.reason


@given(policies(), route_lists, facts, rules, st.integers(0, 8))
def test_a_rule_more_never_allows_more(
    policy: TeamPolicy, routes: tuple[RouteFacts, ...], seen: Facts, added: Rule, place: int
) -> None:
    more = replace(policy, rules=(*policy.rules[:place], added, *policy.rules[place:]))
    assert_no_more(Rulebook(more, routes).decide(seen), Rulebook(policy, routes).decide(seen))


@given(policies(), route_lists, facts, rule_lists, st.sampled_from(list(Label)))
def test_a_teams_rules_and_label_never_loosen_the_organisations(
    organisation: TeamPolicy, routes: tuple[RouteFacts, ...], seen: Facts, own: tuple[Rule, ...], label: Label
) -> None:
    team = replace(
        organisation,
        rules=(*organisation.rules, *own),
        default_label=stricter(organisation.default_label, label),
    )
    assert_no_more(Rulebook(team, routes).decide(seen), Rulebook(organisation, routes).decide(seen))


@given(policies(), route_lists, facts, st.sampled_from("abcx"), st.sampled_from("abcx"))
def test_what_a_client_declares_never_loosens(
    policy: TeamPolicy, routes: tuple[RouteFacts, ...], seen: Facts, task: str, purpose: str
) -> None:
    book = Rulebook(policy, routes)
    silent = replace(seen, label=None, purpose=None, task_class=seen.found_class)
    for declared in (
        replace(silent, label=seen.label),
        replace(silent, purpose=purpose),
        replace(silent, task_class=task),
    ):
        assert_no_more(book.decide(declared), book.decide(silent))


@given(policies(), route_lists, facts)
def test_no_route_is_permitted_that_a_rule_which_applies_is_against(
    policy: TeamPolicy, routes: tuple[RouteFacts, ...], seen: Facts
) -> None:
    """From the rules themselves, one by one, without what was compiled of them."""
    decision = Rulebook(policy, routes).decide(seen)
    if isinstance(decision, Allow):
        label = stricter(policy.default_label, seen.label)
        holding = [rule for rule in policy.rules if rule.conditions.hold(seen, label)]
        permitted = [route for route in routes if route.name in decision.permitted]
        assert not [rule for rule in holding for route in permitted if rule.against(route) is not None]
        limits = [rule.demand.request_nano_usd for rule in holding if isinstance(rule.demand, RequestLimit)]
        asked = cast("int", decision.per_request_nano_usd)
        assert all(asked <= limit for limit in limits)


@given(policies(), route_lists, st.lists(facts, min_size=2, max_size=12))
def test_a_decision_is_the_same_whatever_was_decided_before(
    policy: TeamPolicy, routes: tuple[RouteFacts, ...], asked: list[Facts]
) -> None:
    book = Rulebook(policy, routes)
    for seen in (*asked, *asked):
        assert book.decide(seen) == Rulebook(policy, routes).decide(seen)


def test_models_that_one_rule_grants_are_decided_apart() -> None:
    book = Rulebook(replace(POLICY, rules=(rule_of(EU),)), ROUTES)
    decisions = [book.decide(replace(SEEN, model=model)) for model in ("flash", "opus")]
    assert isinstance(decisions[0], Allow)
    assert decisions[0].routes == ("flash",)
    assert isinstance(decisions[1], Deny)


def assert_no_more(less: Decision, more: Decision) -> None:
    """What `less` allows, `more` allows too."""
    if isinstance(less, Deny):
        return
    assert isinstance(more, Allow)
    assert less.permitted <= more.permitted
    assert set(less.routes) <= set(more.routes)
    assert set(less.cheap_routes) <= set(more.cheap_routes)
    assert set(less.escalation_routes) <= set(more.escalation_routes)
    assert more.per_request_nano_usd is None or (less.per_request_nano_usd or 0) <= more.per_request_nano_usd
    if less.audits is not None:
        assert more.audits is not None
        assert set(less.audits.auditors) <= set(more.audits.auditors)
