"""Plant errors into gold values and see whether the checks find them, without any score.

A mostly wrong model makes any flag look right; gold values with a known share of errors do not.
"""

import json
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from verifiers import amounts, dates
from verifiers.checks.schema import ExtractionSchema
from verifiers.extraction import check_extraction
from verifiers.found import Reading
from verifiers.gate import Gate
from verifiers.grading import normalised

SHARES = (0.05, 0.2, 0.5)
_AMOUNT = re.compile(r"(?<![\d.,])\d{1,3}(?:,?\d{3})*\.\d{2}(?!\d)")
_DATE = re.compile(r"\b\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}\b|\b\d{4}[/.-]\d{1,2}[/.-]\d{1,2}\b")


@dataclass(frozen=True, slots=True)
class Found:
    """How well flags agree with errors, over fields."""

    precision: float
    recall: float
    f1: float
    f1_flag_all: float


def judge_planted(
    rows: Sequence[Mapping[str, object]], schema: ExtractionSchema, share: float, seed: int
) -> Found:
    """Plant errors into `share` of all gold fields of `rows`; check them; compare."""
    chance = random.Random(seed)  # noqa: S311  (a benchmark's seed, no secret)
    flagged_wrong = flagged = wrong = fields = 0
    for row in rows:
        gold, text = row["gold"], str(row["text"])
        assert isinstance(gold, dict)
        answer, planted = dict(gold), set[str]()
        for name, value in gold.items():
            if chance.random() < share:
                error = plant(name, str(value), text, chance)
                if error is not None:
                    answer[name] = error
                    planted.add(name)
        verdict = check_extraction(schema, text, json.dumps(answer), None, Gate())
        flags = {field.field for field in verdict.fields if field.flagged}
        fields += len(gold)
        wrong += len(planted)
        flagged += len(flags)
        flagged_wrong += len(flags & planted)
    precision = flagged_wrong / flagged if flagged else 1.0
    recall = flagged_wrong / wrong if wrong else 1.0
    return Found(precision, recall, _f1(precision, recall), _f1(wrong / fields, 1.0))


def plant(name: str, value: str, text: str, chance: random.Random) -> str | None:
    """Make a wrong value out of a right one, in a way that models do; None if it cannot be done."""
    kinds = [_swap_digit]
    if name == "total":
        kinds.append(lambda value, chance: _another(value, _AMOUNT.findall(text), amounts.readings, chance))
    if name == "date":
        kinds.append(lambda value, chance: _another(value, _DATE.findall(text), dates.readings, chance))
    if name in ("company", "address"):
        kinds.append(_truncate)
    chance.shuffle(kinds)
    for kind in kinds:
        error = kind(value, chance)
        if error is not None and normalised(error) != normalised(value):
            return error
    return None


def _swap_digit(value: str, chance: random.Random) -> str | None:
    places = [index for index, character in enumerate(value) if character.isdigit()]
    if not places:
        return None
    at = chance.choice(places)
    other = chance.choice([digit for digit in "0123456789" if digit != value[at]])
    return value[:at] + other + value[at + 1 :]


def _another(
    value: str, found: list[str], readings: Callable[[str], frozenset[Reading]], chance: random.Random
) -> str | None:
    """Another amount or day of the document: one that cannot mean the same, or it were no error."""
    meant = readings(value)
    others = sorted({other for other in found if (means := readings(other)) and means.isdisjoint(meant)})
    return chance.choice(others) if others else None


def _truncate(value: str, chance: random.Random) -> str | None:
    words = value.split()
    return " ".join(words[: chance.randint(1, len(words) - 1)]) if len(words) > 1 else None


def _f1(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
