"""A prompt through the torch reference, beside the same matrix products alone."""

import statistics
import time

import torch

from bench.matrices import products
from local_model.cache import SequenceState
from local_model.model import V4Model

LENGTH = 512
ROUNDS = 7


def prefill_share(model: V4Model) -> float:
    """The median time of the products alone by that of the whole, alternating."""
    config = model.config
    ids = torch.randint(0, config.vocab_size, (LENGTH,), generator=torch.Generator().manual_seed(1))
    weights = [
        (matrix.dense(getattr(matrix, "weight", model.embed).dtype), round(LENGTH * share))
        for matrix, share in products(model)
    ]
    inputs = {
        (count, weight.shape[1], weight.dtype): torch.randn(count, weight.shape[1]).to(weight.dtype)
        for weight, count in weights
    }
    wholes, alone = [], []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        model.forward(ids, SequenceState.empty(config))
        between = time.perf_counter()
        for weight, count in weights:
            torch.mm(inputs[count, weight.shape[1], weight.dtype], weight.t())
        alone.append(time.perf_counter() - between)
        wholes.append(between - began)
    return round(statistics.median(alone) / statistics.median(wholes), 3)
