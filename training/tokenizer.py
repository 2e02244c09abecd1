"""V4-nano's own vocabulary: byte-level BPE that splits texts as DeepSeek's does.

DeepSeek's splitting is kept, so that llama.cpp knows it by name. What is merged is finer: a space stays apart from digits and
signs, signs from letters, and a quotation mark from other signs, but for those that JSON itself sets. So a value has
the same tokens in a document and in the answer that copies it.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from training.documents.questions import compact, fields_of
from training.documents.samples import sample

SPECIAL = ("<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜▁pad▁｜>")
NAMED = (
    "<｜User｜>", "<｜Assistant｜>", "<think>", "</think>", "｜DSML｜", "<｜latest_reminder｜>", "<｜fim▁hole｜>", "<｜fim▁begin｜>", "<｜fim▁end｜>",
)  # fmt: skip
"""What DeepSeek V4's prompts are made of."""
VOCAB_SIZE = 4096
SEED, SAMPLES = 7 << 32, 60_000
_DIGITS, _CHINESE_AND_JAPANESE = r"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+"
_REST = (
    "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|"
    "\\s*[\r\n]+|\\s+(?!\\S)|\\s+"
)
_FINER = (
    r'\{"|"\}|"[:,]"|"[:,]\[|":\{"|":|,"|\]\}|\},\{"|"\]|\[\{"|\}\]|'
    r" ?[\p{L}\p{M}]+|\p{N}{1,3}|[\p{P}\p{S}]|\r?\n| +|\s"
)
"""Where merges stop in training."""


def main(folder: Path) -> None:
    """Make the vocabulary from drawn documents and write `tokenizer.json` into `folder`."""
    learnt = Tokenizer(models.BPE())
    learnt.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_FINER), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=VOCAB_SIZE - len(NAMED),
        special_tokens=[*SPECIAL],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    learnt.train_from_iterator(_texts(), trainer, length=SAMPLES)
    said = json.loads(learnt.to_str())
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.json").write_text(
        json.dumps(_as_deepseek(said), ensure_ascii=False, indent=0) + "\n", encoding="utf-8"
    )


def _as_deepseek(said: dict[str, object]) -> dict[str, object]:
    model = said["model"]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            *(
                pre_tokenizers.Split(Regex(each), "isolated")
                for each in (_DIGITS, _CHINESE_AND_JAPANESE, _REST)
            ),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    whole: dict[str, object] = json.loads(tokenizer.to_str())
    whole["model"] = model
    made = Tokenizer.from_str(json.dumps(whole))
    made.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in SPECIAL])
    made.add_tokens([AddedToken(text, special=False, normalized=False) for text in NAMED])
    found: dict[str, object] = json.loads(made.to_str())
    return found


def _texts() -> Iterator[str]:
    for number in range(SAMPLES):
        drawn = sample(SEED + number)
        yield drawn.text
        yield drawn.answer_text
        if number % 2:
            yield drawn.instruction + "\n\n" + compact(fields_of(drawn.schema))
