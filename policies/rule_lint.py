"""What a person should look at in rules that are valid: those that do nothing, and those that leave nothing.

A rule is never wrong for what it takes away. So a warning says what follows from it, and stands where the
rule does; none is about a request that may come or not.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from policies.conditions import Conditions
from policies.facts import TaskKind
from policies.jurisdictions import lies_in
from policies.lint import LintWarning
from policies.loading import Policies
from policies.requirements import COUNTRIES, Requirements
from policies.route_facts import RouteFacts
from policies.rules import Denial, RequestLimit, Rule
from policies.team import TeamPolicy

IMPLIED = {"on_premises_only": "local_only"}
"""A flag that another one implies."""


@dataclass(frozen=True, slots=True)
class KnownKeys:
    """The keys and projects that there are: what rules about them may mean."""

    projects: Collection[tuple[str, str]]
    """(team, project)."""
    keys: dict[str, tuple[str | None, str | None]]
    """Key id -> (team, project)."""


def lint_rules(
    policies: Policies, routes: Sequence[RouteFacts], known: KnownKeys | None = None
) -> Iterator[LintWarning]:
    """Look through all rules together. Without `known` nothing is said of keys and projects."""
    for rule, teams in _every(policies):
        yield from _unmet_by_all(rule, routes)
        if known is not None:
            yield from _never(rule, teams, known)
    yield from _idle(policies)
    yield from _at_odds(policies, routes)
    for policy in policies.teams.values():
        yield from _leaves_nothing(policy, policies, routes)


def _every(policies: Policies) -> Iterator[tuple[Rule, Collection[str]]]:
    """Each rule once, with the teams that it may concern."""
    shared = policies.organisation.rules if policies.organisation is not None else ()
    for rule in shared:
        yield rule, [team for team in policies.teams if rule.conditions.concern(team)]
    for team, policy in policies.teams.items():
        for rule in policy.rules:
            if rule not in shared:
                yield rule, [team]


def _unmet_by_all(rule: Rule, routes: Sequence[RouteFacts]) -> Iterator[LintWarning]:
    if isinstance(rule.demand, Requirements) and all(rule.against(route) is not None for route in routes):
        yield _warning(
            rule,
            f"no configured route is {rule.demand}, so whatever {rule.id} applies to is refused; add such a route, say "
            "in the configuration that one is so, or write deny with a reason",
        )


def _never(rule: Rule, teams: Collection[str], known: KnownKeys) -> Iterator[LintWarning]:
    """A rule whose keys or projects are not there."""
    when = rule.conditions
    if when.projects is not None:
        there = {project for team, project in known.projects if team in teams}
        if when.projects.isdisjoint(there):
            yield _warning(
                rule, f"{rule.id} can never hold: {_no('project', when.projects)} of its teams is there"
            )
    if when.keys is not None:
        owners = [known.keys[key] for key in when.keys if key in known.keys]
        if not owners:
            yield _warning(rule, f"{rule.id} can never hold: {_no('key', when.keys)} is there")
        elif not any(
            team in teams and (when.projects is None or project in when.projects) for team, project in owners
        ):
            yield _warning(
                rule, f"{rule.id} can never hold: {_no('key', when.keys)} is of its teams and projects"
            )


def _no(what: str, names: Collection[str]) -> str:
    quoted = ", ".join(f"'{name}'" for name in sorted(names))
    return f"no {what} of {quoted}" if len(names) > 1 else f"no {what} {quoted}"


def _idle(policies: Policies) -> Iterator[LintWarning]:
    """Rules that a wider one makes idle; of two that say the same, the later."""
    said: set[str] = set()
    for policy in policies.teams.values():
        for earlier, later in combinations(policy.rules, 2):
            for rule, wider in ((later, earlier), (earlier, later)):
                if rule.id in said or not _idle_beside(rule, wider):
                    continue
                if rule is earlier and rule.file != wider.file:
                    continue  # an organisation's rule is not idle because one team says more
                said.add(rule.id)
                yield _warning(
                    rule,
                    f"{rule.id} does nothing: wherever it applies, {wider.id} ({wider.place}) applies and takes no "
                    "less; leave it out, or make it say more",
                )
                break


def _idle_beside(rule: Rule, wider: Rule) -> bool:
    return wider.conditions.cover(rule.conditions) and _takes_no_less(wider, rule)


def _takes_no_less(one: Rule, other: Rule) -> bool:
    match one.demand, other.demand:
        case Denial(), _:
            return True
        case RequestLimit(amount), RequestLimit(others):
            return amount <= others
        case Requirements() as mine, Requirements() as theirs:
            return implies(mine, theirs)
        case _:
            return False


def implies(mine: Requirements, theirs: Requirements) -> bool:
    """Whether a route that is all of `mine` is all of `theirs`."""
    flags = all(flag in mine.flags or IMPLIED.get(flag) in mine.flags for flag in theirs.flags)
    return flags and all(
        key in mine.lists and all(_among(word, wanted, key) for word in mine.lists[key])
        for key, wanted in theirs.lists.items()
    )


def _among(word: str, wanted: Collection[str], key: str) -> bool:
    return word in wanted or (key in COUNTRIES and any(lies_in(word, each) for each in wanted))


def _at_odds(policies: Policies, routes: Sequence[RouteFacts]) -> Iterator[LintWarning]:
    """Two requirements that may meet and that no route meets both of."""
    said: set[tuple[str, str]] = set()
    for policy in policies.teams.values():
        asking = [rule for rule in policy.rules if isinstance(rule.demand, Requirements)]
        for one, other in combinations(asking, 2):
            left = [[route.name for route in routes if rule.against(route) is None] for rule in (one, other)]
            if not all(left) or set(left[0]) & set(left[1]) or (one.id, other.id) in said:
                continue
            if one.conditions.may_meet(other.conditions):
                said.add((one.id, other.id))
                yield _warning(
                    other,
                    f"no configured route is both {one.demand} ({one.id}, {one.place}) and {other.demand} ({other.id}): "
                    "a request to which both apply is refused",
                )


def _leaves_nothing(
    policy: TeamPolicy, policies: Policies, routes: Sequence[RouteFacts]
) -> Iterator[LintWarning]:
    """A team or a plan of which every request is refused, by rules that always apply."""
    shared = policies.organisation.rules if policies.organisation is not None else ()
    everything = tuple(route for route in routes if route.model in policy.models)
    above = _always(policy, tuple(rule for rule in policy.rules if rule in shared))
    if above and not _left(everything, above):
        yield LintWarning(
            policy.file,
            policy.rule_lines.get(policy.rule("models"), 1),
            f"the organisation's rules leave team '{policy.team}' nothing: every request is refused by "
            f"{_named(_needed(everything, above))}; give it other models, or change those",
        )
        return
    always = _always(policy, policy.rules)
    for plan, models in policy.plans.items():
        served = tuple(route for route in everything if route.model in models)
        if always and not _left(served, always):
            rules = _needed(served, always)
            label = f" of label {policy.default_label}" if policy.default_label is not None else ""
            yield LintWarning(
                policy.file,
                policy.rule_lines.get(policy.rule(f"plans.{plan}"), 1),
                f"no route is left for the plan '{plan}' by {_named(rules)}, which {'applies' if len(rules) == 1 else 'apply'} to every "
                f"request{label} of the team; name other models, or leave the plan out",
            )


def _always(policy: TeamPolicy, rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """Those that apply to every request of a team, whatever it is."""
    return tuple(rule for rule in rules if _holds_always(rule.conditions, policy))


def _holds_always(when: Conditions, policy: TeamPolicy) -> bool:
    return all(when.always_hold(kind, policy.default_label) for kind in TaskKind)


def _left(routes: Sequence[RouteFacts], rules: Sequence[Rule]) -> list[RouteFacts]:
    return [route for route in routes if all(rule.against(route) is None for rule in rules)]


def _needed(routes: Sequence[RouteFacts], rules: Sequence[Rule]) -> Sequence[Rule]:
    """One rule that takes them all, if there is one; else those that take some."""
    alone = [rule for rule in rules if not _left(routes, [rule])]
    return alone[:1] or [rule for rule in rules if len(_left(routes, [rule])) < len(routes)]


def _named(rules: Sequence[Rule]) -> str:
    return " and ".join(f"{rule.id} ({rule.place})" for rule in rules)


def _warning(rule: Rule, message: str) -> LintWarning:
    return LintWarning(rule.file, rule.line, message)
