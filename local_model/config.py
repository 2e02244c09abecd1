"""The dimensions of a DeepSeek V4 model, read from the `config.json` beside its weights.

Official keys and those that transformers writes are both read. A key that is not known is refused by
name, unless it is one of `MEANINGLESS`: what a runtime does with a key it does not know is guessing.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from local_model.config_reader import Reader
from local_model.engram_config import EngramConfig, read_engram
from local_model.errors import ConfigError

MODEL_TYPE = "deepseek_v4"
WINDOW_RATIO, CSA_RATIO, HCA_RATIO = 0, 4, 128
MEANINGLESS = frozenset(
    {
        "_name_or_path", "architectures", "attention_dropout", "bos_token_id", "dtype", "eos_token_id",
        "initializer_range", "output_router_logits", "pad_token_id", "router_aux_loss_coef",
        "router_jitter_noise", "torch_dtype", "transformers_version", "use_cache", "max_position_embeddings",
        "dspark_block_size", "dspark_markov_rank", "dspark_n_routed_experts", "dspark_noise_token_id",
        "dspark_num_experts_per_tok", "dspark_target_layer_ids",
    }
)  # fmt: skip
"""Keys that say nothing about a forward pass; DSpark's are of a draft module that is left out."""
FIXED: Mapping[str, object] = {
    "attention_bias": False,
    "hidden_act": "silu",
    "mlp_bias": False,
    "n_shared_experts": 1,
    "norm_topk_prob": True,
    "num_key_value_heads": 1,
    "scoring_func": "sqrtsoftplus",
    "tie_word_embeddings": False,
    "topk_method": "noaux_tc",
}
"""Keys that have one value in every V4 checkpoint; another one is another architecture."""


class LayerKind(StrEnum):
    """What a layer's attention sees besides its window; transformers' names."""

    WINDOW = "sliding_attention"
    CSA = "compressed_sparse_attention"
    HCA = "heavily_compressed_attention"


class ExpertDtype(StrEnum):
    """How the routed experts of a quantised checkpoint lie on disk."""

    FP4 = "fp4"
    FP8 = "fp8"


@dataclass(frozen=True, slots=True)
class Yarn:
    """YaRN's numbers: frequencies below `beta_slow` turns in `original` tokens are divided by `factor`."""

    factor: float
    original: int
    beta_fast: float
    beta_slow: float


@dataclass(frozen=True, slots=True)
class V4Config:
    """One model's dimensions. Names are the official ones; lengths are elements or tokens."""

    vocab_size: int
    hidden_size: int
    layers: tuple[LayerKind, ...]
    csa_ratio: int
    hca_ratio: int
    hash_layers: int
    heads: int
    head_dim: int
    rope_dim: int
    q_lora_rank: int
    o_groups: int
    o_lora_rank: int
    window: int
    index_heads: int
    index_head_dim: int
    index_topk: int
    rope_theta: float
    compress_rope_theta: float
    yarn: Yarn | None
    experts: int
    experts_per_token: int
    expert_size: int
    routed_scaling: float
    swiglu_limit: float
    streams: int
    sinkhorn_iterations: int
    hc_eps: float
    norm_eps: float
    nextn_layers: int
    """MTP blocks that the configuration promises; the weights may lack them."""
    is_quantized: bool
    expert_dtype: ExpertDtype | None
    engram: EngramConfig | None = None

    def ratio(self, layer: int) -> int:
        """Tokens that make one compressed row in a layer; 0 where it has none."""
        return {LayerKind.WINDOW: 0, LayerKind.CSA: self.csa_ratio, LayerKind.HCA: self.hca_ratio}[
            self.layers[layer]
        ]


def read_config(folder: Path) -> V4Config:
    """Read `config.json` in a checkpoint's folder. Raises ConfigError, with the key that is wrong."""
    path = folder / "config.json"
    try:
        said = json.loads(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}; name a checkpoint's folder") from error
    except ValueError as error:
        raise ConfigError(f"{path} is not JSON: {error}") from error
    if not isinstance(said, dict):
        raise ConfigError(f"{path} holds no object")
    return config_of(said, path)


