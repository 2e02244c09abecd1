"""One attempt as a provider sees it."""

from dataclasses import dataclass

from router.catalog import Route
from router.json_types import JsonObject
from router.request import ChatRequest


@dataclass(frozen=True, slots=True)
class Call:
    """A request for one route, with the limit that was held for."""

    request: ChatRequest
    route: Route
    max_tokens: int
    """The output limit to send; never more than was held for."""
    attempt_id: str
    plain_schema: JsonObject | None = None
    """The schema asked for, without our own keywords."""
