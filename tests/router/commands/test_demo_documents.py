"""Finding the example documents, and reading their index."""

import json
from pathlib import Path

import pytest

from router.commands.demo_documents import documents_folder, read_index
from router.errors import InvalidRequestError
from support.command_line import ROOT

EXAMPLES = ROOT / "examples" / "documents"


@pytest.mark.parametrize("place", [".", "docs", "examples/documents", "tests/router/commands"])
def test_the_documents_are_found_from_anywhere_in_the_checkout(
    monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.chdir(ROOT / place)
    assert documents_folder(None) == EXAMPLES


def test_they_are_found_from_outside_around_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert documents_folder(None) == EXAMPLES


def test_a_folder_that_is_named_wins_and_must_hold_an_index(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequestError, match="there are no example documents at"):
        documents_folder(tmp_path)
    (tmp_path / "index.jsonl").write_text("")
    assert documents_folder(tmp_path) == tmp_path.resolve()


@pytest.mark.parametrize("limit", [None, 0, 1, 3, 99])
def test_a_limit_counts_what_a_model_answers_and_keeps_every_refusal(limit: int | None) -> None:
    samples = read_index(EXAMPLES, limit)
    answerable = [sample.file for sample in samples if sample.answerable]
    assert len(answerable) == min(25, 25 if limit is None else limit)
    assert [sample.file for sample in samples if not sample.answerable] == [
        "23_ledger_export.txt",
        "24_noise.bin",
    ]
    assert [sample.file for sample in samples] == sorted(sample.file for sample in samples)


@pytest.mark.parametrize(
    "line", ["{", '{"file": "a"}', "3"], ids=["no JSON", "a key is missing", "no object"]
)
def test_a_broken_index_is_a_sentence(tmp_path: Path, line: str) -> None:
    good = {"file": "a", "schema": "b", "about": "c", "gold": None, "expect": "answer"}
    (tmp_path / "index.jsonl").write_text(f"{json.dumps(good)}\n\n{line}\n")
    with pytest.raises(InvalidRequestError, match="is no index of example documents"):
        read_index(tmp_path, None)
