"""The world of the leak tests: who serves which model and where, what the rules say, and a judge of its own that
says where a request may go.

The judge shares nothing with `policies`: a rule is written twice, as YAML for the gateway and as a line of
Python here. To add a provider: a line of `SERVERS` and its part of `CONFIG`, a route for each of its models in
both.
"""

from collections.abc import Callable
from dataclasses import dataclass

LABELS = ("public", "internal", "confidential", "restricted")


@dataclass(frozen=True, slots=True)
class Place:
    """One route, as the rules see it."""

    server: str
    """Who hears what is sent to it: a key of the recorders."""
    model: str
    runs: str = "hosted"
    jurisdiction: str = "US"
    licence: str = "proprietary"
    origin: str = "US"
    no_training: bool = False
    zero_retention: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules may know of a request."""

    team: str
    label: str
    """The label in force."""
    purpose: str | None
    task: str | None
    tools: bool
    images: bool
    sealed: bool = False
    """Whether the rule that comes with the changed file was in force already."""

    @property
    def rank(self) -> int:
        """How closed the label is."""
        return LABELS.index(self.label)


HERE = "engine"
"""The recorder behind the engines of the gateway's own machine."""
NOBODY = "nobody"
"""A provider that a rule closes to everybody."""
SERVERS = ("abroad", "claude", "europe", "ours", NOBODY, HERE)
HOSTED = ("abroad", "claude", "europe", NOBODY)

_OURS = ("DE", "MIT", "CN", True, True)
ROUTES = {
    "flash-nobody": Place(NOBODY, "flash", "hosted", *_OURS),
    "flash-abroad": Place("abroad", "flash", "hosted", "US", "MIT", "CN"),
    "flash-europe": Place("europe", "flash", "hosted", "FR", "MIT", "CN", no_training=True, zero_retention=True),
    "flash-ours": Place("ours", "flash", "on_premises", *_OURS),
    "flash-here": Place(HERE, "flash", "local", *_OURS),
    "big-claude": Place("claude", "big", no_training=True),
    "big-abroad": Place("abroad", "big"),
    "big-ours": Place("ours", "big", "on_premises", "DE", "Apache-2.0", "FR", no_training=True, zero_retention=True),
    "big-here": Place(HERE, "big", "local", "DE", "Apache-2.0", "US", no_training=True, zero_retention=True),
    "other-nobody": Place(NOBODY, "other", "hosted", *_OURS),
    "other-abroad": Place("abroad", "other"),
    "other-europe": Place("europe", "other", "hosted", "FR", "MIT", "FR", no_training=True, zero_retention=True),
    "other-ours": Place("ours", "other", "on_premises", *_OURS),
    "other-here": Place(HERE, "other", "local", *_OURS),
}  # fmt: skip

Rule = tuple[Callable[[Facts], bool], Callable[[Place], bool]]
"""Of which requests it speaks, and what a route must be for them."""
RULES: tuple[Rule, ...] = (
    (lambda facts: facts.rank >= 3, lambda place: place.runs == "local"),
    (lambda facts: facts.rank >= 2, lambda place: place.runs != "hosted"),
    (lambda facts: facts.team == "support", lambda place: place.jurisdiction in ("DE", "FR")),
    (lambda facts: facts.images, lambda place: place.no_training),
    (lambda facts: facts.tools, lambda place: place.zero_retention),
    (lambda facts: facts.purpose == "open", lambda place: place.licence in ("MIT", "Apache-2.0")),
    (lambda facts: facts.task == "contract", lambda place: place.origin in ("US", "FR")),
    (lambda _facts: True, lambda place: place.server != NOBODY),
    (lambda facts: facts.sealed and facts.purpose == "sealed", lambda place: place.runs == "local"),
)
ORGANISATION = """\
organisation: acme
rules:
  - {id: restricted-stays-here, when: {label: restricted}, require: {local_only: true}}
  - {id: confidential-stays-ours, when: {label: confidential}, require: {on_premises_only: true}}
  - {id: europe, when: {team: [support]}, require: {jurisdiction: [EU]}}
  - {id: no-training-on-images, when: {images: true}, require: {no_training: true}}
  - {id: nothing-kept-of-tools, when: {tools: true}, require: {zero_retention: true}}
  - {id: open-weights, when: {purpose: [open]}, require: {weights_licence: [MIT, Apache-2.0]}}
  - {id: contracts, when: {task_class: [contract]}, require: {weights_origin: [US, FR]}}
  - {id: known-providers, require: {provider: [abroad, claude, europe, ours, local]}}
"""
SEALED = """\
  - {id: sealed, when: {purpose: [sealed]}, require: {local_only: true}}
"""
"""What is added while the gateway runs."""


