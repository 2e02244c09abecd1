"""What a document shows for a field that an answer leaves empty.

Captioned values are candidates for any field. Where the schema does not let the field be null,
something that only may be its value is one too: the only date of a receipt, the first line's firm.
"""

import re
from collections.abc import Iterator

from verifiers.caption_words import Caption
from verifiers.captions import Captions
from verifiers.document import Document, words_of
from verifiers.found import Placed
from verifiers.labels import AMOUNT_KINDS, DATE_KINDS, IDENTIFIES, Kind, Label
from verifiers.letterhead import LEGAL_FORM, OTHER_THINGS, POSTCODE

PLACES_TRIED = 30
HEAD_LINES = 12
NAME_LETTERS_MIN = 3
IDENTIFIER_CHARS_MAX = 20_000
_WORDS = {
    "of the document itself": "date day datum issue issued invoice receipt document bill purchase transaction 日期",
    "parties": "customer client buyer recipient delivery shipping ship employer kunde lieferung 购买方",
    "items": "item items line lines product products position positions article articles artikel goods",
    "invoice": "inv receipt bill rechnung rechnungsnummer facture 发票号码",
    "order": "po bestellung bestellnummer auftrag auftragsnummer commande 订单号",
}
_GENERAL, _PARTIES, _ITEMS = (frozenset(words.split()) for words in [*_WORDS.values()][:3])
_ALIKE = {name: _WORDS[name].split() for name in ("invoice", "order")}
_NOTHING = r"(?!(?:n/?a|none|nil|null|0+(?:[.,]0+)?(?![\d.,]))\b)"
_VALUE_FOLLOWS = re.compile(
    rf"[ \t]*[:：#=][^\w\n]{{0,6}}(?=\w){_NOTHING}(?![^\W\d][\w ]{{0,30}}:)", re.IGNORECASE
)
_NUMBER_FOLLOWS = re.compile(
    r"[ \t]*(?:reg\w*\W{0,2})?(?:\(?(?:no|nr|num|number|nummer|id|code|ref)\b|[#:№：]|n[°º]|编号|号码)[^\w\n]{0,6}(?=[\w/-]*\d)",
    re.IGNORECASE,
)
_NUMBER_FOLLOWS_AT_ONCE = re.compile(r"[ \t]{1,4}(?=[A-Z]{0,5}[-/ ]?\d{3})")
_IDENTIFIER = re.compile(r"(?<![\w-])[A-Z]{1,5}[-/]?\d{3,}[\w/-]*")
_LEGAL_FORM = re.compile(r"[^\W\d_]\W{1,3}" + LEGAL_FORM, re.IGNORECASE)


def find_candidate(captions: Captions, label: Label) -> Placed | None:
    """The first value of the document that may well be this field's; None if it shows none."""
    if label.kind in AMOUNT_KINDS:
        return _amount(captions, label)
    if label.kind in DATE_KINDS:
        return _date(captions, label)
    place = _named(captions.document, label)
    if place is not None:
        return place
    if label.kind is Kind.NAME and label.words.isdisjoint(_PARTIES):
        return _firm(captions.document, label)
    if label.kind is Kind.ADDRESS and label.words.isdisjoint(_PARTIES):
        return next(
            (place for place in _head(captions.document) if _holds(POSTCODE, captions.document, place)), None
        )
    if label.kind is None and label.is_money:
        return _amount(captions, label)
    return _identifier(captions.document, label)


def find_items(captions: Captions, label: Label) -> Placed | None:
    """An amount on a line of words that names no total: an item, for a list of items."""
    if label.words.isdisjoint(_ITEMS):
        return None
    return next(
        (
            Placed(each.value.start, each.value.end)
            for each in captions.amounts
            if each.caption is None and each.words.strip() and each.is_money
        ),
        None,
    )


