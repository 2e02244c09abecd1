"""What a scripted model is told: the documents that it knows, its skill, its prices."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from router.json_types import JsonObject


class ScriptError(Exception):
    """The script cannot be read."""


@dataclass(frozen=True, slots=True)
class Skill:
    """How often the model is right; probabilities from 0 to 1."""

    right: float = 0.97
    """A field that the cheap model has right too."""
    right_where_cheap_is_wrong: float = 0.58
    """The factor for a field that the cheap model has wrong: hard fields are hard for both."""
    true_positives: float = 0.9
    """As an auditor: how many wrong fields it finds."""
    false_positives: float = 0.05
    """As an auditor: how many right fields it takes for wrong."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Prices in nano-USD per million tokens."""

    input_uncached: int
    cache_read: int
    output_text: int


@dataclass(frozen=True, slots=True)
class Persona:
    """One model of the server: `cheap` answers what the documents' `cheap` says, others from gold."""

    name: str
    rates: Rates
    skill: Skill = field(default_factory=Skill)
    cheap: bool = False
    reasoning_tokens: int = 0
    """Billed with every answer; an audit bills none."""


@dataclass(frozen=True, slots=True)
class Script:
    """Everything that the server's process is told, as one JSON line on its standard input."""

    documents: str
    """A JSONL file of {"text", "gold", "cheap"?}."""
    personas: tuple[Persona, ...]
    cache: str
    """A folder for the copies of the tokenizer's vocabularies."""
    seed: int = 0
    api_key: str = ""

    def to_line(self) -> str:
        """Write the script as the process reads it."""
        return json.dumps(asdict(self)) + "\n"

    @staticmethod
    def from_line(line: str) -> "Script":
        """Read the script. Raises ScriptError."""
        try:
            told = json.loads(line)
            personas = tuple(
                Persona(**{**each, "rates": Rates(**each["rates"]), "skill": Skill(**each["skill"])})
                for each in told.pop("personas")
            )
            return Script(personas=personas, **told)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ScriptError(f"the script cannot be read: {type(error).__name__}") from error


@dataclass(frozen=True, slots=True)
class Known:
    """A document whose right answer is known."""

    key: str
    text: str
    gold: JsonObject
    cheap: JsonObject
    """What the cheap model answers; gold where the script does not say."""


def read_documents(path: Path) -> tuple[Known, ...]:
    """Read the documents. Raises ScriptError or OSError."""
    found = []
    for number, line in enumerate(path.read_text().splitlines()):
        try:
            row = json.loads(line)
            found.append(Known(str(number), row["text"], row["gold"], row.get("cheap", row["gold"])))
        except (ValueError, TypeError, KeyError) as error:
            raise ScriptError(f"line {number + 1} of the documents cannot be read") from error
    return tuple(found)
