"""Which rows of an Engram memory's tables some tokens read, and where those come from.

That depends on the tokens alone, so rows are asked for before the first layer begins, and those of a long prompt's
next piece before this one is computed.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import accumulate
from typing import TypeAlias

import torch
from torch import Tensor

from local_model.cache import SequenceState
from local_model.engram_config import EngramConfig
from local_model.engram_hash import EngramHash
from local_model.engram_rows import RowSource

Recalled: TypeAlias = "Mapping[int, Future[Tensor]]"
"""What was asked for, by layer: rows uint8 [tokens, columns, bytes]."""


@dataclass(frozen=True, slots=True)
class EngramLookup:
    """Of all layers that have a memory: `token_map` int64 [vocabulary] gives compressed ids."""

    config: EngramConfig
    token_map: Tensor
    hashes: Mapping[int, EngramHash]
    rows: Mapping[int, RowSource]

    def read_ids(self, pieces: Sequence[Tensor], state: SequenceState) -> list[Tensor]:
        """The compressed ids that the n-grams of pieces [T] behind `state` are made of: of each [N - 1 + T]."""
        before = self.config.ngram - 1
        kept = state.lookback.kept
        new = self.token_map[torch.cat(tuple(pieces))]
        seen = new[:0] if kept is None else kept[max(0, kept.shape[0] - before) :, 0]
        pad = self.token_map[self.config.pad_id].expand(before - seen.shape[0])
        whole = torch.cat((pad, seen, new))
        ends = accumulate(piece.shape[0] for piece in pieces)
        return [whole[end - piece.shape[0] : end + before] for piece, end in zip(pieces, ends, strict=True)]

    def ask(self, read: Sequence[Tensor]) -> Recalled:
        """Begin to fetch the rows of some pieces' tokens, one piece behind the other; each as `read_ids` gives it."""
        grams = [ids.unfold(0, self.config.ngram, 1) for ids in read]
        newest_first = torch.cat(grams).flip(1)
        return {
            number: rows.ask(self.hashes[number](newest_first).cpu()) for number, rows in self.rows.items()
        }

    def note(self, read: Tensor, state: SequenceState) -> None:
        """Keep, of a piece as `read_ids` gives it, what the next ones look back on."""
        state.lookback.with_new(read[self.config.ngram - 1 :, None], state.lookback.end)

    @property
    def is_awaited(self) -> bool:
        """Whether rows take time to come."""
        return any(rows.is_awaited for rows in self.rows.values())

    @property
    def about(self) -> str:
        """A sentence on where the rows are and what memory they take."""
        sources = ", ".join(f"layer {number} {rows.about}" for number, rows in self.rows.items())
        return f"Engram: {sources}"
