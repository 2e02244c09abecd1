"""Routes, policies and requests as values, for tests that need no HTTP."""

import json
from dataclasses import replace

from ledger.clock import system_clock
from ledger.ids import new_id
from ledger.money import NanoUSD
from ledger.prices import Price
from ledger.usage import Rates
from policies.decision import Allow, AtLimit, Settle
from policies.route_facts import RouteFacts
from router.catalog import Dialect, Encoding, Origin, Route, SchemaMode
from router.request import ChatRequest
from router.wire.chat_request import read_chat_request

DOLLAR = 1_000_000_000

CHEAP = Route(
    name="cheap-model",
    model="cheap-model",
    provider="fake",
    upstream_model="cheap-upstream",
    origin=Origin.HOSTED,
    price_sku="route:cheap-model",
    context_window=10_000,
    max_output_tokens=1_000,
    schema_mode=SchemaMode.JSON_SCHEMA,
    logprobs=False,
    dialect=Dialect.GENERIC,
    encoding=Encoding.NONE,
    deadline_s=60,
    idle_timeout_s=10,
    facts=RouteFacts("cheap-model", "cheap-model", "fake"),
)
DEAR = replace(
    CHEAP,
    name="dear-model",
    model="dear-model",
    price_sku="route:dear-model",
    origin=Origin.PREMIUM,
    facts=RouteFacts("dear-model", "dear-model", "fake"),
)


def flat_price(sku: str, input_usd: int, output_usd: int) -> Price:
    """A price of whole dollars a million tokens, in force since 1970."""
    rate_in, rate_out = input_usd * DOLLAR, output_usd * DOLLAR
    rates = Rates(*([rate_in] * 6), *([rate_out] * 3))
    return Price(new_id("pri", system_clock()), sku, rates, "test", "0" * 64, 0, 0)


def chat(text: str = "How much is it?", **fields: object) -> ChatRequest:
    """A chat request as the wire reads it."""
    body = {"model": "auto", "messages": [{"role": "user", "content": text}], **fields}
    return read_chat_request(json.dumps(body).encode(), {})


def allow(*routes: str, at_limit: AtLimit = AtLimit.DENY, **fields: object) -> Allow:
    """A decision for these routes."""
    known = Allow(
        plan="cheap", routes=routes, permitted=frozenset({*routes, CHEAP.name, DEAR.name}), cheap_routes=routes[:1], baseline_route=None, per_request_nano_usd=None,
        at_limit=at_limit, min_output_tokens=100, settle=Settle.AFTER, policy_hash="h", rule_ids=("r",),
    )  # fmt: skip
    return replace(known, **fields)  # type: ignore[arg-type]  # a test names a field that exists


def nano(usd: int) -> NanoUSD:
    """Whole dollars."""
    return NanoUSD(usd * DOLLAR)
