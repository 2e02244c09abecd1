"""A score per field, from the model's own token log-probabilities.

The strongest cheap signal there is. Tokens are aligned with the answer by their text, since a
server may strip fences and line breaks from the content that its log-probabilities still hold.
Only the tokens inside a field's value count. None where there are none: never a guess.
"""

import math
from collections.abc import Sequence

from verifiers.answer import LeafValue
from verifiers.tokens import TokenLogprob

LOOKAHEAD_CHARS = 200


def token_spans(text: str, tokens: Sequence[TokenLogprob]) -> list[tuple[int, int, float]] | None:
    """Place tokens in `text`: (start, end, logprob). None if the two do not belong together."""
    joined = "".join(token.text for token in tokens)
    offset = joined.find(text)
    if offset < 0:
        return _by_steps(text, tokens)
    spans: list[tuple[int, int, float]] = []
    position = -offset
    for token in tokens:
        end = position + len(token.text)
        if end > 0 and position < len(text):
            spans.append((max(position, 0), min(end, len(text)), token.logprob))
        position = end
    return spans


def _by_steps(text: str, tokens: Sequence[TokenLogprob]) -> list[tuple[int, int, float]] | None:
    """The same where characters were dropped or split in between: each token is looked for ahead."""
    spans: list[tuple[int, int, float]] = []
    position, missed = 0, 0
    for token in tokens:
        word = token.text
        found = text.find(word, position, position + LOOKAHEAD_CHARS + len(word)) if word else -1
        if found < 0:
            missed += 1
            continue
        spans.append((found, found + len(word), token.logprob))
        position = found + len(word)
    return spans if missed * 4 <= len(tokens) else None


def field_score(leaf: LeafValue, spans: Sequence[tuple[int, int, float]] | None) -> float | None:
    """The probability of the least probable token of a value, 0 to 1."""
    if not spans:
        return None
    start, end = leaf.start, leaf.end
    if isinstance(leaf.value, str):
        start, end = start + 1, end - 1  # the quotation marks are the grammar's
    inside = [logprob for low, high, logprob in spans if low < end and high > start]
    return math.exp(max(min(inside), -700.0)) if inside else None
