"""A document, what is asked of it and the answer, drawn from a seed: what the model is trained and judged on."""

from dataclasses import dataclass
from typing import Any

from training.documents.chance import Chance
from training.documents.fields import FIELDS
from training.documents.kinds import any_kind
from training.documents.noise import scanned
from training.documents.questions import compact, question, short_question

INSTRUCTIONS = (
    "Extract the fields from the document. Copy every value exactly as the document writes it. If the document does not say it, leave it empty.",
    "Extract the fields.", "Extract the requested information from this document as JSON.", "You read documents and answer with JSON.",
    "Read the receipt and return the fields of the schema.", "Fill in the schema from the text. Use null for what is not there.", "", "Copy the values from the text.",
)  # fmt: skip
HELD_OUT = 1 << 40
"""Seeds from here on are never trained on."""


@dataclass(frozen=True)
class Sample:
    """One."""

    instruction: str
    text: str
    schema: dict[str, Any]
    answer: dict[str, Any]

    @property
    def answer_text(self) -> str:
        """The answer as the model is to write it."""
        return compact(self.answer)


def sample(seed: int) -> Sample:
    """The sample of a seed."""
    chance = Chance(seed)
    paper = any_kind(chance)
    scanned(paper, chance)
    asked = question(paper, chance)
    instruction = INSTRUCTIONS[0] if chance.maybe(0.6) else chance.of(INSTRUCTIONS)
    return Sample(instruction, paper.text, asked.schema, asked.answer)


def snippet(seed: int) -> Sample:
    """A few lines of a document, and one or two questions: what copying is learnt from first."""
    chance = Chance(seed)
    paper = any_kind(chance)
    telling = [number for number, line in enumerate(paper.lines) if any(fact in FIELDS for _, fact in line)]
    kept = set(chance.some(telling, 1, 3)) | set(chance.some(range(len(paper.lines)), 0, 1))
    paper.lines = [line for number, line in enumerate(paper.lines) if number in kept]
    asked = short_question(paper, chance)
    return Sample("", paper.text, asked.schema, asked.answer)
