"""Check: a name, an address or another text was not cut off.

Nobody breaks a name off in the middle of its line, after a comma or after "&". How far a value
goes depends on its kind: a comma ends a name, but not an address, which goes on over lines. A name
may have lost its first words too, and a date its year.
"""

import re

from verifiers import amounts, dates
from verifiers.answer import LeafValue
from verifiers.document import Document
from verifiers.found import Placed
from verifiers.labels import DATE_KINDS, Kind, Label
from verifiers.letterhead import LEGAL_FORM, OTHER_THINGS, POSTCODE
from verifiers.verdict import Finding, Outcome

CHECK = "completeness"
LINE_CHARS_MAX = 80
LINES_MAX = 3
REST_CHARS_MAX = 200
# What closes a name, then what holds words together, then perhaps a word in brackets, then a letter.
_WORD_FOLLOWS = re.compile(
    r"(?: ?[.'\"\u2019)\]]){0,4}"
    r"(?:[-/&+'\u2019_]|[ \t]?[&+][ \t]?|[ \t]|(?=\())"
    r"(?:\([^)\d\n]{1,30}\)[ \t]?)?"
    r"(?=[^\W\d_])"
)
_LEGAL_FORM_FOLLOWS = re.compile(r"[ .,)\]]{0,4}\s{1,3}\(?" + LEGAL_FORM, re.IGNORECASE)
_INITIAL_FOLLOWS = re.compile(r"(?<=\b[^\W\d_])\.[ ]?[^\W\d_]\.")
_ADDRESS_FOLLOWS = re.compile(r"[.,)\]]{0,4}[ \t]?(?:[-&/+,][ \t]?)?(?=\w)")
_IDENTIFIER_FOLLOWS = re.compile(r"[-/_.](?=\w)")
_GAP = re.compile(r"[ \t]{2,}|[\t|:]")
_WORDS_BEFORE = re.compile(r"[^\d;,@#]*[^\W\d_][^\d;,@#]*[ &+\u2019'-]")
"""Words alone, up to a name: so it may be the end of a longer one."""
_CAPTION_WORDS = re.compile(
    r"\b(?:by|from|to|of|at|for|with|and|welcome|visit|bill|sold|ship|vendor|seller|supplier|merchant|shop|store|company|"
    r"firm|customer|client|buyer|provider|sender|recipient|name|messrs|dear|the|between|invoice|receipt|firma|kunde|von|an|"
    r"fournisseur|de|chez|mr|mrs|ms|dr|prof|herr|frau|mme|attn|attention|regards|sincerely|agreement|contract)\b",
    re.IGNORECASE,
)
_OPEN_END = re.compile(r"[-&+(/,]\s*$")


def check_completeness(
    document: Document, leaf: LeafValue, places: tuple[Placed, ...], label: Label
) -> Finding | None:
    """Look at what stands around a supported text value; None for other values."""
    value = leaf.value
    if not isinstance(value, str) or not places:
        return None
    document.spend(50 + 20 * len(places))
    if label.kind not in (Kind.NAME, Kind.ADDRESS) and _is_whole(value, label):
        return None
    if _is_cut(document, value, places, label.kind):
        first = places[0]
        evidence = document.evidence(Placed(first.start, first.end + len(_rest(document, first))))
        reason = f"the document goes on after the value of {leaf.path}"
        return Finding(CHECK, leaf.path, Outcome.FAILED, "completeness.cut_off", reason, evidence)
    whole = _whole_of(document, places, label.kind)
    if whole is not None:
        reason = f"the value of {leaf.path} is only the end or a part of what stands in the document"
        evidence = document.evidence(whole)
        return Finding(CHECK, leaf.path, Outcome.FAILED, "completeness.part", reason, evidence)
    reason = f"the value of {leaf.path} is not cut off"
    return Finding(CHECK, leaf.path, Outcome.PASSED, "completeness.whole", reason)


def _is_whole(value: str, label: Label) -> bool:
    """Whether it is an amount or a date; a number alone is no date."""
    return bool(dates.readings(value)) or (label.kind not in DATE_KINDS and bool(amounts.readings(value)))


