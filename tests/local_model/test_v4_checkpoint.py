"""What lies on disk is read as it is meant, or refused with the file and the tensor."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from local_model import load_model
from local_model.errors import ConfigError, WeightsError
from support.v4_weights import SMALL, Config, write_checkpoint

IDS = torch.arange(60) % 96
RAGGED: Config = {
    **SMALL, "hidden_size": 160, "q_lora_rank": 136, "o_lora_rank": 72, "moe_intermediate_size": 96,
    "num_attention_heads": 6, "o_groups": 2, "head_dim": 56, "qk_rope_head_dim": 14,
}  # fmt: skip
"""Matrices of several blocks of 128 x 128, none of which fits."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_checkpoint(tmp_path, dict(SMALL), seed=1)
    return tmp_path


@pytest.mark.parametrize("experts", ["fp8", "fp4"])
def test_quantised_weights_are_what_they_mean(tmp_path: Path, experts: str) -> None:
    meant = write_checkpoint(tmp_path / "quantised", RAGGED, 5, quantized=experts)
    write_checkpoint(tmp_path / "plain", RAGGED, 5)
    save_file(meant, tmp_path / "plain" / "model.safetensors")
    logits, _ = load_model(tmp_path / "quantised").forward(IDS)
    expected, _ = load_model(tmp_path / "plain").forward(IDS)
    assert torch.allclose(logits, expected, rtol=0, atol=1e-6 * expected.abs().max().item())
    rounded, _ = load_model(tmp_path / "quantised", dtype=torch.bfloat16).forward(IDS)
    assert rounded.dtype == torch.float32
    assert (rounded - expected).abs().mean() < 0.1 * expected.abs().mean()


def test_shards_are_one_checkpoint(folder: Path) -> None:
    expected, _ = load_model(folder).forward(IDS)
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = sorted(tensors)
    where = {name: f"model-{1 + index % 3:05}-of-00003.safetensors" for index, name in enumerate(names)}
    for file in set(where.values()):
        save_file({name: tensors[name] for name in names if where[name] == file}, folder / file)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": where}))
    logits, _ = load_model(folder).forward(IDS)
    torch.testing.assert_close(
        logits, expected, rtol=1e-5, atol=1e-5
    )  # a product's bits may depend on where weights lie
    (folder / "model-00002-of-00003.safetensors").unlink()
    with pytest.raises(WeightsError, match=r"model-00002-of-00003.safetensors is not there"):
        load_model(folder)


def test_an_index_that_leads_out_of_its_folder_is_refused(folder: Path) -> None:
    (folder / "model.safetensors.index.json").write_text(
        json.dumps({"weight_map": {"a": "../other.safetensors"}})
    )
    with pytest.raises(WeightsError, match="outside its folder"):
        load_model(folder)


@pytest.mark.parametrize("keep", [0, 4, 300, -1])
def test_a_truncated_file_is_refused(folder: Path, keep: int) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(WeightsError, match=r"model.safetensors is no whole safetensors file.*fetch it again"):
        load_model(folder)


