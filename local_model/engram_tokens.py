"""Compressed ids: to an Engram memory, tokens that differ in case, accents or white space alone are one.

A token's text is folded (NFKC, NFD, no accents, lower case, white space one space, none at the ends, though a
space alone stays one); tokens whose bytes are no whole characters stand for themselves. Ids are counted in the order
in which folded texts first come. V4.1's tokenizer gives 99,092 of them for 129,280 tokens.

Source: the paper (arXiv 2601.07372) and V4.1's inference code, read November 2026.
"""

from pathlib import Path

from tokenizers import Regex, Tokenizer, normalizers

from local_model.errors import WeightsError

_LONE_SPACE = "\ue000"
"""Of private use: what a single space is while white space is taken off the ends."""
_NO_CHARACTER = "\ufffd"


def compressed_ids(path: Path) -> list[int]:
    """The compressed id of each token of the `tokenizer.json` at `path`. Raises WeightsError."""
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises no narrower one
        raise WeightsError(f"{path} cannot be read as a tokenizer: {error}") from error
    fold = normalizers.Sequence(
        [
            normalizers.NFKC(),
            normalizers.NFD(),
            normalizers.StripAccents(),
            normalizers.Lowercase(),
            normalizers.Replace(Regex(r"[ \t\r\n]+"), " "),
            normalizers.Replace(Regex(r"^ $"), _LONE_SPACE),
            normalizers.Strip(),
            normalizers.Replace(_LONE_SPACE, " "),
        ]
    )
    ids: dict[str, int] = {}
    found: list[int] = []
    for token in range(tokenizer.get_vocab_size(with_added_tokens=True)):
        text = tokenizer.decode([token], skip_special_tokens=False)
        own = tokenizer.id_to_token(token) or ""
        folded = own if _NO_CHARACTER in text else fold.normalize_str(text) or text
        found.append(ids.setdefault(folded, len(ids)))
    return found
