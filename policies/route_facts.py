"""What a rule sees of a route: who runs it and where, who made its weights, what its provider promised.

These are different things: weights made in one country may run in another, under a third one's law.
What is not said is not promised: None, or False.
"""

from dataclasses import dataclass
from enum import StrEnum

LOCAL_PROVIDER = "local"
"""The provider of what runs on this machine."""


class Runs(StrEnum):
    """On whose machines a model runs."""

    LOCAL = "local"
    """An engine of the gateway's own, on its machine."""
    ON_PREMISES = "on_premises"
    """The operator's own servers."""
    HOSTED = "hosted"


@dataclass(frozen=True, slots=True)
class RouteFacts:
    """One route as the rules see it."""

    name: str
    model: str
    provider: str
    runs: Runs = Runs.HOSTED
    place: str | None = None
    """Where the machines stand, in the operator's words, e.g. eu-central-1."""
    jurisdiction: str | None = None
    """Whose law holds there: a country's code, or EU."""
    weights_licence: str | None = None
    weights_origin: str | None = None
    """The country of who made the weights."""
    zero_retention: bool = False
    """Whether it is promised that nothing is kept."""
    no_training: bool = False
    """Whether it is promised that nothing is learnt from."""
