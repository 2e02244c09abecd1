"""Sixteen sequences through the native step, against what reading and computing take at the least."""

import ctypes
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import torch

from bench.decode_speed import Decoder, median_seconds
from bench.matrices import products
from local_model.footprint import past_elements_read
from local_model.native_build import instruction_sets
from local_model.packing import STEP, Kind

BATCH = 16
ROUNDS = 20
ELEMENT_BYTES = {Kind.F32: 4.0, Kind.BF16: 2.0, Kind.INT8: 1 + 4 / STEP[Kind.INT8]}


def batch_share(decoder: Decoder) -> float:
    """bound / time: the bound is the sum over matrices of max(bytes / read rate, operations / measured rate)."""
    model, native, config = decoder.model, decoder.native, decoder.model.config
    first = decoder.prefilled()
    states = [first, *(first.clone() for _ in range(BATCH - 1))]
    ids = torch.randint(0, config.vocab_size, (ROUNDS, BATCH), generator=torch.Generator().manual_seed(2))
    step_s = median_seconds(ROUNDS, lambda number: native.step(states, ids[number]))
    data = torch.ones(native.bytes_read(first.length) // 4)
    read_rate = data.nbytes / median_seconds(ROUNDS, lambda _: native.read(data))
    untouched = (1 - config.experts_per_token / config.experts) ** BATCH
    bound = BATCH * 4 * past_elements_read(config, first.length) / read_rate
    for matrix, share in products(model):
        weight = matrix.dense(torch.float32)
        is_float = weight.shape[0] == config.experts or weight.shape[1] == config.streams * config.hidden_size
        kind = Kind.F32 if is_float else decoder.kind
        read = weight.numel() * ELEMENT_BYTES[kind] * (1 if share == 1 else 1 - untouched)
        operations = 2 * weight.numel() * BATCH * share
        bound += max(read / read_rate, operations / operation_rate(kind, decoder.threads))
    return round(bound / step_s, 3)


@cache
def operation_rate(kind: Kind, threads: int) -> float:
    """Operations a second on registers alone, by as many threads and the same instruction set."""
    source = Path(__file__).with_name("operation_rate.cpp")
    with tempfile.TemporaryDirectory(prefix="steelyard-bench-") as scratch:
        built = Path(scratch) / "operation_rate.so"
        options = [*instruction_sets()[0].options, "-std=c++20", "-O3", "-shared", "-fPIC", "-pthread"]
        subprocess.run(["c++", *options, str(source), "-o", str(built)], check=True)  # noqa: S607  as the runtime finds it
        library = ctypes.CDLL(str(built))
        library.operations_a_second.restype = ctypes.c_double
        rate: float = library.operations_a_second(int(kind), threads)
    return rate
