"""The routes that exist: a model at a provider, with its limits and its price's name.

A *model* is what a client may name; a *route* is where it is served. Several routes may serve one
model, in the configuration's order.
"""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from policies.route_facts import RouteFacts
from router.errors import NotFoundError

PLAN_NAMES = frozenset({"auto", "cheap", "premium", "cheap+audit"})


class Origin(StrEnum):
    """Where an answer comes from, as reports tell it."""

    LOCAL = "local"
    HOSTED = "hosted"
    PREMIUM = "premium"


class SchemaMode(StrEnum):
    """How a JSON schema is asked of a route."""

    JSON_SCHEMA = "json_schema"
    TOOL = "tool"
    JSON_OBJECT = "json_object"
    NONE = "none"


class Dialect(StrEnum):
    """Where OpenAI-shaped providers differ: the limit's field, roles, thinking, cache fields."""

    OPENAI = "openai"
    DEEPSEEK = "deepseek"
    GENERIC = "generic"


class Encoding(StrEnum):
    """Which exact counter knows a route's tokens; NONE leaves the byte bound."""

    O200K = "o200k_base"
    CL100K = "cl100k_base"
    DEEPSEEK = "deepseek"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Route:
    """A model at a provider. Window and limits in tokens, time-outs in seconds."""

    name: str
    model: str
    """What clients call it."""
    provider: str
    upstream_model: str
    """What the provider calls it."""
    origin: Origin
    price_sku: str
    context_window: int
    max_output_tokens: int
    schema_mode: SchemaMode
    logprobs: bool
    dialect: Dialect
    encoding: Encoding
    deadline_s: float
    idle_timeout_s: float
    facts: RouteFacts
    """What rules see of it, and the ledger keeps of each attempt."""
    compute_threads: int = 0
    """Threads of a local engine: what `deadline_s` is multiplied with to bound its compute."""
    hidden_reasoning: bool = True
    """Whether its model may think without showing it: what it used is then not what was seen of it."""
    simulated: bool = False


class Catalog:
    """All routes, by name and by model."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = tuple(routes)
        self._by_name = {route.name: route for route in self.routes}
        self._by_model: dict[str, tuple[Route, ...]] = {}
        for route in self.routes:
            self._by_model[route.model] = (*self._by_model.get(route.model, ()), route)

    @property
    def models(self) -> tuple[str, ...]:
        """What a client may name, plans aside, in the configuration's order."""
        return tuple(self._by_model)

    def route(self, name: str) -> Route:
        """Find a route by its own name; KeyError if there is none."""
        return self._by_name[name]

    def serving(self, model: str) -> tuple[Route, ...]:
        """The routes that serve `model`, first choice first; empty if none does."""
        return self._by_model.get(model, ())

    def known(self, name: str) -> bool:
        """Whether a client may name `name`, as a plan or as a model."""
        return name in PLAN_NAMES or name in self._by_model

    def unknown(self, name: str) -> NotFoundError:
        """The error for a model that nobody serves, with the nearest name that somebody does."""
        near = difflib.get_close_matches(name[:100], (*self._by_model, *PLAN_NAMES), n=1)
        hint = f"; did you mean '{near[0]}'?" if near else "; GET /v1/models lists what there is"
        return NotFoundError(f"there is no model '{name[:100]}'{hint}", param="model", code="model_not_found")
