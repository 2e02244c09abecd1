"""Calls and routes for the tests of what speaks to providers."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import orjson

from policies.route_facts import RouteFacts
from router.call import Call
from router.catalog import Dialect, Encoding, Origin, Route, SchemaMode
from router.errors import GatewayError
from router.json_types import JsonObject
from router.request import ChatRequest
from router.wire.chat_request import read_chat_request

ROUTE = Route(
    name="route",
    model="model",
    provider="fake",
    upstream_model="upstream-model",
    origin=Origin.HOSTED,
    price_sku="model",
    context_window=100_000,
    max_output_tokens=4_096,
    schema_mode=SchemaMode.JSON_SCHEMA,
    logprobs=False,
    dialect=Dialect.GENERIC,
    encoding=Encoding.NONE,
    deadline_s=20.0,
    idle_timeout_s=20.0,
    facts=RouteFacts("route", "model", "fake"),
)
SCHEMA: JsonObject = {
    "type": "object",
    "properties": {"total": {"type": "string", "maxLength": 12}},
    "required": ["total"],
    "additionalProperties": False,
}
SCHEMA_FORMAT: JsonObject = {
    "response_format": {"type": "json_schema", "json_schema": {"name": "receipt", "schema": SCHEMA}}
}
FORCED_TOOL: JsonObject = {
    "tools": [{"type": "function", "function": {"name": "receipt", "parameters": SCHEMA}}],
    "tool_choice": {"type": "function", "function": {"name": "receipt"}},
}


T = TypeVar("T")


def outcome_of(make: Callable[[], T]) -> T | GatewayError:
    """What `make` returns, or the gateway's error that it raises: any other is the test's failure."""
    try:
        return make()
    except GatewayError as error:
        return error


def chat(fields: JsonObject | None = None, *, text: str = "The total is 4.20 EUR.") -> JsonObject:
    """A chat request's body."""
    return {"model": "model", "messages": [{"role": "user", "content": text}], **(fields or {})}


def read(body: JsonObject) -> ChatRequest:
    """Read a body as the endpoint does."""
    return read_chat_request(orjson.dumps(body), {})


def call_of(body: JsonObject | None = None, route: Route = ROUTE, *, max_tokens: int = 64) -> Call:
    """One attempt at `route`."""
    request = read(chat() if body is None else body)
    plain = request.schema.schema if request.schema is not None else None
    return Call(request, route, max_tokens, "att_0001", plain)


def asking(mode: SchemaMode, dialect: Dialect = Dialect.GENERIC, *, logprobs: bool = False) -> Route:
    """A route that is asked for a schema in `mode`."""
    return replace(ROUTE, schema_mode=mode, dialect=dialect, logprobs=logprobs)
