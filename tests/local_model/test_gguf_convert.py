"""A converted checkpoint is the same model: llama.cpp, a third and independent runtime, says the same of it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from local_model import load_model
from local_model.errors import WeightsError
from local_model.gguf_convert import TYPES, convert_to_gguf
from local_model.gguf_file import GgufTensor, GgufType, write_gguf
from local_model.gguf_tokens import byte_text
from support.gguf_reader import read_gguf
from support.llama_cpp import running_llama_cpp
from support.v4_weights import SMALL, Config, write_checkpoint

WINDOW, CSA, HCA = "sliding_attention", "compressed_sparse_attention", "heavily_compressed_attention"
BASE: Config = {
    **SMALL, "vocab_size": 512, "compress_rate_hca": 128, "head_dim": 128, "index_head_dim": 64, "index_n_heads": 16,
    "index_topk": 8, "q_lora_rank": 32, "num_hidden_layers": 5, "layer_types": [WINDOW, CSA, HCA, CSA, HCA],
    "bos_token_id": 0, "eos_token_id": 1,
}  # fmt: skip
YARN = {
    "type": "yarn", "factor": 16, "original_max_position_embeddings": 256, "beta_fast": 32, "beta_slow": 1,
}  # fmt: skip
LENGTHS = (1, 5, 40, 129, 300, 700, 1200, 2000)
SEED = 2
"""Under another, 1, float32 decides a choice of rows in llama.cpp otherwise than float64 does (we as float64 does)."""
PRINTABLE = range(256 + 32, 256 + 127)


@pytest.mark.parametrize(
    ("more", "quantized"),
    [
        ({}, None),
        ({"rope_scaling": YARN}, None),
        ({"rope_scaling": {**YARN, "factor": 4, "beta_fast": 16, "beta_slow": 2}}, "fp8"),
        ({"rope_scaling": YARN, "num_hash_layers": 3}, "fp4"),
        ({"hidden_size": 36, "moe_intermediate_size": 15, "o_lora_rank": 5, "q_lora_rank": 17}, None),
        ({"hc_sinkhorn_iters": 3, "sliding_window": 7, "index_topk": 1, "num_experts_per_tok": 5}, None),
        ({"layer_types": [HCA, CSA], "num_hidden_layers": 2, "swiglu_limit": 0.1, "vocab_size": 520}, None),
    ],
)
def test_llama_cpp_gives_our_log_probabilities_and_texts(
    tmp_path: Path, more: Config, quantized: str | None
) -> None:
    config = {**BASE, **more}
    write_checkpoint(tmp_path, config, SEED, quantized=quantized)
    convert_to_gguf(tmp_path, tmp_path / "f32.gguf", GgufType.F32)
    model = load_model(tmp_path)
    vocab_size = int(str(config["vocab_size"]))
    ids = torch.randint(0, 512, (max(LENGTHS),), generator=torch.Generator().manual_seed(3))
    ours = torch.log_softmax(model.forward(ids)[0].double(), -1)
    with running_llama_cpp(tmp_path / "f32.gguf", vocab_size) as theirs:
        for length in LENGTHS:
            difference = (theirs.logprobs(ids[:length].tolist()) - ours[length - 1]).abs().max()
            assert difference.item() <= 1e-4, length
        text = theirs.greedy(ids[:20].tolist(), 160, PRINTABLE)
    logits, cache = model.forward(ids[:20])
    written = []
    for _ in range(160):
        written.append(PRINTABLE.start + int(logits[-1, PRINTABLE.start : PRINTABLE.stop].argmax()))
        logits, cache = model.forward(torch.tensor(written[-1:]), cache)
    assert text == bytes(token - 256 for token in written).decode()


def test_fp4_experts_become_mxfp4_bit_for_bit(tmp_path: Path) -> None:
    meant = write_checkpoint(tmp_path, BASE, 2, quantized="fp4")
    convert_to_gguf(tmp_path, tmp_path / "mxfp4.gguf", GgufType.MXFP4)
    _, found = read_gguf(tmp_path / "mxfp4.gguf")
    for ours, theirs in (("w1", "gate"), ("w2", "down"), ("w3", "up")):
        stacked = torch.stack([meant[f"layers.3.ffn.experts.{number}.{ours}.weight"] for number in range(6)])
        assert np.array_equal(found[f"blk.3.ffn_{theirs}_exps.weight"], stacked.numpy())


@pytest.mark.parametrize(
    ("kind", "step"), [("f32", 0.0), ("f16", 2**-11), ("q8_0", 1 / 254 + 2**-11), ("mxfp4", 1 / 4)]
)
def test_each_type_holds_the_weights_as_well_as_it_can(tmp_path: Path, kind: str, step: float) -> None:
    meant = write_checkpoint(tmp_path, BASE, 3)
    convert_to_gguf(tmp_path, tmp_path / "model.gguf", TYPES[kind])
    said, found = read_gguf(tmp_path / "model.gguf")
    assert said["deepseek4.block_count"] == 5
    assert np.array_equal(found["output_hc_fn.weight"], meant["hc_head_fn"].numpy())
    assert np.array_equal(found["blk.0.ffn_gate_tid2eid.weight"], meant["layers.0.ffn.gate.tid2eid"].numpy())
    experts = torch.stack([meant[f"layers.3.ffn.experts.{number}.w1.weight"] for number in range(6)]).numpy()
    blocks = experts.reshape(-1, 32)
    errors = np.abs(found["blk.3.ffn_gate_exps.weight"].reshape(-1, 32).astype(np.float32) - blocks)
    assert (errors <= step * 1.01 * np.abs(blocks).max(1, keepdims=True)).all()
    with running_llama_cpp(tmp_path / "model.gguf", 512) as theirs:
        assert torch.isfinite(theirs.logprobs(range(300, 340))).all()


def test_an_mtp_block_is_one_more_layer(tmp_path: Path) -> None:
    meant = write_checkpoint(tmp_path, BASE, 4, mtp=True)
    said = convert_to_gguf(tmp_path, tmp_path / "mtp.gguf", GgufType.F32)
    assert "with its MTP block" in said
    keys, found = read_gguf(tmp_path / "mtp.gguf")
    assert (keys["deepseek4.block_count"], keys["deepseek4.nextn_predict_layers"]) == (6, 1)
    both = torch.cat((meant["mtp.0.e_proj.weight"], meant["mtp.0.h_proj.weight"]), 1)
    assert np.array_equal(found["blk.5.nextn.eh_proj.weight"], both.numpy())
    ids = torch.arange(300, 340)
    ours = torch.log_softmax(load_model(tmp_path).forward(ids)[0][-1].double(), -1)
    with running_llama_cpp(tmp_path / "mtp.gguf", 512) as theirs:
        assert (theirs.logprobs(ids.tolist()) - ours).abs().max().item() <= 1e-4


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ({"index_head_dim": 32}, "index_head_dim is 32"),
        ({"index_head_dim": 96}, "index_head_dim is 96"),
        ({"index_head_dim": 128}, "head_dim and index_head_dim are both 128"),
        ({"head_dim": 65}, "head_dim is 65"),
        ({"layer_types": [WINDOW] * 5}, "at least one CSA layer"),
        ({"compress_rate_csa": 8}, "CSA layers compress 8 tokens"),
        ({"compress_rate_hca": 16}, "HCA layers compress 16 tokens"),
        ({"hc_mult": 2}, "hc_mult is 2"),
        ({"swiglu_limit": 0.0}, "swiglu_limit is 0"),
        ({"hidden_size": 40}, "hidden_size is 40"),
        ({"moe_intermediate_size": 20}, "moe_intermediate_size is 20"),
        ({"vocab_size": 511}, "a vocabulary of 511"),
    ],
)
def test_what_llama_cpp_does_not_survive_is_refused_first(tmp_path: Path, more: Config, key: str) -> None:
    write_checkpoint(tmp_path, {**BASE, **more}, 5)
    with pytest.raises(WeightsError, match=key):
        convert_to_gguf(tmp_path, tmp_path / "no.gguf", GgufType.Q8_0)
    assert not list(tmp_path.glob("no.gguf*"))


def test_a_tokenizer_comes_along(tmp_path: Path) -> None:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<|begin|>", "<|end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([Path(__file__).read_text()], trainer)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "chat_template.jinja").write_text("{{ messages[0].content }}")
    write_checkpoint(tmp_path, BASE, 6)
    convert_to_gguf(tmp_path, tmp_path / "model.gguf", GgufType.F32)
    said, _ = read_gguf(tmp_path / "model.gguf")
    assert said["tokenizer.ggml.tokens"][:2] == ["<|begin|>", "<|end|>"]
    assert said["tokenizer.ggml.tokens"][511] == "<unused_511>"
    assert said["tokenizer.ggml.token_type"][0] == 3
    assert said["tokenizer.ggml.bos_token_id"] == 0
    assert said["tokenizer.chat_template"] == "{{ messages[0].content }}"
    text = "def test_a_tokenizer(path): return 'zwölf Äpfel' "
    with running_llama_cpp(tmp_path / "model.gguf", 512) as theirs:
        assert theirs.count(text) == len(tokenizer.encode(text).ids)


def test_a_tokenizer_that_splits_in_an_unknown_way_is_refused_unless_it_has_a_name(tmp_path: Path) -> None:
    tokenizer = Tokenizer(models.BPE({"a": 0, "b": 1, "ab": 2}, [("a", "b")]))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    write_checkpoint(tmp_path, BASE, 6)
    with pytest.raises(WeightsError, match="--pre"):
        convert_to_gguf(tmp_path, tmp_path / "model.gguf", GgufType.F32)
    convert_to_gguf(tmp_path, tmp_path / "model.gguf", GgufType.F32, pre="llama-bpe")
    said, _ = read_gguf(tmp_path / "model.gguf")
    assert said["tokenizer.ggml.pre"] == "llama-bpe"


def test_a_missing_tensor_leaves_no_file(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, BASE, 7)
    said = (tmp_path / "config.json").read_text()
    (tmp_path / "config.json").write_text(said.replace('"n_routed_experts": 6', '"n_routed_experts": 7'))
    with pytest.raises(WeightsError, match=r"layers\.0\.ffn\.gate\.weight"):
        convert_to_gguf(tmp_path, tmp_path / "model.gguf", GgufType.F32)
    assert not list(tmp_path.glob("model.gguf*"))


def test_bytes_that_are_not_as_many_as_announced_are_no_file(tmp_path: Path) -> None:
    tensor = GgufTensor("t", (2, 2), GgufType.F32, lambda: iter([b"\0" * 12]))
    with pytest.raises(ValueError, match="12 bytes were made, 16 announced"):
        write_gguf(tmp_path / "t.gguf", {"general.architecture": "x"}, [tensor])
    assert not list(tmp_path.iterdir())


def test_every_byte_has_a_visible_character_of_its_own() -> None:
    texts = [byte_text(byte) for byte in range(256)]
    assert len(set(texts)) == 256
    assert set(texts) == set(pre_tokenizers.ByteLevel.alphabet())
    assert (texts[ord("A")], texts[ord(" ")]) == ("A", "Ġ")
