"""What is wrong with a checkpoint is told by file and tensor, from headers alone and from every byte."""

import hashlib
import json
import struct
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from local_model.errors import WeightsError
from local_model.inspection import inspect_checkpoint
from local_model.names import Naming
from local_model.renaming import rename_checkpoint
from local_model.verification import verify_checkpoint, write_hashes
from support.v4_weights import SMALL, write_checkpoint

FILE = "model.safetensors"


@pytest.fixture(params=[None, "fp8", "fp4"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    write_checkpoint(tmp_path / "v4", dict(SMALL), 1, quantized=request.param, mtp=True)
    return tmp_path / "v4"


def changed(folder: Path, **changes: torch.Tensor | None) -> None:
    """Write the file again with other tensors, or without; `__` stands for a dot."""
    tensors = load_file(folder / FILE)
    for name, tensor in changes.items():
        tensors.pop(name.replace("__", "."), None)
        if tensor is not None:
            tensors[name.replace("__", ".")] = tensor
    save_file(tensors, folder / FILE)


def test_a_whole_checkpoint_has_no_problems(folder: Path) -> None:
    found = inspect_checkpoint(folder)
    assert found.problems == ()
    assert found.naming is Naming.OFFICIAL
    assert found.nbytes == sum(tensor.nbytes for tensor in load_file(folder / FILE).values())
    assert found.about_drafts == "an MTP block; it drafts one token"
    problems, looked_at = verify_checkpoint(folder)
    assert problems == []
    assert "no SHA256SUMS: flipped bits that are numbers still are not seen" in looked_at


def test_transformers_names_are_known_too(folder: Path, tmp_path: Path) -> None:
    rename_checkpoint(folder, tmp_path / "theirs", Naming.TRANSFORMERS)
    found = inspect_checkpoint(tmp_path / "theirs")
    assert (found.problems, found.naming) == ((), Naming.TRANSFORMERS)


@pytest.mark.parametrize(
    ("name", "tensor", "said"),
    [
        ("norm__weight", None, "the tensor norm.weight is missing"),
        ("norm__weight", torch.ones(63), "norm.weight is [63]; config.json makes it [64]"),
        (
            "norm__weight",
            torch.ones(64, dtype=torch.int64),
            "norm.weight is I64; it must be F32 or BF16 or F16",
        ),
        ("layers__0__ffn__gate__tid2eid", torch.zeros(96, 2), "tid2eid is F32; it must be I32 or I64"),
        ("strange", torch.ones(1), "strange has no place in the model of config.json"),
    ],
)
def test_a_wrong_tensor_is_named_with_its_file(
    tmp_path: Path, name: str, tensor: torch.Tensor | None, said: str
) -> None:
    write_checkpoint(tmp_path, dict(SMALL), 1)
    changed(tmp_path, **{name: tensor})
    (problem,) = inspect_checkpoint(tmp_path).problems
    assert said in problem
    assert str(tmp_path) in problem


def test_a_scale_that_is_missing_is_named(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, dict(SMALL), 1, quantized="fp8")
    changed(tmp_path, layers__0__attn__wq_a__scale=None)
    (problem,) = inspect_checkpoint(tmp_path).problems
    assert problem == f"{tmp_path}: the tensor layers.0.attn.wq_a.scale is missing"


@pytest.mark.parametrize(
    ("tensor", "value"),
    [
        ("norm.weight", float("nan")),
        ("embed.weight", float("inf")),
        ("layers.0.attn.wq_a.weight", float("-inf")),
    ],
)
def test_what_is_no_number_is_found(tmp_path: Path, tensor: str, value: float) -> None:
    write_checkpoint(tmp_path, dict(SMALL), 1)
    tensors = load_file(tmp_path / FILE)
    tensors[tensor].view(-1)[17] = value
    save_file(tensors, tmp_path / FILE)
    problems, _ = verify_checkpoint(tmp_path)
    assert problems == [f"{tmp_path / FILE}: {tensor} holds no number at element 17"]


def test_an_fp8_nan_is_found(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, dict(SMALL), 1, quantized="fp8")
    tensors = load_file(tmp_path / FILE)
    tensors["layers.0.attn.wq_a.weight"].view(torch.uint8).view(-1)[5] = 0xFF
    tensors["layers.0.attn.wq_b.scale"].view(torch.uint8).view(-1)[0] = 0xFF
    save_file(tensors, tmp_path / FILE)
    problems, _ = verify_checkpoint(tmp_path)
    assert sorted(problem.split(": ")[1] for problem in problems) == [
        "layers.0.attn.wq_a.weight holds no number at element 5",
        "layers.0.attn.wq_b.scale holds no number at element 0",
    ]


def test_an_expert_that_is_not_there_is_found(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, dict(SMALL), 1)
    changed(tmp_path, layers__0__ffn__gate__tid2eid=torch.full((96, 2), 6))
    problems, _ = verify_checkpoint(tmp_path)
    assert problems == [f"{tmp_path / FILE}: layers.0.ffn.gate.tid2eid names an expert outside 0 to 5"]


def test_a_flipped_bit_is_found_by_hashes_and_by_nothing_else(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, dict(SMALL), 1)
    assert write_hashes(tmp_path) == 2
    first = (tmp_path / "SHA256SUMS").read_text().splitlines()[0]
    assert first == f"{hashlib.sha256((tmp_path / 'config.json').read_bytes()).hexdigest()}  config.json"
    assert verify_checkpoint(tmp_path)[1].endswith("2 files against SHA256SUMS")
    with (tmp_path / FILE).open("r+b") as file:
        file.seek(-3, 2)
        byte = file.read(1)[0]
        file.seek(-3, 2)
        file.write(bytes([byte ^ 1]))
    assert verify_checkpoint(tmp_path)[0] == [
        f"{tmp_path / FILE}: its sha256 is not that of SHA256SUMS; fetch it again"
    ]
    (tmp_path / "SHA256SUMS").unlink()
    assert verify_checkpoint(tmp_path)[0] == []


def test_hashes_name_no_file_elsewhere(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, dict(SMALL), 1)
    (tmp_path / "SHA256SUMS").write_text(f"{'0' * 64}  ../etc/passwd\n{'0' * 64}  lost\nnonsense\n")
    problems, _ = verify_checkpoint(tmp_path)
    assert [problem.removeprefix(str(tmp_path)) for problem in problems] == [
        "/SHA256SUMS:1: is no line of sha256sum, or names a file elsewhere",
        "/lost: No such file or directory, although SHA256SUMS names it",
        "/SHA256SUMS:3: is no line of sha256sum, or names a file elsewhere",
    ]


@pytest.mark.parametrize("keep", [0, 7, 100, -1])
def test_a_file_that_is_cut_short_is_refused(tmp_path: Path, keep: int) -> None:
    write_checkpoint(tmp_path, dict(SMALL), 1)
    data = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(data[:keep])
    with pytest.raises(WeightsError, match=r"model\.safetensors"):
        inspect_checkpoint(tmp_path)


def test_bits_that_flip_in_a_header_never_pass_unseen_as_something_else(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, dict(SMALL), 1)
    data = bytearray((tmp_path / FILE).read_bytes())
    (length,) = struct.unpack("<Q", data[:8])
    random = torch.Generator().manual_seed(1)
    refused = 0
    for _ in range(300):
        at, bit = (int(torch.randint(0, end, (1,), generator=random)) for end in (8 + length, 8))
        flipped = bytearray(data)
        flipped[at] ^= 1 << bit
        (tmp_path / FILE).write_bytes(flipped)
        try:
            refused += bool(inspect_checkpoint(tmp_path).problems)
        except WeightsError as error:
            assert FILE in str(error)  # noqa: PT017  (either is an answer)
            refused += 1
    assert refused >= 270  # the others are blanks between entries, and of the metadata


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"dtype": "F99", "shape": [1], "data_offsets": [0, 4]}, "t is F99; known are"),
        (
            {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]},
            "t is F32 [2] in 4 bytes, which does not fit",
        ),
        ({"dtype": "F32", "shape": [-1], "data_offsets": [0, -4]}, "which does not fit"),
        ({"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}, "t begins at byte"),
        ({"dtype": "F32", "shape": [1]}, "the header's entry of t cannot be read"),
        ("nonsense", "the header's entry of t cannot be read"),
    ],
)
def test_a_header_that_lies_is_refused(tmp_path: Path, entry: object, said: str) -> None:
    write_checkpoint(tmp_path, dict(SMALL), 1)
    header = json.dumps({"t": entry}).encode()
    (tmp_path / FILE).write_bytes(struct.pack("<Q", len(header)) + header + bytes(8))
    with pytest.raises(WeightsError, match=r"model\.safetensors") as refused:
        inspect_checkpoint(tmp_path)
    assert said in str(refused.value)