def _whole_of(document: Document, places: tuple[Placed, ...], kind: Kind | None) -> Placed | None:
    """What the value is a part of wherever it stands: the rest of a name before it, or a whole date."""
    if kind is Kind.NAME:
        starts = [_name_start(document, placed) for placed in places]
        if None not in starts and starts[0] is not None:
            return Placed(starts[0], places[0].end)
    elif kind in DATE_KINDS:
        days = [document.day_around(placed) for placed in places]
        return days[0] if None not in days else None
    return None


def _name_start(document: Document, placed: Placed) -> int | None:
    """Where the words begin that stand directly before a name in its heading; None if there are none."""
    start, end = document.line_of(placed.start)
    if end - start > LINE_CHARS_MAX:
        return None
    words = _GAP.split(document.text[start : placed.start])[-1]
    if not _WORDS_BEFORE.fullmatch(words) or _CAPTION_WORDS.search(words):
        return None
    at = placed.start - len(words.lstrip())
    return at if _same_case(document, placed, at) else None


def _is_cut(document: Document, value: str, places: tuple[Placed, ...], kind: Kind | None) -> bool:
    match kind:
        case Kind.ADDRESS:
            return _address_goes_on(document, value, places[0])
        case Kind.NAME:
            return _name_goes_on(document, value, places)
        case _:
            return all(_text_goes_on(document, value, placed) for placed in places)


def _name_goes_on(document: Document, value: str, places: tuple[Placed, ...]) -> bool:
    if _is_open(value) or any(_LEGAL_FORM_FOLLOWS.match(document.text, placed.end) for placed in places):
        return True
    first = places[0]
    if _rest(document, first).strip() in ("&", "+") or _INITIAL_FOLLOWS.match(document.text, first.end):
        return True
    return _is_heading(document, first) and _word_follows(document, first)


def _text_goes_on(document: Document, value: str, placed: Placed) -> bool:
    if any(map(str.isdigit, value)):
        return _IDENTIFIER_FOLLOWS.match(document.text, placed.end) is not None
    return " " in value.strip() and _is_heading(document, placed) and _word_follows(document, placed)


def _address_goes_on(document: Document, value: str, placed: Placed) -> bool:
    rest = _rest(document, placed)
    if rest.strip(" .,)"):
        if rest.startswith(("  ", "\t", " |")) or OTHER_THINGS.search(rest):
            return False  # another column, or another thing on the same line
        match = _ADDRESS_FOLLOWS.match(rest)
        return match is not None and _same_case(document, placed, placed.end + match.end())
    below = _lines_below(document, placed)
    if "," in rest or _is_open(value) or (below and "," in below[0]):
        return bool(below)
    return POSTCODE.search(value) is None and any(POSTCODE.search(line) for line in below)


def _lines_below(document: Document, placed: Placed) -> list[str]:
    """The next lines, as far as no other thing begins."""
    lines: list[str] = []
    _, end = document.line_of(placed.end - 1)
    while len(lines) < LINES_MAX and end < len(document.text):
        start, end = document.line_of(end + 1)
        line = document.text[start : min(end, start + REST_CHARS_MAX)].strip()
        if not line or len(line) > LINE_CHARS_MAX or OTHER_THINGS.search(line):
            break
        lines.append(line)
    return lines


def _is_open(value: str) -> bool:
    return _OPEN_END.search(value[-4:]) is not None or value.count("(") > value.count(")")


def _is_heading(document: Document, placed: Placed) -> bool:
    """Whether a value begins a short line, or follows a colon or a gap: so it stands in no sentence."""
    start, end = document.line_of(placed.start)
    if end - start > LINE_CHARS_MAX:
        return False
    before = document.text[start : placed.start]
    return not any(map(str.isalpha, before)) or before.endswith((":", ": ", "  ", "\t", "| "))


def _word_follows(document: Document, placed: Placed) -> bool:
    match = _WORD_FOLLOWS.match(document.text, placed.end)
    return match is not None and _same_case(document, placed, match.end())


def _rest(document: Document, placed: Placed) -> str:
    _, end = document.line_of(placed.end - 1)
    return document.text[placed.end : min(end, placed.end + REST_CHARS_MAX)]


def _same_case(document: Document, placed: Placed, at: int) -> bool:
    """Whether a word at `at` is written like the value: prose goes on in small letters."""
    value = document.text[placed.start : placed.end]
    return not (document.text[at : at + 1].islower() and any(map(str.isupper, value)))
