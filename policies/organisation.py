"""The organisation's file: rules that hold for every team, and that a team's file can only add to."""

from dataclasses import dataclass

from policies.facts import Label
from policies.nodes import Mapping
from policies.rule_reading import Known, read_rules
from policies.rules import Rule

ORGANISATION_KEYS = ("organisation", "default_label", "rules")
NAME_CHARACTERS_MAX = 64


@dataclass(frozen=True, slots=True)
class Organisation:
    """What holds for every team."""

    name: str
    default_label: Label | None
    rules: tuple[Rule, ...]
    file: str

    def concerning(self, team: str) -> tuple[Rule, ...]:
        """The rules that may apply to a request of `team`."""
        return tuple(rule for rule in self.rules if rule.conditions.concern(team))


def read_organisation(document: Mapping, known: Known) -> Organisation:
    """Read the organisation's file. Raises RuleError."""
    document.only(ORGANISATION_KEYS)
    name = document.text("organisation")
    if len(name) > NAME_CHARACTERS_MAX or "," in name:
        raise document.error(
            f"organisation must have 1 to {NAME_CHARACTERS_MAX} characters and no comma; shorten it",
            "organisation",
        )
    if known.teams is not None and name in known.teams:
        raise document.error(
            f"organisation is '{name}', which is a team's name too; rules could not be told apart: call it otherwise",
            "organisation",
        )
    return Organisation(name, read_default_label(document), read_rules(document, name, known), document.file)


def read_default_label(document: Mapping) -> Label | None:
    """What a request is at least; None where nothing is said."""
    return document.choice("default_label", Label) if document.has("default_label") else None
