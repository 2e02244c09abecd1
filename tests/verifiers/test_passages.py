"""What must be seen to judge a field: its claimed value, what speaks against it, what may be meant instead."""

import json

import pytest

from verifiers.answer import LeafValue
from verifiers.found import Placed
from verifiers.indexed import Indexed
from verifiers.labels import NO_LABEL, Kind, Label
from verifiers.passages import (
    ADDRESS_CHARS,
    CANDIDATES_MAX,
    HEAD_CHARS,
    WHOLE,
    has_rivals,
    passages,
    values_like,
)
from verifiers.verdict import Evidence, Finding, Outcome

TOTAL, DATE, NAME, ADDRESS = (
    Label(kind, ("x",)) for kind in (Kind.TOTAL, Kind.DATE, Kind.NAME, Kind.ADDRESS)
)
RECEIPT = """TEA HOUSE LTD
12 HIGH STREET
LEEDS
DATE 25/12/2018
SUB TOTAL 80.91
TOTAL 80.90
CASH 100.00
"""


def leaf_of(value: str | float | bool | None) -> LeafValue:
    return LeafValue("x", value, json.dumps(value), 0, 0)


def told(
    label: Label,
    claimed: str | float | bool | None,
    document: str = RECEIPT,
    findings: tuple[Finding, ...] = (),
    region: Placed | None = None,
    *,
    is_missing: bool = False,
) -> list[str]:
    """The texts of a field's places."""
    found = passages(
        Indexed(document),
        label,
        None if is_missing else leaf_of(claimed),
        findings,
        region or Placed(0, len(document)),
    )
    return [document[place.start : place.end] for place in found]


def test_where_the_claimed_value_stands_comes_first_and_then_what_fits_no_worse() -> None:
    assert told(TOTAL, "80.91") == ["80.91", "80.90"]
    assert told(TOTAL, "80.90") == ["80.90"]


def test_what_a_check_found_against_it_is_shown_and_what_spoke_for_it_is_not() -> None:
    start = RECEIPT.index("100.00")
    evidence = Evidence(start, start + 6, "100.00")
    for outcome, is_shown in ((Outcome.FAILED, True), (Outcome.PASSED, False)):
        found = told(TOTAL, "80.90", findings=(Finding("rivals", "x", outcome, "rivals.x", "x", evidence),))
        assert ("100.00" in found) is is_shown


@pytest.mark.parametrize(("claimed", "is_missing"), [(None, False), ("", False), (None, True)])
def test_for_an_empty_amount_those_that_fit_best_are_shown(claimed: str | None, is_missing: bool) -> None:
    found = told(TOTAL, claimed, is_missing=is_missing)
    assert found[0] == "80.90"
    assert len(found) <= CANDIDATES_MAX


def test_for_a_value_that_stands_nowhere_the_one_with_most_of_its_digits_is_shown() -> None:
    assert told(Label(None, ("x",)), "88.97", "A 12.30\nB 88.87\nC 45.60\nD 70.10")[0] == "88.87"


def test_the_day_and_the_year_of_a_date_are_no_amounts_that_may_be_meant() -> None:
    document = "Tea 70.00\nScones 10.90\nDATE 25/12/2018"
    assert told(Label(None, ("x",)), 1.9, document) == ["70.00", "10.90"]
    assert told(Label(None, ("x",)), 1.9, "DATE 25/12/2018") != []
    assert "25/12/2018" in told(DATE, "26/11/2017", document)


def test_a_name_that_stands_nowhere_is_looked_for_by_its_words_and_at_the_head() -> None:
    found = told(NAME, "TEA HOUSE AG")
    assert found[0] == "TEA HOUSE LTD"
    assert found[-1] == RECEIPT[:HEAD_CHARS]
    assert told(NAME, "ACME") == [RECEIPT[:HEAD_CHARS]]


def test_where_the_fields_own_name_stands_its_value_may_follow() -> None:
    document = "\n".join(["filler"] * 90) + "\nRoom name\nBlue"
    assert "Room name" in told(Label(None, ("room name",)), "Green", document)


def test_an_address_is_shown_with_what_follows() -> None:
    document = RECEIPT + "filler\n" * 40
    start = document.index("12 HIGH")
    assert told(ADDRESS, "12 HIGH STREET", document)[0] == document[start : start + 14 + ADDRESS_CHARS]


def test_nothing_outside_the_region_is_shown() -> None:
    document = f"{RECEIPT}\n{RECEIPT}"
    region = Placed(len(RECEIPT) + 1, len(document))
    for label, claimed in (
        (TOTAL, "80.91"),
        (TOTAL, "7"),
        (NAME, "TEA HOUSE LTD"),
        (ADDRESS, "LEEDS"),
        (NAME, ""),
    ):
        found = list(passages(Indexed(document), label, leaf_of(claimed), (), region))
        assert found
        assert all(region.start <= place.start <= place.end <= region.end for place in found)


@pytest.mark.parametrize("label", [TOTAL, DATE, NAME, ADDRESS, NO_LABEL])
@pytest.mark.parametrize("claimed", ["80.91", "7", "x", "", None, True, 80.9])
def test_of_a_document_that_is_not_empty_something_is_shown(
    label: Label, claimed: str | float | bool | None
) -> None:
    for document in ("x", RECEIPT, "no value at all"):
        assert any(told(label, claimed, document))


def test_among_too_many_values_those_of_the_region_are_read() -> None:
    crowd = "".join(f"Item {number} 1.{number:03}\n" for number in range(600))
    document = f"{crowd}TOTAL 80.90\n"
    captions = Indexed(document).captions
    assert not captions.are_whole
    near = Placed(len(crowd) - 40, len(document))
    found = [document[each.value.start : each.value.end] for each in values_like(captions, TOTAL, None, near)]
    assert found[-1] == "80.90"
    everywhere = values_like(captions, TOTAL, None, WHOLE)
    assert document[everywhere[-1].value.start : everywhere[-1].value.end] == "80.90"


@pytest.mark.parametrize(
    ("label", "value", "expected"),
    [
        (TOTAL, "80.90", True),
        (DATE, "25/12/2018", True),
        (NO_LABEL, "25/12/2018", True),
        (NO_LABEL, "80.90", True),
        (NO_LABEL, "tea", False),
        (NAME, "80.90", False),
        (ADDRESS, "12", False),
        (Label(None, ("invoice number",)), "80.90", False),
    ],
)
def test_amounts_and_dates_have_rivals_and_texts_and_identifiers_have_none(
    label: Label, value: str, expected: bool
) -> None:
    assert has_rivals(label, leaf_of(value)) is expected
