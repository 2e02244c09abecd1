"""The control tokens of a GGUF file: texts that its model reads as the borders of turns and the like.

llama.cpp's server reads them so wherever they stand in a prompt, in a user's text, too. Whoever
sends it text breaks them first (`router.providers.local.plain_text`).

Sources: the GGUF specification, version 3; llama.cpp's `llama_token_type`. Files are known that call a
turn's border an ordinary or a user's token, so what looks like one counts, too; llama.cpp does likewise.
"""

import os
import re
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from local_model.errors import WeightsError

_TOKENS, _TYPES = "tokenizer.ggml.tokens", "tokenizer.ggml.token_type"
_UNKNOWN, _CONTROL = 2, 3
_LOOKS_LIKE_CONTROL = re.compile(
    r"[_▁]?<(?:[|｜][^<>]*|[^<>]*[|｜]|(?:start|end)_of_(?:turn|utterance)|im_(?:start|end)|EOT|PRE|SUF|MID|fim[_-][a-z]+)>|\[EOT\]"
)
_UINT32, _UINT64 = struct.Struct("<I"), struct.Struct("<Q")
_INT32_TYPE, _STRING_TYPE, _ARRAY_TYPE = 5, 8, 9
_BYTES_OF_TYPE = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_VERSIONS = (2, 3)


def control_tokens(weights: Path) -> frozenset[str]:
    """Return the texts of the file's control tokens. Raises WeightsError or OSError."""
    with weights.open("rb") as file:
        tokens, types = _read(_Reader(file, weights))
    kinds = types if len(types) == len(tokens) else [0] * len(tokens)
    return frozenset(
        text for text, kind in zip(tokens, kinds, strict=True) if text and _is_control(text, kind)
    )


def _is_control(text: str, kind: int) -> bool:
    return kind in (_UNKNOWN, _CONTROL) or _LOOKS_LIKE_CONTROL.fullmatch(text) is not None


def _read(reader: "_Reader") -> tuple[Sequence[str], Sequence[int]]:
    reader.begin()
    tokens: Sequence[str] = ()
    types: Sequence[int] = ()
    for key, kind in reader.entries():
        if key == _TOKENS:
            tokens = reader.texts(kind)
        elif key == _TYPES:
            types = reader.integers(kind)
        else:
            reader.skip(kind)
    return tokens, types


class _Reader:
    """Reads the keys and values at a file's head; each length is held against what is left of the file."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file = file
        self._path = path
        self._left = os.fstat(file.fileno()).st_size

    def begin(self) -> None:
        """Read what stands before the keys."""
        if self._bytes(4) != b"GGUF" or self._uint32() not in _VERSIONS:
            raise self._broken()
        self._uint64()  # how many tensors

    def entries(self) -> Iterator[tuple[str, int]]:
        """Give each key and its value's type; the value must be read before the next key."""
        for _ in range(self._uint64()):
            yield self._text(), self._uint32()

    def texts(self, kind: int) -> list[str]:
        """Read an array of texts."""
        return [self._text() for _ in range(self._array(kind, _STRING_TYPE))]

    def integers(self, kind: int) -> list[int]:
        """Read an array of 32-bit integers."""
        count = self._array(kind, _INT32_TYPE)
        return list(struct.unpack(f"<{count}i", self._bytes(4 * count)))

    def skip(self, kind: int) -> None:
        """Pass over a value."""
        if kind == _STRING_TYPE:
            self._pass(self._uint64())
        elif kind == _ARRAY_TYPE:
            inner, count = self._uint32(), self._uint64()
            if inner == _STRING_TYPE:
                for _ in range(count):
                    self._pass(self._uint64())
            else:
                self._pass(self._size_of(inner) * count)
        else:
            self._pass(self._size_of(kind))

    def _array(self, kind: int, wanted: int) -> int:
        if kind != _ARRAY_TYPE or self._uint32() != wanted:
            raise self._broken()
        return self._uint64()

    def _size_of(self, kind: int) -> int:
        if kind not in _BYTES_OF_TYPE:
            raise self._broken()
        return _BYTES_OF_TYPE[kind]

    def _text(self) -> str:
        return self._bytes(self._uint64()).decode("utf-8", "replace")

    def _uint32(self) -> int:
        return int(_UINT32.unpack(self._bytes(4))[0])

    def _uint64(self) -> int:
        return int(_UINT64.unpack(self._bytes(8))[0])

    def _bytes(self, count: int) -> bytes:
        self._take(count)
        found = self._file.read(count)
        if len(found) != count:
            raise self._broken()
        return found

    def _pass(self, count: int) -> None:
        self._take(count)
        self._file.seek(count, os.SEEK_CUR)

    def _take(self, count: int) -> None:
        if count > self._left:
            raise self._broken()
        self._left -= count

    def _broken(self) -> WeightsError:
        return WeightsError(f"the vocabulary in {self._path} cannot be read; is the file whole?")
