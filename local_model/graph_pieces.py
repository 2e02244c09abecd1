"""The pieces of a decode step with static shapes: one token of each of B sequences, nothing that asks the host.

Plain torch, for any device. Everything that depends on a sequence's length depends on `positions`
alone, a tensor: rows that a token must not see are masked.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from local_model.compressor import Compressor
from local_model.config import V4Config
from local_model.graph_state import Folded, LayerBuffers
from local_model.graph_weights import LayerWeights, Stack
from local_model.hyper_connections import HyperConnection, HyperHead, expand
from local_model.indexer import Indexer
from local_model.layer import Layer
from local_model.norms import rms_norm, unit_norm
from local_model.rotary import rotate

Angles = tuple[Tensor, Tensor]


@dataclass(frozen=True, slots=True)
class Part:
    """Outputs [S, B, D] to be added up by `share` [B, S]; without one, all of them."""

    out: Tensor
    share: Tensor | None = None


class TorchPieces:
    """Each piece in torch's own operations."""

    def __init__(self, config: V4Config) -> None:
        self._config = config

    # hyper-connections

    def join(self, parts: Sequence[Part], streams: Tensor, post: Tensor, mix: Tensor) -> Tensor:
        """The streams after a sub-layer that gave `parts`."""
        out = sum((_summed(part) for part in parts[1:]), _summed(parts[0]))
        return expand(out.to(streams.dtype), streams, post, mix)

    def weigh(self, streams: Tensor, hyper: HyperConnection, norm: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The sub-layer's input [B, D] behind its norm, and post and C for the streams afterwards."""
        x, post, mix = hyper(streams)
        return rms_norm(x, norm, hyper.norm_eps), post, mix

    def collapse(self, streams: Tensor, hyper: HyperHead, norm: Tensor) -> Tensor:
        """The head's input [B, D]."""
        return rms_norm(hyper(streams), norm, hyper.norm_eps)

    # products

    def product(self, x: Tensor, stacks: Sequence[Stack], dtype: torch.dtype, groups: int = 1) -> Tensor:
        """`x` [B, groups in] by the first matrix of each of `stacks`, outputs side by side; by groups of rows."""
        first = torch.zeros(1, dtype=torch.int64, device=x.device)
        parts = []
        for stack in stacks:
            weight = stack.dense(first, x.dtype)[0].view(groups, -1, stack.width)
            out = torch.bmm(x.view(x.shape[0], groups, -1).transpose(0, 1), weight.transpose(1, 2))
            parts.append(out.transpose(0, 1).flatten(1))
        return torch.cat(parts, dim=-1).to(dtype)

    # attention

    def take_in(
        self, said: Tensor, positions: Tensor, angles: Angles, weights: LayerWeights, buffers: LayerBuffers
    ) -> Tensor:
        """Write the rings from the first products `said` [B, ...]; the queries' latent [B, q_lora_rank]."""
        attention, eps = weights.layer.attention, self._config.norm_eps
        pieces = torch.split(said, list(weights.widths), dim=-1)
        _write(buffers.window, positions, rotate(rms_norm(pieces[1], attention.kv_norm, eps), angles))
        for folded, projected in zip((buffers.compressor, buffers.indexer), pieces[2:4], strict=False):
            if folded is not None:
                _write(folded.tail, positions, projected)
        return rms_norm(pieces[0], attention.q_norm, eps)

    def close(self, folded: Folded, compressor: Compressor, positions: Tensor, angles: Angles) -> None:
        """Write the row of the window that each token is in: it counts once the window is whole."""
        ratio, ring = folded.ratio, folded.tail.shape[1]
        window = positions // ratio
        back = torch.arange(ratio - folded.span, ratio, device=positions.device)
        asked = window[:, None] * ratio + back
        rows = folded.tail.gather(1, (asked % ring)[..., None].expand(-1, -1, folded.tail.shape[2]))
        values, gates = rows.chunk(2, dim=-1)
        gates = gates + compressor.ape.repeat(folded.span // ratio, 1)
        if compressor.overlaps:
            values, gates = _halves(values, ratio), _halves(gates, ratio)
        is_there = (asked >= 0)[..., None]
        values, gates = values.where(is_there, 0), gates.masked_fill(~is_there, -torch.inf)
        shares = gates.softmax(dim=1, dtype=torch.float32).to(values.dtype)
        row = rms_norm((values * shares).sum(1), compressor.norm, compressor.norm_eps)
        _write(folded.rows, window, rotate(row, angles))

    def choose(
        self,
        indexer: Indexer,
        queries: Tensor,
        weights: Tensor,
        keys: Tensor,
        positions: Tensor,
        angles: Angles,
    ) -> Tensor:
        """The rows [B, topk], ascending, that the indexer takes of `keys` [B, n, d]; of equals the lowest."""
        count, width = positions.shape[0], keys.shape[2]
        queries = rotate(queries.view(count, indexer.heads, width), angles).float()
        scores = torch.relu(torch.matmul(queries, keys.float().transpose(1, 2))) * width**-0.5
        total = (scores * (weights.float() * indexer.heads**-0.5)[..., None]).sum(1)
        rows = torch.arange(keys.shape[1], device=keys.device)
        visible = (positions + 1) // indexer.compressor.ratio
        total = total.masked_fill(rows >= visible[:, None], -torch.inf)
        bound = total.topk(indexer.topk, dim=-1).values[:, -1:]
        above, equal = total > bound, total == bound
        taken = above | (equal & (equal.cumsum(-1) <= indexer.topk - above.sum(-1, keepdim=True)))
        # Each taken row's place among the taken; all others meet in one place more, which is cut off.
        places = (taken.cumsum(-1) - 1).where(taken, indexer.topk)
        chosen = positions.new_zeros(count, indexer.topk + 1)
        return chosen.scatter_(1, places, rows.expand(count, -1))[:, :-1]

    def attend(
        self,
        queries: Tensor,
        positions: Tensor,
        angles: Angles,
        weights: LayerWeights,
        buffers: LayerBuffers,
        seen_tokens: int,
        chosen: Tensor | None,
    ) -> Tensor:
        """[B, H d], turned back. Of compressed rows those of `seen_tokens` tokens are looked at, or the `chosen`."""
        config, count = self._config, positions.shape[0]
        queries = queries.view(count, config.heads, config.head_dim)
        queries = rotate(unit_norm(queries, config.norm_eps), angles).float() * config.head_dim**-0.5
        ring = buffers.window.shape[1]
        slots = torch.arange(ring, device=positions.device)
        age = (positions[:, None] - slots) % ring
        is_seen = (age < config.window) & (age <= positions[:, None])
        rows = buffers.window
        if buffers.compressor is not None:
            folded = buffers.compressor
            far = folded.rows[:, : seen_tokens // folded.ratio]
            numbers = torch.arange(far.shape[1], device=positions.device).expand(count, -1)
            if chosen is not None:
                numbers = chosen
                far = far.gather(1, chosen[..., None].expand(-1, -1, far.shape[2]))
            is_seen = torch.cat((is_seen, numbers < ((positions + 1) // folded.ratio)[:, None]), dim=1)
            rows = torch.cat((rows, far), dim=1)
        wide = rows.float()
        logits = torch.matmul(queries, wide.transpose(1, 2)).masked_fill(~is_seen[:, None], -torch.inf)
        sinks = weights.layer.attention.sinks[None, :, None].expand(count, -1, 1)
        shares = torch.cat((logits, sinks), dim=-1).softmax(-1)[..., :-1]
        out = torch.matmul(shares, wide).to(buffers.window.dtype)
        return rotate(out, angles, back=True).flatten(1)

    # experts

    def route(self, logits: Tensor, ids: Tensor, layer: Layer) -> tuple[Tensor, Tensor]:
        """Experts [S] and each token's share of them [B, S], from the gate's products [B, E]."""
        moe = layer.moe
        scores = functional.softplus(logits).sqrt()
        if moe.table is not None:
            chosen = moe.table[ids]
        else:
            biased = scores if moe.bias is None else scores + moe.bias
            # Of equals the lowest, as everywhere: a stable sort keeps them in order.
            chosen = biased.sort(dim=-1, descending=True, stable=True).indices[:, : moe.per_token]
        shares = scores.gather(1, chosen)
        shares = shares / (shares.sum(-1, keepdim=True) + 1e-20) * moe.scaling
        if ids.shape[0] == 1:
            return chosen[0], shares
        dense = torch.zeros_like(scores).scatter_add_(1, chosen, shares)
        return torch.arange(scores.shape[1], device=ids.device), dense

    def experts(
        self,
        x: Tensor,
        stacks: tuple[Stack, Stack, Stack],
        numbers: Tensor,
        share: Tensor | None,
        limit: float,
    ) -> Part:
        """What the experts `numbers` [S] say of `x` [B, D]; where a share is 0 it need not be right."""
        w1, w3, w2 = (stack.dense(numbers, x.dtype).transpose(1, 2) for stack in stacks)
        wide = x.expand(numbers.shape[0], -1, -1)
        gate = torch.bmm(wide, w1).clamp(max=limit)
        up = torch.bmm(wide, w3).clamp(-limit, limit)
        return Part(torch.bmm(functional.silu(gate) * up, w2), share)


def _summed(part: Part) -> Tensor:
    if part.share is None:
        return part.out.sum(0)
    return (part.out.float() * part.share.T[..., None]).sum(0)


def _write(buffer: Tensor, positions: Tensor, rows: Tensor) -> None:
    """`rows` [B, width] into `buffer` [B, R, width], each at its position modulo R."""
    places = (positions % buffer.shape[1])[:, None, None].expand(-1, 1, buffer.shape[2])
    buffer.scatter_(1, places, rows.to(buffer.dtype)[:, None])


def _halves(both: Tensor, ratio: int) -> Tensor:
    """[B, 2 ratio, 2 d] to [B, 2 ratio, d]: of the window before the first half, of this one the second."""
    first, second = both.chunk(2, dim=-1)
    return torch.cat((first[:, :ratio], second[:, ratio:]), dim=1)
