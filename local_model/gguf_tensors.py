"""A V4 checkpoint's tensors as llama.cpp's architecture `deepseek4` calls them and wants them.

The experts of a layer are one tensor [E, out, in]. What routes, mixes or scales stays float32. An MTP block is one more
layer, after the others; its own head of streams has no name there and is left out, so that drafts may be worse.
"""

from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor

from local_model.checkpoint import Checkpoint
from local_model.config import V4Config
from local_model.gguf_blocks import encoded, floats, integers
from local_model.gguf_file import GgufTensor, GgufType
from local_model.quantization import Plain
from local_model.tensors import Storage, TensorSpec, tensors_of

_TOP = {
    "embed.weight": "token_embd.weight",
    "norm.weight": "output_norm.weight",
    "head.weight": "output.weight",
}
_IN_LAYER = {
    "attn.attn_sink": "attn_sinks",
    "attn.wq_a": "attn_q_a",
    "attn.wq_b": "attn_q_b",
    "attn.q_norm": "attn_q_a_norm",
    "attn.wkv": "attn_kv",
    "attn.kv_norm": "attn_kv_a_norm",
    "attn.wo_a": "attn_output_a",
    "attn.wo_b": "attn_output_b",
    "attn.indexer.wq_b": "indexer.attn_q_b",
    "attn.indexer.weights_proj": "indexer.proj",
    "ffn.gate.bias": "exp_probs_b.bias",
    "ffn.gate.tid2eid": "ffn_gate_tid2eid",
    "ffn.gate": "ffn_gate_inp",
    "ffn.shared_experts.w1": "ffn_gate_shexp",
    "ffn.shared_experts.w2": "ffn_down_shexp",
    "ffn.shared_experts.w3": "ffn_up_shexp",
    "enorm": "nextn.enorm",
    "hnorm": "nextn.hnorm",
    "norm": "nextn.shared_head_norm",
}
_COMPRESSOR = {"attn.compressor": "attn_compressor", "attn.indexer.compressor": "indexer_compressor"}
_STACKED = {"w1": "ffn_gate_exps", "w2": "ffn_down_exps", "w3": "ffn_up_exps"}
_STAYS_FLOAT = ("ffn.gate.weight", "indexer.weights_proj.weight")


def gguf_tensors(source: Checkpoint, config: V4Config, kind: GgufType, *, mtp: bool) -> list[GgufTensor]:
    """All tensors, matrices as `kind`; where that is MXFP4, the routed experts, and Q8_0 the others."""
    found = []
    for spec in tensors_of(config, mtp=mtp):
        if spec.storage is Storage.EXPERT:
            if ".experts.0." in spec.name:
                found.append(_stacked(source, config, spec, kind))
        elif spec.name == "mtp.0.e_proj.weight":
            found.append(_projections(source, config, spec, _dense_type(kind)))
        elif spec.name != "mtp.0.h_proj.weight" and not spec.name.startswith("mtp.0.hc_head_"):
            found.append(_single(source, config, spec, _dense_type(kind)))
    return found


def gguf_name(official: str, layers: int) -> str:
    """What a tensor that is no routed expert's is called there."""
    if official in _TOP:
        return _TOP[official]
    if official.startswith("hc_head_"):
        return f"output_{official}".replace("_hc_head_", "_hc_") + ".weight"
    at, rest = _place(official, layers)
    inner = rest.removesuffix(".weight")
    for ours, theirs in _COMPRESSOR.items():
        if inner.startswith(f"{ours}."):
            leaf = inner.removeprefix(f"{ours}.").removeprefix("w")
            return f"{at}.{theirs}_{leaf}.weight"
    name = _IN_LAYER.get(inner, inner)
    return f"{at}.{name}" if name.endswith(".bias") else f"{at}.{name}.weight"


def _place(official: str, layers: int) -> tuple[str, str]:
    """`blk.N`, and the rest of the name."""
    first, number, rest = official.split(".", 2)
    return f"blk.{layers if first == 'mtp' else number}", rest


def _dense_type(kind: GgufType) -> GgufType:
    return GgufType.Q8_0 if kind is GgufType.MXFP4 else kind


def _single(source: Checkpoint, config: V4Config, spec: TensorSpec, kind: GgufType) -> GgufTensor:
    name = gguf_name(spec.name, len(config.layers))
    if spec.storage is Storage.ID:
        return GgufTensor(name, spec.shape, GgufType.I32, partial(_integers, source, spec))
    if spec.storage is Storage.F32 or spec.name.endswith(_STAYS_FLOAT):
        return GgufTensor(name, spec.shape, GgufType.F32, partial(_floats, source, spec))
    return GgufTensor(name, spec.shape, kind, partial(_matrix, source, spec, kind))


def _stacked(source: Checkpoint, config: V4Config, spec: TensorSpec, kind: GgufType) -> GgufTensor:
    at, _ = _place(spec.name, len(config.layers))
    before, after = spec.name.split(".experts.0.")
    names = [f"{before}.experts.{number}.{after}" for number in range(config.experts)]

    def parts() -> Iterator[bytes]:
        for name in names:
            yield encoded(source.matrix(name, *spec.shape), kind)

    name = f"{at}.{_STACKED[after.removesuffix('.weight')]}.weight"
    return GgufTensor(name, (config.experts, *spec.shape), kind, parts)


def _projections(source: Checkpoint, config: V4Config, spec: TensorSpec, kind: GgufType) -> GgufTensor:
    """An MTP block's two projections side by side."""
    at, _ = _place(spec.name, len(config.layers))

    def parts() -> Iterator[bytes]:
        both = [_dense(source, f"mtp.0.{name}.weight", spec.shape) for name in ("e_proj", "h_proj")]
        yield encoded(Plain(torch.cat(both, 1)), kind)

    return GgufTensor(f"{at}.nextn.eh_proj.weight", (spec.shape[0], 2 * spec.shape[1]), kind, parts)


def _dense(source: Checkpoint, name: str, shape: tuple[int, ...]) -> Tensor:
    return source.matrix(name, shape[0], shape[1]).dense(torch.float32)


def _matrix(source: Checkpoint, spec: TensorSpec, kind: GgufType) -> Iterator[bytes]:
    yield encoded(source.matrix(spec.name, spec.shape[0], spec.shape[1]), kind)


def _floats(source: Checkpoint, spec: TensorSpec) -> Iterator[bytes]:
    yield floats(
        _dense(source, spec.name, spec.shape)
        if spec.name.endswith(_STAYS_FLOAT)
        else source.vector(spec.name, *spec.shape)
    )


def _integers(source: Checkpoint, spec: TensorSpec) -> Iterator[bytes]:
    yield integers(source.table(spec.name, *spec.shape))
