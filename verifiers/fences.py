"""A fence around what an auditor reads but must not obey: a document, a cheap model's answer.

Between its two lines stand JSON objects, one a line. Whatever a text says, it stays one JSON string
on one line; runs that look like a fence are taken out of it, and so is the nonce, should somebody
have guessed it. The nonce is the caller's, fresh for every question.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping

import orjson

from verifiers.errors import NonceError

NONCE_DIGITS_MIN, NONCE_DIGITS_MAX = 16, 64
"""64 bits at least."""
BEGIN, END = "<<<", ">>>"
CUT, TAKEN_OUT = "\u2026", "[\u2026]"
_NONCE = re.compile(rf"[0-9a-f]{{{NONCE_DIGITS_MIN},{NONCE_DIGITS_MAX}}}")
_LEFT = "<\u00ab\u02c2\u1438\u1431\u16b2\u2039\u227a\u226a\u22d6\u22d8\u2329\u276c\u276e\u2770\u27e8\u27ea\u2991\u2a79\u2abb\u300a\u3008\ufe3d\ufe3f\ufe64\uff1c"
_RIGHT = ">\u00bb\u02c3\u1433\u203a\u227b\u226b\u22d7\u22d9\u232a\u276d\u276f\u2771\u27e9\u27eb\u2992\u2a7a\u2abc\u300b\u3009\ufe3e\ufe40\ufe65\uff1e"
_LEFT_RUN = re.compile(rf"[{_LEFT}](?:[\s\u0300-\u036f]*[{_LEFT}])+|\u22d8")
_RIGHT_RUN = re.compile(rf"[{_RIGHT}](?:[\s\u0300-\u036f]*[{_RIGHT}])+|\u22d9")
_BREAKS = re.compile("\r\n|[\r\v\f\x1c\x1d\x1e\x85\u2028\u2029]")
# Letters that are drawn as nothing but are no format characters (category Cf).
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_PLAIN = re.compile(r"(?:[ \n!-;=?-~]|<(?![\s<])|>(?![\s>]))*")
_NO_LETTERS = re.compile(r"[\W_]+")
_LOOKS_LIKE = str.maketrans("авсԁеғƒɑαеᖯϲⅽⅾℯoоοilıі", "abcdeffaaebccde0001111")
"""Letters, of other scripts most, that look like the digits of a nonce."""


class Fence:
    """The fence of one question. Raises NonceError for a nonce that could be guessed."""

    def __init__(self, nonce: str) -> None:
        if _NONCE.fullmatch(nonce) is None:
            raise NonceError(
                f"the nonce of a question must be {NONCE_DIGITS_MIN} to {NONCE_DIGITS_MAX} digits of lower-case hex;"
                " take secrets.token_hex(8)"
            )
        self.nonce = nonce
        self.begin, self.end = BEGIN + nonce, nonce + END

    def around(self, records: Iterable[Mapping[str, str | bool]]) -> str:
        """Write the two lines with `records` between them; every text in them is shown as `shown` says."""
        return "\n".join((self.begin, *self.lines(records), self.end))

    def lines(self, records: Iterable[Mapping[str, str | bool]]) -> Iterator[str]:
        """The lines between, one a record."""
        for record in records:
            yield orjson.dumps({key: self.shown(value) for key, value in record.items()}).decode()

    def shown(self, value: str | bool) -> str | bool:
        """A text without anything that could pass for a fence, or that is not seen; linear in its length."""
        if isinstance(value, bool):
            return value
        text = value if _PLAIN.fullmatch(value) else _visible(value)
        return self._without_nonce(text)

    def _without_nonce(self, text: str) -> str:
        if self.nonce not in _seen(text):
            return text
        folded, starts = _folded(text)
        pieces: list[str] = []
        position, at = 0, folded.find(self.nonce)
        while at >= 0:
            pieces += [text[position : bisect_right(starts, at) - 1], TAKEN_OUT]
            position = bisect_right(starts, at + len(self.nonce) - 1)
            at = folded.find(self.nonce, at + len(self.nonce))
        return "".join((*pieces, text[position:]))


def texts_within(written: str) -> Iterator[str]:
    """Every text between the two lines of a fence that opens `written`, as its reader sees it."""
    lines = written.split("\n")
    end = lines.index(lines[0].removeprefix(BEGIN) + END)
    for line in lines[1:end]:
        yield from (value for value in orjson.loads(line).values() if isinstance(value, str))


def cut(text: str, chars_max: int) -> str:
    """The text, or its beginning and a mark that it goes on."""
    return text if len(text) <= chars_max else text[: chars_max - 1] + CUT


def cut_middle(text: str, chars_max: int) -> str:
    """The text, or its beginning and its end with a mark between them."""
    if len(text) <= chars_max:
        return text
    half = chars_max // 2
    return f"{text[: half - 2]}\n{CUT}\n{text[len(text) - (chars_max - half - 1) :]}"


def _visible(text: str) -> str:
    """One kind of line break, nothing that is not seen, no run that looks like a fence."""
    text = _BREAKS.sub("\n", text).replace("\t", " ")
    if not text.replace("\n", "").isprintable():
        text = "".join(letter for letter in text if letter == "\n" or unicodedata.category(letter)[0] != "C")
    return _RIGHT_RUN.sub("\u203a", _LEFT_RUN.sub("\u2039", _INVISIBLE.sub("", text)))


def _seen(text: str) -> str:
    """The letters and digits of a text as a reader sees them, with nothing between them."""
    plain = unicodedata.normalize("NFKD", text).casefold().translate(_LOOKS_LIKE)
    return _NO_LETTERS.sub("", plain)


def _folded(text: str) -> tuple[str, list[int]]:
    """What is seen of a text, letter by letter, and where each of its characters begins in that."""
    pieces: list[str] = []
    starts: list[int] = []
    length = 0
    for letter in text:
        starts.append(length)
        pieces.append(_seen(letter))
        length += len(pieces[-1])
    return "".join(pieces), starts
