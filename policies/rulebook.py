"""Facts in, decision out: what a team's plans grant, less what the rules that apply take away.

Compiled when the policies are read. Total: every facts has a decision. Deny wins; a request that a rule
cannot judge is held to it, and what is not said of a route is not so. A decision depends on the name that
was asked for, the kind, the label and the set of rules that apply, so it is made once for each of these.
"""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import or_

from ledger.money import NanoUSD
from policies.audits import PLAN as AUDITED_PLAN
from policies.audits import AuditRules, GradingRules, WhenUnaudited, WhenUnsettled, WhenWrong
from policies.decision import Allow, AtLimit, Decision, Deny
from policies.facts import Facts, Label, stricter
from policies.route_facts import RouteFacts
from policies.rule_index import RuleIndex, members
from policies.rules import Denial, RequestLimit, Rule
from policies.team import TeamPolicy

AUTO = "auto"
NAMED_MODEL = "model"
DECISIONS_MAX = 2_000
"""Kept a team; then the oldest goes."""
ROUTES_TOLD_MAX = 8


@dataclass(frozen=True, slots=True)
class _Reach:
    """What can be done for a name with the routes that the rules leave."""

    missing: tuple[str, tuple[str, ...]] | None
    """What cannot be done without a route, and the models it wanted; None where nothing lacks."""
    permitted: frozenset[str]
    models: tuple[str, ...]
    cheap: tuple[str, ...]
    escalation: tuple[str, ...]
    audits: AuditRules | None
    grading: GradingRules | None


@dataclass(frozen=True, slots=True, eq=False)
class _Grant:
    """What a team's file gives for a name, before any rule takes away. Each is itself alone, as a key of decisions."""

    asked: str
    plan: str
    models: tuple[str, ...]
    rule_ids: tuple[str, ...]
    cheap: tuple[str, ...]
    """What may answer in its place at the limit."""
    against: Mapping[str, int]
    """The routes that may be asked for it, by name, each with the rules that are against it."""
    touching: int
    """All these rules."""
    reaches: dict[tuple[str, ...], _Reach] = field(default_factory=dict)
    """By the routes that are left, so there are few."""


