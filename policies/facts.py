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


@dataclass(frozen=True, slots=True)
class Facts:
    """A request as the rules see it."""

    team: str
    model: str
    """What the client named: a plan or a model."""
    kind: TaskKind
    task_class: str
    label: Label | None = None
    purpose: str | None = None
