"""A plain extractor for receipts: patterns and keywords, no model. What a model must beat.

Company: the first line that looks like a firm's; date: the first date; address: the lines after
the company until a telephone, a tax number or a title; total: the last amount on the best of the
lines that say "total".
"""

import re

_FIRM = re.compile(
    r"\b(SDN|BHD|ENTERPRISE|TRADING|RESTAURANT|RESTORAN|STATIONERY|STORE|MARKET|MART|SHOP|HARDWARE|CORPORATION|COMPANY|LTD|PHARMACY|CAFE|BOOK)\b",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"\b(\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}|\d{4}[/.-]\d{1,2}[/.-]\d{1,2}|\d{1,2}[ -]?(?:JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)[A-Z]*[ -,]*\d{2,4})\b",
    re.IGNORECASE,
)
_AMOUNT = re.compile(r"(?<![\d.])\d{1,3}(?:,?\d{3})*\.\d{2}(?!\d)")
_ADDRESS_END = re.compile(
    r"\b(TEL|PHONE|FAX|GST|INVOICE|RECEIPT|DOC|DATE|EMAIL|H/P|HP|ID|CASHIER|BILL|TAX|WWW)\b|^\W*$",
    re.IGNORECASE,
)
_REGISTRATION = re.compile(
    r"^\W*(?:\(?(?:CO|ROC|REG|COMPANY|REGN?)\b.*|\(?[\d ]{4,}[- ]?[A-Z]?\)?|\([A-Z]{2}\d+.*\))\W*$",
    re.IGNORECASE,
)
_TOTAL_WORDS = (
    (
        re.compile(
            r"ROUND\w*\s+D?\s*TOTAL|TOTAL\s+ROUNDED|AFTER\s+ROUND|NET\s*T|GRAND\s+TOTAL|TOTAL\s+(?:SALES?\s+)?\(?INC",
            re.IGNORECASE,
        ),
        3,
    ),
    (re.compile(r"TOTAL\s+(?:AMOUNT|AMT|DUE|RM|PAYABLE)|AMOUNT\s+DUE|TOTAL\s*:", re.IGNORECASE), 2),
    (re.compile(r"\bTOTAL\b", re.IGNORECASE), 1),
)
_NOT_TOTAL = re.compile(
    r"SUB\s*-?\s*TOTAL|EXCL|QTY|ITEM|DISC|TAX\s+TOTAL|TOTAL\s+GST|TOTAL\s+TAX|SAVING", re.IGNORECASE
)
FIRST_LINES = 8


def extract_receipt(text: str) -> dict[str, str]:
    """Extract company, date, address and total; "" where no rule fits."""
    lines = [line.strip() for line in text.splitlines()]
    index = _company_line(lines)
    date = _DATE.search(text)
    return {
        "company": lines[index] if lines else "",
        "date": date.group(1) if date is not None else "",
        "address": _address(lines[index + 1 :]),
        "total": _total(lines),
    }


def _company_line(lines: list[str]) -> int:
    for index, line in enumerate(lines[:FIRST_LINES]):
        if _FIRM.search(line):
            return index
    return next((index for index, line in enumerate(lines) if sum(map(str.isalpha, line)) > 3), 0)


def _address(lines: list[str]) -> str:
    found: list[str] = []
    for line in lines[:FIRST_LINES]:
        if _ADDRESS_END.search(line) and not re.match(r"(LOT|NO)\b", line, re.IGNORECASE):
            break
        if not _REGISTRATION.match(line):
            found.append(line)
    return " ".join(found)


def _total(lines: list[str]) -> str:
    best, best_weight = "", 0
    for index, line in enumerate(lines):
        if _NOT_TOTAL.search(line):
            continue
        weight = next((points for pattern, points in _TOTAL_WORDS if pattern.search(line)), 0)
        amounts = _AMOUNT.findall(line) or (
            _AMOUNT.findall(lines[index + 1]) if index + 1 < len(lines) else []
        )
        if amounts and weight and weight >= best_weight:
            best, best_weight = amounts[-1], weight
    return best
