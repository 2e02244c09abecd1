"""V4-nano as a checkpoint in DeepSeek's layout: config.json, model.safetensors and the vocabulary."""

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from local_model.config import V4Config, config_of
from training.model import V4

CONFIG: dict[str, Any] = {
    "model_type": "deepseek_v4", "architectures": ["DeepseekV4ForCausalLM"], "vocab_size": 4096, "bos_token_id": 0, "eos_token_id": 1,
    "hidden_size": 256, "num_hidden_layers": 5, "num_hash_layers": 1, "num_attention_heads": 4, "head_dim": 128,
    "qk_rope_head_dim": 32, "q_lora_rank": 96, "o_groups": 2, "o_lora_rank": 64, "sliding_window": 1024,
    "index_n_heads": 2, "index_head_dim": 64, "index_topk": 512, "rope_theta": 10000.0, "compress_rope_theta": 160000.0,
    "n_routed_experts": 12, "num_experts_per_tok": 2, "moe_intermediate_size": 128, "routed_scaling_factor": 1.5,
    "swiglu_limit": 10.0, "hc_mult": 4, "hc_sinkhorn_iters": 4, "hc_eps": 1e-6, "rms_norm_eps": 1e-6,
    "num_nextn_predict_layers": 0, "compress_rate_csa": 4, "compress_rate_hca": 128, "max_position_embeddings": 4096,
    "layer_types": ["sliding_attention", "compressed_sparse_attention", "sliding_attention", "heavily_compressed_attention", "sliding_attention"],
    "tie_word_embeddings": False,
}  # fmt: skip
"""llama.cpp wants four streams, an index of 64 elements and heads of another size."""


def config() -> V4Config:
    """V4-nano's dimensions."""
    return config_of(CONFIG)


def write(model: V4, vocabulary: Path, folder: Path) -> None:
    """Write `model` into `folder`, with the vocabulary's file beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(CONFIG, indent=1) + "\n")
    tensors = {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in model.official()}
    tensors = {
        name: tensor if tensor.is_floating_point() else tensor.to(torch.int64)
        for name, tensor in tensors.items()
    }
    save_file(tensors, folder / "model.safetensors")
    if vocabulary.parent != folder:
        shutil.copyfile(vocabulary, folder / "tokenizer.json")
