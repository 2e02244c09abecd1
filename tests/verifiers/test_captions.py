"""The words before a value say what it is; where several match, the more telling wins."""

import pytest

from verifiers.caption_words import Caption
from verifiers.captions import Captions
from verifiers.document import Document


def captions(text: str) -> list[tuple[str, Caption | None]]:
    document = Document(text)
    return [(text[each.value.start : each.value.end], each.caption) for each in Captions(document).amounts]


@pytest.mark.parametrize(
    ("text", "caption"),
    [
        ("TOTAL: 9.00", Caption.TOTAL),
        ("SUB TOTAL 9.00", Caption.NET),
        ("SUB-TOTAL 9.00", Caption.NET),
        ("Subtotal 9.00", Caption.NET),
        ("TOTAL EXCL. GST 9.00", Caption.NET),
        ("TOTAL SALES (EXCLUDING GST) : 9.00", Caption.NET),
        ("TOTAL SALES (INCLUSIVE OF GST) : 9.00", Caption.GRAND_TOTAL),
        ("TOTAL RM INCL. OF GST 9.00", Caption.GRAND_TOTAL),
        ("Grand Total 9.00", Caption.GRAND_TOTAL),
        ("TOTAL ROUNDED RM 9.00", Caption.GRAND_TOTAL),
        ("ROUND D TOTAL (RM): 9.00", Caption.GRAND_TOTAL),
        ("Total due $9.00", Caption.PAYABLE_TOTAL),
        ("DUE 9.00", Caption.PAYABLE_TOTAL),
        ("AMT PAID INCL GST : 9.00", Caption.GRAND_TOTAL),
        ("Amount (including VAT) 9.00", Caption.GRAND_TOTAL),
        ("GST AMT : 9.00", Caption.TAX),
        ("TOTAL GST : 9.00", Caption.TAX),
        ("TOTAL INCLUDES 6% GST 9.00", Caption.TAX),
        ("TOTAL SAVINGS 9.00", Caption.DISCOUNT),
        ("ROUNDING ADJUSTMENT 9.00", Caption.ROUNDING),
        ("CASH 9.00", Caption.PAID),
        ("CHANGE DUE : 9.00", Caption.CHANGE),
        ("Gesamtbetrag 9,00 EUR", Caption.GRAND_TOTAL),
        ("SUMME 9,00", Caption.TOTAL),
        ("Zwischensumme 9,00", Caption.NET),
        ("zzgl. MwSt. 9,00", Caption.TAX),
        ("Rückgeld 9,00", Caption.CHANGE),
        ("Total HT 9,00 €", Caption.NET),
        ("Total TTC 9,00 €", Caption.GRAND_TOTAL),
        ("Net à payer 9,00 €", Caption.PAYABLE_TOTAL),
        ("合计 ¥9.00", Caption.TOTAL),
        ("价税合计 ¥9.00", Caption.GRAND_TOTAL),
        ("税额 ¥9.00", Caption.TAX),
        ("找零 9.00", Caption.CHANGE),
        ("NET 9.00", None),
        ("Apple tree 9.00", None),
        ("Totally Nuts 9.00", None),
    ],
)
def test_the_words_before_an_amount_say_what_it_is(text: str, caption: Caption | None) -> None:
    assert captions(text)[-1][1] is caption


@pytest.mark.parametrize(
    ("text", "caption"),
    [
        ("Date: 09.01.2026", Caption.DATE),
        ("Rechnungsdatum: 09.01.2026", Caption.DATE),
        ("Lieferdatum: 09.01.2026", Caption.DELIVERY),
        ("Due date 09.01.2026", Caption.DUE),
        ("Zahlbar bis 09.01.2026", Caption.DUE),
        ("CARD EXPIRY : 09.01.2026", Caption.DUE),
        ("Order date: 09.01.2026", Caption.ORDER),
        ("The agreement starts on 09.01.2026", Caption.START),
        ("开票日期:2026年3月18日", Caption.DATE),
        ("Zurich, 09.01.2026", None),
    ],
)
def test_the_words_before_a_date_say_what_it_is(text: str, caption: Caption | None) -> None:
    (only,) = Captions(Document(text)).dates

    assert only.caption is caption


def test_a_second_value_of_a_line_shares_the_caption() -> None:
    assert captions("TOTAL QTY 1 80.91") == [("1", Caption.QUANTITY), ("80.91", Caption.QUANTITY)]


def test_a_count_between_a_caption_and_its_value_changes_nothing() -> None:
    assert captions("SUB TOTAL (2 ITEMS) 5.00")[-1] == ("5.00", Caption.NET)


def test_a_caption_may_stand_alone_on_the_line_above() -> None:
    assert captions("TOTAL\n  43.75") == [("43.75", Caption.TOTAL)]


def test_a_line_above_with_a_value_of_its_own_captions_nothing_below() -> None:
    assert captions("TOTAL 43.75\n  1.00") == [("43.75", Caption.TOTAL), ("1.00", None)]


def test_a_caption_ends_with_its_line() -> None:
    assert captions("CASH 5.00\nApple 2.00")[-1] == ("2.00", None)
