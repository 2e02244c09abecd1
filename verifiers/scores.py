"""A score per field, from the model's own token log-probabilities.

The strongest cheap signal there is. Tokens are aligned with the answer by their text, since a
server may strip fences and line breaks from the content that its log-probabilities still hold.
Only the tokens inside a field's value count. None where there are none: never a guess.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from verifiers.answer import LeafValue
from verifiers.tokens import TokenLogprob

PARTIAL_CHARS_MAX = 4
"""Characters that one token of a torn character may stand for."""
_DROPPED = frozenset(" \t\r\n`")


def token_spans(text: str, tokens: Sequence[TokenLogprob]) -> list[tuple[int, int, float]] | None:
    """Place tokens in `text`: (start, end, logprob). None if the two do not belong together."""
    joined = "".join(token.text for token in tokens)
    offset = joined.rfind(text)  # the last: what the model thought aloud stands before
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
    """The same where white space or fences were dropped, or a character was torn into tokens.

    A token that does not come next in the text is taken for dropped; if it was not, the text cannot
    be finished, and there is no score.
    """
    spans: list[tuple[int, int, float]] = []
    torn: list[float] = []
    position = 0
    for token in tokens:
        if _is_torn(token.text):
            torn.append(token.logprob)
            continue
        start, end = position, _walk(text, token.text, position)
        if torn:
            start, end = _after_torn(text, token.text, position, len(torn))
            if start > position:
                spans.append((position, start, min(torn)))
                torn = []
        if end is not None and end > start:
            spans.append((start, end, token.logprob))
            position = end
    if torn and position < len(text):
        spans.append((position, len(text), min(torn)))
        position = len(text)
    return spans if not text[position:].strip() else None


def _after_torn(text: str, word: str, position: int, torn: int) -> tuple[int, int | None]:
    """Where `word` stands when up to `torn` unreadable tokens stand before it."""
    for start in range(position + 1, min(len(text), position + PARTIAL_CHARS_MAX * torn) + 1):
        end = _walk(text, word, start)
        if end is not None and end > start:
            return start, end
    return position, _walk(text, word, position)


def _walk(text: str, word: str, at: int) -> int | None:
    """The end of `word` in `text` from `at` on, but for what servers drop; None if it is not there."""
    for character in word:
        if text[at : at + 1] == character:
            at += 1
        elif character not in _DROPPED:
            return None
    return at


def _is_torn(text: str) -> bool:
    return not text or "\ufffd" in text or text.startswith(("\\x", "bytes:"))


def field_score(leaf: LeafValue, spans: Sequence[tuple[int, int, float]] | None) -> float | None:
    """The probability of the least probable token of a value, 0 to 1."""
    if not spans:
        return None
    start, end = leaf.start, leaf.end
    if isinstance(leaf.value, str):
        start, end = start + 1, end - 1  # the quotation marks are the grammar's
    first = bisect_right(spans, start, key=lambda span: span[1])
    last = bisect_left(spans, end, first, key=lambda span: span[0])
    inside = [logprob for _, _, logprob in spans[first:last]]
    return math.exp(max(min(inside), -700.0)) if inside else None
