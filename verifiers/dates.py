"""Dates as documents write them, in several orders and languages.

A text may have more than one reading (03/04/2025); two texts agree if they share one.
"""

import re
from collections.abc import Iterator
from datetime import date

from verifiers.found import Found, Reading

_MONTHS = (
    """jan january januar jänner janv janvier ene enero gen genn gennaio janeiro januari""",
    """feb february februar févr fevr février fevrier febrero febbr febbraio fev fevereiro februari""",
    """mar march mär mrz märz maerz mars marzo março marco mrt maart""",
    """apr april avr avril abr abril aprile""",
    """may mai mayo mag maggio maio mei""",
    """jun june juni juin junio giu giugno junho""",
    """jul july juli juil juillet julio lug luglio julho""",
    """aug august août aout ago agosto augustus""",
    """sep sept september septembre septiembre setiembre set sett settembre setembro""",
    """oct october okt oktober octobre octubre ott ottobre out outubro""",
    """nov november novembre noviembre novembro""",
    """dec december dez dezember déc décembre decembre dic diciembre dicembre dezembro""",
)
"""Each month in English, German, French, Spanish, Italian, Portuguese and Dutch, whole and cut short."""
_MONTH_OF = {name: number for number, names in enumerate(_MONTHS, 1) for name in names.split()}
_ALSO_WORDS = frozenset(("ago", "gen", "mag", "out", "set"))
"""Months that are words too ("1 set 20"): only behind a day and before four digits of a year."""
_NAME = "|".join(sorted(_MONTH_OF, key=len, reverse=True))
_ORDINAL = r"st|nd|rd|th|er|o|\.?[\u00ba\u00aa\u00b0]"
_YEAR = r"[\s\-/,]{0,3}(?:del?\s)?"
_DATE = re.compile(
    r"(?:"
    r"(?P<y1>\d{4})\s?[-./年]\s?(?P<m1>\d{1,2})\s?[-./月]\s?(?P<d1>\d{1,2})(?!\d)日?"
    r"|(?P<a>\d{1,2})\s?[-./]\s?(?P<b>\d{1,2})\s?[-./]\s?(?P<y2>\d{4}|\d{2})(?!\d)"
    rf"|(?P<d3>\d{{1,2}})(?:{_ORDINAL}|\.)?[\s\-/]{{0,3}}(?:(?:of|de)\s)?(?P<n3>{_NAME})(?![^\W\d_])\.?{_YEAR}(?P<y3>\d{{4}}|\d{{2}}(?![.,]\d))(?!\d)"
    rf"|(?P<n4>{_NAME})(?![^\W\d_])[.\s\-/]{{0,3}}(?P<d4>\d{{1,2}})(?:st|nd|rd|th)?(?=[,\s\-/]){_YEAR}(?P<y4>\d{{4}})(?!\d)"
    rf"|(?P<y5>\d{{4}})[\s\-/]{{1,3}}(?P<n5>{_NAME})[\s\-/.]{{1,3}}(?P<d5>\d{{1,2}})(?!\d)"
    r"|(?P<c>\d{4})(?P<cm>0[1-9]|1[0-2])(?P<cd>0[1-9]|[12]\d|3[01])(?!\d)"
    r")",
    re.IGNORECASE,
)
# Where a date may begin: a number with a separator, a month or four more digits after it, or a
# name before a number. Each begins with a set of characters, which is what makes the search fast.
_NUMBER_FIRST = re.compile(
    r"\d(?<!\d\d)\d{0,3}"
    rf"(?:\s?[-./年]\s?\d|\d{{4}}(?!\d)|[\s\-/.]{{0,3}}(?:de\s)?[jfmasondegl][^\W\d_]{{2}}|(?:{_ORDINAL})(?![^\W\d_]))",
    re.IGNORECASE,
)
_NAME_FIRST = re.compile(r"[jfmasondeglJFMASONDEGL](?<!\w\w)[^\W\d_]{2,9}[.\s\-/]{0,3}\d")
_DIGIT = re.compile(r"\d")
LENGTH_MAX = 40
CENTURY_TURNS = 70
"""Two digits from here on are of the last century."""


def readings(text: str) -> frozenset[Reading]:
    """What `text` may mean as a date; empty if it is none, or holds more than one."""
    if len(text) > LENGTH_MAX or _DIGIT.search(text) is None:
        return frozenset()
    found = list(find_dates(text))
    if len(found) != 1 or sum(map(str.isalnum, text)) > found[0].end - found[0].start + 3:
        return frozenset()
    return found[0].readings


def find_dates(text: str) -> Iterator[Found]:
    """Find the dates of `text`, in order; days that do not exist are none."""
    starts = [match.start() for match in _NUMBER_FIRST.finditer(text)]
    starts += [match.start() for match in _NAME_FIRST.finditer(text)]
    position = 0
    for start in sorted(starts):
        match = _DATE.match(text, start) if start >= position else None
        if match is None:
            continue
        found = _readings(match)
        if found:
            position = match.end()
            yield Found(start, position, found)


def _readings(match: "re.Match[str]") -> frozenset[date]:
    part = match.groupdict()
    if part["y1"]:
        options = [(part["y1"], part["m1"], part["d1"])]
    elif part["y2"]:
        options = [(part["y2"], part["b"], part["a"]), (part["y2"], part["a"], part["b"])]
        if len(part["y2"]) == 2:
            options.append((part["a"], part["b"], part["y2"]))
    elif part["c"]:
        options = [(part["c"], part["cm"], part["cd"])]
    else:
        at = "3" if part["n3"] else "4" if part["n4"] else "5"
        if part["n" + at].lower() in _ALSO_WORDS and (at != "3" or len(part["y3"]) != 4):
            return frozenset()
        options = [(part["y" + at], str(_MONTH_OF[part["n" + at].lower()]), part["d" + at])]
    return frozenset(day for option in options if (day := _day(*option)) is not None)


def _day(year: str, month: str, day: str) -> date | None:
    full_year = int(year)
    if len(year) <= 2:
        full_year += 2000 if full_year < CENTURY_TURNS else 1900
    try:
        return date(full_year, int(month), int(day))
    except ValueError:
        return None  # such a day does not exist: not a reading