def config_of(said: Mapping[str, object], path: Path = Path("config.json")) -> V4Config:
    """Make a configuration of what `path` says. Raises ConfigError."""
    reader = Reader(dict(said), path)
    reader.must_be("model_type", MODEL_TYPE)
    for key, value in FIXED.items():
        reader.must_be(key, value)
    layers, csa_ratio, hca_ratio = _layers(reader)
    head_dim, vocab_size = reader.integer("head_dim"), reader.integer("vocab_size")
    is_quantized, expert_dtype = _quantization(reader)
    config = V4Config(
        vocab_size=vocab_size,
        hidden_size=reader.integer("hidden_size"),
        layers=layers,
        csa_ratio=csa_ratio,
        hca_ratio=hca_ratio,
        hash_layers=_hash_layers(reader, len(layers)),
        heads=reader.integer("num_attention_heads"),
        head_dim=head_dim,
        rope_dim=_rope_dim(reader, head_dim),
        q_lora_rank=reader.integer("q_lora_rank"),
        o_groups=reader.integer("o_groups"),
        o_lora_rank=reader.integer("o_lora_rank"),
        window=reader.integer("sliding_window"),
        index_heads=reader.integer("index_n_heads"),
        index_head_dim=reader.integer("index_head_dim"),
        index_topk=reader.integer("index_topk"),
        rope_theta=reader.number("rope_theta", 10_000.0),
        compress_rope_theta=reader.number("compress_rope_theta", 160_000.0),
        yarn=_yarn(reader),
        experts=reader.integer("n_routed_experts"),
        experts_per_token=reader.integer("num_experts_per_tok"),
        expert_size=reader.integer("moe_intermediate_size"),
        routed_scaling=reader.number("routed_scaling_factor"),
        swiglu_limit=reader.number("swiglu_limit"),
        streams=reader.integer("hc_mult"),
        sinkhorn_iterations=reader.integer("hc_sinkhorn_iters"),
        hc_eps=reader.number("hc_eps"),
        norm_eps=reader.number("rms_norm_eps"),
        nextn_layers=reader.integer("num_nextn_predict_layers", 0, least=0),
        is_quantized=is_quantized,
        expert_dtype=expert_dtype,
        engram=read_engram(reader, len(layers), vocab_size),
    )
    reader.nothing_left(MEANINGLESS)
    _check(config, path)
    return config


def _layers(reader: Reader) -> tuple[tuple[LayerKind, ...], int, int]:
    """The layers' kinds and the two ratios, from either way of saying them."""
    count = reader.integer("num_hidden_layers")
    kinds, ratios = reader.list("layer_types"), reader.list("compress_ratios")
    rates = reader.section("compress_rates")
    csa = rates.integer(LayerKind.CSA, reader.integer("compress_rate_csa", CSA_RATIO))
    hca = rates.integer(LayerKind.HCA, reader.integer("compress_rate_hca", HCA_RATIO))
    rates.take(LayerKind.WINDOW)
    rates.nothing_left()
    if kinds is None and ratios is None:
        raise reader.error("layer_types", "is missing, and so is compress_ratios: no layer has a kind")
    if kinds is not None:
        return _named(reader, "layer_types", kinds, count, {kind.value: kind for kind in LayerKind}), csa, hca
    of_ratio = {str(WINDOW_RATIO): LayerKind.WINDOW, str(csa): LayerKind.CSA, str(hca): LayerKind.HCA}
    return _named(reader, "compress_ratios", ratios or [], count, of_ratio), csa, hca


def _named(
    reader: Reader, key: str, said: list[object], count: int, known: Mapping[str, LayerKind]
) -> tuple[LayerKind, ...]:
    if len(said) < count:
        raise reader.error(key, f"has {len(said)} entries for {count} layers")
    for word in said[:count]:
        if str(word) not in known:
            raise reader.error(key, f"names an unknown kind of layer, {word!r}; known are {', '.join(known)}")
    return tuple(known[str(word)] for word in said[:count])


