"""Random V4 checkpoints in DeepSeek's own layout, of any dimensions."""

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from local_model.quantization import FP4_BLOCK, FP4_VALUES, FP8_BLOCK

Config = dict[str, object]
SMALL: Mapping[str, object] = {
    "model_type": "deepseek_v4", "architectures": ["DeepseekV4ForCausalLM"], "vocab_size": 96,
    "hidden_size": 64, "num_hidden_layers": 3, "num_hash_layers": 1, "num_attention_heads": 4, "head_dim": 32,
    "qk_rope_head_dim": 8, "q_lora_rank": 24, "o_groups": 2, "o_lora_rank": 16, "sliding_window": 8,
    "index_n_heads": 2, "index_head_dim": 16, "index_topk": 4, "rope_theta": 10000, "compress_rope_theta": 160000.0,
    "n_routed_experts": 6, "num_experts_per_tok": 2, "moe_intermediate_size": 32, "routed_scaling_factor": 1.5,
    "swiglu_limit": 2.0, "hc_mult": 4, "hc_sinkhorn_iters": 20, "hc_eps": 1e-6, "rms_norm_eps": 1e-6,
    "num_nextn_predict_layers": 0, "compress_rate_csa": 4, "compress_rate_hca": 16, "max_position_embeddings": 4096,
    "layer_types": ["sliding_attention", "compressed_sparse_attention", "heavily_compressed_attention"],
}  # fmt: skip
"""A configuration to begin with."""


def write_checkpoint(
    folder: Path,
    config: Config,
    seed: int,
    *,
    table: torch.dtype = torch.int64,
    quantized: str | None = None,
    mtp: bool = False,
) -> dict[str, Tensor]:
    """Write config.json and model.safetensors; `quantized`: how experts lie, fp8 or fp4, beside FP8 matrices;
    `mtp`: with an MTP block.

    Returns the float32 weights that the file means, by official names.
    """
    folder.mkdir(parents=True, exist_ok=True)
    random = torch.Generator().manual_seed(seed)
    meant = {name: _values(name, shape, config, random) for name, shape in shapes(config, mtp=mtp).items()}
    stored: dict[str, Tensor] = {}
    for name, values in meant.items():
        if name.endswith("tid2eid"):
            stored[name] = values.to(table)
        elif quantized and is_quantized(name):
            is_expert = ".experts." in name
            packed, scale, meant[name] = (
                to_fp4(values) if is_expert and quantized == "fp4" else to_fp8(values)
            )
            stored[name], stored[name.removesuffix("weight") + "scale"] = packed, scale
        else:
            stored[name] = values
    said = dict(config)
    if quantized:
        said["expert_dtype"] = quantized
        said["quantization_config"] = {
            "activation_scheme": "dynamic", "fmt": "e4m3", "quant_method": "fp8", "scale_fmt": "ue8m0",
            "weight_block_size": [FP8_BLOCK, FP8_BLOCK],
        }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(said, indent=1))
    save_file({name: tensor.contiguous() for name, tensor in stored.items()}, folder / "model.safetensors")
    return meant


def spelled_out(said: Config) -> Config:
    """A configuration as DeepSeek publishes it, with the kinds of layers by name, and without drafts."""
    ratios, count = said["compress_ratios"], said["num_hidden_layers"]
    assert isinstance(ratios, list)
    assert isinstance(count, int)
    kinds = {0: "sliding_attention", 4: "compressed_sparse_attention", 128: "heavily_compressed_attention"}
    kept = {key: value for key, value in said.items() if key != "compress_ratios"}
    return kept | {
        "layer_types": [kinds[ratio] for ratio in ratios[:count]],
        "num_nextn_predict_layers": 0,
        "compress_rate_csa": 4,
        "compress_rate_hca": 128,
    }


def shapes(config: Config, *, mtp: bool = False) -> dict[str, tuple[int, ...]]:
    """Every tensor's shape, by official name."""
    n = {key: value for key, value in config.items() if isinstance(value, int)}
    width, streams = n["hidden_size"], n["hc_mult"]
    found: dict[str, tuple[int, ...]] = {
        "embed.weight": (n["vocab_size"], width),
        "head.weight": (n["vocab_size"], width),
        "norm.weight": (width,),
        "hc_head_fn": (streams, streams * width),
        "hc_head_base": (streams,),
        "hc_head_scale": (1,),
    }
    kinds = config["layer_types"]
    assert isinstance(kinds, list)
    for number, kind in enumerate(kinds):
        layer = _layer(n, str(kind), is_hashed=number < n["num_hash_layers"])
        found |= {f"layers.{number}.{name}": shape for name, shape in layer.items()}
    if mtp:
        block = _layer(n, "sliding_attention", is_hashed=False)
        block |= {f"{name}.weight": (width, width) for name in ("e_proj", "h_proj")}
        block |= {f"{name}.weight": (width,) for name in ("enorm", "hnorm", "norm")}
        block |= {name: shape for name, shape in found.items() if name.startswith("hc_head_")}
        found |= {f"mtp.0.{name}": shape for name, shape in block.items()}
    return found


