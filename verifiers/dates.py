"""Dates as documents write them, in several orders and languages.

A text may have more than one reading (03/04/2025); two texts agree if they share one.
"""

import re
from datetime import date

_MONTHS = (
    ("jan", "januar", "january", "janv", "janvier", "jänner"),
    ("feb", "februar", "february", "févr", "fevr", "février", "fevrier"),
    ("mar", "mär", "märz", "maerz", "march", "mars"),
    ("apr", "april", "avr", "avril"),
    ("may", "mai"),
    ("jun", "juni", "june", "juin"),
    ("jul", "juli", "july", "juil", "juillet"),
    ("aug", "august", "août", "aout"),
    ("sep", "sept", "september", "septembre"),
    ("oct", "okt", "oktober", "october", "octobre"),
    ("nov", "november", "novembre"),
    ("dec", "dez", "dezember", "december", "déc", "décembre", "decembre"),
)
_MONTH_OF = {name: number for number, names in enumerate(_MONTHS, 1) for name in names}
_NAME = "|".join(sorted(_MONTH_OF, key=len, reverse=True))
DATE = re.compile(
    r"(?<!\d)(?:"
    r"(?P<y1>\d{4})\s?[-./年]\s?(?P<m1>\d{1,2})\s?[-./月]\s?(?P<d1>\d{1,2})(?!\d)日?"
    r"|(?P<a>\d{1,2})\s?[-./]\s?(?P<b>\d{1,2})\s?[-./]\s?(?P<y2>\d{4}|\d{2})(?!\d)"
    rf"|(?P<d3>\d{{1,2}})(?:st|nd|rd|th|er|\.)?[\s\-/]*(?:of\s)?(?P<n3>{_NAME})\b\.?[\s\-/,]*(?P<y3>\d{{4}}|\d{{2}})(?!\d)"
    rf"|(?P<n4>\b(?:{_NAME}))\b\.?\s*(?P<d4>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y4>\d{{4}})(?!\d)"
    r"|(?P<c>\d{4})(?P<cm>0[1-9]|1[0-2])(?P<cd>0[1-9]|[12]\d|3[01])(?!\d)"
    r")",
    re.IGNORECASE,
)
LENGTH_MAX = 40


def readings(text: str) -> frozenset[date]:
    """What `text` may mean as a date; empty if it is none, or holds more than one."""
    if len(text) > LENGTH_MAX:
        return frozenset()
    match = DATE.search(text)
    if match is None or sum(character.isalnum() for character in text) > len(match.group()) + 3:
        return frozenset()
    return match_readings(match)


def match_readings(match: "re.Match[str]") -> frozenset[date]:
    """The readings of one match of `DATE`."""
    part = match.groupdict()
    if part["y1"]:
        options = [(part["y1"], part["m1"], part["d1"])]
    elif part["y2"]:
        options = [(part["y2"], part["b"], part["a"]), (part["y2"], part["a"], part["b"])]
        if len(part["y2"]) == 2:
            options.append((part["a"], part["b"], part["y2"]))
    elif part["n3"]:
        options = [(part["y3"], str(_MONTH_OF[part["n3"].lower()]), part["d3"])]
    elif part["n4"]:
        options = [(part["y4"], str(_MONTH_OF[part["n4"].lower()]), part["d4"])]
    else:
        options = [(part["c"], part["cm"], part["cd"])]
    found: set[date] = set()
    for year, month, day in options:
        full_year = int(year) if len(year) == 4 else 2000 + int(year)
        try:
            found.add(date(full_year, int(month), int(day)))
        except ValueError:
            continue  # such a day does not exist: not a reading
    return frozenset(found)
