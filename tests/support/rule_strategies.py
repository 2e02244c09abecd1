"""Hypothesis's rules, routes, policies and requests, out of few enough words that they meet."""

from dataclasses import replace

from hypothesis import strategies as st

from ledger.money import NanoUSD
from policies.audits import PLAN as AUDITED_PLAN
from policies.audits import (
    AuditMode,
    AuditRules,
    Delivery,
    GradingRules,
    WhenUnaudited,
    WhenUnsettled,
    WhenWrong,
)
from policies.conditions import Conditions
from policies.decision import AtLimit, Settle
from policies.facts import Facts, Label, TaskKind
from policies.requirements import FLAGS, Requirements
from policies.route_facts import RouteFacts, Runs
from policies.rules import Denial, RequestLimit, Rule
from policies.team import SpendingLimits, TeamPolicy

MODELS = ("flash", "opus", "small")
WORDS = ("a", "b", "c")
labels = st.none() | st.sampled_from(list(Label))
words = st.none() | st.frozensets(st.sampled_from(WORDS), min_size=1)
codes = st.sampled_from(("DE", "FR", "US", "CN"))

conditions = st.builds(
    Conditions,
    projects=words,
    keys=words,
    purposes=words,
    environments=words,
    kinds=st.none() | st.frozensets(st.sampled_from(list(TaskKind)), min_size=1),
    task_classes=words,
    label=labels,
    context_tokens_above=st.none() | st.integers(1, 5).map(lambda step: step * 1_000),
    tools=st.booleans(),
    images=st.booleans(),
)
requirements = st.builds(
    Requirements,
    st.fixed_dictionaries(
        {},
        optional={
            "jurisdiction": st.frozensets(codes | st.just("EU"), min_size=1),
            "weights_origin": st.frozensets(codes, min_size=1),
            "model": st.frozensets(st.sampled_from(MODELS), min_size=1),
            "provider": st.frozensets(st.sampled_from(WORDS), min_size=1),
        },
    ),
    st.frozensets(st.sampled_from(FLAGS), max_size=2),
)
demands = st.one_of(
    st.just(Denial()),
    requirements,
    st.integers(0, 10).map(lambda nano: RequestLimit(NanoUSD(nano))),
)
few_conditions = st.builds(Conditions) | conditions
"""Conditions that hold for every request, or some."""
rules = st.builds(
    Rule,
    id=st.integers(0, 10**6).map(lambda number: f"finance.rules.r{number}"),
    file=st.just("finance.yaml"),
    line=st.integers(1, 99),
    conditions=few_conditions,
    demand=demands,
    reason=st.just("because"),
)
rule_lists = st.lists(rules, max_size=8).map(tuple)

facts = st.builds(
    Facts,
    team=st.just("finance"),
    model=st.sampled_from((*MODELS, "auto", "cheap", "premium", "cheap+audit", "unknown")),
    kind=st.sampled_from(list(TaskKind)),
    task_class=st.sampled_from((*WORDS, "x")),
    label=labels,
    purpose=st.sampled_from((*WORDS, None)),
    found_class=st.sampled_from((*WORDS, "x")),
    project=st.sampled_from((*WORDS, None)),
    key_id=st.sampled_from((*WORDS, "x")),
    environment=st.sampled_from((*WORDS, None)),
    context_tokens=st.integers(0, 6_000),
    tools=st.booleans(),
    images=st.booleans(),
)

_routes = st.builds(
    RouteFacts,
    name=st.just(""),
    model=st.sampled_from(MODELS),
    provider=st.sampled_from(WORDS),
    runs=st.sampled_from(list(Runs)),
    jurisdiction=st.none() | codes,
    weights_origin=st.none() | codes,
    zero_retention=st.booleans(),
    no_training=st.booleans(),
)
route_lists = st.lists(_routes, min_size=1, max_size=6).map(
    lambda routes: tuple(replace(route, name=f"route-{number}") for number, route in enumerate(routes))
)

_audits = st.builds(
    AuditRules,
    mode=st.sampled_from(list(AuditMode)),
    sample_percent=st.just(1.0),
    auditors=st.sampled_from((("opus",), ("small",), ("small", "opus"))),
    when_wrong=st.sampled_from(list(WhenWrong)),
    when_unsettled=st.sampled_from(list(WhenUnsettled)),
    when_unaudited=st.sampled_from(list(WhenUnaudited)),
    delivery=st.just(Delivery.VERIFY_THEN_STREAM),
    criteria=st.none(),
)


@st.composite
def policies(draw: st.DrawFn) -> TeamPolicy:
    """Team finance with all plans, and some rules and limits."""
    limit = draw(st.none() | st.integers(0, 10).map(NanoUSD))
    return TeamPolicy(
        team="finance",
        models=MODELS,
        plans={"cheap": ("small", "flash"), "premium": ("opus",), AUDITED_PLAN: ("small", "flash")},
        auto=draw(st.fixed_dictionaries(dict.fromkeys(TaskKind, st.sampled_from(("cheap", AUDITED_PLAN))))),
        baseline="opus",
        limits=SpendingLimits(limit, None, None),
        at_limit=draw(st.sampled_from(list(AtLimit))),
        min_output_tokens=64,
        settle=Settle.AFTER,
        policy_hash="hash",
        file="finance.yaml",
        rule_lines={},
        audits=draw(_audits),
        grading=draw(st.none() | st.just(GradingRules(2.0, ("opus",)))),
        default_label=draw(labels),
        rules=draw(rule_lists),
    )
