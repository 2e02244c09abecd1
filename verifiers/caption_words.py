"""The words of trade that caption amounts and dates, and what each says.

They are common ones in a few languages. Where several match, the first row does: "sub total" is no
total.
"""

import re
from collections.abc import Iterable
from enum import StrEnum


class Caption(StrEnum):
    """What a value is said to be."""

    GRAND_TOTAL = "grand_total"
    TOTAL = "total"
    PAYABLE = "payable"
    """What is still to be paid, where the document tells that from its total; nothing, of a paid one."""
    PAYABLE_TOTAL = "payable_total"
    """What is to be paid, and nothing speaks against its being the total."""
    PARTIAL = "partial"
    """The total of a line, a page or a kind of cost; the document's, where it has no other."""
    EARLIER = "earlier"
    """What comes from an earlier bill or page, or goes on to the next."""
    NET = "net"
    TAX = "tax"
    DISCOUNT = "discount"
    ROUNDING = "rounding"
    CHANGE = "change"
    PAID = "paid"
    PAID_IN_ALL = "paid_in_all"
    """What was paid: the total, unless a larger one stands there."""
    QUANTITY = "quantity"
    """A count, a rate, or a number that belongs to the caption of another ("Total 2025:")."""
    DATE = "date"
    DUE = "due"
    DELIVERY = "delivery"
    ORDER = "order"
    START = "start"
    END = "end"
    BIRTH = "birth"


_KINDS_OF_COST = """shipping freight delivery postage handling labor labour parts material materials food beverage beverages
    drinks room rooms line row page unit product"""
_TOTALS_OF_PARTS = [order for part in _KINDS_OF_COST.split() for order in (f"{part} total", f"total {part}")]
_AMOUNT_ROWS = (
    (Caption.EARLIER, """previous balance, previous total, previous amount, previous bill, previous invoice, previous statement,
        prior balance, prior total, opening balance, last balance, last bill, last invoice, last statement, brought forward,
        carried forward, carry forward, balance forward, carried over, brought over, b f, c f, b fwd, c fwd, running total,
        cumulative total, total to date, year to date, ytd, übertrag, vortrag, saldovortrag, vormonat, =report, à reporter,
        report à nouveau, ancien solde, solde précédent, total précédent"""),
    (Caption.PARTIAL, ", ".join(("zeilensumme, zeilenbetrag, positionssumme, positionsbetrag, einzelsumme, seitensumme",
        "total ligne, total de la ligne, total page, total de la page, total per, pro person, pro stück",
        *_TOTALS_OF_PARTS))),
    (Caption.PAYABLE_TOTAL, "net amount due, net amount payable, net payable, net à payer, net a payer"),
    (Caption.NET, """excl, exc, exclusive, excluding, excludes, subtotal, sub total, sub ttl, taxable, before tax,
        before gst, before vat, total net, net amount, net sum, netto, nettobetrag, zwischensumme, sous total, total ht,
        total hors, hors taxe, hors taxes, 小计, 小計, 不含税"""),
    (Caption.ROUNDING, "rounding adj, rounding adjustment, rounding adjustments, round adj, rundung, arrondi"),
    (Caption.CHANGE, "change, changes, rückgeld, wechselgeld, rendu, monnaie, 找零, お釣"),
    (Caption.GRAND_TOTAL, """grand total, round total, rounded total, rounding total, round d total, total round,
        total rounded, total amount rounded, total amt rounded, after round, after rounding, nett total, gesamtbetrag,
        gesamtsumme, endbetrag, endsumme, rechnungsbetrag, total ttc, montant ttc, 价税合计, 價稅合計"""),
    (Caption.PAYABLE_TOTAL, """amount due, amt due, balance due, total due, payment due, amount now due, amount payable,
        amt payable, total payable, balance payable, to pay, =due, =balance, =amount outstanding, outstanding balance,
        balance outstanding, total outstanding, amount outstanding, remaining balance, balance remaining, amount owing,
        balance owing, amount owed, balance owed, zahlbetrag, zu zahlen, zu zahlender, offener betrag, offener saldo,
        restbetrag, à payer, reste à payer, solde dû, montant dû, solde restant, 应付, 應付, ご請求"""),
    (Caption.PAID_IN_ALL, "total paid, total payment, total payments, total received, total payé"),
    (Caption.ROUNDING, "rounding, rounded, round"),
    (Caption.QUANTITY, "qty, quantity, item, items, count, menge, anzahl, quantité, 数量, 點數"),
    (Caption.DISCOUNT, "disc, discount, discounts, saving, savings, saved, rabatt, remise, points, 折扣, 优惠"),
    (Caption.TAX, """gst, sst, vat, tax, taxes, mwst, ust, umsatzsteuer, steuer, tva, iva, 税额, 稅額, 增值税, 消費税"""),
    (Caption.TOTAL, "total, totals, ttl, gesamt, summe, montant total, in all, 合计, 合計, 总计, 總計, 总额, 總額, お買上"),
    (Caption.PAID, """cash, paid, pay, payment, payments, tender, tendered, received, credit, visa, master, mastercard, card,
        gegeben, karte, bezahlt, anzahlung, espèces, especes, reçu, recu, payé, acompte, 实收, 實收, 现金, 現金, 支付, 预り,
        預り"""),
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
_CURRENCIES = frozenset(("rm", "eur", "euro", "usd", "gbp", "chf", "sgd", "aud", "cad", "inr"))
"""What may stand beside a caption that else stands alone."""
_SUMS = frozenset(("total", "amount", "amt"))
_INCLUSIVE = frozenset(("incl", "inclusive", "including"))
_WORD = re.compile(r"[^\W\d_]+")
_WIDE = "\u2e80"


class Table:
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
        alone = " ".join(word for word in words if word not in _CURRENCIES)
        best = self.phrases.get("=" + alone, len(self.rows))
        for at, word in enumerate(words):
            if word in self.beginnings:
                for length in range(1, self.beginnings[word] + 1):
                    best = min(best, self.phrases.get(" ".join(words[at : at + length]), best))
        if not text.isascii():
            best = min((row for phrase, row in self.wide if row < best and phrase in text), default=best)
        found = self.rows[best] if best < len(self.rows) else None
        is_sum = not _SUMS.isdisjoint(words) and not _INCLUSIVE.isdisjoint(words)
        if is_sum and found in (Caption.TOTAL, Caption.TAX, Caption.PAID_IN_ALL):
            return Caption.GRAND_TOTAL  # "total incl. tax", "amount paid incl. tax"
        return found


AMOUNTS, DATES = Table(_AMOUNT_ROWS), Table(_DATE_ROWS)
