"""Who asks: the key that a request came with, and its team's rules."""

from dataclasses import dataclass

from ledger.budgets import Scope
from policies.rulebook import Rulebook
from policies.team import TeamPolicy


@dataclass(frozen=True, slots=True)
class Caller:
    """A checked key."""

    key_id: str
    team: str
    rulebook: Rulebook
    scopes: tuple[Scope, ...]
    """Whose budgets a request of this key draws on."""
    project: str | None = None
    environment: str | None = None
    models: frozenset[str] | None = None
    """The only models that the key may use; None for all that its team may."""

    @property
    def policy(self) -> TeamPolicy:
        """The team's policy."""
        return self.rulebook.policy
