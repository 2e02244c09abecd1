"""What plans and models grant: every facts has an answer with its reasons, and less said never allows more."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ledger.money import NanoUSD
from policies.decision import Allow, AtLimit, Decision, Deny, Settle
from policies.facts import Facts, Label, TaskKind
from policies.rulebook import Rulebook
from policies.team import PLAN_NAMES, SpendingLimits, TeamPolicy
from support.rules import routes_of

MODELS = ("deepseek-flash", "claude-opus-5-5", "local/smollm2")
NONE = SpendingLimits(None, None, None)


def policy_of(
    models: tuple[str, ...] = MODELS,
    plans: Mapping[str, tuple[str, ...]] | None = None,
    auto: Mapping[TaskKind, str] | None = None,
    limits: SpendingLimits = NONE,
) -> TeamPolicy:
    return TeamPolicy(
        team="finance",
        models=models,
        plans=plans if plans is not None else {"cheap": MODELS[:1], "premium": (MODELS[1], MODELS[0])},
        auto=auto if auto is not None else {TaskKind.EXTRACTION: "cheap", TaskKind.GENERATION: "premium"},
        baseline="claude-opus-5-5",
        limits=limits,
        at_limit=AtLimit.DENY,
        min_output_tokens=64,
        settle=Settle.STRICT,
        policy_hash="a" * 64,
        file="finance.yaml",
        rule_lines={},
    )


def decide(policy: TeamPolicy, facts: Facts) -> Decision:
    return Rulebook(policy, routes_of(MODELS)).decide(facts)


def facts_of(model: str, kind: TaskKind = TaskKind.EXTRACTION) -> Facts:
    return Facts("finance", model, kind, "invoice")


ALLOWED = {
    "auto, an extraction": ("auto", TaskKind.EXTRACTION, "cheap", MODELS[:1], ("finance.auto.extraction", "finance.plans.cheap")),
    "auto, generation": ("auto", TaskKind.GENERATION, "premium", (MODELS[1], MODELS[0]), ("finance.auto.generation", "finance.plans.premium")),
    "a plan": ("premium", TaskKind.EXTRACTION, "premium", (MODELS[1], MODELS[0]), ("finance.plans.premium",)),
    "a model": ("local/smollm2", TaskKind.GENERATION, "model", ("local/smollm2",), ("finance.models",)),
}  # fmt: skip


@pytest.mark.parametrize(("model", "kind", "plan", "routes", "rules"), ALLOWED.values(), ids=ALLOWED.keys())
def test_what_the_rules_allow_comes_with_routes_in_order_and_rule_ids(
    model: str, kind: TaskKind, plan: str, routes: tuple[str, ...], rules: tuple[str, ...]
) -> None:
    decision = decide(policy_of(), facts_of(model, kind))
    assert isinstance(decision, Allow)
    assert (decision.plan, decision.routes, decision.rule_ids) == (plan, routes, rules)
    assert decision.permitted == set(routes), "and no route that is none of the plan's"


def test_an_allowance_carries_all_that_binds_the_request() -> None:
    policy = policy_of(limits=SpendingLimits(NanoUSD(500), NanoUSD(5_000), None))
    decision = decide(policy, facts_of("premium"))
    assert isinstance(decision, Allow)
    assert decision.per_request_nano_usd == 500
    assert (decision.at_limit, decision.settle, decision.min_output_tokens) == (
        AtLimit.DENY,
        Settle.STRICT,
        64,
    )
    assert decision.cheap_routes == ()
    assert (decision.baseline_route, decision.policy_hash) == ("claude-opus-5-5", "a" * 64)


DENIED = {
    "a model that the team may not use": (policy_of(models=MODELS[:1], plans={}, auto={}), "claude-opus-5-5", "finance.models"),
    "a plan that the team does not have": (policy_of(plans={"cheap": MODELS[:1]}, auto={}), "premium", "finance.models"),
    "a name that nobody knows": (policy_of(), "gpt-9", "finance.models"),
    "auto without a plan for the kind": (policy_of(auto={TaskKind.GENERATION: "cheap"}), "auto", "finance.auto"),
    "auto without any plan": (policy_of(plans={}, auto={}), "auto", "finance.auto"),
    "a star, which is no model": (policy_of(), "*", "finance.models"),
    "nothing": (policy_of(), "", "finance.models"),
    "another case": (policy_of(), "DeepSeek-Flash", "finance.models"),
}  # fmt: skip


@pytest.mark.parametrize(("policy", "model", "rule"), DENIED.values(), ids=DENIED.keys())
def test_what_no_rule_allows_is_denied_with_the_rule_that_closed_it(
    policy: TeamPolicy, model: str, rule: str
) -> None:
    decision = decide(policy, facts_of(model))
    assert isinstance(decision, Deny)
    assert decision.rule_ids == (rule,)
    assert decision.policy_hash == policy.policy_hash
    assert decision.cited == f"{rule} at finance.yaml:1"


def test_a_denial_says_what_to_change() -> None:
    denied = decide(
        policy_of(models=MODELS[:1], plans={"cheap": MODELS[:1]}, auto={}), facts_of("claude-opus-5-5")
    )
    assert isinstance(denied, Deny)
    assert denied.reason == ("team 'finance' may not use 'claude-opus-5-5'; it may use cheap, deepseek-flash")
    unplanned = decide(policy_of(auto={}), facts_of("auto"))
    assert isinstance(unplanned, Deny)
    assert unplanned.reason.endswith("name a model, or set auto.extraction in finance.yaml")


def test_a_denial_repeats_only_the_beginning_of_a_long_name() -> None:
    denied = decide(policy_of(), facts_of("x" * 10_000))
    assert isinstance(denied, Deny)
    assert len(denied.reason) < 300


subsets = st.lists(st.sampled_from(MODELS), unique=True, min_size=1).map(tuple)


@st.composite
def policies(draw: st.DrawFn) -> TeamPolicy:
    models = draw(subsets)
    plans = draw(
        st.dictionaries(
            st.sampled_from(PLAN_NAMES), st.lists(st.sampled_from(models), unique=True, min_size=1).map(tuple)
        )
    )
    kinds = st.sampled_from(list(TaskKind))
    auto = draw(st.dictionaries(kinds, st.sampled_from(sorted(plans)))) if plans else {}
    return policy_of(models, plans, auto)


facts = st.builds(
    Facts,
    team=st.text(max_size=5),
    model=st.sampled_from([*MODELS, "auto", "cheap", "premium", "*", ""]) | st.text(max_size=20),
    kind=st.sampled_from(list(TaskKind)),
    task_class=st.text(max_size=10),
    label=st.none() | st.sampled_from(list(Label)),
    purpose=st.none() | st.text(max_size=5),
)


@given(policies(), facts)
def test_every_facts_has_a_decision_with_its_rules(policy: TeamPolicy, seen: Facts) -> None:
    decision = decide(policy, seen)
    assert decision.rule_ids
    assert all(rule.startswith("finance.") for rule in decision.rule_ids)
    assert decision.policy_hash == policy.policy_hash
    if isinstance(decision, Allow):
        assert decision.routes
        assert set(decision.routes) <= set(policy.models)
        assert set(decision.cheap_routes) <= set(policy.models)
    else:
        assert decision.reason
    assert decide(policy, seen) == decision, "the same facts have the same decision"


@given(policies(), facts, st.sampled_from(MODELS))
def test_fewer_models_never_allow_more(policy: TeamPolicy, seen: Facts, left_out: str) -> None:
    models = tuple(model for model in policy.models if model != left_out)
    assume(models)
    plans = {
        name: kept
        for name, routes in policy.plans.items()
        if (kept := tuple(route for route in routes if route != left_out))
    }
    auto = {kind: plan for kind, plan in policy.auto.items() if plan in plans}
    assert_no_more(replace(policy, models=models, plans=plans, auto=auto), policy, seen)


@given(policies(), facts, st.sampled_from(PLAN_NAMES))
def test_fewer_plans_never_allow_more(policy: TeamPolicy, seen: Facts, left_out: str) -> None:
    plans = {name: routes for name, routes in policy.plans.items() if name != left_out}
    auto = {kind: plan for kind, plan in policy.auto.items() if plan in plans}
    assert_no_more(replace(policy, plans=plans, auto=auto), policy, seen)


@given(policies(), facts, st.sampled_from(list(TaskKind)))
def test_fewer_defaults_never_allow_more(policy: TeamPolicy, seen: Facts, left_out: TaskKind) -> None:
    auto = {kind: plan for kind, plan in policy.auto.items() if kind is not left_out}
    assert_no_more(replace(policy, auto=auto), policy, seen)


@given(policies(), facts, st.sampled_from(list(Label)), st.text(min_size=1, max_size=9))
def test_what_a_client_declares_never_loosens(
    policy: TeamPolicy, seen: Facts, label: Label, purpose: str
) -> None:
    silent = replace(seen, label=None, purpose=None)
    declared, undeclared = decide(policy, replace(seen, label=label, purpose=purpose)), decide(policy, silent)
    assert isinstance(declared, Deny) or isinstance(undeclared, Allow)


def assert_no_more(less: TeamPolicy, more: TeamPolicy, seen: Facts) -> None:
    under_less, under_more = decide(less, seen), decide(more, seen)
    if isinstance(under_less, Allow):
        assert isinstance(under_more, Allow)
        assert set(under_less.routes) <= set(under_more.routes)
        assert set(under_less.cheap_routes) <= set(under_more.cheap_routes)
