"""`steelyard local convert`: what is written, and what is refused before anything is."""

from pathlib import Path

import pytest
from safetensors.torch import load_file

from support.command_line import assert_refused, invoke, run
from support.gguf_reader import read_gguf
from support.v4_weights import SMALL, Config, write_checkpoint

RUNNABLE: Config = {**SMALL, "vocab_size": 512, "compress_rate_hca": 128, "index_head_dim": 64}


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    write_checkpoint(tmp_path / "v4", RUNNABLE, 1)
    return tmp_path / "v4"


def test_a_gguf_file_is_written_and_told_of(checkpoint: Path, tmp_path: Path) -> None:
    ran = run("local", "convert", checkpoint, tmp_path / "out.gguf", "--type", "f16")
    assert (ran.returncode, ran.stderr) == (0, b"")
    said, found = read_gguf(tmp_path / "out.gguf")
    assert ran.stdout.decode().startswith(f"{tmp_path}/out.gguf: {len(found)} tensors, ")
    assert said["general.architecture"] == "deepseek4"
    assert found["blk.0.attn_q_a.weight"].dtype == "float16"


def test_a_file_that_is_there_is_kept_unless_forced(checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "out.gguf").write_text("dear")
    ran = invoke("local", "convert", checkpoint, tmp_path / "out.gguf")
    assert_refused(ran, 2, "out.gguf is there already; name another file, or say --force")
    assert (tmp_path / "out.gguf").read_text() == "dear"
    assert invoke("local", "convert", checkpoint, tmp_path / "out.gguf", "--force").exit_code == 0
    assert (tmp_path / "out.gguf").read_bytes()[:4] == b"GGUF"


def test_names_make_a_folder(checkpoint: Path, tmp_path: Path) -> None:
    ran = invoke("local", "convert", checkpoint, tmp_path / "theirs", "--names", "transformers")
    assert ran.exit_code == 0
    assert "under transformers names in 1 file(s); no mtp.* tensors" in ran.stdout
    assert "model.embed_tokens.weight" in load_file(tmp_path / "theirs" / "model.safetensors")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["out"], 2, "should end in .gguf, or be a folder with --names official or --names transformers"),
        (["out.gguf", "--names", "official"], 2, "should end in .gguf"),
        (["out", "--names", "official", "--type", "f16"], 2, "--type and --pre are for GGUF files"),
        (["out", "--names", "official"], 3, "has official names already"),
    ],
)
def test_what_makes_no_sense_is_a_sentence(
    checkpoint: Path, tmp_path: Path, arguments: list[str], code: int, said: str
) -> None:
    ran = invoke("local", "convert", checkpoint, tmp_path / arguments[0], *arguments[1:])
    assert_refused(ran, code, said)
    assert [path.name for path in tmp_path.iterdir()] == ["v4"]


def test_a_shape_that_llama_cpp_does_not_survive_is_a_sentence(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "v4", {**RUNNABLE, "index_head_dim": 32, "head_dim": 64}, 1)
    ran = invoke("local", "convert", tmp_path / "v4", tmp_path / "out.gguf")
    assert_refused(ran, 3, "index_head_dim is 32; llama.cpp wants a multiple of 64")


def test_a_folder_without_a_checkpoint_is_a_sentence(tmp_path: Path) -> None:
    ran = invoke("local", "convert", tmp_path, tmp_path / "out.gguf")
    assert_refused(ran, 3, "config.json cannot be read")
