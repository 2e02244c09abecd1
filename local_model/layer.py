"""One layer: attention, then experts, each between hyper-connections and behind a norm."""

from dataclasses import dataclass

from torch import Tensor

from local_model.attention import Attention
from local_model.cache import LayerState
from local_model.hyper_connections import HyperConnection, expand
from local_model.moe import Moe
from local_model.norms import rms_norm


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer; norms float32 [D]."""

    attn_norm: Tensor
    attention: Attention
    attn_hc: HyperConnection
    ffn_norm: Tensor
    moe: Moe
    ffn_hc: HyperConnection
    norm_eps: float

    def __call__(self, streams: Tensor, ids: Tensor, state: LayerState, start: int) -> Tensor:
        """Streams [T, n, D] of the tokens `ids` [T] from position `start` on; [T, n, D]."""
        x, post, mix = self.attn_hc(streams)
        out = self.attention(rms_norm(x, self.attn_norm, self.norm_eps), state, start)
        streams = expand(out, streams, post, mix)
        x, post, mix = self.ffn_hc(streams)
        return expand(self.moe(rms_norm(x, self.ffn_norm, self.norm_eps), ids), streams, post, mix)
