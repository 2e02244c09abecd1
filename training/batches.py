"""Batches of drawn samples as token ids: of like length, padded behind, in an order that the seed and the step decide."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor

from training.documents.questions import compact, fields_of
from training.documents.samples import Sample, sample

BEGIN, END, PAD = 0, 1, 2
DRAWN_AT_ONCE = 1024
"""Samples that are sorted by length together."""
MULTIPLE = 64
OTHERS = 0.1
"""What predicting a token of the prompt weighs; an answer's weighs 1."""
OTHERS_SHARE = 0.15
"""Of the prompt's tokens, how many are predicted: each costs a product with the whole head."""
RESPONSE_FORMAT = "## Response Format:\n\nYou MUST strictly adhere to the following schema to reply:\n"
"""DeepSeek's words before a schema."""


@dataclass(frozen=True)
class Batch:
    """ids [B, T], and what counts how much: weights [B, T] of predicting each token."""

    ids: Tensor
    weights: Tensor
    next_seed: int
    """Where the next group of samples begins."""

    @property
    def tokens(self) -> int:
        """Without padding."""
        return int((self.ids != PAD).sum())


def prompt_text(instruction: str, schema: Mapping[str, Any], text: str) -> str:
    """A request in DeepSeek V4's layout, as far as the answer's first character."""
    asked = RESPONSE_FORMAT + compact(fields_of(schema))
    system = "\n\n".join(part for part in (instruction, asked) if part)
    return f"<｜begin▁of▁sentence｜>{system}<｜User｜>{text}<｜Assistant｜></think>"


class Batches:
    """Endless, from a seed on."""

    def __init__(self, vocabulary: Path, tokens: int) -> None:
        """`tokens` in a batch, padding included."""
        self._tokenizer = Tokenizer.from_file(str(vocabulary))
        self._tokens = tokens

    def encoded(self, drawn: Sample) -> tuple[list[int], int]:
        """Token ids, and how many of them are the prompt's."""
        prompt = self._tokenizer.encode(prompt_text(drawn.instruction, drawn.schema, drawn.text)).ids
        return [*prompt, *self._tokenizer.encode(drawn.answer_text).ids, END], len(prompt)

    def since(self, seed: int, longest: int, draw: Callable[[int], Sample] = sample) -> Iterator[Batch]:
        """One group of samples, those of at most `longest` tokens, in batches."""
        coded = [self.encoded(draw(number)) for number in range(seed, seed + DRAWN_AT_ONCE)]
        coded = sorted((each for each in coded if len(each[0]) <= longest), key=lambda each: len(each[0]))
        random = torch.Generator().manual_seed(seed)
        batches = []
        while coded:
            width = -(-len(coded[-1][0]) // MULTIPLE) * MULTIPLE
            count = max(1, self._tokens // width)
            batches.append(self._batch(coded[-count:], width, seed + DRAWN_AT_ONCE, random))
            del coded[-count:]
        order = torch.randperm(len(batches), generator=random).tolist()
        yield from (batches[number] for number in order)

    def _batch(
        self, coded: list[tuple[list[int], int]], width: int, next_seed: int, random: torch.Generator
    ) -> Batch:
        ids = torch.full((len(coded), width), PAD)
        weights = torch.zeros(len(coded), width)
        for row, (each, prompt) in enumerate(coded):
            ids[row, : len(each)] = torch.tensor(each)
            weights[row, 1:prompt] = OTHERS * (torch.rand(prompt - 1, generator=random) < OTHERS_SHARE)
            weights[row, prompt : len(each)] = 1.0
        return Batch(ids, weights, next_seed)
