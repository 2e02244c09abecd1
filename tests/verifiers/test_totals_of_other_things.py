"""Totals of lines, pages and earlier bills, counts, rates and numbers of captions are no total of the document."""

import pytest

from support.doubts import doubted

LINES = """Halden Instruments, Inc.
Item         Qty   Price   Line total
Scale          2   10.00   20.00
Line total: 20.00
Weights        4   10.00   40.00
Line total: 40.00
Total: 60.00
"""
HEADED = """Fenwick Timber Co.
Article   Qty   Price   Total
4711      2     10.00   20.00
4712      4     10.00   40.00
Total to be invoiced    60.00
"""
CARRIED = """Brightwater Utilities
Page 2
Total brought forward      310.00
Water, 12 m3                48.00
Total                      358.00
"""
CARRIED_ON = """Holm Bäckerei GmbH
Übertrag                   310,00
Summe                      358,00
"""
EARLIER = """Northgate Energy plc
Previous balance            50.00
Total of this bill          80.00
Total amount due           130.00
"""
COUNTS = """Northgate Stores
Tea                         12.50
Milk                         2.50
TOTAL 2 ITEMS               15.00
"""
COUNT_BEFORE = """KEDAI SERI
TOTAL     3    15.00
CASH          20.00
"""
YEAR = """Club Tremaine
Fees                        30.00
Total 2025: 45.00
"""
DAY = """Club Tremaine
Fees                        30.00
Total as of 12/03/2025      45.00
"""
RATE = """Larkspur Paper Ltd
Subtotal                   40.00
VAT 20.00 %                 8.00
Total                      48.00
"""
RATE_AS_A_COUNT = """Larkspur Paper Ltd
Subtotal                   40.00
VAT 20%                     8.00
Total                      48.00
"""
COSTS = """Reed Motors
Total parts                120.00
Total labour                80.00
Total                      200.00
"""
ROOM = """Harbour Inn
Minibar                      9.00
Room total                 180.00
"""
ROW = """Atelier Kervoal SARL
Net        VAT       Total
100.00     20.00     120.00
"""
DAYS = """Calder Cleaning Services Ltd
Invoice no   Invoice date   Due date
2041         03.02.2025     17.03.2025
"""


@pytest.mark.parametrize(
    ("document", "field", "value"),
    [
        pytest.param(LINES, "total", "20.00", id="a line's"),
        pytest.param(HEADED, "total", "20.00", id="a line's, by its heading"),
        pytest.param(CARRIED, "total", "310.00", id="brought forward"),
        pytest.param(CARRIED_ON, "total", "310,00", id="brought forward, German"),
        pytest.param(EARLIER, "total", "50.00", id="of an earlier bill"),
        pytest.param(EARLIER, "total", "130.00", id="with what was owed before"),
        pytest.param(COUNTS, "total", "2", id="a count in its caption"),
        pytest.param(COUNT_BEFORE, "total", "3", id="a count before it"),
        pytest.param(YEAR, "total", "2025", id="a year in its caption"),
        pytest.param(DAY, "total", "12", id="a day in its caption"),
        pytest.param(RATE, "tax", "20.00", id="a rate as the tax"),
        pytest.param(RATE, "total", "20.00", id="a rate as the total"),
        pytest.param(RATE_AS_A_COUNT, "total", "20", id="a whole rate as the total"),
        pytest.param(COSTS, "total", "120.00", id="of the parts"),
        pytest.param(ROOM, "total", "9.00", id="an item beside the only total"),
        pytest.param(ROW, "total", "100.00", id="the net amount by its heading"),
        pytest.param(ROW, "total", "20.00", id="the tax by its heading"),
        pytest.param(DAYS, "due_date", "03.02.2025", id="the invoice's day by its heading"),
        pytest.param(DAYS, "invoice_date", "17.03.2025", id="the due day by its heading"),
    ],
)
def test_what_is_called_a_total_of_something_else_is_doubted(document: str, field: str, value: str) -> None:
    assert doubted(document, {field: value}) == {field}


@pytest.mark.parametrize(
    ("document", "field", "value"),
    [
        pytest.param(LINES, "total", "60.00", id="below its lines"),
        pytest.param(HEADED, "total", "60.00", id="below a table of items"),
        pytest.param(CARRIED, "total", "358.00", id="behind what was brought forward"),
        pytest.param(CARRIED_ON, "total", "358,00", id="behind what was brought forward, German"),
        pytest.param(EARLIER, "total", "80.00", id="without what was owed before"),
        pytest.param(EARLIER, "amount_due", "130.00", id="what is due with what was owed before"),
        pytest.param(COUNTS, "total", "15.00", id="behind a count"),
        pytest.param(COUNTS, "item_count", "2", id="the count itself"),
        pytest.param(COUNT_BEFORE, "total", "15.00", id="behind a bare count"),
        pytest.param(YEAR, "total", "45.00", id="behind a year"),
        pytest.param(DAY, "total", "45.00", id="behind a day"),
        pytest.param(RATE, "tax", "8.00", id="the tax behind its rate"),
        pytest.param(RATE, "tax_rate", "20.00", id="the rate itself"),
        pytest.param(RATE_AS_A_COUNT, "vat_rate", "20%", id="a whole rate itself"),
        pytest.param(COSTS, "total", "200.00", id="of all parts"),
        pytest.param(ROOM, "total", "180.00", id="the only total, though of a part"),
        pytest.param(ROW, "total", "120.00", id="by its heading"),
        pytest.param(ROW, "net_amount", "100.00", id="the net amount by its heading"),
        pytest.param(ROW, "tax", "20.00", id="the tax by its heading"),
        pytest.param(DAYS, "due_date", "17.03.2025", id="the due day by its heading"),
        pytest.param(DAYS, "invoice_date", "03.02.2025", id="the invoice's day by its heading"),
        pytest.param("合计 ¥1200\n税额 ¥109", "total", "1200", id="a whole amount"),
        pytest.param("Gesamtbetrag 45 EUR\nMwSt 7,18 EUR", "total", "45", id="a whole amount beside others"),
    ],
)
def test_the_total_beside_totals_of_other_things_is_not_doubted(
    document: str, field: str, value: str
) -> None:
    assert doubted(document, {field: value}) == set()
