"""Find a text in a document that a scanner misread, or that stands there in pieces.

Letters may be wrong, digits never: a wrong digit is the error that matters most.
"""

from verifiers.document import Document
from verifiers.found import Placed

LETTERS_MIN = 10
LETTERS_MAX = 400
DOCUMENT_CHARS_MAX = 50_000
PLACES_TRIED = 30
"""A word that stands more often than this in so short a text tells no place from another."""
WORD_LETTERS_MAX = 40
PIECES_MAX = 4
PIECES_WORDS_MIN = 5


def near(document: Document, value: str) -> Placed | None:
    """Find `value` with a tenth of its letters wrong, missing or too many, but no digit."""
    wanted = document.folded(value)
    letters = sum(map(len, wanted))
    if not LETTERS_MIN <= letters <= LETTERS_MAX or len(document.text) > DOCUMENT_CHARS_MAX:
        return None
    positions = document.words.positions
    rarest = min(
        (word for word in wanted if word in positions), key=lambda word: len(positions[word]), default=None
    )
    if rarest is None:
        return None
    have, offset = document.words.folded, wanted.index(rarest)
    document.spend(len(wanted))
    for index in positions[rarest][:PLACES_TRIED]:
        first = index - offset
        if document.is_spent:
            break
        if 0 <= first <= len(have) - len(wanted) and _agree(document, wanted, first, letters // 10):
            return document.words.place(first, first + len(wanted))
    return None


def in_pieces(document: Document, value: str) -> tuple[Placed, ...]:
    """Find a long `value` in at most four pieces close to each other, as columns tear it apart."""
    wanted = document.folded(value)
    letters = sum(map(len, wanted))
    if len(wanted) < PIECES_WORDS_MIN or letters > LETTERS_MAX or len(document.text) > DOCUMENT_CHARS_MAX:
        return ()
    words = document.words
    if any(word not in words.positions for word in wanted):
        return ()
    found: list[tuple[int, int]] = []
    at = 0
    while at < len(wanted):
        first, length = _longest(document, words.positions[wanted[at]], wanted, at)
        if length < 2 or len(found) == PIECES_MAX or document.is_spent:
            return ()
        found.append((first, first + length))
        at += length
    span = max(last for _, last in found) - min(first for first, _ in found)
    if span > 2 * len(wanted) + 4:
        return ()
    return tuple(words.place(first, last) for first, last in found)


def _longest(document: Document, starts: list[int], wanted: list[str], at: int) -> tuple[int, int]:
    have = document.words.folded
    best, best_length = 0, 0
    for first in starts[:PLACES_TRIED]:
        length = 0
        while (
            at + length < len(wanted)
            and first + length < len(have)
            and have[first + length] == wanted[at + length]
        ):
            length += 1
        document.spend(2 + length)
        if length > best_length:
            best, best_length = first, length
    return best, best_length


def _agree(document: Document, wanted: list[str], first: int, edits_max: int) -> bool:
    """Whether two lists of words differ in at most `edits_max` letters, and in no digit."""
    have = document.words.folded
    edits = 0
    document.spend(4)
    for offset, word in enumerate(wanted):
        other = have[first + offset]
        if word == other:
            continue
        if abs(len(word) - len(other)) > 2 or len(word) > WORD_LETTERS_MAX:
            return False
        if _has_digit(word) or _has_digit(other) or other.startswith(word):  # cut off is not misread
            return False
        document.spend(len(word) * len(other) + 2 * offset)
        edits += _edits(word, other)
        if edits > edits_max:
            return False
    return True


def _has_digit(word: str) -> bool:
    return any(map(str.isdigit, word))


def _edits(one: str, other: str) -> int:
    """Letters to change, add or take out to make one word the other (Levenshtein)."""
    row = list(range(len(other) + 1))
    for count, letter in enumerate(one, 1):
        before, row[0] = row[0], count
        for index, against in enumerate(other, 1):
            before, row[index] = (
                row[index],
                min(row[index] + 1, row[index - 1] + 1, before + (letter != against)),
            )
    return row[-1]
