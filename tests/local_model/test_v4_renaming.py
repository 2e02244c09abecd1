"""A checkpoint under transformers' names, and back under DeepSeek's own, is the same model."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from local_model import load_model
from local_model.errors import WeightsError
from local_model.names import Naming
from local_model.renaming import rename_checkpoint
from local_model.safetensors_file import NewTensor, write_shards
from support.v4_reference import Reference, running_reference
from support.v4_weights import SMALL, write_checkpoint

IDS = torch.arange(60) % 96


@pytest.fixture(scope="module")
def reference() -> Iterator[Reference]:
    with running_reference() as process:
        yield process


@pytest.mark.parametrize("quantized", [None, "fp8", "fp4"])
def test_transformers_loads_its_own_names(
    reference: Reference, tmp_path: Path, quantized: str | None
) -> None:
    meant = write_checkpoint(tmp_path / "ours", dict(SMALL), 1, quantized=quantized)
    said = rename_checkpoint(tmp_path / "ours", tmp_path / "theirs", Naming.TRANSFORMERS)
    assert "under transformers names in 1 file" in said
    found = load_file(tmp_path / "theirs" / "model.safetensors")
    both = [meant["layers.1.ffn.experts.2.w1.weight"], meant["layers.1.ffn.experts.2.w3.weight"]]
    assert torch.equal(found["model.layers.1.mlp.experts.gate_up_proj"][2].float(), torch.cat(both))
    expected, _ = load_model(tmp_path / "ours").forward(IDS)
    theirs = reference.logits(tmp_path / "theirs", IDS)
    assert ((theirs - expected).abs().max() / expected.abs().max()).item() <= 1e-5


def test_there_and_back_is_the_same_file(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "ours", dict(SMALL), 2, mtp=True, table=torch.int32)
    rename_checkpoint(tmp_path / "ours", tmp_path / "theirs", Naming.TRANSFORMERS)
    rename_checkpoint(tmp_path / "theirs", tmp_path / "back", Naming.OFFICIAL)
    first, last = (load_file(tmp_path / name / "model.safetensors") for name in ("ours", "back"))
    assert first.keys() == last.keys()
    assert all(
        torch.equal(first[name], last[name]) and first[name].dtype == last[name].dtype for name in first
    )


def test_official_names_behind_model_keep_what_is_quantised(tmp_path: Path) -> None:
    folder = tmp_path / "prefixed"
    write_checkpoint(folder, dict(SMALL), 3, quantized="fp4")
    stored = load_file(folder / "model.safetensors")
    prefixed = {
        name if name.startswith("head.") else f"model.{name.replace('.attn.kv_norm.', '.attn.norm.')}": tensor
        for name, tensor in stored.items()
    }
    _write(folder, prefixed)
    rename_checkpoint(folder, tmp_path / "official", Naming.OFFICIAL)
    found = load_file(tmp_path / "official" / "model.safetensors")
    assert found.keys() == stored.keys()
    assert all(torch.equal(found[name].view(torch.uint8), stored[name].view(torch.uint8)) for name in stored)
    assert "quantization_config" in json.loads((tmp_path / "official" / "config.json").read_bytes())


def test_what_is_there_already_is_refused(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "ours", dict(SMALL), 4)
    with pytest.raises(WeightsError, match="has official names already"):
        rename_checkpoint(tmp_path / "ours", tmp_path / "new", Naming.OFFICIAL)
    with pytest.raises(WeightsError, match="is not empty"):
        rename_checkpoint(tmp_path / "ours", tmp_path / "ours", Naming.TRANSFORMERS)


def test_shards_have_an_index_that_names_every_tensor(tmp_path: Path) -> None:
    tensors = {f"t{number}": torch.full((10,), float(number)) for number in range(5)}
    assert _write(tmp_path, tensors, shard_bytes=100) == 3
    index = json.loads((tmp_path / "model.safetensors.index.json").read_bytes())
    assert index["metadata"]["total_size"] == 200
    found = {name: load_file(tmp_path / file)[name] for name, file in index["weight_map"].items()}
    assert all(torch.equal(found[name], tensors[name]) for name in tensors)


def test_bytes_that_are_not_as_many_as_announced_are_no_file(tmp_path: Path) -> None:
    tensor = NewTensor("t", "F32", (2,), lambda: iter([b"\0" * 4]))
    with pytest.raises(ValueError, match="4 bytes were made of 8"):
        write_shards(tmp_path, [tensor], lambda *_: None)
    assert not list(tmp_path.iterdir())


def _write(folder: Path, tensors: dict[str, torch.Tensor], shard_bytes: int = 10**9) -> int:
    words = {
        torch.float32: "F32", torch.int64: "I64", torch.int8: "I8", torch.float8_e4m3fn: "F8_E4M3",
        torch.float8_e8m0fnu: "F8_E8M0",
    }  # fmt: skip

    def new(name: str, tensor: torch.Tensor) -> NewTensor:
        data = tensor.contiguous().view(torch.uint8).numpy().tobytes()
        return NewTensor(name, words[tensor.dtype], tuple(tensor.shape), lambda: iter([data]))

    return write_shards(folder, [new(*item) for item in tensors.items()], lambda *_: None, shard_bytes)
