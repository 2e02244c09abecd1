"""What a policy sees of a request: names, kinds and numbers, never content."""

from dataclasses import dataclass
from enum import StrEnum


class TaskKind(StrEnum):
    """An extraction's answer can be checked field by field against its document."""

    EXTRACTION = "extraction"
    GENERATION = "generation"


class Label(StrEnum):
    """Data classification, from open to closed."""

    PUBLIC = "public"
    INTERNAL = "internal"
    CONFIDENTIAL = "confidential"
    RESTRICTED = "restricted"

    @property
    def rank(self) -> int:
        """How closed it is, from 0."""
        return list(Label).index(self)


def stricter(one: Label | None, other: Label | None) -> Label | None:
    """The more closed of two labels; None is no label, which is as open as `public`."""
    if one is None or other is None:
        return one or other
    return max(one, other, key=lambda label: label.rank)


@dataclass(frozen=True, slots=True)
class Facts:
    """A request as the rules see it."""

    team: str
    model: str
    """What the client named: a plan or a model."""
    kind: TaskKind
    task_class: str
    """As reports have it: what the client declared, else what was found."""
    label: Label | None = None
    """As the client declared it."""
    purpose: str | None = None
    found_class: str = ""
    """What was found, whatever the client declared."""
    project: str | None = None
    key_id: str | None = None
    environment: str | None = None
    context_tokens: int = 0
    """The most tokens that the prompt's text can have."""
    tools: bool = False
    images: bool = False
