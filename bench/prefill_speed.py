"""A prompt through the native step and through the torch reference, beside the same matrix products alone."""

import statistics
import time

import torch

from bench.decode_speed import Decoder
from bench.matrices import products
from local_model.cache import SequenceState

LENGTH = 512
ROUNDS = 7


def prefill_shares(decoder: Decoder) -> tuple[float, float]:
    """The median time of torch's products alone by that of the native step, and of the reference; in turns."""
    model, native = decoder.model, decoder.native
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
    times: list[list[float]] = [[], [], []]
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for weight, count in weights:
            torch.mm(inputs[count, weight.shape[1], weight.dtype], weight.t())
        alone = time.perf_counter()
        native.forward(ids)
        natively = time.perf_counter()
        model.forward(ids, SequenceState.empty(config))
        for each, took in zip(
            times, (alone - began, natively - alone, time.perf_counter() - natively), strict=True
        ):
            each.append(took)
    alone_s, native_s, reference_s = map(statistics.median, times)
    return round(alone_s / native_s, 3), round(alone_s / reference_s, 3)
