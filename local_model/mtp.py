"""Multi-token prediction: one more block that guesses the token after the next.

    x = e_proj(enorm(embed[next id])) (on every stream) + h_proj(hnorm(X))     X: the streams behind the last layer
    guess = head(norm(hyper_head(block(x))))                                   embedding and head are the model's

At position p it needs the token at p + 1, so its state is one token behind the model's. Of earlier positions it
needs their window's rows alone: `take` makes those without the rest of the block.

Source: DeepSeek V4's report and inference code.
"""

from dataclasses import dataclass

from torch import Tensor

from local_model.cache import SequenceState
from local_model.errors import CacheError
from local_model.hyper_connections import HyperHead
from local_model.layer import Layer
from local_model.norms import rms_norm
from local_model.quantization import Matrix


@dataclass(frozen=True, slots=True)
class Mtp:
    """e_proj and h_proj [D, D]; norms [D]; a block that sees its window alone."""

    e_proj: Matrix
    h_proj: Matrix
    enorm: Tensor
    hnorm: Tensor
    block: Layer
    hyper_head: HyperHead
    norm: Tensor

    def take(self, embedded: Tensor, streams: Tensor, state: SequenceState) -> None:
        """The model has taken tokens: their embeddings [T, D] and last streams [T, n, D]. Call before `advance`."""
        first = max(state.length - 1, 0)
        seen = state.streams.with_new(streams.flatten(1), first).view(-1, *streams.shape[1:])[:-1]
        if seen.shape[0]:
            x, _, _ = self.block.attn_hc(self._mixed(embedded[-seen.shape[0] :], seen))
            x = rms_norm(x, self.block.attn_norm, self.block.norm_eps)
            self.block.attention.take(x, state.drafts[0], first)

    def guess(self, embedded: Tensor, ids: Tensor, state: SequenceState) -> Tensor:
        """What the head is given, [1, D], where `ids` [1], embedded [1, D], came next. The state stays as it is.

        Raises CacheError where it has no streams to go on from.
        """
        kept = state.streams.kept
        if kept is None or not state.length or state.streams.end != state.length:
            why = "was made without drafts; compute it anew" if state.length else "is empty"
            raise CacheError(f"nothing can be drafted: the state {why}")
        last = kept[-1].view(1, self.block.attn_hc.streams, -1)
        position = state.length - 1
        # On a copy: the tail would lose its oldest row, which a cut may still want.
        streams = self.block(self._mixed(embedded, last), ids, state.drafts[0].clone(), position)
        return rms_norm(self.hyper_head(streams), self.norm, self.block.norm_eps)

    def _mixed(self, embedded: Tensor, streams: Tensor) -> Tensor:
        eps = self.block.norm_eps
        told = self.e_proj(rms_norm(embedded, self.enorm, eps))
        before = self.h_proj(rms_norm(streams, self.hnorm, eps).flatten(0, 1))
        return told[:, None] + before.view(streams.shape)
