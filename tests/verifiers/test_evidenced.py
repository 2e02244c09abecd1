"""What bears a correction out is the excerpt that it cites, read as support reads, and that no rival fits as well."""

import json

import pytest

from verifiers.answer import LeafValue
from verifiers.auditor import AskedField
from verifiers.evidenced import Refusal, evidenced
from verifiers.found import Placed
from verifiers.indexed import Indexed
from verifiers.labels import NO_LABEL, Kind, Label
from verifiers.spans import Span

TOTAL, DATE, NAME = (Label(kind, ()) for kind in (Kind.TOTAL, Kind.DATE, Kind.NAME))
LONG = "Bought by the crew of the ferry, TOTAL 1180.90 in coins"


def leaf_of(value: str | float | None, path: str = "x") -> LeafValue:
    raw = json.dumps(value, ensure_ascii=False)
    return LeafValue(path, value, raw, 0, len(raw))


def judged(
    document: str,
    correction: str | float,
    label: Label = NO_LABEL,
    *,
    claimed: str | float | None = "other",
    shown: tuple[int, int] | None = None,
    path: str = "x",
) -> str:
    """The value that will stand in the answer, as JSON; or the code of the refusal."""
    start, end = shown or (0, len(document))
    span = Span("S1", start, end, document[start:end], frozenset({path}))
    field = AskedField(path, path, leaf_of(claimed, path), (Placed(start, end),))
    found = evidenced(Indexed(document), span, field, leaf_of(correction, path), label)
    return found.code if isinstance(found, Refusal) else found.raw


@pytest.mark.parametrize(
    ("document", "correction", "label"),
    [
        pytest.param("TOTAL 80.90", "80.90", TOTAL, id="as it is written"),
        pytest.param("TOTAL 1,180.90", "1180.90", TOTAL, id="an amount"),
        pytest.param("DATE 25/12/2018", "2018-12-25", DATE, id="a date"),
        pytest.param("TOTAL RM 80.90", "80.90 RM", TOTAL, id="with its currency"),
        pytest.param("Tea-House, Ltd", "TEA HOUSE LTD", NAME, id="apart from case and punctuation"),
    ],
)
def test_a_value_stands_there_as_support_reads_it(document: str, correction: str, label: Label) -> None:
    assert judged(document, correction, label, claimed="RM 7") == json.dumps(correction)


@pytest.mark.parametrize(
    ("document", "correction", "label"),
    [
        pytest.param("TEA H0USE LTD", "TEA HOUSE LTD", NAME, id="a letter misread"),
        pytest.param("TEA and coffee HOUSE", "TEA HOUSE", NAME, id="in pieces"),
        pytest.param("TOTAL 80.91", "80.90", TOTAL, id="another amount"),
        pytest.param("DATE 25/12/2018", "2018-12-26", DATE, id="another date"),
        pytest.param("TEA HOUSE", "", NAME, id="nothing"),
    ],
)
def test_a_value_that_is_misread_or_in_pieces_is_no_evidence(
    document: str, correction: str, label: Label
) -> None:
    assert judged(document, correction, label) == "correction.not_in_span"


def test_what_stands_elsewhere_in_the_document_does_not_stand_in_the_excerpt() -> None:
    document = "Thanks\nTOTAL 80.90"
    assert judged(document, "80.90", TOTAL, shown=(0, 6)) == "correction.not_in_span"
    assert judged(document, "80.90", TOTAL, shown=(7, len(document))) == '"80.90"'


@pytest.mark.parametrize(
    ("document", "begins", "ends", "expected"),
    [
        pytest.param(LONG, "80.90", "coins", "correction.not_in_span", id="it begins where the excerpt does"),
        pytest.param(LONG, "ferry", "80", "correction.not_in_span", id="it ends where the excerpt does"),
        pytest.param("1180\nTOTAL 80.90\nx", "TOTAL", "80.90", '"80.90"', id="its line ends there"),
        pytest.param("PAID\n80.90 TOTAL\nx", "80.90", "TOTAL", '"80.90"', id="its line begins there"),
        pytest.param("80.90", "80.90", "80.90", '"80.90"', id="the document begins and ends there"),
    ],
)
def test_a_value_that_the_excerpt_may_have_cut_off_does_not_count(
    document: str, begins: str, ends: str, expected: str
) -> None:
    shown = document.index(begins), document.index(ends) + len(ends)
    correction = "1180" if ends == "80" else "80.90"
    assert judged(document, correction, NO_LABEL, shown=shown) == expected


@pytest.mark.parametrize(
    ("claimed", "correction", "became"),
    [
        pytest.param("80.91", "RM 80.90", '"80.90"', id="a currency that the claimed one has not"),
        pytest.param("RM 80.91", "RM 80.90", '"RM 80.90"', id="a currency that it has"),
        pytest.param(None, "RM 80.90", '"RM 80.90"', id="nothing claimed"),
        pytest.param("", "80.90", '"80.90"', id="an empty text claimed"),
        pytest.param(80.91, 80.90, "80.9", id="a number"),
    ],
)
def test_a_correction_takes_the_form_of_what_was_claimed(
    claimed: str | float | None, correction: str | float, became: str
) -> None:
    assert judged("TOTAL 80.90 RM", correction, TOTAL, claimed=claimed) == became