class Rulebook:
    """One team's policy and all rules that may apply to it, for the routes that there are."""

    def __init__(self, policy: TeamPolicy, routes: Iterable[RouteFacts]) -> None:
        self.policy = policy
        self.routes = tuple(route for route in routes if route.model in policy.models)
        self._index = RuleIndex([rule.conditions for rule in policy.rules])
        self._against = {
            route.name: sum(1 << n for n, rule in enumerate(policy.rules) if rule.against(route) is not None)
            for route in self.routes
        }
        self._model_of = {route.name: route.model for route in self.routes}
        self._denying = sum(1 << n for n, rule in enumerate(policy.rules) if isinstance(rule.demand, Denial))
        self._limits = [
            (1 << n, rule.demand.request_nano_usd)
            for n, rule in enumerate(policy.rules)
            if isinstance(rule.demand, RequestLimit)
        ]
        self._limiting = sum(bit for bit, _ in self._limits)
        self._places = {rule.id: rule.place for rule in policy.rules}
        self._grants = {plan: self._grant(plan, plan, f"plans.{plan}") for plan in policy.plans}
        self._grants.update({model: self._grant(model, NAMED_MODEL, "models") for model in policy.models})
        self._auto = {
            kind: self._grant(AUTO, plan, f"auto.{kind.value}", f"plans.{plan}")
            for kind, plan in policy.auto.items()
        }
        self._labels = {label: stricter(policy.default_label, label) for label in (None, *Label)}
        self._told: dict[tuple[str, int], str] = {}
        self._decisions: OrderedDict[tuple[_Grant, int], Decision] = OrderedDict()

    def decide(self, facts: Facts) -> Decision:
        """Say what `facts` may do. The model is a plan's name, `auto`, or a model's."""
        grant = self._granted(facts)
        if grant is None:
            return self._not_granted(facts)
        applying = self._index.applying(facts, self.label(facts.label))
        case = grant, applying & self._denying or applying & (grant.touching | self._limiting)
        decision = self._decisions.get(case)
        if decision is None:
            decision = self._decided(grant, applying)
            if len(self._decisions) >= DECISIONS_MAX:
                self._decisions.popitem(last=False)
            self._decisions[case] = decision
        return decision

    def label(self, declared: Label | None) -> Label | None:
        """The label in force: the default, or a more closed one that the client declared."""
        return self._labels.get(declared, Label.RESTRICTED)

    def applying(self, facts: Facts) -> tuple[Rule, ...]:
        """The rules that apply to a request, in order."""
        return tuple(self._rules(self._index.applying(facts, self.label(facts.label))))

    def fallen(self, facts: Facts) -> dict[str, str]:
        """The routes that a request may not be sent to, by name, with the rule that takes each, and why."""
        applying = self._index.applying(facts, self.label(facts.label))
        return {
            route.name: self._falls(route, applying)
            for route in self.routes
            if applying & self._against[route.name]
        }

    def closed_to(self, facts: Facts) -> str:
        """In words: which routes that the team's file grants for the name that was asked for a request may not
        be sent to, and by which rule; "" if there are none."""
        grant, applying = self._granted(facts), self._index.applying(facts, self.label(facts.label))
        routes = self._serving(grant.models) if grant is not None else ()
        return self._list([route for route in routes if applying & self._against[route.name]], applying)

    def _granted(self, facts: Facts) -> _Grant | None:
        return self._auto.get(facts.kind) if facts.model == AUTO else self._grants.get(facts.model)

    def _serving(self, models: Iterable[str]) -> list[RouteFacts]:
        return [route for model in models for route in self.routes if route.model == model]

    def _grant(self, asked: str, plan: str, *rules: str) -> _Grant:
        """What the team's file gives for `asked`."""
        policy = self.policy
        models = policy.plans.get(plan, (asked,))
        cheap = policy.plans.get("cheap", ()) if policy.at_limit is AtLimit.CHEAP_ONLY else ()
        may_be_asked = {*models, *cheap, *(policy.grading.graders if policy.grading is not None else ())}
        if plan == AUDITED_PLAN and policy.audits is not None:
            may_be_asked.update((*policy.audits.auditors, *policy.plans.get("premium", ())))
        against = {
            route.name: self._against[route.name] for route in self.routes if route.model in may_be_asked
        }
        rule_ids = tuple(policy.rule(rule) for rule in rules)
        return _Grant(asked, plan, models, rule_ids, cheap, against, _union(against.values()))

    def _not_granted(self, facts: Facts) -> Deny:
        policy = self.policy
        if facts.model == AUTO:
            return self._deny(
                f"team '{policy.team}' has no default plan for {facts.kind}; name a model, or set auto.{facts.kind} in {policy.file}",
                [policy.rule("auto")],
            )
        allowed = ", ".join((*policy.plans, *policy.models))
        return self._deny(
            f"team '{policy.team}' may not use '{facts.model[:100]}'; it may use {allowed}",
            [policy.rule("models")],
        )

    def _decided(self, grant: _Grant, applying: int) -> Decision:
        policy = self.policy
        if applying & self._denying:
            return self._denied(applying & self._denying)
        left = tuple([name for name, against in grant.against.items() if not applying & against])
        reach = grant.reaches.get(left)
        if reach is None:
            reach = grant.reaches[left] = self._reach(grant, left)
        if reach.missing is not None:
            return self._closed(*reach.missing, applying, grant)
        limit, limiting = self._limit(applying)
        taking = self._rules(applying & (grant.touching | limiting))
        rule_ids = grant.rule_ids + tuple([rule.id for rule in taking])
        return Allow(
            plan=grant.plan,
            routes=reach.models,
            permitted=reach.permitted,
            cheap_routes=reach.cheap,
            baseline_route=policy.baseline,
            audits=reach.audits,
            escalation_routes=reach.escalation,
            grading=reach.grading,
            criteria=policy.audits.criteria if policy.audits is not None else None,
            retries=policy.retries,
            per_request_nano_usd=limit,
            at_limit=policy.at_limit,
            min_output_tokens=policy.min_output_tokens,
            settle=policy.settle,
            policy_hash=policy.policy_hash,
            rule_ids=rule_ids,
            places=self._cited(rule_ids),
        )

    def _reach(self, grant: _Grant, left: tuple[str, ...]) -> _Reach:
        """What can be done with the routes that are left."""
        policy = self.policy
        served = {self._model_of[name] for name in left}
        models = _those(grant.models, served)
        audited = policy.audits if grant.plan == AUDITED_PLAN else None
        premium = policy.plans.get("premium", ()) if audited is not None else ()
        escalation = _those(premium, served)
        missing = None
        if not models:
            missing = f"'{grant.asked}'", grant.models
        elif audited is not None and not escalation and _must_escalate(audited):
            missing = f"'{grant.asked}' to escalate to", premium
        audits: AuditRules | None = None
        if audited is not None:
            audits = _audits(audited, _those(audited.auditors, served), escalates=bool(escalation))
        return _Reach(
            missing,
            frozenset(left),
            models,
            _those(grant.cheap, served),
            escalation,
            audits,
            _grading(policy.grading, served),
        )

    def _rules(self, chosen: int) -> Iterator[Rule]:
        return (self.policy.rules[number] for number in members(chosen))

    def _limit(self, applying: int) -> tuple[NanoUSD | None, int]:
        """What one request may cost, the tightest that is said, and the rules that say so, but not the team's own
        limit."""
        own = self.policy.limits.request_nano_usd
        said = [(amount, bit) for bit, amount in self._limits if applying & bit]
        tightest = min(said)[0] if said else own
        if own is not None and (tightest is None or own <= tightest):
            return own, 0
        return tightest, sum(bit for amount, bit in said if amount == tightest)

    def _denied(self, denying: int) -> Deny:
        rules = list(self._rules(denying))
        told = "; ".join(f"{rule.id} ({rule.place}): {rule.reason}" for rule in rules)
        return self._deny(f"such requests are denied by the rule {told}", [rule.id for rule in rules])

    def _closed(self, what: str, models: Iterable[str], applying: int, grant: _Grant) -> Deny:
        """No route of `models` is left for `what`: which rule takes which, and why."""
        routes = self._serving(models)
        if not routes:
            return self._deny(f"no route is there for {what}", grant.rule_ids)
        return self._deny(
            f"no route is left for {what}: {self._list(routes, applying)}",
            [
                rule.id
                for rule in self._rules(applying & _union(self._against[route.name] for route in routes))
            ],
        )

    def _list(self, routes: Sequence[RouteFacts], applying: int) -> str:
        told = [f"route '{route.name}' {self._falls(route, applying)}" for route in routes[:ROUTES_TOLD_MAX]]
        more = [f"and {len(routes) - ROUTES_TOLD_MAX} more"] if len(routes) > ROUTES_TOLD_MAX else []
        return "; ".join([*told, *more])

    def _falls(self, route: RouteFacts, applying: int) -> str:
        rules = applying & self._against[route.name]
        first = rules & -rules
        told = self._told.get((route.name, first))
        if told is None:
            rule = next(self._rules(first))
            why = f" ({rule.reason})" if rule.reason is not None else ""
            told = f"falls by rule {rule.id} ({rule.place}): {rule.against(route)}{why}"
            self._told[route.name, first] = told
        return told

    def _deny(self, reason: str, rule_ids: Sequence[str]) -> Deny:
        return Deny(reason, self.policy.policy_hash, tuple(rule_ids), self._cited(rule_ids))

    def _cited(self, rule_ids: Sequence[str]) -> tuple[str, ...]:
        """Where each rule stands."""
        return tuple(self._places.get(rule_id) or self.policy.place(rule_id) for rule_id in rule_ids)


