"""What a GGUF file says of a V4 model: the keys of llama.cpp's architecture `deepseek4`.

Without some of them llama.cpp loads and is silently wrong (the rotary ones), without others its process dies.
"""

from local_model.config import V4Config
from local_model.gguf_file import Value

ARCHITECTURE = "deepseek4"
_SQRT_SOFTPLUS = 4
"""llama.cpp's number of the router's function."""


def model_keys(config: V4Config, context_length: int, name: str, *, mtp: bool) -> dict[str, Value]:
    """Keys and values; with an MTP block, one more layer than config.json has."""
    blocks = len(config.layers) + mtp
    ratios = [config.ratio(number) for number in range(len(config.layers))] + [0] * mtp
    said: dict[str, Value] = {
        "context_length": context_length,
        "embedding_length": config.hidden_size,
        "block_count": blocks,
        "vocab_size": config.vocab_size,
        "attention.head_count": config.heads,
        "attention.head_count_kv": 1,
        "attention.key_length": config.head_dim,
        "attention.value_length": config.head_dim,
        "attention.layer_norm_rms_epsilon": config.norm_eps,
        "attention.q_lora_rank": config.q_lora_rank,
        "attention.sliding_window": config.window,
        "attention.indexer.head_count": config.index_heads,
        "attention.indexer.key_length": config.index_head_dim,
        "attention.indexer.top_k": config.index_topk,
        "attention.output_group_count": config.o_groups,
        "attention.output_lora_rank": config.o_lora_rank,
        "attention.compress_ratios": ratios,
        "attention.compress_rope_freq_base": config.compress_rope_theta,
        "rope.freq_base": config.rope_theta,
        "rope.dimension_count": config.rope_dim,
        "hyper_connection.count": config.streams,
        "hyper_connection.sinkhorn_iterations": config.sinkhorn_iterations,
        "hyper_connection.epsilon": config.hc_eps,
        "hash_layer_count": config.hash_layers,
        "expert_count": config.experts,
        "expert_used_count": config.experts_per_token,
        "expert_shared_count": 1,
        "expert_feed_forward_length": config.expert_size,
        "expert_weights_scale": config.routed_scaling,
        "expert_weights_norm": True,
        "expert_gating_func": _SQRT_SOFTPLUS,
        "swiglu_clamp_exp": [config.swiglu_limit] * blocks,
        "swiglu_clamp_shexp": [config.swiglu_limit] * blocks,
    }
    if config.yarn is not None:
        said["rope.scaling.type"] = "yarn"
        said["rope.scaling.factor"] = config.yarn.factor
        said["rope.scaling.original_context_length"] = config.yarn.original
        said["rope.scaling.yarn_beta_fast"] = config.yarn.beta_fast
        said["rope.scaling.yarn_beta_slow"] = config.yarn.beta_slow
    if mtp:
        said["nextn_predict_layers"] = 1
    general: dict[str, Value] = {"general.architecture": ARCHITECTURE, "general.name": name}
    return general | {f"{ARCHITECTURE}.{key}": value for key, value in said.items()}
