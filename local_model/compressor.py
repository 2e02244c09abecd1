"""Compressors: one row for every `ratio` tokens, a softmax-gated sum of projections, per channel.

HCA: `K_w = norm(sum_j softmax_j(Z_j + ape_j) * C_j)` over the `ratio` tokens of window w, turned to position
`w * ratio`. CSA overlaps: its projections are twice as wide, and row w sums the first half of window w - 1
and the second half of window w; before the first window there is nothing (gate -inf).

Source: DeepSeek V4's report, sections on CSA and HCA; inference code.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from local_model.cache import CompressorState
from local_model.norms import rms_norm
from local_model.quantization import Matrix
from local_model.rotary import Rotary, rotate


@dataclass(frozen=True, slots=True)
class Compressor:
    """wkv and wgate [c, D], ape [ratio, c], norm [d]; c = d, or 2 d where it overlaps."""

    wkv: Matrix
    wgate: Matrix
    ape: Tensor
    norm: Tensor
    ratio: int
    norm_eps: float
    rotary: Rotary
    rounded: Callable[[Tensor], Tensor] | None = None
    """What is done to a finished row, where the reference's rounding is asked for."""

    @property
    def overlaps(self) -> bool:
        """Whether a row is made of two windows."""
        return self.ape.shape[1] == 2 * self.norm.shape[0]

    def __call__(self, x: Tensor, state: CompressorState, start: int) -> Tensor:
        """Take tokens `x` [T, D] from position `start` on; return all finished rows [n, d]."""
        projected = torch.cat((self.wkv(x), self.wgate(x)), dim=-1)
        done, due = state.rows.count, (start + x.shape[0]) // self.ratio
        first = (done - self.overlaps) * self.ratio
        seen = state.tail.with_new(projected, max(first, 0))
        if due > done:
            state.rows.append(self._close(seen, done, due))
        rows = state.rows.whole()
        return x.new_empty(0, self.norm.shape[0]) if rows is None else rows

    def _close(self, seen: Tensor, done: int, due: int) -> Tensor:
        """Rows `done` to `due`; `seen` begins with the first window that they need."""
        windows = due - max(done - self.overlaps, 0)
        seen = seen[: windows * self.ratio].view(windows, self.ratio, -1)
        values, gates = seen.chunk(2, dim=-1)
        gates = gates + self.ape
        if self.overlaps:
            values, gates = self._overlapped(values, 0.0, done), self._overlapped(gates, -torch.inf, done)
        weights = gates.softmax(dim=1, dtype=torch.float32).to(values.dtype)
        rows = rms_norm((values * weights).sum(1), self.norm, self.norm_eps)
        positions = torch.arange(done, due, device=rows.device) * self.ratio
        rows = rotate(rows, self.rotary.angles(positions))
        return rows if self.rounded is None else self.rounded(rows)

    def _overlapped(self, windows: Tensor, before: float, done: int) -> Tensor:
        """[n, ratio, 2 d] to [rows, 2 ratio, d]: the first half of the window before, the second of this one."""
        first, second = windows.chunk(2, dim=-1)
        if done:
            return torch.cat((first[:-1], second[1:]), dim=1)
        nothing = torch.full_like(first[:1], before)
        return torch.cat((torch.cat((nothing, first[:-1])), second), dim=1)
