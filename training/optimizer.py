"""Muon for matrices (Jordan et al. 2024), Adam for the rest. One learning rate schedule scales both."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

MATRIX_RATE, OTHER_RATE = 0.05, 0.01
"""Of random tokens said twice, the loss after 150 steps was 0.34 at 0.02 and 0.003, and 0.002 at 0.06 and 0.01; these lie between."""
_A, _B, _C = 3.4445, -4.7750, 2.0315
"""Newton and Schulz's iteration: after five of them all singular values lie between 0.7 and 1.2."""


class Muon:
    """Momentum made orthogonal. Matrices may be stacked [..., out, in]."""

    def __init__(self, weights: Iterable[nn.Parameter], momentum: float = 0.95) -> None:
        self._weights = list(weights)
        self._momentum = momentum
        self.moments = [torch.zeros_like(weight) for weight in self._weights]

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Take a step and forget the gradients."""
        for weight, moment in zip(self._weights, self.moments, strict=True):
            if weight.grad is None:
                continue
            moment.lerp_(weight.grad, 1 - self._momentum)
            ahead = torch.lerp(weight.grad, moment, self._momentum)
            rows, columns = weight.shape[-2:]
            weight.add_(orthogonal(ahead), alpha=-rate * max(1.0, rows / columns) ** 0.5)
            weight.grad = None


def orthogonal(matrix: Tensor, iterations: int = 5) -> Tensor:
    """The nearest matrix [..., out, in] with equal singular values, roughly."""
    x: Tensor = matrix / (matrix.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    is_tall = matrix.shape[-2] > matrix.shape[-1]
    x = x.mT if is_tall else x
    for _ in range(iterations):
        square = x @ x.mT
        x = _A * x + (_B * square + _C * square @ square) @ x
    return x.mT if is_tall else x


class Optimizer:
    """Both, over all of a model's weights."""

    def __init__(self, model: nn.Module) -> None:
        named = list(model.named_parameters())
        is_matrix = {
            name: weight.dim() >= 2 and not name.endswith(("embed", "head", "fn", "gate", "ape"))
            for name, weight in named
        }
        self.muon = Muon(weight for name, weight in named if is_matrix[name])
        self.adam = torch.optim.Adam(
            [weight for name, weight in named if not is_matrix[name]],
            lr=OTHER_RATE,
            betas=(0.9, 0.95),
            eps=1e-10,
        )
        self._others = [weight for name, weight in named if not is_matrix[name]]

    def step(self, scale: float) -> None:
        """Take a step at `scale` times the rates, and forget the gradients."""
        torch.nn.utils.clip_grad_norm_(self._others, 1.0)
        for group in self.adam.param_groups:
            group["lr"] = OTHER_RATE * scale
        self.adam.step()
        self.adam.zero_grad(set_to_none=True)
        self.muon.step(MATRIX_RATE * scale)

    def state(self) -> dict[str, Any]:
        """What a resumed run needs."""
        return {"moments": self.muon.moments, "adam": self.adam.state_dict()}

    def resume(self, state: dict[str, Any]) -> None:
        """Take over what `state` said."""
        for mine, theirs in zip(self.muon.moments, state["moments"], strict=True):
            mine.copy_(theirs)
        self.adam.load_state_dict(state["adam"])
