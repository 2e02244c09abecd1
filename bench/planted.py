"""Plant errors into gold values and see whether the checks find them, without any score.

    python bench/planted.py --data receipts.jsonl --skip 0 --limit 100 --seeds 12 --json out.json

A mostly wrong model makes any flag look right; gold values with a known share of errors do not. Figures
are means over seeds. Peer in the same run: flagging everything. `bench/extraction.py` reports the same
of one seed.
"""

import argparse
import json
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.further_errors import NUMBERED_SCHEMA, Plant, change_currency, invent_number, omit, with_numbers
from bench.machine import machine
from bench.receipts import SCHEMA, SEED, gold_of, read_rows
from verifiers import amounts, dates
from verifiers.checks.schema import ExtractionSchema
from verifiers.extraction import check_extraction
from verifiers.found import Reading
from verifiers.gate import Gate
from verifiers.grading import normalised
from verifiers.indexed import Indexed

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


def main() -> None:
    """Run, print the table, write the JSON."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--data", type=Path, required=True)
    options.add_argument("--skip", type=int, default=0, help="leave out the first rows")
    options.add_argument("--limit", type=int, default=100)
    options.add_argument("--seeds", type=int, default=12, help="of how many seeds to take the mean")
    options.add_argument("--json", type=Path)
    chosen = options.parse_args()
    rows = read_rows(chosen.data, chosen.skip, chosen.limit)
    seeds = range(SEED, SEED + chosen.seeds)
    usual, further = planted(rows, seeds), planted_further(rows, seeds)
    figures: dict[str, object] = {
        "machine": machine(),
        "documents": len(rows),
        "skipped": chosen.skip,
        "seeds": len(seeds),
        "peer": "flag all",
        "planted": usual,
        "planted_further": further,
    }
    print(f"{len(rows)} documents, {len(seeds)} seeds (means)")
    print_planted(usual, "planted")
    for kind, shares in further.items():
        print_planted(shares, kind)
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(figures, indent=2) + "\n")


def planted(rows: Sequence[Mapping[str, object]], seeds: Sequence[int]) -> dict[str, dict[str, float]]:
    """By share of wrong fields: swapped digits, neighbouring amounts, other dates and truncated names."""
    return _by_share(rows, ExtractionSchema.compile(SCHEMA), seeds, plant)


def planted_further(
    rows: Sequence[Mapping[str, object]], seeds: Sequence[int]
) -> dict[str, dict[str, dict[str, float]]]:
    """The same by kind of error, for kinds that `planted` has not."""
    schema, numbered = ExtractionSchema.compile(SCHEMA), ExtractionSchema.compile(NUMBERED_SCHEMA)
    return {
        "omitted": _by_share(rows, schema, seeds, omit),
        "other_currency": _by_share(rows, schema, seeds, change_currency),
        "invented_id": _by_share([*with_numbers(rows)], numbered, seeds, invent_number),
    }


def print_planted(shares: Mapping[str, Mapping[str, float]], title: str) -> None:
    """Print figures by share of wrong fields, one a line."""
    print(f"\n{title:<18}precision  recall      F1  F1 of flagging all")
    for share, found in shares.items():
        print(
            f"  {float(share):<16.0%}{found['precision']:>9.3f}{found['recall']:>8.3f}{found['f1']:>8.3f}"
            f"{found['f1_flag_all']:>20.3f}"
        )


def _by_share(
    rows: Sequence[Mapping[str, object]], schema: ExtractionSchema, seeds: Sequence[int], plant: Plant
) -> dict[str, dict[str, float]]:
    return {
        str(share): _mean([judge_planted(rows, schema, share, seed, plant) for seed in seeds])
        for share in SHARES
    }


def _mean(found: Sequence[Found]) -> dict[str, float]:
    names = ("precision", "recall", "f1", "f1_flag_all")
    return {name: round(sum(getattr(each, name) for each in found) / len(found), 4) for name in names}


def judge_planted(
    rows: Sequence[Mapping[str, object]],
    schema: ExtractionSchema,
    share: float,
    seed: int,
    plant: Plant,
) -> Found:
    """Plant errors into `share` of all gold fields of `rows`; check them; compare."""
    chance = random.Random(seed)  # noqa: S311  (a benchmark's seed, no secret)
    flagged_wrong = flagged = wrong = fields = 0
    for row in rows:
        gold, text = gold_of(row), str(row["text"])
        answer, errors = dict(gold), set[str]()
        for name, value in gold.items():
            if chance.random() < share:
                error = plant(name, str(value), text, chance)
                if error is not None:
                    answer[name] = error
                    errors.add(name)
        verdict = check_extraction(schema, Indexed(text), json.dumps(answer), None, Gate())
        flags = {field.field for field in verdict.fields if field.flagged}
        fields += len(gold)
        wrong += len(errors)
        flagged += len(flags)
        flagged_wrong += len(flags & errors)
    precision = flagged_wrong / flagged if flagged else 1.0
    recall = flagged_wrong / wrong if wrong else 1.0
    return Found(precision, recall, _f1(precision, recall), _f1(wrong / fields, 1.0) if fields else 0.0)


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


if __name__ == "__main__":
    main()
