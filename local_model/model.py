"""DeepSeek V4, whole: embedding, layers of attention and experts between hyper-connections, head.

    X = repeat(embed[id], n)                       n residual streams
    each layer:  X <- HC(attention), X <- HC(experts); before some of them Engram's memory, where there is one
    logits = head(norm(hyper_head(X)))

Source: DeepSeek V4's report and inference code. Readable reference, in eager torch; one sequence at a time,
unpadded, since a padded token would enter a compressor's window.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from local_model.cache import SequenceState
from local_model.config import V4Config
from local_model.engram import Engram
from local_model.engram_lookup import Recalled
from local_model.errors import CacheError
from local_model.hyper_connections import HyperHead
from local_model.layer import Layer
from local_model.mtp import Mtp
from local_model.norms import rms_norm
from local_model.quantization import Matrix

CHUNK = 512
"""Tokens that go through the layers at once. Cut at multiples of it, so that bits do not depend on the caller's cuts."""


@dataclass(frozen=True, slots=True)
class V4Model:
    """A model that is loaded. `embed` [vocabulary, D], `norm` [D]."""

    config: V4Config
    embed: Tensor
    layers: tuple[Layer, ...]
    hyper_head: HyperHead
    norm: Tensor
    head: Matrix
    engram: Engram | None = None
    mtp: Mtp | None = None
    about_drafts: str = ""
    """A sentence from loading: whether this model drafts, and if not, why."""
    rounds_as_reference: bool = False
    """Whether rows and the index are rounded as in DeepSeek's inference code."""

    @property
    def has_drafts(self) -> bool:
        """Whether `draft` can be asked."""
        return self.mtp is not None

    def forward(self, ids: Tensor, cache: SequenceState | None = None) -> tuple[Tensor, SequenceState]:
        """Take the tokens `ids` LongTensor [T] behind those that `cache` holds.

        Returns logits FloatTensor [T, vocabulary] and the state for the next call, which is `cache` itself, grown.
        Raises ValueError for ids that are no tokens, CacheError for a state in which an earlier pass failed
        half-way, WeightsError where a row of an Engram table cannot be read.
        """
        return self.forward_batch([(ids, cache)])[0]

    def forward_batch(
        self, batch: Sequence[tuple[Tensor, SequenceState | None]]
    ) -> list[tuple[Tensor, SequenceState]]:
        """`forward` for many sequences of unequal lengths, each with the very bits that it gets alone."""
        check_distinct([cache for _, cache in batch if cache is not None])
        begun = [self._begun(ids, cache) for ids, cache in batch]
        with torch.no_grad():
            asked = [self._ask(each.read[:1]) for each in begun]
            return [(self._finished(*each), each[0].state) for each in zip(begun, asked, strict=True)]

    def empty_state(self) -> SequenceState:
        """The state before the first token, with the drafts' part where there are drafts."""
        return SequenceState.empty(self.config, drafts=int(self.has_drafts))

    def draft(self, token: int, state: SequenceState) -> Tensor:
        """Logits [vocabulary] for what follows `token`, which itself follows all that `state` holds.

        A guess by the MTP block; `state` stays as it is. Raises CacheError where nothing can be drafted from.
        """
        if self.mtp is None:
            raise CacheError("nothing can be drafted: the checkpoint has no MTP block")
        state.check()
        ids = torch.tensor([token])
        check_ids(ids, self.config.vocab_size)
        ids = ids.to(self.embed.device)
        with torch.no_grad():
            return self.head(self.mtp.guess(self.embed[ids], ids, state)).float()[0]

    def _begun(self, ids: Tensor, cache: SequenceState | None) -> "_Begun":
        check_ids(ids, self.config.vocab_size)
        state = cache if cache is not None else self.empty_state()
        state.check()
        pieces = chunks(ids.to(self.embed.device), state.length)
        return _Begun(state, pieces, self.engram.lookup.read_ids(pieces, state) if self.engram else [])

    def _finished(self, begun: "_Begun", asked: Recalled) -> Tensor:
        """All of a sequence's pieces; the rows of the first one are `asked` for."""
        state, pieces, read = begun
        state.is_whole = False
        logits: list[Tensor] = []
        for number, piece in enumerate(pieces):
            ahead = self._ask(read[number + 1 : number + 2])
            logits.append(self._chunk(piece, state, asked))
            asked = ahead
            if self.engram is not None:
                self.engram.lookup.note(read[number], state)
        state.is_whole = True
        return torch.cat(logits)

    def _ask(self, read: Sequence[Tensor]) -> Recalled:
        return self.engram.lookup.ask(read) if self.engram is not None and read else {}

    def _chunk(self, ids: Tensor, state: SequenceState, asked: Recalled) -> Tensor:
        streams = self.embed[ids][:, None].expand(-1, self.config.streams, -1)
        for number, (layer, layer_state) in enumerate(zip(self.layers, state.layers, strict=True)):
            if self.engram is not None and number in asked:
                streams = self.engram.layers[number](streams, asked[number].result())
            streams = layer(streams, ids, layer_state, state.length)
        if self.mtp is not None and state.drafts:
            self.mtp.take(self.embed[ids], streams, state)
        state.advance(ids.shape[0])
        return self.head(rms_norm(self.hyper_head(streams), self.norm, self.config.norm_eps)).float()


class _Begun(NamedTuple):
    """A sequence's pieces, and what an Engram memory, where there is one, reads of each."""

    state: SequenceState
    pieces: list[Tensor]
    read: list[Tensor]


def check_distinct(states: Sequence[SequenceState]) -> None:
    """Raise ValueError if a state is there twice."""
    if len(set(map(id, states))) != len(states):
        raise ValueError("one state is given twice: each sequence of a batch needs its own, a clone perhaps")


def check_ids(ids: Tensor, vocab_size: int) -> None:
    """Raise ValueError if `ids` are no tokens [T]."""
    if ids.dim() != 1 or not ids.shape[0] or ids.dtype not in (torch.int64, torch.int32):
        raise ValueError(f"ids must be whole numbers [T], T >= 1, not {ids.dtype} {list(ids.shape)}")
    least, most = int(ids.min()), int(ids.max())
    if least < 0 or most >= vocab_size:
        wrong = least if least < 0 else most
        raise ValueError(f"token {wrong} is not in the vocabulary of {vocab_size}")


def chunks(ids: Tensor, start: int) -> list[Tensor]:
    """Cut `ids`, the first of which is at position `start`, at the multiples of `CHUNK`."""
    first = min(CHUNK - start % CHUNK, ids.shape[0])
    cuts = [*range(first, ids.shape[0], CHUNK)]
    return list(torch.tensor_split(ids, cuts))
