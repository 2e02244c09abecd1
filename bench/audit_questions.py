"""What an auditor is sent, how long it takes to write, and which corrections then count.

    python bench/audit_questions.py --data receipts.jsonl --limit 360 --json out.json

Receipts alone with one wrong field each, and bundles of 60 with a wrong field in twenty. Peer in the
same run: sending the whole document. The auditor of this bench knows the gold: it corrects each field
with it, citing an excerpt that holds it; and it tries every other amount and date that it is shown.
"""

import argparse
import json
import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

from bench.machine import machine
from bench.receipts import SCHEMA, SEED, gold_of, read_rows
from verifiers.amounts import find_amounts
from verifiers.answer import read_answer
from verifiers.audit_verdicts import AuditorVerdict, Ruling
from verifiers.auditor import AskedField, AuditQuestion, audit_question
from verifiers.checks.schema import ExtractionSchema
from verifiers.corrections import corrected
from verifiers.dates import find_dates
from verifiers.document import skeleton
from verifiers.extraction import check_extraction
from verifiers.gate import Gate
from verifiers.indexed import Indexed

BUNDLE, NONCE = 60, "6f1d0c2b9a8e4d57"
ONE = ExtractionSchema.compile(SCHEMA)
MANY = ExtractionSchema.compile(
    {
        "type": "object",
        "properties": {"receipts": {"type": "array", "items": SCHEMA}},
        "required": ["receipts"],
    }
)


@dataclass(slots=True)
class Figures:
    """Of one size of document."""

    write_us: list[float] = field(default_factory=list)
    question_chars: list[int] = field(default_factory=list)
    document_chars: list[int] = field(default_factory=list)
    right: Counter[str] = field(default_factory=Counter)
    """What became of right corrections."""
    false: Counter[str] = field(default_factory=Counter)
    """What became of other amounts and dates that were shown."""


def main() -> None:
    """Run, print the table, write the JSON."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--data", type=Path, required=True)
    options.add_argument("--skip", type=int, default=0, help="leave out the first rows")
    options.add_argument("--limit", type=int, default=360)
    options.add_argument("--json", type=Path)
    chosen = options.parse_args()
    rows = read_rows(chosen.data, chosen.skip, chosen.limit)
    random_ = random.Random(SEED)  # noqa: S311  (a benchmark's errors, from a seed)
    alone, bundles = Figures(), Figures()
    for row in rows:
        _measure_one(row, random_, alone)
    for first in range(0, len(rows) - BUNDLE + 1, BUNDLE):
        _measure_bundle(rows[first : first + BUNDLE], random_, bundles)
    table = {"a receipt": _summary(alone), f"a bundle of {BUNDLE}": _summary(bundles)}
    print(json.dumps(table, indent=2))
    if chosen.json is not None:
        chosen.json.write_text(
            json.dumps({"machine": machine(), "rows": len(rows), **table}, indent=2) + "\n"
        )


def _measure_one(row: Mapping[str, object], random_: random.Random, figures: Figures) -> None:
    gold = gold_of(row)
    name = random_.choice(sorted(gold))
    answer = {**gold, name: _wrong(name, gold[name], random_)}
    _measure(ONE, str(row["text"]), json.dumps(answer), {name: gold[name]}, figures)


def _measure_bundle(rows: Sequence[Mapping[str, object]], random_: random.Random, figures: Figures) -> None:
    golds = [gold_of(row) for row in rows]
    places = sorted((index, name) for index, gold in enumerate(golds) for name in gold)
    answers = [dict(gold) for gold in golds]
    wanted = {}
    for index, name in random_.sample(places, len(places) // 20):
        wanted[f"receipts[{index}].{name}"] = golds[index][name]
        answers[index][name] = _wrong(name, golds[index][name], random_)
    document = "\n\n".join(str(row["text"]) for row in rows)
    _measure(MANY, document, json.dumps({"receipts": answers}), wanted, figures)


def _measure(
    schema: ExtractionSchema, text: str, answer: str, gold: Mapping[str, str], figures: Figures
) -> None:
    verdict = check_extraction(schema, Indexed(text), answer, None, Gate())
    begun = time.perf_counter()
    question = audit_question(schema, Indexed(text), verdict, read_answer(answer), NONCE, gold.keys())
    figures.write_us.append((time.perf_counter() - begun) * 1e6)
    if question is None:
        return
    figures.question_chars.append(len(question.text))
    figures.document_chars.append(len(text))
    for asked in question.fields:
        shown = [span for span in question.spans if asked.id in span.fields]
        right = next((span.id for span in shown if skeleton(gold[asked.path]) in skeleton(span.text)), None)
        if right is None:
            figures.right["not_shown"] += 1
        else:
            figures.right[_outcome(question, schema, text, answer, asked, gold[asked.path], right)] += 1
        for span_id, value in _others(question, asked, gold[asked.path]):
            figures.false[_outcome(question, schema, text, answer, asked, value, span_id)] += 1


def _others(question: AuditQuestion, asked: AskedField, gold: str) -> Iterator[tuple[str, str]]:
    """Amounts with cents for a total, dates for a date: each one shown that does not mean the gold."""
    name = asked.path.rpartition(".")[2]
    if name not in ("total", "date"):
        return
    find = find_amounts if name == "total" else find_dates
    means = frozenset().union(*(found.readings for found in find(gold)))
    for span in question.spans:
        if asked.id in span.fields:
            for found in find(span.text):
                value = span.text[found.start : found.end]
                if means.isdisjoint(found.readings) and (name == "date" or "." in value):
                    yield span.id, value


def _outcome(
    question: AuditQuestion,
    schema: ExtractionSchema,
    text: str,
    answer: str,
    asked: AskedField,
    value: str,
    span_id: str,
) -> str:
    said = [AuditorVerdict(asked.id, Ruling.WRONG, value, span_id)]
    found = corrected(question, schema, Indexed(text), answer, said)
    return "accepted" if found.accepted else found.refused[0].code


def _wrong(name: str, gold: str, random_: random.Random) -> str:
    """A digit of a date or an amount changed, a text cut in its middle."""
    digits = [at for at, letter in enumerate(gold) if letter.isdigit()]
    if name in ("date", "total") and digits:
        at = random_.choice(digits)
        return f"{gold[:at]}{(int(gold[at]) + random_.randint(1, 9)) % 10}{gold[at + 1 :]}"
    words = gold.split()
    return " ".join(words[: max(1, len(words) // 2)])


def _summary(figures: Figures) -> dict[str, object]:
    if not figures.question_chars:
        return {}
    asked, documents = median(figures.question_chars), median(figures.document_chars)
    return {
        "write_us_p50": round(median(figures.write_us)),
        "write_us_p95": round(quantiles(figures.write_us, n=20)[-1]) if len(figures.write_us) > 1 else None,
        "question_chars_p50": asked,
        "question_chars_max": max(figures.question_chars),
        "document_chars_p50": documents,
        "share_of_document": round(asked / documents, 3),
        "right_corrections": dict(figures.right.most_common()),
        "false_corrections": dict(figures.false.most_common()),
    }


if __name__ == "__main__":
    main()
