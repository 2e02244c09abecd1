"""How well a checkpoint reads documents: held-out drawn ones, or rows of a file of receipts, greedily.

python -m training.evaluate RUN/model
python -m training.evaluate RUN/model --data receipts.jsonl --limit 100 --held verbatim
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor

from local_model import load_model
from local_model.cache import SequenceState
from local_model.grammar import VERBATIM, Grammar, Grammars
from local_model.native_step import NativeStep
from training.batches import END, prompt_text
from training.documents.questions import compact
from training.documents.samples import HELD_OUT, INSTRUCTIONS, sample
from verifiers.grading import grade

AT_ONCE = 16
ANSWER_TOKENS = 400
RECEIPT = {
    "company": "The name of the firm that issued the receipt", "date": "The date of the receipt",
    "address": "The firm's address", "total": "The total amount paid",
}  # fmt: skip
"""What is asked of rows of a file, which give these four."""


@dataclass(frozen=True)
class Asked:
    """A request and its right answer."""

    prompt: str
    schema: dict[str, Any]
    text: str
    gold: dict[str, Any]


def main() -> None:
    """Ask, grade, print the shares."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument(
        "--data", type=Path, help="lines of JSON with text and gold; else held-out drawn documents"
    )
    parser.add_argument("--limit", type=int, default=200)
    parser.add_argument(
        "--held", choices=("free", "schema", "verbatim"), default="schema", help="to what answers are held"
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--show", type=int, default=0, help="print so many answers beside what is right")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    asked = list(_receipts(chosen.data, chosen.limit) if chosen.data else _drawn(chosen.limit))
    reader = _Reader(chosen.checkpoint, chosen.threads, chosen.held)
    answers = [
        answer
        for first in range(0, len(asked), AT_ONCE)
        for answer in reader.answers(asked[first : first + AT_ONCE])
    ]
    graded = [grade(_read(answer), each.gold) for answer, each in zip(answers, asked, strict=True)]
    fields = [right for each in graded for right in each.values()]
    figures: dict[str, object] = {
        "documents": len(asked),
        "valid_json": round(sum(_read(answer) is not None for answer in answers) / len(asked), 4),
        "fields_right": round(sum(fields) / len(fields), 4),
        "documents_right": round(sum(all(each.values()) for each in graded) / len(asked), 4),
    }
    if chosen.data:
        figures |= {
            f"{name}_right": round(sum(each[name] for each in graded) / len(asked), 4) for name in RECEIPT
        }
    for answer, each in list(zip(answers, asked, strict=True))[: chosen.show]:
        sys.stdout.write(f"said  {answer}\nright {compact(each.gold)}\n")
    sys.stdout.write(json.dumps(figures) + "\n")


def _drawn(limit: int) -> Iterator[Asked]:
    for number in range(limit):
        drawn = sample(HELD_OUT + number)
        prompt = prompt_text(drawn.instruction, drawn.schema, drawn.text)
        yield Asked(prompt, drawn.schema, drawn.text, json.loads(drawn.answer_text))


def _receipts(path: Path, limit: int) -> Iterator[Asked]:
    properties = {name: {"type": "string", "description": about} for name, about in RECEIPT.items()}
    schema = {
        "type": "object",
        "properties": properties,
        "required": [*RECEIPT],
        "additionalProperties": False,
    }
    for line in path.read_text().splitlines()[:limit]:
        row = json.loads(line)
        prompt = prompt_text(INSTRUCTIONS[0], schema, row["text"])
        yield Asked(prompt, schema, row["text"], row["gold"])


class _Reader:
    def __init__(self, checkpoint: Path, threads: int, held: str) -> None:
        path = checkpoint / "tokenizer.json"
        self._coder = Tokenizer.from_file(str(path))
        model = load_model(checkpoint)
        self._config, self._held = model.config, held
        self._engine = NativeStep(model, threads)
        self._grammars = Grammars(path.read_text(encoding="utf-8"), model.config.vocab_size, END)

    def answers(self, asked: Sequence[Asked]) -> list[str]:
        """Greedily, all at once."""
        states = [SequenceState.empty(self._config) for _ in asked]
        grammars = [self._grammar(each) for each in asked]
        prompts = [torch.tensor(self._coder.encode(each.prompt).ids) for each in asked]
        logits = self._engine.forward_batch(list(zip(prompts, states, strict=True)), wanted=1)
        latest = [_next(each[-1], grammar) for each, grammar in zip(logits, grammars, strict=True)]
        said: list[list[int]] = [[] for _ in asked]
        going = [*range(len(asked))]
        while going:
            going = [n for n in going if latest[n] != END and len(said[n]) < ANSWER_TOKENS]
            for number in going:
                said[number].append(latest[number])
            if going:
                rows = self._engine.step([states[n] for n in going], torch.tensor([latest[n] for n in going]))
                for number, row in zip(going, rows, strict=True):
                    latest[number] = _next(row, grammars[number])
        return [self._coder.decode(ids) for ids in said]

    def _grammar(self, asked: Asked) -> Grammar | None:
        if self._held == "free":
            return None
        schema = _verbatim(asked.schema) if self._held == "verbatim" else asked.schema
        return self._grammars.of_schema(schema, asked.text)


def _next(logits: Tensor, grammar: Grammar | None) -> int:
    if grammar is None:
        return int(logits.argmax())
    token = int(logits.masked_fill(~torch.from_numpy(grammar.allowed()), -torch.inf).argmax())
    if token != END:
        grammar.take(token)
    return token


def _verbatim(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema, every text in it to be copied, but for days that ISO writes."""
    if "properties" in schema:
        return {
            **schema,
            "properties": {name: _verbatim(inner) for name, inner in schema["properties"].items()},
        }
    if "items" in schema:
        return {**schema, "items": _verbatim(schema["items"])}
    is_text = "string" in schema["type"] and "format" not in schema
    return {**schema, VERBATIM: True} if is_text else schema


def _read(answer: str) -> Any:
    try:
        return json.loads(answer)
    except ValueError:
        return None


if __name__ == "__main__":
    main()
