"""Cases beside the rules: a request in short form, and what is expected of it. `steelyard policy test` runs them.

A case says of a decision only what it means to hold; whatever else the decision says is not looked at.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from ledger.money import NanoUSD
from policies.facts import Facts, Label, TaskKind
from policies.nodes import Elsewhere, Mapping, suggestion
from policies.route_facts import RouteFacts
from policies.rule_reading import CONTEXT_TOKENS_MAX
from policies.rulebook import AUTO, NAMED_MODEL
from policies.team import PLAN_NAMES

FILE_KEYS = ("cases",)
CASE_KEYS = ("name", "request", "expect")
REQUEST_KEYS = (
    "team", "model", "kind", "task_class", "label", "purpose", "project", "key", "environment", "context_tokens",
    "tools", "images", "file",
)  # fmt: skip
FROM_FILE = ("kind", "task_class", "context_tokens", "tools", "images")
"""What a request file says itself."""
EXPECT_KEYS = (
    "allow", "deny", "reason", "label", "plan", "routes", "at_limit", "auditors", "escalation", "graders", "never",
    "request_usd",
)  # fmt: skip
_PLACES: Elsewhere = {
    "cases.request": REQUEST_KEYS,
    "cases.expect": EXPECT_KEYS,
    "the case itself": CASE_KEYS,
}
OF_A_REFUSAL = ("deny", "reason")
ROUTE_LISTS = ("routes", "at_limit", "auditors", "escalation", "graders", "never")
NAME_CHARACTERS_MAX = 200

Routes = dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Expected:
    """What a case wants of a decision; None where it says nothing."""

    allow: bool
    rules: frozenset[str] | None = None
    """The rules that refuse it, all of them."""
    reason: str | None = None
    """Words that stand in the refusal."""
    label: Label | None = None
    plan: str | None = None
    request_nano_usd: NanoUSD | None = None
    routes: Routes = field(default_factory=dict)
    """Names of routes, by the key of ROUTE_LISTS that says what they are asked for."""


@dataclass(frozen=True, slots=True)
class Case:
    """One request and what is expected of it."""

    name: str
    file: str
    line: int
    facts: Facts
    """Where a request file is named, only who asks, and what is to be changed in it."""
    request_file: str | None
    named_model: str | None
    """What the case itself names, where a file names another."""
    expected: Expected

    @property
    def place(self) -> str:
        """FILE:LINE."""
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class CaseNames:
    """What names in cases may refer to."""

    teams: Collection[str]
    routes: Collection[RouteFacts]


def read_cases(document: Mapping, names: CaseNames) -> tuple[Case, ...]:
    """Read one file of cases. Raises RuleError with its line and what to write instead."""
    document.only(FILE_KEYS)
    entries = document.sections("cases")
    if not entries:
        raise document.error(
            "cases is missing or empty; write a list of cases, each with name, request and expect"
        )
    found: dict[str, Case] = {}
    for entry in entries:
        case = _case(entry, names)
        if case.name in found:
            raise entry.error(
                f"the name '{case.name[:60]}' is here twice; the first is in line {found[case.name].line}: choose another",
                "name",
            )
        found[case.name] = case
    return tuple(found.values())


def _case(entry: Mapping, names: CaseNames) -> Case:
    entry.only(CASE_KEYS, _PLACES)
    name = entry.text("name")
    if len(name) > NAME_CHARACTERS_MAX:
        raise entry.error(f"cases.name has {len(name)} characters; at most {NAME_CHARACTERS_MAX}", "name")
    for key in ("request", "expect"):
        if not entry.has(key):
            raise entry.error(
                f"cases.{key} is missing: write what is asked, and what is expected of it", "name"
            )
    request = entry.mapping("request")
    request.only(REQUEST_KEYS, _PLACES)
    file = request.optional_text("file")
    if file is not None:
        for key in FROM_FILE:
            if request.has(key):
                raise request.error(
                    f"{request.path(key)}: the request file says it itself; leave it out", key
                )
    model = _model(request, names)
    return Case(
        name,
        entry.file,
        entry.key_lines["name"],
        _facts(request, model or AUTO, names),
        file,
        model,
        _expected(entry.mapping("expect"), names),
    )


def _facts(request: Mapping, model: str, names: CaseNames) -> Facts:
    team = request.text("team")
    if team not in names.teams:
        raise request.error(
            f"{request.path('team')} names the unknown '{team[:60]}'{suggestion(team, names.teams)}", "team"
        )
    kind = request.choice("kind", TaskKind, TaskKind.GENERATION)
    task_class = request.text("task_class", kind.value)
    return Facts(
        team=team,
        model=model,
        kind=kind,
        task_class=task_class,
        label=request.choice("label", Label) if request.has("label") else None,
        purpose=request.optional_text("purpose"),
        found_class=task_class,
        project=request.optional_text("project"),
        key_id=request.optional_text("key"),
        environment=request.optional_text("environment"),
        context_tokens=request.integer("context_tokens", 0, CONTEXT_TOKENS_MAX, 0),
        tools=request.flag("tools", default=False),
        images=request.flag("images", default=False),
    )


def _model(request: Mapping, names: CaseNames) -> str | None:
    model = request.optional_text("model")
    known = (AUTO, *PLAN_NAMES, *dict.fromkeys(route.model for route in names.routes))
    if model is not None and model not in known:
        raise request.error(
            f"{request.path('model')} names the unknown plan or model '{model[:60]}'{suggestion(model, known)}",
            "model",
        )
    return model


def _expected(section: Mapping, names: CaseNames) -> Expected:
    section.only(EXPECT_KEYS, _PLACES)
    if not section.entries:
        raise section.error(
            f"{section.name} is empty; write `allow: true`, or any of {', '.join(EXPECT_KEYS[1:])}"
        )
    refused = section.has("deny")
    for key in section:
        if refused and key not in (*OF_A_REFUSAL, "label"):
            raise section.error(
                f"{section.path(key)} stands beside deny: what is refused has none; leave one of them out",
                key,
            )
        if not refused and key == "reason":
            raise section.error(
                f"{section.path(key)} is a refusal's; write deny beside it, or leave it out", key
            )
    section.only_true("allow")
    return Expected(
        allow=not refused,
        rules=frozenset(word.text for word in section.words("deny")) or None if refused else None,
        reason=section.optional_text("reason"),
        label=section.choice("label", Label) if section.has("label") else None,
        plan=_plan(section),
        request_nano_usd=section.usd("request_usd") if section.has("request_usd") else None,
        routes={key: _routes(section, key, names) for key in ROUTE_LISTS if section.has(key)},
    )


def _plan(section: Mapping) -> str | None:
    plan, known = section.optional_text("plan"), (*PLAN_NAMES, NAMED_MODEL)
    if plan is not None and plan not in known:
        raise section.error(
            f"{section.path('plan')} is '{plan[:60]}'; it is one of {', '.join(known)}{suggestion(plan, known)}",
            "plan",
        )
    return plan


def _routes(section: Mapping, key: str, names: CaseNames) -> tuple[str, ...]:
    known = [route.name for route in names.routes]
    words = section.words(key)
    for word in words:
        if word.text not in known:
            raise word.error(
                f"{section.path(key)} names the unknown route '{word.text[:60]}'{suggestion(word.text, known)}"
            )
    return tuple(word.text for word in words)
