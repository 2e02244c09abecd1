"""Random configurations of V4, of every kind."""

from hypothesis import assume
from hypothesis import strategies as st

from local_model.config import LayerKind
from support.v4_weights import SMALL, Config


@st.composite
def configs(draw: st.DrawFn) -> Config:
    """Kinds of layers in any order, odd sizes, any number of experts and streams."""
    layers = draw(st.lists(st.sampled_from([kind.value for kind in LayerKind]), min_size=1, max_size=4))
    groups, rope = draw(st.sampled_from([1, 2, 3])), draw(st.sampled_from([2, 6, 8, 16]))
    topk, head = draw(st.integers(1, 16)), rope + draw(st.sampled_from([2, 8, 16, 31]))
    assume(int(head * (rope / head)) == rope)  # so does transformers work it out
    return {
        **SMALL,
        "layer_types": layers,
        "num_hidden_layers": len(layers),
        "num_hash_layers": draw(st.integers(0, len(layers))),
        "hidden_size": draw(st.sampled_from([32, 36, 50, 64])),
        "num_attention_heads": groups * draw(st.integers(1, 3)),
        "head_dim": head,
        "qk_rope_head_dim": rope,
        "q_lora_rank": draw(st.sampled_from([8, 17, 24])),
        "o_groups": groups,
        "o_lora_rank": draw(st.sampled_from([5, 8, 16])),
        "sliding_window": draw(st.sampled_from([2, 7, 16, 64])),
        "index_n_heads": draw(st.integers(1, 4)),
        "index_head_dim": rope + draw(st.sampled_from([0, 4, 9])),
        "index_topk": draw(st.sampled_from([1, 3, 8, 100])),
        "compress_rate_hca": draw(st.sampled_from([8, 16, 128])),
        "num_experts_per_tok": topk,
        "n_routed_experts": topk + draw(st.integers(0, 8)),
        "moe_intermediate_size": draw(st.sampled_from([8, 15, 32])),
        "swiglu_limit": draw(st.sampled_from([0.5, 2.0, 10.0])),
        "hc_mult": draw(st.integers(2, 8)),
        "hc_sinkhorn_iters": draw(st.sampled_from([1, 5, 20])),
        "vocab_size": draw(st.sampled_from([33, 96])),
    } | draw(
        st.sampled_from(
            [
                {},
                {
                    "rope_scaling": {
                        "type": "yarn",
                        "factor": 16,
                        "original_max_position_embeddings": 256,
                        "beta_fast": 32,
                        "beta_slow": 1,
                    }
                },
            ]
        )
    )
