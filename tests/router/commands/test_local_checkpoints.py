"""`steelyard local inspect`, `verify` and `plan`: what they print, and what they end with."""

import json
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from support.command_line import assert_refused, invoke, run
from support.v4_weights import SMALL, write_checkpoint


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    write_checkpoint(tmp_path / "v4", dict(SMALL), 1, quantized="fp4")
    return tmp_path / "v4"


def break_norm(checkpoint: Path) -> None:
    tensors = load_file(checkpoint / "model.safetensors")
    del tensors["norm.weight"]
    save_file(tensors, checkpoint / "model.safetensors")


def test_a_checkpoint_is_told_of(checkpoint: Path) -> None:
    ran = run("local", "inspect", checkpoint)
    assert (ran.returncode, ran.stderr) == (0, b"")
    out = ran.stdout.decode()
    for said in (
        "DeepSeek V4, 0.2M parameters",
        "layers    3: 1 sliding_attention, 1 compressed_sparse_attention, 1 heavily_compressed_attention",
        "experts   6 a layer, 2 for a token, 1 layers by a table of token ids",
        "official names",
        "drafts    no mtp.* tensors; it runs without drafts",
        "context   28 bytes a token in bfloat16",
        "all in main memory, decoded by the CPU; room for ",
    ):
        assert said in out


def test_inspection_in_json_says_the_same(checkpoint: Path) -> None:
    said = json.loads(invoke("local", "inspect", checkpoint, "--json").stdout)
    assert said["naming"] == "official"
    assert said["bytes_per_token_bf16"] == 28
    assert {kind["dtype"] for kind in said["kinds"]} >= {"I8", "F8_E8M0", "F8_E4M3", "F32"}
    assert said["problems"] == []


def test_what_is_wrong_is_listed_and_ends_with_1(checkpoint: Path) -> None:
    break_norm(checkpoint)
    for command in ("inspect", "verify"):
        ran = invoke("local", command, checkpoint)
        assert ran.exit_code == 1
        assert f"{checkpoint}: the tensor norm.weight is missing" in ran.stdout
    assert "1 problem: " in ran.stdout


def test_hashes_are_written_once_all_is_well(checkpoint: Path) -> None:
    ran = invoke("local", "verify", checkpoint, "--write-hashes")
    assert ran.exit_code == 0
    assert "no problems: " in ran.stdout
    assert "SHA256SUMS names 2 files" in ran.stdout
    (checkpoint / "SHA256SUMS").unlink()
    break_norm(checkpoint)
    assert invoke("local", "verify", checkpoint, "--write-hashes").exit_code == 1
    assert not (checkpoint / "SHA256SUMS").exists()


@pytest.mark.parametrize("command", ["inspect", "verify", "plan"])
def test_no_checkpoint_is_a_sentence(tmp_path: Path, command: str) -> None:
    assert_refused(invoke("local", command, tmp_path), 3, "config.json cannot be read")


def test_both_published_models_are_planned_for_every_machine() -> None:
    ran = run("local", "plan")
    assert (ran.returncode, ran.stderr) == (0, b"")
    out = ran.stdout.decode()
    assert "V4-Flash: 291B parameters, 13.3B of them for a token" in out
    assert "V4-Pro: 1.6T parameters, 48.9B of them for a token" in out
    assert "a context grows by 6,880 bytes a token in bfloat16" in out
    assert "RTX PRO 6000, 2-bit: 46.9 (elsung)" in out
    assert len([line for line in out.splitlines() if line.startswith(("1 x", "4 x", "  none"))]) == 2 * 7 * 4


def test_one_machine_is_planned_in_json() -> None:
    ran = invoke(
        "local", "plan", "--model", "flash", "--gpu-gb", "24", "--gpus", "4", "--ram-gb", "128", "--json"
    )
    ((one,), (plan,)) = (said := json.loads(ran.stdout)), said[0]["plans"]
    assert one["model"] == "V4-Flash"
    assert (plan["machine"]["gpus"], plan["quantization"]["name"]) == (4, "as released")
    assert plan["on_gpu"] + plan["in_ram"] == one["footprint"]["total_bytes"]


def test_a_checkpoints_own_configuration_is_planned(checkpoint: Path) -> None:
    ran = invoke("local", "plan", checkpoint, "--ram-gb", "16", "--gpu-gb", "0")
    assert ran.exit_code == 0
    assert "v4: 0.2" in ran.stdout
    assert "all in main memory, decoded by the CPU" in ran.stdout


def test_a_folder_and_a_model_are_one_too_many(checkpoint: Path) -> None:
    assert_refused(
        invoke("local", "plan", checkpoint, "--model", "pro"), 2, "name a folder or --model, not both"
    )
