"""Read the list `rules` of a file: a closed vocabulary, so that a slip is a message and not an open door."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from policies.conditions import Conditions
from policies.facts import Label, TaskKind
from policies.jurisdictions import CODES
from policies.nodes import SHOWN_MAX, Elsewhere, Mapping, Scalar, suggestion
from policies.requirements import COUNTRIES, FLAGS, LISTS, Requirements
from policies.route_facts import RouteFacts
from policies.rules import Demand, Denial, RequestLimit, Rule

RULE_KEYS = ("id", "reason", "when", "deny", "require", "limit")
WHEN_KEYS = (
    "team", "project", "key", "purpose", "environment", "kind", "task_class", "label", "context_tokens_above",
    "tools", "images",
)  # fmt: skip
REQUIRE_KEYS = (*FLAGS, *LISTS)
LIMIT_KEYS = ("request_usd",)
DEMANDS = ("deny", "require", "limit")
_PLACES: Elsewhere = {
    "rules.when": WHEN_KEYS, "rules.require": REQUIRE_KEYS, "rules.limit": LIMIT_KEYS, "the rule itself": RULE_KEYS,
}  # fmt: skip
CONTEXT_TOKENS_MAX = 1_000_000_000
REASON_CHARACTERS_MAX = 300
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


@dataclass(frozen=True, slots=True)
class Known:
    """What the names in rules may refer to."""

    routes: Collection[RouteFacts]
    teams: Collection[str] | None = None
    """All teams, where rules may name some; None in a team's own file."""
    all_read: bool = True
    """False where a file cannot be read: the team that a rule names may be its."""


def read_rules(document: Mapping, owner: str, known: Known) -> tuple[Rule, ...]:
    """Read `rules` of `owner`'s file, a team's or the organisation's. Raises RuleError."""
    found: dict[str, Rule] = {}
    for entry in document.sections("rules"):
        rule = _rule(entry, owner, known)
        if rule.id in found:
            raise entry.error(
                f"the id '{entry.text('id')}' is here twice; the first is in line {found[rule.id].line}: "
                "choose another",
                "id",
            )
        found[rule.id] = rule
    return tuple(found.values())


def _rule(entry: Mapping, owner: str, known: Known) -> Rule:
    entry.only(RULE_KEYS, _PLACES)
    name = entry.text("id")
    if not _ID.fullmatch(name):
        raise entry.error(
            f"rules.id is '{name[:SHOWN_MAX]}'; write 1 to 64 of a-z, 0-9 and -, e.g. restricted-stays-here",
            "id",
        )
    reason = entry.optional_text("reason")
    if reason is not None and len(reason) > REASON_CHARACTERS_MAX:
        raise entry.error(
            f"rules.reason has {len(reason)} characters; at most {REASON_CHARACTERS_MAX}", "reason"
        )
    conditions = read_conditions(entry.mapping("when"), known)
    demand = _demand(entry, known)
    if isinstance(demand, Denial) and reason is None:
        raise entry.error("rules.reason is missing: say why it is denied, and what to do instead", "deny")
    return Rule(
        f"{owner}.rules.{name}",
        entry.file,
        entry.key_lines["id"],
        conditions,
        demand,
        reason,
    )


def _demand(entry: Mapping, known: Known) -> Demand:
    asked = [key for key in DEMANDS if entry.has(key)]
    if len(asked) != 1:
        told = f"says {' and '.join(asked)}" if asked else "takes nothing away"
        raise entry.error(f"the rule '{entry.text('id')}' {told}; write one of {', '.join(DEMANDS)}", "id")
    if asked == ["deny"]:
        entry.only_true("deny")
        return Denial()
    section = entry.mapping(asked[0])
    if asked == ["limit"]:
        section.only(LIMIT_KEYS, _PLACES)
        return RequestLimit(section.usd("request_usd"))
    return _requirements(section, known)


def _requirements(section: Mapping, known: Known) -> Requirements:
    section.only(REQUIRE_KEYS, _PLACES)
    if not section.entries:
        raise section.error(f"{section.name} is empty; name at least one of {', '.join(REQUIRE_KEYS)}")
    lists = {key: section.names(key) for key in LISTS if section.has(key)}
    for key in COUNTRIES:
        _refuse_unknown(section, key, lists.get(key, ()), CODES)
    for key in ("provider", "model"):
        _refuse_unknown(section, key, lists.get(key, ()), {getattr(route, key) for route in known.routes})
    return Requirements(
        {key: frozenset(word.text for word in words) for key, words in lists.items()},
        frozenset(key for key in FLAGS if section.only_true(key)),
    )


def read_conditions(section: Mapping, known: Known) -> Conditions:
    """Read `when`; nothing in it is every request. Raises RuleError."""
    section.only(WHEN_KEYS, _PLACES)
    teams = _words(section, "team")
    if known.teams is None and teams is not None:
        raise section.error(
            f"{section.path('team')}: the rules of this file are one team's; leave it out", "team"
        )
    if teams is not None and known.all_read:
        _refuse_unknown(section, "team", section.names("team"), known.teams or ())
    kinds = _words(section, "kind")
    if kinds is not None:
        _refuse_unknown(section, "kind", section.names("kind"), list(TaskKind))
    above: int | None = None
    if section.has("context_tokens_above"):
        above = section.integer("context_tokens_above", 1, CONTEXT_TOKENS_MAX)
    return Conditions(
        teams=teams,
        projects=_words(section, "project"),
        keys=_words(section, "key"),
        purposes=_words(section, "purpose"),
        environments=_words(section, "environment"),
        kinds=frozenset(map(TaskKind, kinds)) if kinds is not None else None,
        task_classes=_words(section, "task_class"),
        label=section.choice("label", Label) if section.has("label") else None,
        context_tokens_above=above,
        tools=section.only_true("tools"),
        images=section.only_true("images"),
    )


def _words(section: Mapping, key: str) -> frozenset[str] | None:
    return frozenset(word.text for word in section.names(key)) if section.has(key) else None


def _refuse_unknown(section: Mapping, key: str, words: Collection[Scalar], known: Collection[str]) -> None:
    for word in words:
        if word.text not in known:
            hint = (
                suggestion(word.text, known)
                if len(known) < 50
                else "; write ISO 3166's two capital letters, or EU"
            )
            raise word.error(f"{section.path(key)} names the unknown '{word.text[:SHOWN_MAX]}'{hint}")