def _hash_layers(reader: Reader, count: int) -> int:
    said, kinds = reader.integer("num_hash_layers", -1, least=-1), reader.list("mlp_layer_types")
    if kinds is None:
        return min(count, said) if said >= 0 else min(count, 3)
    unknown = [kind for kind in kinds if kind not in ("hash_moe", "moe")]
    if unknown:
        raise reader.error(
            "mlp_layer_types", f"names an unknown kind, {unknown[0]!r}; known are hash_moe, moe"
        )
    hashed = sum(kind == "hash_moe" for kind in kinds[:count])
    if kinds[:hashed] != ["hash_moe"] * hashed or len(kinds) < count:
        raise reader.error(
            "mlp_layer_types", f"must be hash_moe for the first layers, then moe, {count} in all"
        )
    return hashed


def _rope_dim(reader: Reader, head_dim: int) -> int:
    factor = reader.number("partial_rotary_factor", 0.0)
    said = reader.integer("qk_rope_head_dim", 0, least=0)
    if said:
        return said
    if factor:
        return int(head_dim * factor)
    raise reader.error("qk_rope_head_dim", "is missing")


def _yarn(reader: Reader) -> Yarn | None:
    """From `rope_scaling`, or from the part `compress` of transformers' `rope_parameters`."""
    scaling, parameters = reader.section("rope_scaling"), reader.section("rope_parameters")
    main, compress = parameters.section("main"), parameters.section("compress")
    parameters.nothing_left()
    for part, key in ((main, "rope_theta"), (compress, "compress_rope_theta")):
        part.take("partial_rotary_factor")
        theta = part.number("rope_theta", reader.said_number(key))
        if reader.said_number(key) not in (0.0, theta):
            raise part.error("rope_theta", f"is {theta}, and {key} is {reader.said_number(key)}")
    main.must_be("rope_type", "default")
    main.take("type")
    main.nothing_left()
    source = compress if compress.is_there else scaling
    kinds = {source.take(key) for key in ("type", "rope_type")} - {None}
    if compress.is_there:
        scaling.forget()
    if not kinds or kinds == {"default"}:
        source.nothing_left()
        return None
    if kinds != {"yarn"}:
        raise source.error("type", f"is {kinds}; this runtime knows 'yarn' and 'default'")
    if source.number("attention_factor", 1.0) != 1.0:
        raise source.error("attention_factor", "must be 1: V4 does not scale what it rotates")
    yarn = Yarn(
        source.number("factor"),
        source.integer("original_max_position_embeddings"),
        source.number("beta_fast", 32.0),
        source.number("beta_slow", 1.0),
    )
    source.nothing_left()
    return yarn


def _quantization(reader: Reader) -> tuple[bool, ExpertDtype | None]:
    section = reader.section("quantization_config")
    expert = reader.take("expert_dtype")
    expert = section.take("expert_dtype") or expert
    if not section.is_there:
        return False, None
    section.must_be("quant_method", "fp8")
    section.must_be("fmt", "e4m3")
    section.must_be("scale_fmt", "ue8m0")
    section.must_be("activation_scheme", "dynamic")
    section.must_be("weight_block_size", [128, 128])
    section.nothing_left()
    try:
        return True, ExpertDtype(str(expert or "fp8"))
    except ValueError:
        raise reader.error("expert_dtype", f"is {expert!r}; this runtime knows 'fp4' and 'fp8'") from None


def _check(config: V4Config, path: Path) -> None:
    """Refuse dimensions that do not fit each other."""
    faults = (
        (config.rope_dim % 2 or config.rope_dim > min(config.head_dim, config.index_head_dim),
         f"qk_rope_head_dim is {config.rope_dim}; it must be even, and at most head_dim and index_head_dim"),
        (config.heads % config.o_groups,
         f"o_groups is {config.o_groups}, which does not divide num_attention_heads ({config.heads})"),
        (config.experts_per_token > config.experts,
         f"num_experts_per_tok is {config.experts_per_token} of n_routed_experts {config.experts}"),
        (config.yarn is not None and config.yarn.factor < 1.0, "the YaRN factor is below 1"),
    )  # fmt: skip
    for is_wrong, sentence in faults:
        if is_wrong:
            raise ConfigError(f"{path}: {sentence}")
