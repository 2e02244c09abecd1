"""What a GGUF file calls control tokens, and what is said of a file that cannot be read."""

import struct
from collections.abc import Sequence
from pathlib import Path

import pytest

from local_model.errors import WeightsError
from local_model.vocabulary import control_tokens
from local_model.weights import SMOLLM2_FILE
from router.settings import models_folder

NORMAL, UNKNOWN, CONTROL, USER_DEFINED = 1, 2, 3, 4


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def array(kind: int, count: int, items: bytes) -> bytes:
    return struct.pack("<IIQ", 9, kind, count) + items


def file_of(tokens: Sequence[tuple[str, int]]) -> bytes:
    """A file's head, with a value of every other kind before the vocabulary."""
    values = [
        ("general.name", struct.pack("<I", 8) + text("a model")),
        ("general.version", struct.pack("<II", 4, 1)),
        ("general.lengths", array(10, 2, struct.pack("<QQ", 1, 2))),
        ("general.tags", array(8, 2, text("one") + text("two"))),
        ("tokenizer.ggml.tokens", array(8, len(tokens), b"".join(text(token) for token, _ in tokens))),
        ("tokenizer.ggml.token_type", array(5, len(tokens), struct.pack(f"<{len(tokens)}i", *(kind for _, kind in tokens)))),
    ]  # fmt: skip
    head = b"GGUF" + struct.pack("<IQQ", 3, 0, len(values))
    return head + b"".join(text(key) + value for key, value in values)


@pytest.mark.parametrize(
    ("token", "kind", "control"),
    [
        ("<s>", CONTROL, True),
        ("[INST]", CONTROL, True),
        ("<unk>", UNKNOWN, True),
        ("<|eot_id|>", NORMAL, True),
        ("<｜User｜>", USER_DEFINED, True),
        ("<end_of_turn>", NORMAL, True),
        ("<|turn>", USER_DEFINED, True),
        ("[EOT]", NORMAL, True),
        ("<table>", USER_DEFINED, False),
        ("    ", USER_DEFINED, False),
        ("<s>", NORMAL, False),
        ("|", NORMAL, False),
        ("", CONTROL, False),
    ],
)
def test_what_is_a_control_token(tmp_path: Path, token: str, kind: int, *, control: bool) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(file_of([("hello", NORMAL), (token, kind)]))
    assert control_tokens(path) == ({token} if control else set())


def test_smollm2s_are_those_of_its_card() -> None:
    assert {"<|im_start|>", "<|im_end|>", "<|endoftext|>", "<file_sep>"} < control_tokens(
        models_folder() / SMOLLM2_FILE
    )


WHOLE = file_of([("hello", NORMAL), ("<s>", CONTROL)])


@pytest.mark.parametrize("length", range(0, len(WHOLE), 7))
def test_a_file_that_is_cut_off_is_a_sentence(tmp_path: Path, length: int) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(WHOLE[:length])
    with pytest.raises(WeightsError, match="is the file whole"):
        control_tokens(path)


@pytest.mark.parametrize(
    "content",
    [
        b"PK\x03\x04" + WHOLE[4:],
        b"GGUF" + struct.pack(">I", 3) + WHOLE[8:],
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("a") + struct.pack("<I", 99),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("a") + array(9, 1, array(4, 0, b"")),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 2**63),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("a") + array(10, 2**62, b""),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("tokenizer.ggml.tokens") + array(4, 0, b""),
    ],
    ids=["magic", "byte order", "type", "nested", "long text", "long array", "tokens that are no texts"],
)
def test_a_head_that_makes_no_sense_is_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="is the file whole"):
        control_tokens(path)


def test_a_file_without_a_vocabulary_has_none(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, 0))
    assert control_tokens(path) == frozenset()
