"""What the words before an amount or a date say that it is: its caption.

A caption stands before the value on its line, or alone on the line above; a second value of a line
without words of its own shares the caption of the first. The tables hold common words of trade in
a few languages. Where several match, the first row does: "sub total" is no total.
"""

import re
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cached_property

from verifiers.document import Document
from verifiers.found import Found

CAPTION_CHARS_MAX = 80
VALUES_MAX = 500
"""A document with more amounts or dates than this is no receipt: its captions say too little."""


class Caption(StrEnum):
    """What a value is said to be."""

    GRAND_TOTAL = "grand_total"
    TOTAL = "total"
    NET = "net"
    TAX = "tax"
    DISCOUNT = "discount"
    ROUNDING = "rounding"
    CHANGE = "change"
    PAID = "paid"
    QUANTITY = "quantity"
    DATE = "date"
    DUE = "due"
    DELIVERY = "delivery"
    ORDER = "order"
    START = "start"
    END = "end"
    BIRTH = "birth"


_AMOUNT_ROWS = (
    (Caption.NET, """excl, exc, exclusive, excluding, excludes, subtotal, sub total, sub ttl, taxable, before tax,
        before gst, before vat, total net, net amount, net sum, netto, nettobetrag, zwischensumme, sous total, total ht,
        total hors, hors taxe, hors taxes, 小计, 小計, 不含税"""),
    (Caption.ROUNDING, "rounding adj, rounding adjustment, rounding adjustments, round adj, rundung, arrondi"),
    (Caption.CHANGE, "change, changes, rückgeld, wechselgeld, rendu, monnaie, 找零, お釣"),
    (Caption.GRAND_TOTAL, """grand total, round total, rounded total, rounding total, round d total, total round,
        total rounded, total amount rounded, total amt rounded, after round, after rounding, nett total, amount due, amt due,
        balance due, total due, amount payable, total payable, balance payable, to pay, =due, gesamtbetrag, gesamtsumme,
        endbetrag, rechnungsbetrag, zahlbetrag, zu zahlen, total ttc, net à payer, net a payer, 价税合计, 價稅合計, 应付, 應付,
        ご請求"""),
    (Caption.ROUNDING, "rounding, rounded, round"),
    (Caption.QUANTITY, "qty, quantity, item, items, count, menge, anzahl, quantité, 数量, 點數"),
    (Caption.DISCOUNT, "disc, discount, discounts, saving, savings, saved, rabatt, remise, points, 折扣, 优惠"),
    (Caption.TAX, """gst, sst, vat, tax, taxes, mwst, ust, umsatzsteuer, steuer, tva, iva, 税额, 稅額, 增值税, 消費税"""),
    (Caption.TOTAL, "total, totals, ttl, gesamt, summe, montant total, in all, 合计, 合計, 总计, 總計, 总额, 總額, お買上"),
    (Caption.PAID, """cash, paid, pay, payment, tender, tendered, received, credit, visa, master, mastercard, card,
        gegeben, karte, espèces, especes, reçu, recu, 实收, 實收, 现金, 現金, 支付, 预り, 預り"""),
)  # fmt: skip
_DATE_ROWS = (
    (Caption.BIRTH, "birth, born, geboren, geburtsdatum, naissance, 出生, 生年"),
    (Caption.DUE, """due, pay by, pay before, payable by, payable before, payable until, expiry, expires, expiration, exp,
        valid until, valid till, valid to, deadline, no later than, fällig, fälligkeit, fälligkeitsdatum, zahlbar bis,
        gültig bis, frist, spätestens, échéance, echeance, avant le, 到期, 截止, 有效期, 期限"""),
    (Caption.DELIVERY, """delivery, deliver, delivered, shipped, shipping, shipment, lieferdatum, liefertermin, lieferung,
        geliefert, livraison, livré, 送货, 送貨, 交货, 交貨, 納品"""),
    (Caption.ORDER, "order, ordered, bestelldatum, bestellung, bestellt, commande, 订单, 訂單, 订购, 注文"),
    (Caption.START, """start, starts, starting, begin, begins, beginning, effective, commences, commencing, beginnt,
        beginn, début, debut, 生效, 開始, 起始"""),
    (Caption.END, "end, ends, ending, until, endet, fin, 终止, 終了"),
    (Caption.DATE, "date, dated, issued, datum, rechnungsdatum, belegdatum, ausstellungsdatum, vom, du, 日期"),
)  # fmt: skip
_SUMS = frozenset(("total", "amount", "amt"))
_INCLUSIVE = frozenset(("incl", "inclusive", "including"))
_WORDED = re.compile(r"[^\W\d_]{2}|[\u2e80-\uffff]")
_WORD = re.compile(r"[^\W\d_]+")
_WIDE = "\u2e80"


