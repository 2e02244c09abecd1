"""Our logits are transformers' logits, on random configurations of every kind."""

from collections.abc import Iterator

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from support.v4_reference import Reference, running_reference
from support.v4_weights import SMALL, Config, write_checkpoint

from local_model import load_model
from local_model.config import LayerKind

TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def reference() -> Iterator[Reference]:
    with running_reference() as process:
        yield process


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


@settings(
    max_examples=25,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    config=configs(),
    seed=st.integers(0, 2**31),
    length=st.integers(1, 150),
    table=st.sampled_from([torch.int32, torch.int64]),
)
def test_logits_are_the_references(
    reference: Reference,
    tmp_path_factory: pytest.TempPathFactory,
    config: Config,
    seed: int,
    length: int,
    table: torch.dtype,
) -> None:
    folder = tmp_path_factory.mktemp("v4")
    write_checkpoint(folder, config, seed, table=table)
    ids = torch.randint(
        0, int(str(config["vocab_size"])), (length,), generator=torch.Generator().manual_seed(seed)
    )
    theirs = folder / "transformers"
    expected = reference.logits(folder, ids, save=theirs)
    for path in (folder, theirs):
        logits, _ = load_model(path).forward(ids)
        assert_close(logits, expected)


def assert_close(logits: torch.Tensor, expected: torch.Tensor) -> None:
    assert logits.shape == expected.shape
    assert ((logits - expected).abs().max() / expected.abs().max()).item() <= TOLERANCE