def _layer(n: Mapping[str, int], kind: str, *, is_hashed: bool) -> dict[str, tuple[int, ...]]:
    width, head, heads, streams = n["hidden_size"], n["head_dim"], n["num_attention_heads"], n["hc_mult"]
    ranks = n["o_groups"] * n["o_lora_rank"]
    found: dict[str, tuple[int, ...]] = {
        "attn_norm.weight": (width,),
        "ffn_norm.weight": (width,),
        "attn.wq_a.weight": (n["q_lora_rank"], width),
        "attn.q_norm.weight": (n["q_lora_rank"],),
        "attn.wq_b.weight": (heads * head, n["q_lora_rank"]),
        "attn.wkv.weight": (head, width),
        "attn.kv_norm.weight": (head,),
        "attn.attn_sink": (heads,),
        "attn.wo_a.weight": (ranks, heads * head // n["o_groups"]),
        "attn.wo_b.weight": (width, ranks),
        "ffn.gate.weight": (n["n_routed_experts"], width),
    }
    if is_hashed:
        found["ffn.gate.tid2eid"] = (n["vocab_size"], n["num_experts_per_tok"])
    else:
        found["ffn.gate.bias"] = (n["n_routed_experts"],)
    for part in ("attn", "ffn"):
        rows = (2 + streams) * streams
        found |= {
            f"hc_{part}_fn": (rows, streams * width),
            f"hc_{part}_base": (rows,),
            f"hc_{part}_scale": (3,),
        }
    experts = ["shared_experts", *(f"experts.{number}" for number in range(n["n_routed_experts"]))]
    for expert in experts:
        size = n["moe_intermediate_size"]
        found |= {f"ffn.{expert}.{w}.weight": (size, width) for w in ("w1", "w3")}
        found[f"ffn.{expert}.w2.weight"] = (width, size)
    if kind == "heavily_compressed_attention":
        found |= _compressor("attn.compressor.", n, head, head, n["compress_rate_hca"])
    elif kind == "compressed_sparse_attention":
        narrow = n["index_head_dim"]
        found |= _compressor("attn.compressor.", n, head, 2 * head, n["compress_rate_csa"])
        found |= _compressor("attn.indexer.compressor.", n, narrow, 2 * narrow, n["compress_rate_csa"])
        found["attn.indexer.wq_b.weight"] = (n["index_n_heads"] * narrow, n["q_lora_rank"])
        found["attn.indexer.weights_proj.weight"] = (n["index_n_heads"], width)
    return found


def _compressor(
    at: str, n: Mapping[str, int], head: int, wide: int, ratio: int
) -> dict[str, tuple[int, ...]]:
    return {
        f"{at}wkv.weight": (wide, n["hidden_size"]),
        f"{at}wgate.weight": (wide, n["hidden_size"]),
        f"{at}ape": (ratio, wide),
        f"{at}norm.weight": (head,),
    }


def _values(name: str, shape: tuple[int, ...], config: Config, random: torch.Generator) -> Tensor:
    """Weights under which every part matters: no zero bias, no scale of one."""
    if name.endswith("tid2eid"):
        experts = config["n_routed_experts"]
        assert isinstance(experts, int)
        return torch.stack([torch.randperm(experts, generator=random)[: shape[1]] for _ in range(shape[0])])
    values = torch.randn(shape, generator=random)
    if "norm.weight" in name:
        return 1 + 0.2 * values
    if name.endswith("scale"):
        return 1 + 0.3 * values
    if name.endswith(("base", "ape", "attn_sink", "bias")):
        return 0.5 * values
    if len(shape) == 1:
        return values
    sizes = torch.linspace(0.5, 2, shape[0])[:, None] * torch.linspace(
        0.5, 2, shape[1]
    )  # no two blocks alike
    scaled: Tensor = values * sizes / (1.3 * shape[1] ** 0.5)
    return scaled


def is_quantized(name: str) -> bool:
    """Whether a released checkpoint has this matrix in FP8 or FP4."""
    leaf = name.split(".")[-2] if name.endswith(".weight") else ""
    return leaf in {"wq_a", "wq_b", "wo_a", "wo_b", "w1", "w2", "w3"} or name.endswith("attn.wkv.weight")


def to_fp8(values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """e4m3 and ue8m0 scales in blocks of 128 x 128, and what they mean; ragged blocks at the ends."""
    rows, columns = values.shape
    scale = torch.empty(-(-rows // FP8_BLOCK), -(-columns // FP8_BLOCK))
    weight, meant = torch.empty_like(values, dtype=torch.float8_e4m3fn), torch.empty_like(values)
    for i in range(scale.shape[0]):
        for j in range(scale.shape[1]):
            at = (slice(i * FP8_BLOCK, (i + 1) * FP8_BLOCK), slice(j * FP8_BLOCK, (j + 1) * FP8_BLOCK))
            scale[i, j] = 2.0 ** torch.ceil(torch.log2(values[at].abs().max() / 448))
            weight[at] = (values[at] / scale[i, j]).to(torch.float8_e4m3fn)
            meant[at] = weight[at].float() * scale[i, j]
    return weight, scale.to(torch.float8_e8m0fnu), meant


def to_fp4(values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Packed e2m1, the low nibble first, ue8m0 scales for every 32 of a row, and what they mean."""
    blocks = values.view(values.shape[0], -1, FP4_BLOCK)
    scale = 2.0 ** torch.ceil(torch.log2(blocks.abs().amax(-1, keepdim=True) / 6))
    grid = torch.tensor(FP4_VALUES)
    nibbles = ((blocks / scale)[..., None] - grid).abs().argmin(-1)
    meant = (grid[nibbles] * scale).flatten(1)
    flat = nibbles.flatten(1).to(torch.uint8)
    packed = (flat[:, 0::2] | (flat[:, 1::2] << 4)).view(torch.int8)
    return packed, scale[..., 0].to(torch.float8_e8m0fnu), meant
