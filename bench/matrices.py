"""The matrices that a pass multiplies by, and by how many of its tokens."""

from collections.abc import Iterator

from local_model.model import V4Model
from local_model.quantization import Matrix, Plain

Product = tuple[Matrix, float]
"""A matrix, and the share of a pass's tokens that are multiplied by it."""


def products(model: V4Model) -> Iterator[Product]:
    """Layer by layer; of routed experts, as many tokens as come if all are asked for evenly."""
    config = model.config
    share = config.experts_per_token / config.experts
    for layer in model.layers:
        attention = layer.attention
        for matrix in (attention.wq_a, attention.wq_b, attention.wkv, attention.wo_b, layer.moe.gate):
            yield matrix, 1.0
        wo_a = attention.wo_a
        assert isinstance(wo_a, Plain)
        for group in wo_a.weight.chunk(config.o_groups):
            yield Plain(group), 1.0
        compressors = [attention.compressor, attention.indexer.compressor if attention.indexer else None]
        for compressor in compressors:
            if compressor is not None:
                yield compressor.wkv, 1.0
                yield compressor.wgate, 1.0
        if attention.indexer:
            yield attention.indexer.wq_b, 1.0
            yield attention.indexer.weights_proj, 1.0
        for expert in layer.moe.experts:
            yield from ((matrix, share) for matrix in (expert.w1, expert.w3, expert.w2))
        shared = layer.moe.shared
        yield from ((matrix, 1.0) for matrix in (shared.w1, shared.w3, shared.w2))
        for hyper in (layer.attn_hc, layer.ffn_hc):
            yield Plain(hyper.fn), 1.0
    yield model.head, 1.0
