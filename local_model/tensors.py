"""Every tensor of a V4 model, by official name: its shape, and how a released checkpoint stores it.

Source: facts of DeepSeek's published weights; `tests/local_model/test_v4_tensors.py` holds this against what the loader asks for.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from local_model.config import LayerKind, V4Config


class Storage(StrEnum):
    """How a released checkpoint stores a tensor."""

    FP8 = "FP8"
    """e4m3 with a scale for every block of 128 x 128: attention's matrices and shared experts."""
    EXPERT = "expert"
    """A routed expert's: FP4 with a scale for every 32 of a row, or FP8, as config.json says."""
    BF16 = "BF16"
    """Embedding, head, router, compressors."""
    F32 = "F32"
    """Norms, biases, sinks, hyper-connections."""
    ID = "I64"
    """Experts by token id."""


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One tensor."""

    name: str
    """Official."""
    shape: tuple[int, ...]
    storage: Storage

    @property
    def count(self) -> int:
        """Elements."""
        count = 1
        for size in self.shape:
            count *= size
        return count


def tensors_of(config: V4Config, *, mtp: bool = False) -> Iterator[TensorSpec]:
    """All tensors of a model, layer by layer; `mtp`: with the MTP block. Engram's are not among them."""
    width, streams = config.hidden_size, config.streams
    yield TensorSpec("embed.weight", (config.vocab_size, width), Storage.BF16)
    for number, kind in enumerate(config.layers):
        yield from layer_tensors(config, f"layers.{number}.", kind, is_hashed=number < config.hash_layers)
    if mtp:
        yield from layer_tensors(config, "mtp.0.", LayerKind.WINDOW, is_hashed=False)
        for name in ("e_proj", "h_proj"):
            yield TensorSpec(f"mtp.0.{name}.weight", (width, width), Storage.FP8)
        for name in ("enorm", "hnorm", "norm"):
            yield TensorSpec(f"mtp.0.{name}.weight", (width,), Storage.F32)
        yield from _hyper_head("mtp.0.", streams, width)
    yield from _hyper_head("", streams, width)
    yield TensorSpec("norm.weight", (width,), Storage.F32)
    yield TensorSpec("head.weight", (config.vocab_size, width), Storage.BF16)


def layer_tensors(config: V4Config, at: str, kind: LayerKind, *, is_hashed: bool) -> Iterator[TensorSpec]:
    """The tensors of one layer, whose names begin with `at`."""
    width, streams = config.hidden_size, config.streams
    yield TensorSpec(f"{at}attn_norm.weight", (width,), Storage.F32)
    yield from _attention(config, f"{at}attn.", kind)
    yield TensorSpec(f"{at}ffn_norm.weight", (width,), Storage.F32)
    yield from _moe(config, f"{at}ffn.", is_hashed=is_hashed)
    rows = (2 + streams) * streams
    for part in ("attn", "ffn"):
        yield TensorSpec(f"{at}hc_{part}_fn", (rows, streams * width), Storage.F32)
        yield TensorSpec(f"{at}hc_{part}_base", (rows,), Storage.F32)
        yield TensorSpec(f"{at}hc_{part}_scale", (3,), Storage.F32)


def expert_tensors(config: V4Config, at: str, storage: Storage) -> Iterator[TensorSpec]:
    """The three matrices of one expert."""
    size, width = config.expert_size, config.hidden_size
    for name, shape in (("w1", (size, width)), ("w2", (width, size)), ("w3", (size, width))):
        yield TensorSpec(f"{at}{name}.weight", shape, storage)


def _attention(config: V4Config, at: str, kind: LayerKind) -> Iterator[TensorSpec]:
    width, head, rank = config.hidden_size, config.head_dim, config.q_lora_rank
    queries, ranks = config.heads * head, config.o_groups * config.o_lora_rank
    yield TensorSpec(f"{at}wq_a.weight", (rank, width), Storage.FP8)
    yield TensorSpec(f"{at}q_norm.weight", (rank,), Storage.F32)
    yield TensorSpec(f"{at}wq_b.weight", (queries, rank), Storage.FP8)
    yield TensorSpec(f"{at}wkv.weight", (head, width), Storage.FP8)
    yield TensorSpec(f"{at}kv_norm.weight", (head,), Storage.F32)
    yield TensorSpec(f"{at}attn_sink", (config.heads,), Storage.F32)
    yield TensorSpec(f"{at}wo_a.weight", (ranks, queries // config.o_groups), Storage.FP8)
    yield TensorSpec(f"{at}wo_b.weight", (width, ranks), Storage.FP8)
    if kind is LayerKind.HCA:
        yield from _compressor(config, f"{at}compressor.", head, head, config.hca_ratio)
    elif kind is LayerKind.CSA:
        narrow = config.index_head_dim
        yield from _compressor(config, f"{at}compressor.", head, 2 * head, config.csa_ratio)
        yield TensorSpec(f"{at}indexer.wq_b.weight", (config.index_heads * narrow, rank), Storage.FP8)
        yield TensorSpec(f"{at}indexer.weights_proj.weight", (config.index_heads, width), Storage.BF16)
        yield from _compressor(config, f"{at}indexer.compressor.", narrow, 2 * narrow, config.csa_ratio)


def _compressor(config: V4Config, at: str, head: int, wide: int, ratio: int) -> Iterator[TensorSpec]:
    yield TensorSpec(f"{at}wkv.weight", (wide, config.hidden_size), Storage.BF16)
    yield TensorSpec(f"{at}wgate.weight", (wide, config.hidden_size), Storage.BF16)
    yield TensorSpec(f"{at}ape", (ratio, wide), Storage.F32)
    yield TensorSpec(f"{at}norm.weight", (head,), Storage.F32)


def _moe(config: V4Config, at: str, *, is_hashed: bool) -> Iterator[TensorSpec]:
    yield TensorSpec(f"{at}gate.weight", (config.experts, config.hidden_size), Storage.BF16)
    if is_hashed:
        yield TensorSpec(f"{at}gate.tid2eid", (config.vocab_size, config.experts_per_token), Storage.ID)
    else:
        yield TensorSpec(f"{at}gate.bias", (config.experts,), Storage.F32)
    for number in range(config.experts):
        yield from expert_tensors(config, f"{at}experts.{number}.", Storage.EXPERT)
    yield from expert_tensors(config, f"{at}shared_experts.", Storage.FP8)


def _hyper_head(at: str, streams: int, width: int) -> Iterator[TensorSpec]:
    yield TensorSpec(f"{at}hc_head_fn", (streams, streams * width), Storage.F32)
    yield TensorSpec(f"{at}hc_head_base", (streams,), Storage.F32)
    yield TensorSpec(f"{at}hc_head_scale", (1,), Storage.F32)