@pytest.mark.parametrize("at", [0, 7, 9, 40, 2000])
def test_a_flipped_bit_in_the_header_is_refused(folder: Path, at: int) -> None:
    path = folder / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[at] ^= 0x40
    path.write_bytes(data)
    with pytest.raises(WeightsError, match=r"model.safetensors"):
        load_model(folder)


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("layers.1.attn.wkv.weight", None, "the tensor layers.1.attn.wkv.weight is missing"),
        ("layers.0.ffn.experts.3.w2.weight", None, "the tensor layers.0.ffn.experts.3.w2.weight is missing"),
        ("embed.weight", None, "this is no V4 checkpoint"),
        ("layers.1.attn.wq_a.weight", torch.zeros(3, 64), r"wq_a.weight is \[3, 64\]; config.json makes it \[24, 64\]"),
        ("layers.1.attn.wq_a.weight", torch.zeros(24, 64, dtype=torch.int32), "wq_a.weight is int32; known are"),
        ("layers.1.attn.wq_a.weight", torch.zeros(24, 64, dtype=torch.float8_e4m3fn), "wq_a.scale is missing"),
        ("norm.weight", torch.zeros(64, dtype=torch.int8), "norm.weight is int8; it must be float32"),
        ("layers.0.ffn.gate.tid2eid", torch.full((96, 2), 6), "names an expert outside 0 to 5"),
        ("layers.0.ffn.gate.tid2eid", torch.zeros(96, 2), "must be int32 or int64"),
        ("layers.9.attn.wkv.weight", torch.zeros(2), "1 tensors that config.json gives no place, such as layers.9"),
    ],
)  # fmt: skip
def test_a_wrong_tensor_is_named(folder: Path, name: str, change: torch.Tensor | None, said: str) -> None:
    path = folder / "model.safetensors"
    tensors = load_file(path)
    if change is None:
        del tensors[name]
    else:
        tensors[name] = change
    save_file(tensors, path)
    with pytest.raises(WeightsError, match=said):
        load_model(folder)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"model_type": "deepseek_v41"},
            "model_type is 'deepseek_v41'; this runtime does 'deepseek_v4' only",
        ),
        (
            {"layer_types": ["sliding_attention", "linear", "sliding_attention"]},
            "unknown kind of layer, 'linear'",
        ),
        ({"layer_types": ["sliding_attention"]}, "has 1 entries for 3 layers"),
        ({"layer_types": None, "compress_ratios": [0, 4, 7]}, "unknown kind of layer, 7; known are 0, 4, 16"),
        ({"layer_types": None}, "no layer has a kind"),
        ({"engram_v9": 1}, "engram_v9 is a key that this runtime does not know"),
        ({"rope_scaling": {"type": "linear", "factor": 2}}, "rope_scaling.type is"),
        ({"rope_scaling": {"type": "yarn", "factor": 2}}, "original_max_position_embeddings is missing"),
        ({"head_dim": "64"}, "head_dim is '64'; it must be a whole number from 1"),
        ({"head_dim": None}, "head_dim is missing"),
        ({"hc_eps": -1}, "hc_eps is -1; it must be a number from 0"),
        ({"scoring_func": "sigmoid"}, "scoring_func is 'sigmoid'; this runtime does 'sqrtsoftplus' only"),
        ({"o_groups": 3}, "o_groups is 3, which does not divide num_attention_heads"),
        ({"num_experts_per_tok": 7}, "num_experts_per_tok is 7 of n_routed_experts 6"),
        ({"qk_rope_head_dim": 7}, "qk_rope_head_dim is 7; it must be even"),
        ({"quantization_config": {"quant_method": "awq"}}, "quant_method is 'awq'"),
        ({"expert_dtype": "int3", "quantization_config": {"quant_method": "fp8"}}, "expert_dtype is 'int3'"),
    ],
)
def test_a_configuration_that_is_not_understood_is_refused(folder: Path, change: Config, said: str) -> None:
    config = {key: value for key, value in {**SMALL, **change}.items() if value is not None}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ConfigError, match=said) as caught:
        load_model(folder)
    assert str(folder / "config.json") in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "{", "\x00"])
def test_a_configuration_that_is_no_object_is_refused(folder: Path, text: str) -> None:
    (folder / "config.json").write_text(text)
    with pytest.raises(ConfigError, match=r"config.json (is not JSON|holds no object)"):
        load_model(folder)


def test_a_folder_without_a_configuration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"config.json cannot be read: No such file"):
        load_model(tmp_path)


OFFICIAL = Path(__file__).parents[3] / "shared" / "v4"


@pytest.mark.skipif(not OFFICIAL.exists(), reason="needs the two tiny checkpoints of ../shared/v4")
def test_the_checkpoints_beside_the_project_give_the_logits_beside_them() -> None:
    expected = load_file(OFFICIAL / "official_f32" / "expected.safetensors")
    logits, _ = load_model(OFFICIAL / "official_f32").forward(expected["ids"])
    assert (logits - expected["logits"]).abs().max() <= 1e-5 * expected["logits"].abs().max()
    assert load_model(OFFICIAL / "official_fp8fp4").forward(expected["ids"])[0].isfinite().all()
