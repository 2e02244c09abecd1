"""What the configuration says of a route for rules to read: who runs it and where, its weights, its promises.

A provider's promises hold for each of its routes that says nothing else. What nobody says is not promised.
An engine on this machine keeps and learns nothing.
"""

from dataclasses import dataclass

from policies.jurisdictions import CODES
from policies.nodes import Mapping
from policies.route_facts import LOCAL_PROVIDER, RouteFacts, Runs

WHERE_KEYS = ("place", "jurisdiction")
WEIGHTS_KEYS = ("weights_licence", "weights_origin")
PROMISE_KEYS = ("zero_retention", "no_training")
SERVER_KEYS = ("runs", *WHERE_KEYS, *PROMISE_KEYS)
"""What a provider may say of its servers."""
WORDS_CHARACTERS_MAX = 64


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What a provider's routes have in common."""

    runs: Runs = Runs.HOSTED
    place: str | None = None
    jurisdiction: str | None = None
    zero_retention: bool = False
    no_training: bool = False


def read_server_facts(provider: Mapping) -> ServerFacts:
    """Read what a provider says of its servers. Raises RuleError."""
    runs = provider.choice("runs", Runs, Runs.HOSTED)
    if runs is Runs.LOCAL:
        raise provider.error(
            f"{provider.path('runs')} is local, which only an engine of the gateway's own is; write on_premises",
            "runs",
        )
    return ServerFacts(
        runs,
        _words(provider, "place"),
        _country(provider, "jurisdiction"),
        provider.flag("zero_retention", default=False),
        provider.flag("no_training", default=False),
    )


def read_route_facts(
    route: Mapping, name: str, model: str, provider: str, server: ServerFacts | None
) -> RouteFacts:
    """Read what a route is; `server` is its provider's, None for an engine on this machine. Raises RuleError."""
    facts = server if server is not None else ServerFacts(Runs.LOCAL, zero_retention=True, no_training=True)
    return RouteFacts(
        name=name,
        model=model,
        provider=provider if server is not None else LOCAL_PROVIDER,
        runs=facts.runs,
        place=_words(route, "place") or facts.place,
        jurisdiction=_country(route, "jurisdiction") or facts.jurisdiction,
        weights_licence=_words(route, "weights_licence"),
        weights_origin=_country(route, "weights_origin"),
        zero_retention=route.flag("zero_retention", default=facts.zero_retention),
        no_training=route.flag("no_training", default=facts.no_training),
    )


def _words(entry: Mapping, key: str) -> str | None:
    text = entry.optional_text(key)
    if text is not None and len(text) > WORDS_CHARACTERS_MAX:
        raise entry.error(
            f"{entry.path(key)} has more than {WORDS_CHARACTERS_MAX} characters; shorten it", key
        )
    return text


def _country(entry: Mapping, key: str) -> str | None:
    code = entry.optional_text(key)
    if code is not None and code not in CODES:
        raise entry.error(
            f"{entry.path(key)} is '{code[:60]}'; write a country's two capital letters (ISO 3166), e.g. DE, or EU",
            key,
        )
    return code
