"""Read one team's file: what it names must exist, and what it says must go together, or it is one sentence."""

from collections.abc import Collection, Sequence

from policies.audits import (
    AUDIT_KEYS,
    GRADING_KEYS,
    AuditMode,
    AuditRules,
    GradingRules,
    read_audit_rules,
    read_grading_rules,
)
from policies.audits import PLAN as AUDITED_PLAN
from policies.decision import AtLimit, Settle
from policies.facts import Label, TaskKind
from policies.nodes import Elsewhere, Mapping, Scalar, suggestion
from policies.organisation import Organisation, read_default_label
from policies.route_facts import RouteFacts
from policies.rule_reading import RULE_KEYS, Known, read_rules
from policies.team import ANY_MODEL, PLAN_NAMES, SpendingLimits, TeamPolicy

KEYS = (
    "team", "models", "plans", "auto", "baseline", "grading", "retries", "limits", "at_limit", "min_output_tokens",
    "settle", "default_label", "rules",
)  # fmt: skip
LIMIT_KEYS = ("request_usd", "day_usd", "month_usd")
KINDS = tuple(kind.value for kind in TaskKind)
_ABOVE: Elsewhere = {"the file itself": KEYS}
_OF_A_RULE = tuple(key for key in RULE_KEYS if key != "limit")  # which is sooner `limits` misspelt
_BENEATH: Elsewhere = {
    "limits": LIMIT_KEYS, "auto": KINDS, "grading": GRADING_KEYS, "plans": PLAN_NAMES,
    f"plans.{AUDITED_PLAN}": AUDIT_KEYS, "an item of rules": _OF_A_RULE,
}  # fmt: skip
MIN_OUTPUT_TOKENS = 1_024
RETRIES_MAX = 5
TEAM_CHARACTERS_MAX = 64


def read_policy(
    document: Mapping,
    policy_hash: str,
    routes: Sequence[RouteFacts],
    organisation: Organisation | None = None,
) -> TeamPolicy:
    """Read one team's policy from a document; the organisation's rules hold besides."""
    known_models = tuple(dict.fromkeys(route.model for route in routes))
    document.only(KEYS, _BENEATH)
    team = document.text("team")
    if len(team) > TEAM_CHARACTERS_MAX or "," in team:
        raise document.error(
            f"team must have 1 to {TEAM_CHARACTERS_MAX} characters and no comma; shorten it", "team"
        )
    models = _models(document, known_models)
    plans = _plans(document, models, known_models)
    auto = _auto(document, plans)
    baseline = document.optional_text("baseline")
    if baseline is not None and baseline not in known_models:
        raise document.error(
            f"baseline names the unknown model '{baseline}'{suggestion(baseline, known_models)}", "baseline"
        )
    audits = _audits(document, models, plans, known_models)
    limits = document.mapping("limits")
    limits.only(LIMIT_KEYS, _ABOVE)
    above = organisation.concerning(team) if organisation is not None else ()
    return TeamPolicy(
        team=team,
        models=models,
        plans=plans,
        auto=auto,
        baseline=baseline,
        audits=audits,
        grading=_grading(document, models, known_models),
        retries=document.integer("retries", 0, RETRIES_MAX, 0),
        limits=SpendingLimits(*(limits.usd(key) if limits.has(key) else None for key in LIMIT_KEYS)),
        at_limit=document.choice("at_limit", AtLimit, AtLimit.CLAMP),
        min_output_tokens=document.integer("min_output_tokens", 1, 1_000_000, MIN_OUTPUT_TOKENS),
        settle=document.choice("settle", Settle, Settle.AFTER),
        policy_hash=policy_hash,
        file=document.file,
        rule_lines=_rule_lines(document, team),
        default_label=_default_label(document, organisation),
        rules=(*above, *read_rules(document, team, Known(routes))),
    )


def _default_label(document: Mapping, organisation: Organisation | None) -> Label | None:
    """The team's own, which may only be more closed than the organisation's; else that one."""
    own = read_default_label(document)
    above = organisation.default_label if organisation is not None else None
    if own is not None and above is not None and own.rank < above.rank and organisation is not None:
        raise document.error(
            f"default_label is {own.value}, and {organisation.file} says {above.value}, which a team can only "
            f"tighten; write {above.value} or a more closed one, or leave it out",
            "default_label",
        )
    return own or above


