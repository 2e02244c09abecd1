"""What a V4 model weighs: bytes of weights by kind, of a sequence's past, and what one token reads of both.

Computed from the configuration alone, as a released checkpoint stores tensors; no torch, no weights.
"""

from dataclasses import dataclass

from local_model.config import ExpertDtype, LayerKind, V4Config
from local_model.tensors import Storage, TensorSpec, tensors_of

FP8_BLOCK, FP4_BLOCK = 128, 32
BF16_BYTES = 2


@dataclass(frozen=True, slots=True)
class Footprint:
    """Bytes of weights, with the MTP block if there is one, and elements."""

    by_storage: dict[str, int]
    """FP8, FP4, BF16, F32, I64: what lies on disk, scales included."""
    expert_bytes: int
    """Of routed experts."""
    embedding_bytes: int
    """Looked up in, not read."""
    parameters: int
    active_parameters: int
    """Of one token: without the embedding, and only the experts that it is sent to."""
    active_expert_bytes: int
    """Of routed experts, read for one token."""

    @property
    def total_bytes(self) -> int:
        """All weights."""
        return sum(self.by_storage.values())

    @property
    def dense_bytes(self) -> int:
        """All but the routed experts: what every token reads, and the embedding."""
        return self.total_bytes - self.expert_bytes

    @property
    def active_dense_bytes(self) -> int:
        """What every token reads."""
        return self.dense_bytes - self.embedding_bytes


def footprint_of(config: V4Config, *, mtp: bool = False) -> Footprint:
    """Of a checkpoint as DeepSeek releases it, quantised if the configuration says so."""
    by_storage: dict[str, int] = {}
    experts = embedding = parameters = active = active_experts = 0
    share = config.experts_per_token / config.experts
    for spec in tensors_of(config, mtp=mtp):
        word, size = _stored(spec, config)
        by_storage[word] = by_storage.get(word, 0) + size
        if spec.storage is Storage.ID:
            continue
        parameters += spec.count
        is_draft = spec.name.startswith("mtp.")
        if spec.storage is Storage.EXPERT:
            experts += size
            if not is_draft:
                active += round(spec.count * share)
                active_experts += round(size * share)
        elif spec.name == "embed.weight":
            embedding = size
        elif not is_draft:
            active += spec.count
    return Footprint(by_storage, experts, embedding, parameters, active, active_experts)


def bytes_per_token(config: V4Config, element_bytes: int) -> float:
    """What a long sequence grows by: compressed and indexer rows; windows and tails do not grow."""
    grown = 0.0
    for kind in config.layers:
        if kind is LayerKind.CSA:
            grown += (config.head_dim + config.index_head_dim) / config.csa_ratio
        elif kind is LayerKind.HCA:
            grown += config.head_dim / config.hca_ratio
    return grown * element_bytes


def state_bytes(config: V4Config, tokens: int, element_bytes: int = BF16_BYTES) -> int:
    """A sequence's whole state behind so many tokens: what grows, its windows, and what waits to be compressed."""
    fixed = 0
    for kind in config.layers:
        fixed += (config.window - 1) * config.head_dim
        if kind is LayerKind.HCA:
            fixed += (config.hca_ratio - 1) * 2 * config.head_dim
        elif kind is LayerKind.CSA:
            fixed += (2 * config.csa_ratio - 1) * 4 * (config.head_dim + config.index_head_dim)
    return round(tokens * bytes_per_token(config, element_bytes)) + fixed * element_bytes


def past_elements_read(config: V4Config, tokens: int) -> int:
    """Elements of the past that a decode step behind so many tokens reads: windows, chosen rows, the index."""
    elements = 0
    for kind in config.layers:
        elements += min(tokens, config.window) * config.head_dim
        if kind is LayerKind.HCA:
            elements += tokens // config.hca_ratio * config.head_dim
        elif kind is LayerKind.CSA:
            finished = tokens // config.csa_ratio
            elements += min(finished, config.index_topk) * config.head_dim
            if finished > config.index_topk:
                elements += finished * config.index_head_dim
    return elements


def _stored(spec: TensorSpec, config: V4Config) -> tuple[str, int]:
    """How a tensor lies on disk, and its bytes, scales included."""
    storage = spec.storage
    if storage is Storage.F32:
        return "F32", 4 * spec.count
    if storage is Storage.ID:
        return "I64", 8 * spec.count
    if storage is Storage.BF16 or not config.is_quantized:
        return "BF16", BF16_BYTES * spec.count
    rows, width = spec.shape
    if storage is Storage.EXPERT and config.expert_dtype is ExpertDtype.FP4:
        return "FP4", rows * width // 2 + rows * (width // FP4_BLOCK)
    return "FP8", spec.count + -(-rows // FP8_BLOCK) * -(-width // FP8_BLOCK)
