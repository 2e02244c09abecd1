"""What a check says, and on what evidence.

A reason is a sentence that a person can read and that holds nothing of the document or the
answer, so that it may be kept and logged; the words themselves stand in the evidence, which goes
to the caller and nowhere else.
"""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What a check found."""

    PASSED = "passed"
    FAILED = "failed"
    ABSTAINED = "abstained"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A span of the document: characters `start` to `end` (exclusive), and their text."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check says about one field (`field` is "" for the whole answer)."""

    check: str
    field: str
    outcome: Outcome
    code: str
    reason: str
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True)
class FieldVerdict:
    """All findings about one field, its score, and whether it is doubtful."""

    field: str
    flagged: bool
    score: float | None
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """All that is known about one answer without asking anybody."""

    valid: bool
    """The answer is JSON and obeys its schema."""
    fields: tuple[FieldVerdict, ...]
    findings: tuple[Finding, ...]
    """About the answer as a whole: JSON, schema, sums."""

    @property
    def passed(self) -> bool:
        """Valid, and no field is doubtful."""
        return self.valid and not any(field.flagged for field in self.fields)
