"""A vocabulary in a GGUF file: that of a `tokenizer.json` beside a checkpoint, or plain bytes where there is none.

As bytes, byte b is token b + 256, and tokens below 256 have no text, save the two that begin and end one.

Sources: llama.cpp's `llama_token_type` and its names for ways of splitting a text before merges.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local_model.errors import WeightsError
from local_model.gguf_file import Value

NORMAL, CONTROL, USER, UNUSED = 1, 3, 4, 5
TOKENIZER = "tokenizer.json"
FIRST_BYTE = 256
_NUMBERS_OF_THREE, _CHINESE_AND_JAPANESE = r"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+"


def token_keys(folder: Path, vocab_size: int, pre: str | None = None) -> dict[str, Value]:
    """Keys and values; `pre` is llama.cpp's name for how the tokenizer splits texts, if it cannot be told.

    Raises WeightsError.
    """
    path = folder / TOKENIZER
    ids = _named_ids(folder)
    if not path.exists():
        return _bytes(folder, vocab_size, ids)
    said = _object(path)
    model = said.get("model", {})
    if model.get("type") != "BPE":
        raise WeightsError(
            f"{path} is a tokenizer of the kind {model.get('type')}; what can be converted is BPE"
        )
    texts, kinds = _tokens(path, said, vocab_size)
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in model.get("merges", ())]
    if not merges:
        raise WeightsError(f"{path} has no merges; llama.cpp does not load a vocabulary without")
    keys: dict[str, Value] = {
        "model": "gpt2",
        "pre": pre or _pre(path, said),
        "tokens": texts,
        "token_type": kinds,
        "merges": merges,
        **ids,
    }
    return _with_template(folder, {f"tokenizer.ggml.{key}": value for key, value in keys.items()})


def byte_text(byte: int) -> str:
    """The visible character that stands for a byte in vocabularies of bytes, as GPT-2 has it."""
    return _BYTE_TEXTS[byte]


def _bytes(folder: Path, vocab_size: int, ids: Mapping[str, int]) -> dict[str, Value]:
    if vocab_size < FIRST_BYTE + 256:
        raise WeightsError(
            f"{folder} has no {TOKENIZER}, and a vocabulary of {vocab_size}; byte b is token b + {FIRST_BYTE},"
            f" which takes {FIRST_BYTE + 256}: put the {TOKENIZER} there"
        )
    texts = [f"<unused_{number}>" for number in range(vocab_size)]
    kinds = [UNUSED] * vocab_size
    for byte in range(256):
        texts[FIRST_BYTE + byte], kinds[FIRST_BYTE + byte] = byte_text(byte), NORMAL
    for name, number in ids.items():
        if number < FIRST_BYTE:
            texts[number], kinds[number] = f"<{name.removesuffix('_token_id')}>", CONTROL
    # llama.cpp wants merges: this one is of two bytes that no UTF-8 has.
    keys: dict[str, Value] = {
        "model": "gpt2",
        "pre": "gpt-2",
        "tokens": texts,
        "token_type": kinds,
        "merges": [f"{byte_text(0xFF)} {byte_text(0xFE)}"],
        "add_bos_token": False,
        **ids,
    }
    return {f"tokenizer.ggml.{key}": value for key, value in keys.items()}


def _tokens(path: Path, said: Mapping[str, Any], vocab_size: int) -> tuple[list[str], list[int]]:
    texts = [f"<unused_{number}>" for number in range(vocab_size)]
    kinds = [UNUSED] * vocab_size
    named = [(text, number, NORMAL) for text, number in said["model"].get("vocab", {}).items()]
    named += [
        (token["content"], token["id"], CONTROL if token.get("special") else USER)
        for token in said.get("added_tokens", ())
    ]
    for text, number, kind in named:
        if number >= vocab_size:
            raise WeightsError(f"{path} has a token {number}; config.json says that there are {vocab_size}")
        texts[number], kinds[number] = text, kind
    return texts, kinds


def _pre(path: Path, said: Mapping[str, Any]) -> str:
    """llama.cpp's name for how texts are split. Raises WeightsError."""
    splitter = said.get("pre_tokenizer") or {}
    parts = splitter.get("pretokenizers", [splitter])
    patterns = [part["pattern"].get("Regex") for part in parts if part.get("type") == "Split"]
    if patterns[:2] == [_NUMBERS_OF_THREE, _CHINESE_AND_JAPANESE]:
        return "deepseek-v3"
    if [part.get("type") for part in parts] == ["ByteLevel"] and parts[0].get("use_regex", True):
        return "gpt-2"
    raise WeightsError(
        f"{path} splits texts in a way that has no name here (known are DeepSeek V3's and GPT-2's);"
        " give llama.cpp's name for it with --pre"
    )


def _named_ids(folder: Path) -> dict[str, int]:
    """The tokens that begin and end a text, as config.json numbers them."""
    said = _object(folder / "config.json")
    found = {}
    for name in ("bos_token_id", "eos_token_id"):
        number = said.get(name)
        if isinstance(number, list) and number:
            number = number[0]
        if isinstance(number, int):
            found[name] = number
    return found


def _with_template(folder: Path, keys: dict[str, Value]) -> dict[str, Value]:
    """And what says how a conversation is written, where something does."""
    beside = folder / "tokenizer_config.json"
    said = _object(beside) if beside.exists() else {}
    if isinstance(said.get("add_bos_token"), bool):
        keys["tokenizer.ggml.add_bos_token"] = said["add_bos_token"]
    template = folder / "chat_template.jinja"
    text = template.read_text(encoding="utf-8") if template.exists() else said.get("chat_template")
    if isinstance(text, str):
        keys["tokenizer.chat_template"] = text
    return keys


def _object(path: Path) -> dict[str, Any]:
    try:
        said = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(said, dict):
        raise WeightsError(f"{path} holds no object")
    return said


def _byte_texts() -> list[str]:
    visible = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    texts, others = [], 0
    for byte in range(256):
        if byte in visible:
            texts.append(chr(byte))
        else:
            texts.append(chr(256 + others))
            others += 1
    return texts


_BYTE_TEXTS = _byte_texts()
