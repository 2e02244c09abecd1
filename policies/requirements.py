"""`require`: what a route must be, or a rule takes it away. What is not said of a route is not met."""

from collections.abc import Mapping
from dataclasses import dataclass

from policies.jurisdictions import lies_in
from policies.route_facts import RouteFacts, Runs

LISTS = ("jurisdiction", "place", "provider", "model", "weights_licence", "weights_origin")
"""Of these a route must have one of the values that are named; the keys are those of a route's facts."""
COUNTRIES = ("jurisdiction", "weights_origin")
"""Lists of countries' codes, where EU stands for each of its members."""
FLAGS = ("local_only", "on_premises_only", "zero_retention", "no_training")
_SHORT_OF_FLAG = {
    "local_only": "it does not run on this machine",
    "on_premises_only": "it does not run on the operator's own machines",
    "zero_retention": "its provider has not promised to keep nothing",
    "no_training": "its provider has not promised to learn nothing from it",
}


@dataclass(frozen=True, slots=True)
class Requirements:
    """What a route must be: one of each list, and all of the flags."""

    lists: Mapping[str, frozenset[str]]
    flags: frozenset[str] = frozenset()

    def missed_by(self, route: RouteFacts) -> str | None:
        """What `route` is not, in words; None if it is all of it."""
        for key in FLAGS:
            if key in self.flags and not _has(route, key):
                return _SHORT_OF_FLAG[key]
        for key, wanted in self.lists.items():
            value: str | None = getattr(route, key)
            if value is None:
                return f"its {_words(key)} is not stated, and {_either(wanted)} is required"
            if value not in wanted and not (
                key in COUNTRIES and any(lies_in(value, each) for each in wanted)
            ):
                return f"its {_words(key)} is {value}, and {_either(wanted)} is required"
        return None

    def __str__(self) -> str:
        asked = [f"{_words(key)} {_either(wanted)}" for key, wanted in self.lists.items()]
        return ", ".join([*(_words(key) for key in FLAGS if key in self.flags), *asked])


def _has(route: RouteFacts, flag: str) -> bool:
    match flag:
        case "local_only":
            return route.runs is Runs.LOCAL
        case "on_premises_only":
            return route.runs is not Runs.HOSTED
        case "zero_retention":
            return route.zero_retention
        case _:
            return route.no_training


def _words(key: str) -> str:
    return key.replace("_", " ")


def _either(wanted: frozenset[str]) -> str:
    return " or ".join(sorted(wanted))
