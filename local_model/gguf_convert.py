"""A V4 checkpoint as one GGUF file, which llama.cpp runs.

What would kill llama.cpp's process, or be silently wrong in it, is refused first.
"""

import json
from pathlib import Path

import torch

from local_model.checkpoint import Checkpoint
from local_model.config import LayerKind, V4Config, read_config
from local_model.errors import WeightsError
from local_model.gguf_file import BLOCK, GgufType, Show, write_gguf
from local_model.gguf_keys import model_keys
from local_model.gguf_tensors import gguf_tensors
from local_model.gguf_tokens import token_keys
from local_model.names import drafts_among

TYPES = {
    "f32": GgufType.F32,
    "f16": GgufType.F16,
    "q8_0": GgufType.Q8_0,
    "mxfp4": GgufType.MXFP4,
}
INDEX_STEP = 64
STREAMS = 4


def convert_to_gguf(
    folder: Path,
    out: Path,
    kind: GgufType = GgufType.F16,
    *,
    pre: str | None = None,
    show: Show = lambda *_: None,
) -> str:
    """Write `out`, and return a sentence about what is in it. Memory: about that of the largest tensor.

    Raises WeightsError for what cannot be converted, with the key or tensor, and OSError.
    """
    config = read_config(folder)
    refuse_what_llama_cpp_cannot(config, kind, folder / "config.json")
    source = Checkpoint(folder, "cpu", torch.float32)
    mtp, _ = drafts_among(source.beginning("mtp."))
    keys = model_keys(config, _context_length(folder), folder.resolve().name, mtp=mtp)
    keys |= token_keys(folder, config.vocab_size, pre)
    tensors = gguf_tensors(source, config, kind, mtp=mtp)
    write_gguf(out, keys, tensors, show)
    drafts = "with its MTP block" if mtp else "without drafts"
    size = out.stat().st_size / 1e9
    return f"{out}: {len(tensors)} tensors, {size:.3f} GB, {drafts}"


def refuse_what_llama_cpp_cannot(config: V4Config, kind: GgufType, path: Path) -> None:
    """Raise WeightsError, with the key of the config.json at `path`, for what llama.cpp does not survive or know.

    Each was tried with the wheel xllamacpp 2026.10.11549: most end its process without an exception.
    """
    for is_wrong, sentence in (
        (config.engram is not None, "engram is a memory that llama.cpp does not have"),
        (LayerKind.CSA not in config.layers, "llama.cpp wants at least one CSA layer (compress_ratios: 4)"),
        (LayerKind.CSA in config.layers and config.csa_ratio != 4,
         f"CSA layers compress {config.csa_ratio} tokens to one; llama.cpp knows 4"),
        (LayerKind.HCA in config.layers and config.hca_ratio != 128,
         f"HCA layers compress {config.hca_ratio} tokens to one; llama.cpp knows 128"),
        (config.head_dim == config.index_head_dim,
         f"head_dim and index_head_dim are both {config.head_dim}; llama.cpp wants two different ones"),
        (config.index_head_dim % INDEX_STEP,
         f"index_head_dim is {config.index_head_dim}; llama.cpp wants a multiple of {INDEX_STEP}"),
        (config.head_dim % 2, f"head_dim is {config.head_dim}; llama.cpp wants an even one"),
        (config.streams != STREAMS, f"hc_mult is {config.streams}; llama.cpp knows {STREAMS}"),
        (config.swiglu_limit == 0, "swiglu_limit is 0, which means no limit to llama.cpp"),
    ):  # fmt: skip
        if is_wrong:
            raise WeightsError(f"{path}: {sentence}")
    block, _ = BLOCK[kind]
    for key, size in (
        ("hidden_size", config.hidden_size),
        ("q_lora_rank", config.q_lora_rank),
        ("moe_intermediate_size", config.expert_size),
        ("num_attention_heads * head_dim / o_groups", config.heads * config.head_dim // config.o_groups),
        ("o_groups * o_lora_rank", config.o_groups * config.o_lora_rank),
    ):
        if size % block:
            raise WeightsError(
                f"{path}: {key} is {size}, and {kind.name.lower()} wants rows of a multiple of {block}; take --type f16"
            )


def _context_length(folder: Path) -> int:
    said = json.loads((folder / "config.json").read_bytes()).get("max_position_embeddings")
    return said if isinstance(said, int) and said > 0 else 1_048_576