def _models(document: Mapping, known_models: Collection[str]) -> tuple[str, ...]:
    words = document.words("models")
    if not words:
        raise document.error('models is empty, so nothing is allowed; name some, or write ["*"]', "models")
    if any(word.text == ANY_MODEL for word in words):
        if len(words) > 1:
            raise document.error('models holds "*" and names beside it; write one or the other', "models")
        return tuple(known_models)
    return _known(words, "models", known_models)


def _plans(
    document: Mapping, models: tuple[str, ...], known_models: Collection[str]
) -> dict[str, tuple[str, ...]]:
    section = document.mapping("plans")
    section.only(PLAN_NAMES, {f"plans.{AUDITED_PLAN}": AUDIT_KEYS, **_ABOVE})
    plans: dict[str, tuple[str, ...]] = {}
    for name in section:
        if name == AUDITED_PLAN:
            continue
        words = section.words(name)
        if not words:
            raise section.error(
                f"plans.{name} is empty; name at least one model, or leave the plan out", name
            )
        plans[name] = _allowed(words, f"plans.{name}", models, known_models)
    if AUDITED_PLAN in section:
        if "cheap" not in plans:
            raise section.error(
                f"plans.{AUDITED_PLAN} audits what plans.cheap answers, which is missing; add that",
                AUDITED_PLAN,
            )
        plans[AUDITED_PLAN] = plans["cheap"]
    return plans


def _audits(
    document: Mapping,
    models: tuple[str, ...],
    plans: dict[str, tuple[str, ...]],
    known_models: Collection[str],
) -> AuditRules | None:
    """What `plans.cheap+audit` says; its auditors are premium's models unless it names others."""
    if AUDITED_PLAN not in plans:
        return None
    section = document.mapping("plans").mapping(AUDITED_PLAN)
    auditors = plans.get("premium", ())
    if section.has("auditors"):
        what = section.path("auditors")
        auditors = _allowed(section.words("auditors"), what, models, known_models)
    rules = read_audit_rules(section, auditors)
    if not auditors and rules.mode is not AuditMode.NEVER:
        raise section.error(
            f"{section.path('auditors')} is missing, and there is no plans.premium whose models could audit; add one"
        )
    if rules.escalates and "premium" not in plans:
        raise section.error(
            f"{section.name} escalates to plans.premium, which is missing; add that, or write "
            "`when_unsettled: pass` and no other `escalate`"
        )
    return rules


def _grading(
    document: Mapping, models: tuple[str, ...], known_models: Collection[str]
) -> GradingRules | None:
    if not document.has("grading"):
        return None
    section = document.mapping("grading")
    graders: tuple[str, ...] = ()
    if section.has("graders"):
        graders = _allowed(section.words("graders"), section.path("graders"), models, known_models)
    return read_grading_rules(section, graders)


def _allowed(
    words: tuple[Scalar, ...], what: str, models: tuple[str, ...], known_models: Collection[str]
) -> tuple[str, ...]:
    """Models that exist and that the team may use."""
    chosen = _known(words, what, known_models)
    for word in words:
        if word.text not in models:
            raise word.error(
                f"{what} names '{word.text}', which models does not allow; add it there or leave it out here"
            )
    return chosen


def _auto(document: Mapping, plans: dict[str, tuple[str, ...]]) -> dict[TaskKind, str]:
    section = document.mapping("auto")
    section.only(KINDS, _ABOVE)
    auto: dict[TaskKind, str] = {}
    for kind in TaskKind:
        if section.has(kind.value):
            plan = section.text(kind.value)
            if plan not in plans:
                raise section.error(
                    f"auto.{kind.value} names the plan '{plan}', which plans does not define{suggestion(plan, plans)}",
                    kind.value,
                )
            auto[kind] = plan
    return auto


def _known(words: tuple[Scalar, ...], what: str, known_models: Collection[str]) -> tuple[str, ...]:
    seen: list[str] = []
    for word in words:
        if word.text not in known_models:
            raise word.error(
                f"{what} names the unknown model '{word.text}'{suggestion(word.text, known_models)}"
            )
        if word.text in seen:
            raise word.error(f"{what} names '{word.text}' twice; leave one out")
        seen.append(word.text)
    return tuple(seen)


def _rule_lines(document: Mapping, team: str) -> dict[str, int]:
    lines: dict[str, int] = {}
    for key, node in document.entries.items():
        lines[f"{team}.{key}"] = document.key_lines[key]
        if isinstance(node, Mapping):
            lines.update({f"{team}.{key}.{inner}": line for inner, line in node.key_lines.items()})
    return lines
