"""V4's attention: one shared row as key and value for all heads, a window, compressed rows, a sink a head.

    qr = norm(x Wq_a);  q = unit_norm(qr Wq_b) by head;  kv = norm(x Wkv);  both rotated
    rows = the window's kv (the token itself and `window - 1` before), then the compressed rows it may see
    o = sum softmax([q.rows / sqrt(d), sink]) rows, the sink's value being 0;  o rotated back
    y = Wo_b concat_g(Wo_a_g o_g)

Source: DeepSeek V4's report and inference code. There is no MLA here: no up-projection of keys or values.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from local_model.cache import LayerState
from local_model.compressor import Compressor
from local_model.config import V4Config
from local_model.indexer import Indexer
from local_model.norms import rms_norm, unit_norm
from local_model.quantization import Matrix
from local_model.rotary import Rotary, rotate

GATHERED_AT_ONCE = 1 << 23
"""Elements of gathered rows, or of scores, that are worked on at once."""


@dataclass(frozen=True, slots=True)
class Attention:
    """One layer's; `compressor` without `indexer` is HCA, with it CSA, without either the window alone."""

    config: V4Config
    wq_a: Matrix
    q_norm: Tensor
    wq_b: Matrix
    wkv: Matrix
    kv_norm: Tensor
    sinks: Tensor
    wo_a: Matrix
    """Block-diagonal: [groups o_lora_rank, H d / groups]."""
    wo_b: Matrix
    rotary: Rotary
    compressor: Compressor | None = None
    indexer: Indexer | None = None
    rounded: Callable[[Tensor], Tensor] | None = None
    """What is done to a row of the window, where the reference's rounding is asked for."""

    def __call__(self, x: Tensor, state: LayerState, start: int) -> Tensor:
        """Tokens `x` [T, D] from position `start` on; [T, D]. The state takes them."""
        config, tokens = self.config, x.shape[0]
        positions = torch.arange(start, start + tokens, device=x.device)
        angles = self.rotary.angles(positions)
        latent = rms_norm(self.wq_a(x), self.q_norm, config.norm_eps)
        queries = self.wq_b(latent).view(tokens, config.heads, config.head_dim)
        queries = rotate(unit_norm(queries, config.norm_eps), angles)
        window = state.window.with_new(self._row(x, angles), start - config.window + 1)
        compressed, chosen, is_seen = self._compressed(x, latent, angles, state, start)
        out = self._attend(queries, window, compressed, chosen, is_seen)
        out = rotate(out, angles, back=True).reshape(tokens, config.o_groups, -1)
        groups = self.wo_a.dense(out.dtype).view(config.o_groups, config.o_lora_rank, -1)
        out = torch.bmm(out.transpose(0, 1), groups.transpose(1, 2))  # [groups, T, o_lora_rank]
        return self.wo_b(out.transpose(0, 1).flatten(1))

    def take(self, x: Tensor, state: LayerState, start: int) -> None:
        """Give the state the window's rows of tokens `x` [T, D] whose output nobody asks for."""
        positions = torch.arange(start, start + x.shape[0], device=x.device)
        state.window.with_new(self._row(x, self.rotary.angles(positions)), start)

    def _row(self, x: Tensor, angles: tuple[Tensor, Tensor]) -> Tensor:
        row = rotate(rms_norm(self.wkv(x), self.kv_norm, self.config.norm_eps), angles)
        return row if self.rounded is None else self.rounded(row)

    def _compressed(
        self, x: Tensor, latent: Tensor, angles: tuple[Tensor, Tensor], state: LayerState, start: int
    ) -> tuple[Tensor, Tensor | None, Tensor]:
        """Finished rows [n, d]; which of them each token may see: their indices [T, k] (None: the first), bool [T, k]."""
        if self.compressor is None or state.compressor is None:
            return x.new_empty(0, self.config.head_dim), None, x.new_empty(x.shape[0], 0, dtype=torch.bool)
        rows = self.compressor(x, state.compressor, start)
        if self.indexer is not None and state.indexer is not None:
            chosen, is_seen = self.indexer(x, latent, angles, state.indexer, start)
            return rows, chosen if chosen.shape[1] < rows.shape[0] else None, is_seen
        visible = (torch.arange(start, start + x.shape[0], device=x.device) + 1) // self.compressor.ratio
        return rows, None, torch.arange(rows.shape[0], device=x.device) < visible[:, None]

    def _attend(
        self,
        queries: Tensor,
        window: Tensor,
        rows: Tensor,
        chosen: Tensor | None,
        is_seen: Tensor,
    ) -> Tensor:
        """[T, H, d]."""
        width, tokens = self.config.head_dim, queries.shape[0]
        window, picked = window.float(), rows.float()
        before = window.shape[0] - tokens  # rows of tokens before the first
        per_token = self.config.heads * (self.config.window + is_seen.shape[1])
        if chosen is not None:
            per_token = max(per_token, chosen.shape[1] * width)
        step = max(1, min(self.config.window, GATHERED_AT_ONCE // per_token))
        parts: list[Tensor] = []
        for at in range(0, tokens, step):
            part = slice(at, min(at + step, tokens))
            seen = slice(max(0, before + at - self.config.window + 1), before + part.stop)
            own = torch.arange(before + at, before + part.stop, device=window.device)[:, None]
            behind = torch.arange(seen.start, seen.stop, device=window.device)
            in_window = (behind <= own) & (behind > own - self.config.window)
            q = queries[part].float() * width**-0.5
            near = torch.matmul(q, window[seen].T)
            if chosen is not None:
                picked = rows[chosen[part]].float()  # [t, k, d]
            far = torch.matmul(q, picked.transpose(-2, -1))
            logits = torch.cat(
                (
                    near.masked_fill_(~in_window[:, None], -torch.inf),
                    far.masked_fill_(~is_seen[part, None], -torch.inf),
                    self.sinks.float()[None, :, None].expand(q.shape[0], -1, 1),
                ),
                dim=-1,
            )
            weights = logits.softmax(-1)
            near, far = weights[..., : behind.shape[0]], weights[..., behind.shape[0] : -1]
            parts.append(torch.matmul(near, window[seen]) + torch.matmul(far, picked))
        return torch.cat(parts).to(queries.dtype)
