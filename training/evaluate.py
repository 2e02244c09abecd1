"""How well a checkpoint reads documents: held-out drawn ones, or rows of a file of receipts, greedily and without any grammar.

python -m training.evaluate RUN/model
python -m training.evaluate RUN/model --data receipts.jsonl --limit 100
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

from local_model import load_model
from local_model.cache import SequenceState
from local_model.config import V4Config
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
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--show", type=int, default=0, help="print so many answers beside what is right")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    asked = list(_receipts(chosen.data, chosen.limit) if chosen.data else _drawn(chosen.limit))
    coder = Tokenizer.from_file(str(chosen.checkpoint / "tokenizer.json"))
    model = load_model(chosen.checkpoint)
    engine = NativeStep(model, chosen.threads)
    answers = [
        answer
        for first in range(0, len(asked), AT_ONCE)
        for answer in _answers(
            engine, model.config, coder, [each.prompt for each in asked[first : first + AT_ONCE]]
        )
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
        yield Asked(prompt, json.loads(drawn.answer_text))


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
        yield Asked(prompt_text(INSTRUCTIONS[0], schema, row["text"]), row["gold"])


def _answers(engine: NativeStep, config: V4Config, coder: Tokenizer, prompts: Sequence[str]) -> list[str]:
    """Greedily, all at once."""
    states = [SequenceState.empty(config) for _ in prompts]
    batch = [
        (torch.tensor(coder.encode(prompt).ids), state) for prompt, state in zip(prompts, states, strict=True)
    ]
    latest = [int(logits[-1].argmax()) for logits in engine.forward_batch(batch, wanted=1)]
    said: list[list[int]] = [[] for _ in prompts]
    going = [*range(len(prompts))]
    while going:
        for number in going:
            said[number].append(latest[number])
        going = [n for n in going if latest[n] != END and len(said[n]) < ANSWER_TOKENS]
        if going:
            logits = engine.step([states[n] for n in going], torch.tensor([latest[n] for n in going]))
            for number, token in zip(going, logits.argmax(-1).tolist(), strict=True):
                latest[number] = token
    return [coder.decode([token for token in ids if token != END]) for ids in said]


def _read(answer: str) -> Any:
    try:
        return json.loads(answer)
    except ValueError:
        return None


if __name__ == "__main__":
    main()
