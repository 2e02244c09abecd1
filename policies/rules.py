"""One rule: of which requests it speaks, and what it takes from them. No rule gives anything.

What a request may do is what a team's plans grant, less what the rules that apply take away. So a rule
more never allows more, in whichever file it stands.
"""

from dataclasses import dataclass

from ledger.money import NanoUSD, format_usd
from policies.conditions import Conditions
from policies.requirements import Requirements
from policies.route_facts import RouteFacts


@dataclass(frozen=True, slots=True)
class Denial:
    """`deny`: no route is left."""

    def __str__(self) -> str:
        return "deny"


@dataclass(frozen=True, slots=True)
class RequestLimit:
    """`limit`: what one request may cost at its worst."""

    request_nano_usd: NanoUSD

    def __str__(self) -> str:
        return f"at most {format_usd(self.request_nano_usd)} USD a request"


Demand = Denial | Requirements | RequestLimit


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule with its id, and the place where it stands."""

    id: str
    file: str
    line: int
    conditions: Conditions
    demand: Demand
    reason: str | None = None
    """Why, in the words of who wrote it."""

    @property
    def place(self) -> str:
        """FILE:LINE."""
        return f"{self.file}:{self.line}"

    def against(self, route: RouteFacts) -> str | None:
        """Why `route` falls where this rule applies; None if it does not."""
        match self.demand:
            case Denial():
                return "it denies such requests"
            case Requirements() as wanted:
                return wanted.missed_by(route)
            case RequestLimit():
                return None
