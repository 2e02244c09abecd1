"""Why a request may do what it may: each rule with the first condition that it does not meet, each route with
what takes it away or what it is for. Beside the decision, never in its place: the rulebook decides."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from policies.decision import Allow, Decision
from policies.facts import Facts, Label
from policies.organisation import Organisation
from policies.route_facts import RouteFacts
from policies.rulebook import Rulebook
from policies.rules import Rule
from policies.team import TeamPolicy


class Use(StrEnum):
    """What a route that is left may be asked for."""

    ANSWER = "answer"
    AT_LIMIT = "at_limit"
    """Answers in the others' place when money is short."""
    AUDIT = "audit"
    ESCALATE = "escalate"
    GRADE = "grade"


class Standing(StrEnum):
    """What became of a route."""

    KEPT = "kept"
    FALLS = "falls"
    NOT_ALLOWED = "not_allowed"
    """Its model is none of the team's."""


@dataclass(frozen=True, slots=True)
class RuleTold:
    """One rule before one request."""

    rule: Rule
    unmet: str | None
    """The first condition that the request does not meet; None where the rule applies."""


@dataclass(frozen=True, slots=True)
class RouteTold:
    """One route before one request."""

    facts: RouteFacts
    standing: Standing
    uses: tuple[Use, ...]
    """Empty where nothing of this request would be sent to it."""
    falls: tuple[tuple[Rule, str], ...]
    """The rules that take it away, each with why."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision with all that made it."""

    facts: Facts
    label: Label | None
    label_from: str
    decision: Decision
    rules: tuple[RuleTold, ...]
    """All of the organisation's and the team's, in their files' order."""
    routes: tuple[RouteTold, ...]

    @property
    def applying(self) -> tuple[Rule, ...]:
        """The rules that apply."""
        return tuple(told.rule for told in self.rules if told.unmet is None)

    def asked_for(self, use: Use) -> tuple[str, ...]:
        """The routes that may be asked for something, first choice first."""
        if not isinstance(self.decision, Allow):
            return ()
        models = _models(self.decision)[use]
        return tuple(
            told.facts.name
            for model in models
            for told in self.routes
            if told.facts.model == model and use in told.uses
        )


def explain(
    rulebook: Rulebook, facts: Facts, routes: Iterable[RouteFacts], organisation: Organisation | None
) -> Explanation:
    """Decide about `facts` and say why; `routes` are all that there are."""
    policy = rulebook.policy
    label = rulebook.label(facts.label)
    decision = rulebook.decide(facts)
    elsewhere = organisation.rules if organisation is not None else ()
    own = [rule for rule in policy.rules if rule not in elsewhere]
    rules = tuple(RuleTold(rule, rule.conditions.unmet(facts, label)) for rule in (*elsewhere, *own))
    applying = rulebook.applying(facts)
    return Explanation(
        facts,
        label,
        _label_from(policy, facts.label, label, organisation),
        decision,
        rules,
        tuple(_route(route, policy, decision, applying) for route in routes),
    )


def _route(
    route: RouteFacts, policy: TeamPolicy, decision: Decision, applying: tuple[Rule, ...]
) -> RouteTold:
    if route.model not in policy.models:
        return RouteTold(route, Standing.NOT_ALLOWED, (), ())
    against = [(rule, rule.against(route)) for rule in applying]
    falls = tuple((rule, why) for rule, why in against if why is not None)
    uses: tuple[Use, ...] = ()
    if isinstance(decision, Allow) and route.name in decision.permitted:
        uses = tuple(use for use, models in _models(decision).items() if route.model in models)
    return RouteTold(route, Standing.FALLS if falls else Standing.KEPT, uses, falls)


def _models(allow: Allow) -> dict[Use, tuple[str, ...]]:
    """The models of a decision, by what they may be asked for."""
    return {
        Use.ANSWER: allow.routes,
        Use.AT_LIMIT: allow.cheap_routes,
        Use.AUDIT: allow.audits.auditors if allow.audits is not None else (),
        Use.ESCALATE: allow.escalation_routes,
        Use.GRADE: allow.grading.graders if allow.grading is not None else (),
    }


def _label_from(
    policy: TeamPolicy, declared: Label | None, label: Label | None, organisation: Organisation | None
) -> str:
    """Where the label in force comes from."""
    if label is None:
        return "nobody says one, which is as open as public"
    if declared == label and declared != policy.default_label:
        return "the client declared it"
    own = policy.rule("default_label")
    if own in policy.rule_lines or organisation is None:
        place = f"default_label at {policy.place(own)}"
    else:
        place = f"default_label of {organisation.file}"
    return place if declared is None or declared == label else f"{place}; the client declared {declared}"
