"""One attempt as a provider sees it."""

from dataclasses import dataclass, field

from ledger.clock import Clock, system_clock
from router.catalog import Route
from router.json_types import JsonObject
from router.request import ChatRequest


class Stopwatch:
    """Runs from the moment at which a local engine begins with an attempt: its queue costs nothing."""

    def __init__(self, clock: Clock = system_clock) -> None:
        self._clock = clock
        self._started_at_us: int | None = None

    def start(self) -> None:
        """Begin to count."""
        self._started_at_us = self._clock()

    @property
    def elapsed_us(self) -> int | None:
        """Microseconds since the start; None before it."""
        return None if self._started_at_us is None else max(0, self._clock() - self._started_at_us)


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
    stopwatch: Stopwatch = field(default_factory=Stopwatch, compare=False)
    """Started by a provider whose work is charged by time, when the work begins."""
