"""The names of tensors: DeepSeek's own, and transformers' for the same ones.

We ask for tensors by their official names. A checkpoint that transformers wrote has other names, or official
ones behind `model.`; its experts may be fused, `gate_up_proj` [E, 2 I, D] and `down_proj` [E, D, I].
"""

import re
from collections.abc import Collection
from enum import StrEnum

_TOP = {
    "embed.weight": "model.embed_tokens.weight",
    "head.weight": "lm_head.weight",
    "norm.weight": "model.norm.weight",
    "hc_head_fn": "model.hc_head.hc_fn",
    "hc_head_base": "model.hc_head.hc_base",
    "hc_head_scale": "model.hc_head.hc_scale",
}
_IN_LAYER = {
    "attn_norm.": "input_layernorm.",
    "ffn_norm.": "post_attention_layernorm.",
    "hc_attn_": "attn_hc.",
    "hc_ffn_": "ffn_hc.",
    "attn.attn_sink": "self_attn.sinks",
    "attn.wq_a.": "self_attn.q_a_proj.",
    "attn.wq_b.": "self_attn.q_b_proj.",
    "attn.wkv.": "self_attn.kv_proj.",
    "attn.wo_a.": "self_attn.o_a_proj.",
    "attn.wo_b.": "self_attn.o_b_proj.",
    "attn.q_norm.": "self_attn.q_a_norm.",
    "attn.kv_norm.": "self_attn.kv_norm.",
    "attn.indexer.weights_proj.": "self_attn.compressor.indexer.scorer.weights_proj.",
    "attn.indexer.wq_b.": "self_attn.compressor.indexer.q_b_proj.",
    "attn.indexer.compressor.wkv.": "self_attn.compressor.indexer.kv_proj.",
    "attn.indexer.compressor.wgate.": "self_attn.compressor.indexer.gate_proj.",
    "attn.indexer.compressor.ape": "self_attn.compressor.indexer.position_bias",
    "attn.indexer.compressor.norm.": "self_attn.compressor.indexer.kv_norm.",
    "attn.compressor.wkv.": "self_attn.compressor.kv_proj.",
    "attn.compressor.wgate.": "self_attn.compressor.gate_proj.",
    "attn.compressor.ape": "self_attn.compressor.position_bias",
    "attn.compressor.norm.": "self_attn.compressor.kv_norm.",
    "ffn.gate.bias": "mlp.gate.e_score_correction_bias",
    "ffn.gate.": "mlp.gate.",
    "ffn.shared_experts.w1.": "mlp.shared_experts.gate_proj.",
    "ffn.shared_experts.w2.": "mlp.shared_experts.down_proj.",
    "ffn.shared_experts.w3.": "mlp.shared_experts.up_proj.",
}
_LAYER = re.compile(r"layers\.(\d+)\.(.+)")
_EXPERT = re.compile(r"layers\.(\d+)\.ffn\.experts\.(\d+)\.(w[123])\.weight")

MTP_NAMES = tuple(
    f"mtp.0.{part}"
    for part in (
        "e_proj.", "h_proj.", "enorm.", "hnorm.", "norm.", "hc_head_", "hc_attn_", "hc_ffn_",
        "attn_norm.", "ffn_norm.", "attn.", "ffn.",
    )
)  # fmt: skip
"""How names of an MTP block begin; DSpark has others, and more stages."""


class Naming(StrEnum):
    """Who named a checkpoint's tensors."""

    OFFICIAL = "official"
    PREFIXED = "official behind model."
    TRANSFORMERS = "transformers"


def naming_of(names: "set[str]") -> Naming | None:
    """How a checkpoint with these tensors is named; None where it is in no way that is known."""
    if "embed.weight" in names:
        return Naming.OFFICIAL
    if "model.embed_tokens.weight" in names:
        return Naming.TRANSFORMERS
    return Naming.PREFIXED if "model.embed.weight" in names else None


def name_in(naming: Naming, official: str) -> str:
    """What an official name is called there; a fused expert has none, see `fused_expert`."""
    if naming is Naming.OFFICIAL:
        return official
    if naming is Naming.PREFIXED:
        name = official.replace(".attn.kv_norm.", ".attn.norm.")
        return name if name.startswith(("head.", "mtp.")) else f"model.{name}"
    if official in _TOP:
        return _TOP[official]
    layer = _LAYER.fullmatch(official)
    if layer is None:
        return official
    number, rest = layer.groups()
    for ours, theirs in _IN_LAYER.items():
        if rest.startswith(ours):
            return f"model.layers.{number}.{theirs}{rest.removeprefix(ours)}"
    return f"model.{official}"


def fused_expert(official: str) -> tuple[str, int, str] | None:
    """The fused tensor that holds an expert's matrix, the expert's number, and which matrix it is."""
    expert = _EXPERT.fullmatch(official)
    if expert is None:
        return None
    layer, number, which = expert.groups()
    leaf = "down_proj" if which == "w2" else "gate_up_proj"
    return f"model.layers.{layer}.mlp.experts.{leaf}", int(number), which


def drafts_among(names: Collection[str]) -> tuple[bool, str]:
    """Whether these `mtp.*` tensors are an MTP block, whole or in part, and what is to be said of drafts."""
    if not names:
        return False, "no mtp.* tensors; it runs without drafts"
    has_projections = "mtp.0.e_proj.weight" in names and "mtp.0.h_proj.weight" in names
    is_one = all(name.startswith("mtp.0.") for name in names)
    if is_one and (has_projections or all(name.startswith(MTP_NAMES) for name in names)):
        return True, "an MTP block; it drafts one token"
    return (
        False,
        f"{len(names)} mtp.* tensors are of another draft module (DSpark), such as {min(names)}; left out",
    )