class _Table:
    """Phrases and what they say; an earlier row wins. "=" marks one that must stand alone."""

    def __init__(self, rows: Iterable[tuple[Caption, str]]) -> None:
        self.rows: list[Caption] = []
        self.phrases: dict[str, int] = {}
        self.wide: list[tuple[str, int]] = []
        """Phrases of scripts that put no spaces between words."""
        self.beginnings: dict[str, int] = {}
        """The first word of each phrase -> words in the longest that begins with it."""
        for row, (caption, phrases) in enumerate(rows):
            self.rows.append(caption)
            for phrase in re.split(r",\s+", phrases):
                if phrase[0] > _WIDE:
                    self.wide.append((phrase, row))
                else:
                    self.phrases[phrase] = row
                    begins, length = phrase.split()[0], len(phrase.split())
                    self.beginnings[begins] = max(length, self.beginnings.get(begins, 1))

    def read(self, text: str) -> Caption | None:
        """What the words of `text` (lower case) say."""
        words = _WORD.findall(text)
        best = self.phrases.get("=" + text.strip(" :.\t"), len(self.rows))
        for at, word in enumerate(words):
            if word in self.beginnings:
                for length in range(1, self.beginnings[word] + 1):
                    best = min(best, self.phrases.get(" ".join(words[at : at + length]), best))
        if not text.isascii():
            best = min((row for phrase, row in self.wide if row < best and phrase in text), default=best)
        found = self.rows[best] if best < len(self.rows) else None
        is_sum = not _SUMS.isdisjoint(words) and not _INCLUSIVE.isdisjoint(words)
        if is_sum and found in (Caption.TOTAL, Caption.TAX):
            return Caption.GRAND_TOTAL  # "total incl. tax", "amount paid incl. tax"
        return found


_AMOUNTS, _DATES = _Table(_AMOUNT_ROWS), _Table(_DATE_ROWS)


@dataclass(frozen=True, slots=True)
class Captioned:
    """A value of the document, what it is said to be, and the words that say so (lower case)."""

    value: Found
    caption: Caption | None
    words: str

    @property
    def decimals(self) -> list[Decimal]:
        """What it may mean as an amount."""
        return [reading for reading in self.value.readings if isinstance(reading, Decimal)]

    @property
    def is_money(self) -> bool:
        """Whether it has two decimals."""
        return any(reading.as_tuple().exponent == -2 for reading in self.decimals)


class Captions:
    """The captions of a document's amounts and dates, read once for all of its fields."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._ranked: dict[Hashable, list[tuple[int, Captioned]]] = {}

    @cached_property
    def amounts(self) -> list[Captioned]:
        """The first amounts, in the order of the text."""
        return _read(self.document, self.document.amount_values[:VALUES_MAX], _AMOUNTS)

    @cached_property
    def dates(self) -> list[Captioned]:
        """The first dates, in the order of the text."""
        return _read(self.document, self.document.date_values[:VALUES_MAX], _DATES)

    @property
    def are_whole(self) -> bool:
        """Whether no amount and no date of the text was left unread."""
        values = (self.document.amount_values, self.document.date_values)
        return self.document.is_indexed_whole and max(map(len, values)) <= VALUES_MAX

    @cached_property
    def paid(self) -> frozenset[Decimal]:
        """What was paid less the change that follows it; empty where no change is stated."""
        found: set[Decimal] = set()
        paid: list[Decimal] = []
        for each in self.amounts:
            if each.caption is Caption.PAID:
                paid = each.decimals
            elif each.caption is Caption.CHANGE:
                found.update(abs(one) - abs(change) for one in paid for change in each.decimals)
        return frozenset(amount for amount in found if amount > 0)

    def ranked(
        self, values: Sequence[Captioned], key: Hashable, fit: Callable[[Caption | None, str], int]
    ) -> list[tuple[int, Captioned]]:
        """`values` by how well they fit, best first; those that fit alike as the text has them.

        Ranked once for all fields that share `key`.
        """
        found = self._ranked.get(key)
        if found is None:
            self.document.spend(25 * len(values))
            pairs = [(fit(each.caption, each.words), each) for each in values]
            found = self._ranked[key] = sorted(pairs, key=lambda pair: -pair[0])
        return found


def _read(document: Document, values: Sequence[Found], table: _Table) -> list[Captioned]:
    found: list[Captioned] = []
    line_start, line_end, position = 0, -1, 0
    caption: Caption | None = None
    words = ""
    line_above_free = True
    for value in values:
        if value.start > line_end:
            last_line_end = line_end
            line_start, line_end = document.line_of(value.start)
            position, caption, words = line_start, None, ""
            line_above_free = last_line_end < line_start - 1
        own = document.text[max(position, value.start - CAPTION_CHARS_MAX) : value.start]
        worded = _WORDED.search(own) is not None
        if not worded and position == line_start and line_above_free and line_start > 0:
            own, worded = _line_above(document, line_start), True
        if worded:
            own = own.lower()
            here = table.read(own)
            if here is not None and (caption is None or here is not Caption.QUANTITY):
                caption, words = here, own
            elif caption is None:
                words = own
        found.append(Captioned(value, caption, words))
        position = value.end
    return found


def _line_above(document: Document, line_start: int) -> str:
    above, end = document.line_of(line_start - 1)
    return document.text[max(above, end - CAPTION_CHARS_MAX) : end]
