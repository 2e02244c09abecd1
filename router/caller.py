"""Who asks: the key that a request came with, and its team's rules."""

from dataclasses import dataclass

from ledger.budgets import Scope
from policies.rules import TeamPolicy


@dataclass(frozen=True, slots=True)
class Caller:
    """A checked key."""

    key_id: str
    team: str
    policy: TeamPolicy
    scopes: tuple[Scope, ...]
    """Whose budgets a request of this key draws on."""
    project: str | None = None
    environment: str | None = None
    models: frozenset[str] | None = None
    """The only models that the key may use; None for all that its team may."""
