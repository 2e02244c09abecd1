"""Facts in, decision out: what a team's plans grant, less what the rules that apply take away.

Compiled when the policies are read. Total: every facts has a decision. Deny wins; a request that a rule
cannot judge is held to it, and what is not said of a route is not so. A decision depends on the name that
was asked for, the kind, the label and the set of rules that apply, so it is made once for each of these.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ledger.money import NanoUSD
from policies.audits import PLAN as AUDITED_PLAN
from policies.audits import AuditRules, WhenUnaudited, WhenUnsettled, WhenWrong
from policies.decision import Allow, AtLimit, Decision, Deny
from policies.facts import Facts, Label, stricter
from policies.route_facts import RouteFacts
from policies.rule_index import RuleIndex, members
from policies.rules import Denial, RequestLimit, Rule
from policies.team import TeamPolicy

AUTO = "auto"
NAMED_MODEL = "model"
DECISIONS_MAX = 10_000
"""Kept; beyond, all are made anew."""
ROUTES_TOLD_MAX = 8


@dataclass(frozen=True, slots=True)
class _Grant:
    """What a team's file gives before any rule takes away."""

    plan: str
    models: tuple[str, ...]
    rule_ids: tuple[str, ...]


class Rulebook:
    """One team's policy and all rules that may apply to it, for the routes that there are."""

    def __init__(self, policy: TeamPolicy, routes: Iterable[RouteFacts]) -> None:
        self.policy = policy
        self.routes = tuple(route for route in routes if route.model in policy.models)
        self._index = RuleIndex([rule.conditions for rule in policy.rules])
        self._serving: dict[str, list[RouteFacts]] = {model: [] for model in policy.models}
        for route in self.routes:
            self._serving[route.model].append(route)
        self._against = {
            route.name: sum(1 << n for n, rule in enumerate(policy.rules) if rule.against(route) is not None)
            for route in self.routes
        }
        self._names = frozenset((AUTO, *policy.plans, *policy.models))
        self._labels = {label: stricter(policy.default_label, label) for label in (None, *Label)}
        self._decisions: dict[tuple[str, str, Label | None, int], Decision] = {}

    def decide(self, facts: Facts) -> Decision:
        """Say what `facts` may do. The model is a plan's name, `auto`, or a model's."""
        label = self.label(facts)
        applying = self._index.applying(facts, label)
        case = (facts.model, facts.kind, label, applying)
        decision = self._decisions.get(case)
        if decision is None:
            decision = self._decided(facts, label, applying)
            if facts.model in self._names:  # a client's own words are not kept
                if len(self._decisions) >= DECISIONS_MAX:
                    self._decisions.clear()
                self._decisions[case] = decision
        return decision

    def label(self, facts: Facts) -> Label | None:
        """The label in force: the default, or a more closed one that the client declared."""
        return self._labels.get(facts.label, Label.RESTRICTED)

    def applying(self, facts: Facts) -> tuple[Rule, ...]:
        """The rules that apply to a request, in order."""
        return tuple(self._rules(self._index.applying(facts, self.label(facts))))

    def fallen(self, facts: Facts) -> dict[str, str]:
        """The routes that a request may not be sent to, by name, with the rule that takes each, and why."""
        applying = self._index.applying(facts, self.label(facts))
        return {
            route.name: self._falls(route, applying)
            for route in self.routes
            if applying & self._against[route.name]
        }

    def _granted(self, facts: Facts) -> _Grant | Deny:
        """What the team's file gives for the name that was asked for."""
        policy, name = self.policy, facts.model
        if name == AUTO:
            plan = policy.auto.get(facts.kind)
            if plan is None:
                kind = facts.kind.value
                return self._deny(
                    f"team '{policy.team}' has no default plan for {kind}; name a model, or set auto.{kind} in {policy.file}",
                    [policy.rule("auto")],
                )
            rule_ids = policy.rule(f"auto.{facts.kind.value}"), policy.rule(f"plans.{plan}")
            return _Grant(plan, policy.plans[plan], rule_ids)
        if name in policy.plans:
            return _Grant(name, policy.plans[name], (policy.rule(f"plans.{name}"),))
        if name in policy.models:
            return _Grant(NAMED_MODEL, (name,), (policy.rule("models"),))
        allowed = ", ".join((*policy.plans, *policy.models))
        return self._deny(
            f"team '{policy.team}' may not use '{name[:100]}'; it may use {allowed}", [policy.rule("models")]
        )

    def _decided(self, facts: Facts, label: Label | None, applying: int) -> Decision:
        grant = self._granted(facts)
        if isinstance(grant, Deny):
            return grant
        policy = self.policy
        denying = [rule for rule in self._rules(applying) if isinstance(rule.demand, Denial)]
        if denying:
            told = "; ".join(f"{rule.id} ({rule.place}): {rule.reason}" for rule in denying)
            return self._deny(f"such requests are denied by the rule {told}", [rule.id for rule in denying])
        models = self._left(grant.models, applying)
        if not models:
            return self._closed(f"'{facts.model}'", grant.models, applying, grant)
        audited = policy.audits if grant.plan == AUDITED_PLAN else None
        premium = policy.plans.get("premium", ()) if audited is not None else ()
        escalation = self._left(premium, applying)
        if audited is not None and not escalation and _must_escalate(audited):
            return self._closed(f"'{facts.model}' to escalate to", premium, applying, grant)
        audits = self._audits(applying, escalation) if audited is not None else None
        grading = policy.grading
        if grading is not None:
            grading = replace(grading, graders=self._left(grading.graders, applying))
        limit = self._limit(applying)
        rule_ids = (*grant.rule_ids, *self._effective(grant, limit, applying))
        return Allow(
            plan=grant.plan,
            routes=models,
            permitted=frozenset(name for name, against in self._against.items() if not applying & against),
            cheap_routes=self._left(policy.plans.get("cheap", ()), applying),
            baseline_route=policy.baseline,
            label=label,
            audits=audits,
            escalation_routes=escalation,
            grading=grading,
            criteria=policy.audits.criteria if policy.audits is not None else None,
            retries=policy.retries,
            per_request_nano_usd=limit,
            at_limit=policy.at_limit,
            min_output_tokens=policy.min_output_tokens,
            settle=policy.settle,
            policy_hash=policy.policy_hash,
            rule_ids=rule_ids,
            places=tuple(map(self._place, rule_ids)),
        )

    def _rules(self, chosen: int) -> Iterator[Rule]:
        return (self.policy.rules[number] for number in members(chosen))

    def _left(self, models: Iterable[str], applying: int) -> tuple[str, ...]:
        """Those models that a route is left for."""
        return tuple(
            model
            for model in models
            if any(not applying & self._against[route.name] for route in self._serving[model])
        )

    def _audits(self, applying: int, escalation: tuple[str, ...]) -> AuditRules | None:
        """When an auditor is asked, of those that are left. Without one no verdict comes, and where nobody is
        left who could answer anew nothing escalates: the answer passes, marked."""
        audits = self.policy.audits
        if audits is None:
            return None
        audits = replace(audits, auditors=self._left(audits.auditors, applying))
        if audits.auditors and escalation:
            return audits
        wrong = WhenWrong.PASS if audits.when_wrong is WhenWrong.ESCALATE else audits.when_wrong
        return replace(audits, when_wrong=wrong, when_unsettled=WhenUnsettled.PASS)

    def _limit(self, applying: int) -> NanoUSD | None:
        """What one request may cost: the tightest that is said."""
        own = self.policy.limits.request_nano_usd
        said = [
            rule.demand.request_nano_usd
            for rule in self._rules(applying)
            if isinstance(rule.demand, RequestLimit)
        ]
        return min([*said, *([own] if own is not None else [])], default=None)

    def _effective(self, grant: _Grant, limit: NanoUSD | None, applying: int) -> Iterator[str]:
        """The rules that took something from what was granted: a route that might have been asked, or money."""
        policy = self.policy
        models = [*grant.models]
        if policy.at_limit is AtLimit.CHEAP_ONLY:
            models += policy.plans.get("cheap", ())
        if grant.plan == AUDITED_PLAN and policy.audits is not None:
            models += (*policy.audits.auditors, *policy.plans.get("premium", ()))
        if policy.grading is not None:
            models += policy.grading.graders
        taken = 0
        for model in models:
            for route in self._serving[model]:
                taken |= self._against[route.name]
        for number in members(applying):
            rule = policy.rules[number]
            limits = isinstance(rule.demand, RequestLimit) and rule.demand.request_nano_usd == limit
            if taken >> number & 1 or (limits and limit != policy.limits.request_nano_usd):
                yield rule.id

    def _closed(self, what: str, models: Iterable[str], applying: int, grant: _Grant) -> Deny:
        """No route of `models` is left for `what`: which rule takes which, and why."""
        routes = [route for model in models for route in self._serving[model]]
        if not routes:
            return self._deny(f"no route is there for {what}", grant.rule_ids)
        told = [f"route '{route.name}' {self._falls(route, applying)}" for route in routes]
        more = f"; and {len(told) - ROUTES_TOLD_MAX} more" if len(told) > ROUTES_TOLD_MAX else ""
        closing = 0
        for route in routes:
            closing |= applying & self._against[route.name]
        return self._deny(
            f"no route is left for {what}: {'; '.join(told[:ROUTES_TOLD_MAX])}{more}",
            [rule.id for rule in self._rules(closing)],
        )

    def _falls(self, route: RouteFacts, applying: int) -> str:
        rule = next(self._rules(applying & self._against[route.name]))
        why = f" ({rule.reason})" if rule.reason is not None else ""
        return f"falls by rule {rule.id} ({rule.place}): {rule.against(route)}{why}"

    def _deny(self, reason: str, rule_ids: Sequence[str]) -> Deny:
        return Deny(reason, self.policy.policy_hash, tuple(rule_ids), tuple(map(self._place, rule_ids)))

    def _place(self, rule_id: str) -> str:
        for rule in self.policy.rules:
            if rule.id == rule_id:
                return rule.place
        return self.policy.place(rule_id)


def _must_escalate(audits: AuditRules) -> bool:
    """Whether an answer may have to be given anew, and may not pass where it cannot be."""
    return audits.escalates and audits.when_unaudited is not WhenUnaudited.PASS