@pytest.mark.parametrize(
    ("claimed", "correction"), [("80.90", " 80.90"), ("Tea  House", "tea house"), (80.9, 80.90)]
)
def test_what_it_should_correct_is_no_correction(claimed: str | float, correction: str | float) -> None:
    assert judged("Tea House\nTOTAL 80.90", correction, claimed=claimed) == "correction.same"


@pytest.mark.parametrize(
    ("document", "label", "correction", "expected"),
    [
        pytest.param("VAT 1.10", TOTAL, "1.10", "correction.rival", id="its words say something else"),
        pytest.param(
            "TOTAL 80.90\nTOTAL 80.95", TOTAL, "80.90", "correction.rival", id="another fits as well"
        ),
        pytest.param("TOTAL 80.90\nTOTAL 80.90", TOTAL, "80.90", '"80.90"', id="the same once more"),
        pytest.param("TOTAL 80.90\nTOTAL RM80.90", TOTAL, "80.90", '"80.90"', id="the same, written else"),
        pytest.param("TOTAL 80.90\nTOTAL 3", TOTAL, "80.90", '"80.90"', id="a count"),
        pytest.param("TOTAL 80.90\nCASH 100.00", TOTAL, "80.90", '"80.90"', id="one that fits less"),
        pytest.param(
            "25/12/2018\n26/12/2018", DATE, "25/12/2018", "correction.rival", id="dates without words"
        ),
        pytest.param(
            "SUB TOTAL 80.95\nTOTAL 80.90\nCASH 100.00\nCHANGE 19.10\nTOTAL 9.90",
            TOTAL,
            "80.90",
            '"80.90"',
            id="it is what was paid less the change",
        ),
    ],
)
def test_no_other_value_of_the_document_may_fit_as_well(
    document: str, label: Label, correction: str, expected: str
) -> None:
    assert judged(document, correction, label) == expected


CROWD = "".join(f"Item {number} 1.{number:03}\n" for number in range(600))


@pytest.mark.parametrize(
    ("path", "label", "expected"),
    [
        pytest.param("total", TOTAL, "correction.not_compared", id="of no list"),
        pytest.param("receipts[0].total", TOTAL, '"80.90"', id="of a list"),
        pytest.param("name", NAME, '"80.90"', id="a text has no rivals"),
    ],
)
def test_among_too_many_values_only_what_was_shown_for_an_item_can_be_compared(
    path: str, label: Label, expected: str
) -> None:
    document = f"{CROWD}TOTAL 80.90\n"
    shown = len(CROWD), len(document) - 1
    found = judged(document, "80.90", label, shown=shown, path=path)
    assert found == ("correction.nature" if label is NAME else expected)


@pytest.mark.parametrize(
    ("path", "label", "expected"),
    [
        pytest.param("items[0].amount", TOTAL, "correction.rival", id="a total: all that was shown"),
        pytest.param("items[0].price", NO_LABEL, '"1.50"', id="no kind: its line"),
    ],
)
def test_of_a_list_what_was_shown_or_the_line_is_compared(path: str, label: Label, expected: str) -> None:
    document = "TOTAL 1.50\nTOTAL 2.50\nTOTAL 3.50"
    assert judged(document, "1.50", label, path=path) == expected


def test_two_amounts_of_one_line_of_a_list_are_rivals_where_captions_do_not_tell_them() -> None:
    assert judged("Tea 1.50 3.00\nx", "1.50", path="items[0].price") == "correction.rival"


@pytest.mark.parametrize(
    ("document", "correction", "label", "expected"),
    [
        pytest.param("TOTAL CASH", "CASH", TOTAL, "correction.nature", id="a word for an amount"),
        pytest.param("Paid in full", "Paid", DATE, "correction.nature", id="a word for a day"),
        pytest.param("NO 12 345", "12 345", NAME, "correction.nature", id="a number for a name"),
        pytest.param("TEA HOUSE LTD", "TEA HOUSE", NAME, "correction.cut_off", id="a name that goes on"),
    ],
)
def test_a_correction_can_be_what_its_field_holds_and_is_whole(
    document: str, correction: str, label: Label, expected: str
) -> None:
    assert judged(document, correction, label) == expected


def test_a_reason_holds_no_word_of_the_document() -> None:
    document = "CASH 100.00\nTOTAL 80.90"
    span = Span("S1", 0, len(document), document, frozenset("x"))
    field = AskedField("x", "x", leaf_of("1"), (Placed(0, len(document)),))
    for value in ("100.00", "7.77", "CASH"):
        found = evidenced(Indexed(document), span, field, leaf_of(value), TOTAL)
        assert isinstance(found, Refusal)
        assert not any(word in found.reason for word in (value, "100", "80", "CASH", "TOTAL"))