@dataclass(frozen=True, slots=True)
class Team:
    """A team's policy, but for what all have in common."""

    audit: str
    auto: str
    rest: str = ""
    default_label: str | None = None
    cheap: str = "[flash, big]"


TEAMS = {
    "finance": Team(
        "{audit: by_risk, auditors: [big], when_wrong: escalate, when_unaudited: escalate}",
        "{extraction: cheap+audit, generation: cheap}",
        "retries: 1",
    ),
    "support": Team(
        "{audit: always, auditors: [other, big], when_wrong: escalate, stream: stream_then_audit}",
        "{extraction: cheap+audit, generation: cheap+audit}",
    ),
    "legal": Team(
        "{audit: by_risk, sample_percent: 60, auditors: [big, other], when_unaudited: fail}",
        "{extraction: cheap+audit, generation: cheap+audit}",
        "retries: 1",
        default_label="confidential",
    ),
    "vault": Team(
        "{audit: always, auditors: [big], when_wrong: escalate, when_unaudited: escalate}",
        "{extraction: cheap+audit, generation: premium}",
        "retries: 2",
        default_label="restricted",
        cheap="[flash, other]",
    ),
    "research": Team(
        "{audit: by_risk, auditors: [other]}",
        "{extraction: cheap+audit, generation: premium}",
        "at_limit: cheap_only",
        cheap="[flash, other, big]",
    ),
}
_POLICY = """\
team: {name}
models: [flash, big, other]
plans:
  cheap: {cheap}
  premium: [big, other]
  cheap+audit: {audit}
auto: {auto}
grading: {{percent: 20, graders: [other]}}
limits: {{month_usd: "100000"{request}}}
{rest}
"""

_PROVIDERS = """\
ledger: {{disk_reserve_mb: 0}}
providers:
  nobody: {{base_url: "{nobody}", jurisdiction: DE, zero_retention: true, no_training: true}}
  abroad: {{base_url: "{abroad}", jurisdiction: US}}
  claude: {{type: anthropic, base_url: "{claude}", jurisdiction: US, no_training: true}}
  europe: {{base_url: "{europe}", jurisdiction: FR, zero_retention: true, no_training: true}}
  ours: {{base_url: "{ours}", runs: on_premises, jurisdiction: DE, zero_retention: true, no_training: true}}
routes:
"""
_ROUTE = """\
  {name}:
    model: {model}
    weights_licence: {licence}
    weights_origin: {origin}
    max_output_tokens: 2000
"""
_SERVED = """\
    provider: {server}
    context_window: 200000
    deadline_s: 20
    idle_timeout_s: 2
"""
_ENGINE = """\
    engine: gguf
    weights: {name}.gguf
    jurisdiction: DE
    price: {{cpu_usd_per_hour: "0.02"}}
    context_window: 16384
    slots: 16
    threads: 1
    deadline_s: 2
"""
_CHEAP = '    price: {input_usd_per_million: "1", output_usd_per_million: "2"}\n'
_DEAR = '    price: {input_usd_per_million: "5", output_usd_per_million: "25"}\n'


def config_text(addresses: dict[str, str]) -> str:
    """The configuration, where each server has an address."""
    routes = []
    for name, place in ROUTES.items():
        routes.append(_ROUTE.format(name=name, model=place.model, licence=place.licence, origin=place.origin))
        if place.server == HERE:
            routes.append(_ENGINE.format(name=name))
            continue
        routes.append(_SERVED.format(server=place.server))
        routes.append(_CHEAP if place.model == "flash" else _DEAR)
        routes.append("    schema: tool\n" if place.server == "claude" else "    logprobs: true\n")
    return _PROVIDERS.format(**addresses) + "".join(routes)


def policies() -> dict[str, str]:
    """The files of the folder `policies`, by name."""
    files = {"organisation": ORGANISATION}
    for name, team in TEAMS.items():
        label = f"default_label: {team.default_label}\n" if team.default_label is not None else ""
        # a plan with audits does not fit, so that the cheap one runs in its place
        request = ', request_usd: "0.12"' if "cheap_only" in team.rest else ""
        files[name] = label + _POLICY.format(
            name=name, cheap=team.cheap, audit=team.audit, auto=team.auto, request=request, rest=team.rest
        )
    return files


def routes_open_to(facts: Facts) -> frozenset[str]:
    """The routes that a request may go to, as this file's own judge says."""
    asked = [required for speaks, required in RULES if speaks(facts)]
    return frozenset(name for name, place in ROUTES.items() if all(required(place) for required in asked))


def servers_open_to(facts: Facts) -> frozenset[str]:
    """The servers that a request may reach, each by some route."""
    return frozenset(ROUTES[name].server for name in routes_open_to(facts))