def _amount(captions: Captions, label: Label) -> Placed | None:
    ranked = captions.ranked(captions.amounts, (False, label.fits_by), label.fit)
    may_be = label.kind in (Kind.TOTAL, Kind.PAYABLE) and not label.is_nullable
    for fit, each in ranked:
        is_shown = fit >= label.best_fit and (each.is_money or label.kind is Kind.TOTAL)
        if any(each.decimals) and (is_shown or (may_be and fit >= 0 and each.is_money)):
            return Placed(each.value.start, each.value.end)
    return None


def _date(captions: Captions, label: Label) -> Placed | None:
    is_general = label.kind is Kind.DATE and label.words <= _GENERAL
    if label.kind is Kind.DATE and label.is_nullable and not is_general:
        return _named(captions.document, label)
    ranked = captions.ranked(captions.dates, (True, label.fits_by), label.fit)
    has_own_date = any(each.caption is Caption.DATE for _, each in ranked)
    for fit, each in ranked:
        is_unexplained = each.caption is None and has_own_date and not label.is_nullable
        may_be = fit >= 0 and (label.kind is Kind.DATE or (is_unexplained and label.kind is not Kind.BIRTH))
        if may_be or fit >= label.best_fit:
            return Placed(each.value.start, each.value.end)
    return None


def _named(document: Document, label: Label) -> Placed | None:
    """Where the field's own name stands with a value behind it: "Order number: 5", "Order no. 5"."""
    for wanted, follows in _tries(label):
        for place in _phrases(document, wanted):
            match = follows.match(document.text, place.end)
            if match is not None:
                _, end = document.line_of(match.end())
                return Placed(match.end(), end)
    return None


def _tries(label: Label) -> Iterator[tuple[list[str], re.Pattern[str]]]:
    """Words that name the field, each with what may stand between them and the value."""
    for name in label.names:
        words = words_of(name)
        yield words, _VALUE_FOLLOWS
        base = [word for word in words if word not in IDENTIFIES]
        if label.is_identifier and base:
            for alike in (base, *map(words_of, _ALIKE.get(" ".join(base), ()))):
                yield alike, _NUMBER_FOLLOWS
                yield alike, _VALUE_FOLLOWS
                if not label.is_nullable:
                    yield alike, _NUMBER_FOLLOWS_AT_ONCE


def _phrases(document: Document, wanted: list[str]) -> Iterator[Placed]:
    words = document.words
    if not wanted or (sum(map(len, wanted)) < NAME_LETTERS_MIN and wanted[0].isascii()):
        return
    for first in words.positions.get(wanted[0], ())[:PLACES_TRIED]:
        if words.folded[first : first + len(wanted)] == wanted:
            yield words.place(first, first + len(wanted))


def _firm(document: Document, label: Label) -> Placed | None:
    lines = list(_head(document))
    firm = next((line for line in lines if _holds(_LEGAL_FORM, document, line)), None)
    if firm is not None or label.is_nullable:
        return firm
    return next((line for line in lines if not _holds(OTHER_THINGS, document, line)), None)


def _identifier(document: Document, label: Label) -> Placed | None:
    """Letters with a number, for the number of the document itself where that may not be null."""
    if label.is_nullable or not label.is_identifier:
        return None
    if label.words.isdisjoint(_GENERAL) or not label.words <= IDENTIFIES | _GENERAL:
        return None
    match = _IDENTIFIER.search(document.text, 0, IDENTIFIER_CHARS_MAX)
    return Placed(*match.span()) if match is not None else None


def _head(document: Document) -> Iterator[Placed]:
    """The first lines that hold words."""
    start = end = -1
    for _ in range(HEAD_LINES):
        if end + 1 >= len(document.text):
            return
        start, end = document.line_of(end + 1)
        text = document.text[start:end]
        if sum(map(str.isalpha, text[:200])) >= NAME_LETTERS_MIN:
            yield Placed(start, end)


def _holds(pattern: re.Pattern[str], document: Document, line: Placed) -> bool:
    return pattern.search(document.text, line.start, line.end) is not None
