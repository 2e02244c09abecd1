"""Routes as rules see them, and policies read from text, for tests."""

from collections.abc import Sequence

from policies.document import parse_bytes
from policies.route_facts import RouteFacts
from policies.team import TeamPolicy
from policies.team_reading import read_policy


def routes_of(models: Sequence[str]) -> tuple[RouteFacts, ...]:
    """A hosted route for each model, of which nothing is said."""
    return tuple(RouteFacts(model, model, "hosted") for model in models)


def policy_of(text: str, models: Sequence[str], file: str = "finance.yaml") -> TeamPolicy:
    """Read a team's file for these models."""
    return read_policy(parse_bytes(text.encode(), file), "hash", routes_of(models))
