"""What is still to be paid is not the total: a paid invoice owes nothing, a part-paid one less."""

import pytest

from support.doubts import doubted

PAID = """Larkspur Paper Ltd
Invoice INV-2041            14 March 2026
Envelopes C5, 500           48.00
Letterheads, 1000           52.00
Subtotal                   100.00
VAT 20%                     20.00
Total                     £120.00
Amount paid               £120.00
Balance due                 £0.00
"""
PART_PAID = """Fenwick Timber Co.
Oak boards                 900.00
Total                      900.00
Deposit paid 2 March      -300.00
Amount due                 600.00
"""
WITHOUT_A_TOTAL = """Orchard Lettings
Rent for April             850.00
Payment received           850.00
Balance                      0.00
"""
BOX_FIRST = """BALANCE DUE
$70.00
Halden Instruments, Inc.
Repair of a scale           95.00
Parts                       25.00
Total                      120.00
Payments                   -50.00
"""
GERMAN = """Holm Bäckerei GmbH
Gesamtbetrag            120,00 EUR
Anzahlung               -50,00 EUR
Offener Betrag           70,00 EUR
"""
FRENCH = """Atelier Kervoal SARL
Total TTC              240,00 €
Acompte versé          -40,00 €
Reste à payer          200,00 €
"""
UNPAID = """Brightwater Utilities
Subtotal                    80.00
Tax                          4.80
Total due                   84.80
"""
TAXED_AFTER = """Kopitiam Seri Sdn Bhd
TOTAL                       10.00
SERVICE TAX                  0.60
AMOUNT DUE                  10.60
CASH                        20.60
CHANGE                      10.00
"""
TILL = """Northgate Stores
Milk                         1.20
Bread                        2.30
BALANCE DUE                  3.50
VISA                         3.50
"""
PAID_IN_ALL = """Harbour Inn
Room 12, two nights        180.00
Total                      180.00
Total paid                 100.00
Balance due                 80.00
"""


@pytest.mark.parametrize(
    ("document", "field", "value"),
    [
        pytest.param(PAID, "total", "0.00", id="nothing is left of a paid one"),
        pytest.param(PART_PAID, "total", "600.00", id="what is left after a deposit"),
        pytest.param(PART_PAID, "amount_due", "900.00", id="the total as what is left"),
        pytest.param(WITHOUT_A_TOTAL, "total", "0.00", id="nothing is left, and no word for the total"),
        pytest.param(BOX_FIRST, "total", "70.00", id="what is left stands first"),
        pytest.param(BOX_FIRST, "amount_due", "120.00", id="the total as what stands first"),
        pytest.param(GERMAN, "total", "70,00", id="German"),
        pytest.param(FRENCH, "total", "200,00", id="French"),
        pytest.param(PAID_IN_ALL, "total", "80.00", id="what is left of what was paid in all"),
        pytest.param(PAID_IN_ALL, "total", "100.00", id="what was paid in all so far"),
        pytest.param(TAXED_AFTER, "total", "10.00", id="a total before the tax"),
        pytest.param(UNPAID, "total", "80.00", id="the net amount"),
        pytest.param(TILL, "total", "2.30", id="an item"),
    ],
)
def test_what_is_left_or_a_part_is_no_total(document: str, field: str, value: str) -> None:
    assert doubted(document, {field: value}) == {field}


@pytest.mark.parametrize(
    ("document", "field", "value"),
    [
        pytest.param(PAID, "total", "120.00", id="the total of a paid one"),
        pytest.param(PAID, "amount_due", "0.00", id="nothing is due"),
        pytest.param(PART_PAID, "total", "900.00", id="the total before a deposit"),
        pytest.param(PART_PAID, "balance_due", "600.00", id="what is left after a deposit"),
        pytest.param(WITHOUT_A_TOTAL, "total", "850.00", id="no word for the total"),
        pytest.param(BOX_FIRST, "total", "120.00", id="the total behind what is left"),
        pytest.param(BOX_FIRST, "amount_due", "70.00", id="what is left stands first"),
        pytest.param(GERMAN, "total", "120,00", id="German"),
        pytest.param(FRENCH, "total", "240,00", id="French"),
        pytest.param(FRENCH, "amount_due", "200,00", id="French, what is left"),
        pytest.param(PAID_IN_ALL, "total", "180.00", id="more than was paid in all so far"),
        pytest.param(TAXED_AFTER, "total", "10.60", id="an amount due after the tax is the total"),
        pytest.param(UNPAID, "total", "84.80", id="a total due is the total"),
        pytest.param(UNPAID, "amount_due", "84.80", id="and what is due"),
        pytest.param(TILL, "total", "3.50", id="a balance due is the total of a till"),
    ],
)
def test_the_total_and_what_is_left_are_each_right_in_their_field(
    document: str, field: str, value: str
) -> None:
    assert doubted(document, {field: value}) == set()


def test_a_paid_invoice_may_leave_out_what_is_due() -> None:
    assert doubted(PAID, {"total": "120.00", "amount_due": None}) == set()


def test_what_is_left_of_a_part_paid_invoice_may_not_be_left_out() -> None:
    assert doubted(PART_PAID, {"total": "900.00", "amount_due": None}) == {"amount_due"}