def _union(sets: Iterable[int]) -> int:
    """The rules that are in any of these sets."""
    return reduce(or_, sets, 0)


def _those(models: tuple[str, ...], served: Collection[str]) -> tuple[str, ...]:
    """Those models that a route is left for."""
    return tuple([model for model in models if model in served])


def _audits(audits: AuditRules, auditors: tuple[str, ...], *, escalates: bool) -> AuditRules:
    """When an auditor is asked, of those that are left. Without one no verdict comes, and where nobody is left who
    could answer anew nothing escalates: the answer passes, marked."""
    if auditors and escalates:
        return replace(audits, auditors=auditors)
    wrong = WhenWrong.PASS if audits.when_wrong is WhenWrong.ESCALATE else audits.when_wrong
    return replace(audits, auditors=auditors, when_wrong=wrong, when_unsettled=WhenUnsettled.PASS)


def _grading(grading: GradingRules | None, served: Collection[str]) -> GradingRules | None:
    """Who grades, of those that are left; where none is, people do."""
    if grading is None:
        return None
    graders = _those(grading.graders, served)
    return grading if graders == grading.graders else replace(grading, graders=graders)


def _must_escalate(audits: AuditRules) -> bool:
    """Whether an answer may have to be given anew, and may not pass where it cannot be."""
    return audits.escalates and audits.when_unaudited is not WhenUnaudited.PASS
