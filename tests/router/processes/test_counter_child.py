"""The counting process's own parts: vocabularies, copies, slices."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.processes import counter_child
from router.processes.counter_child import BPE_FILES, SLICE_CHARACTERS, MissingVocabularyError, load, slices
from support.vocabularies import ENCODINGS, vocabulary


@pytest.mark.parametrize(
    ("encoding", "text", "tokens"),
    [
        ("o200k_base", "tiktoken is great!", 6),
        ("cl100k_base", "tiktoken is great!", 6),
        ("cl100k_base", "antidisestablishmentarianism", 6),
        ("o200k_base", "お誕生日おめでとう", 8),
        ("cl100k_base", "お誕生日おめでとう", 9),
    ],
)
def test_counts_are_those_of_openais_cookbook(encoding: str, text: str, tokens: int) -> None:
    assert vocabulary(encoding)(text) == tokens


def test_what_only_deepseeks_template_may_write_counts_as_text() -> None:
    assert vocabulary("deepseek")("<think>") == 3
    assert vocabulary("deepseek")("<｜User｜>") > 3


@given(text=st.text(max_size=300), width=st.integers(2, 40))
@settings(max_examples=100)
def test_slices_are_the_text(text: str, width: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counter_child, "SLICE_CHARACTERS", width)
        pieces = list(slices(text))
    assert "".join(pieces) == text
    assert all(0 < len(piece) <= width for piece in pieces[:-1])
    assert len(pieces[-1]) <= width


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_slices_between_words_cost_nothing(encoding: str) -> None:
    text = "The quick brown fox pays 1,234.56 EUR.\n" * 5_000
    assert len(text) > 2 * SLICE_CHARACTERS
    assert sum(map(vocabulary(encoding), slices(text))) == vocabulary(encoding)(text)


def test_a_million_spaces_are_counted_in_slices() -> None:
    # tiktoken 0.14 with o200k_base panics if it gets them in one text.
    assert sum(map(vocabulary("o200k_base"), slices(" " * 1_000_000))) < 20_000


@pytest.mark.parametrize("damage", [b"", b"not a vocabulary"], ids=["empty", "other"])
def test_a_damaged_copy_is_replaced_and_never_downloaded(tmp_path: Path, damage: bytes) -> None:
    copy = tmp_path / BPE_FILES["cl100k_base"].name
    copy.write_bytes(damage)
    assert load("cl100k_base", tmp_path)("hello world") == 2
    assert copy.stat().st_size > 1_000_000
    assert [path.name for path in tmp_path.iterdir()] == [copy.name]


def test_a_vocabulary_that_nobody_carries_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(MissingVocabularyError, match=re.escape("encoding 'p50k_base'")):
        load("p50k_base", tmp_path)
