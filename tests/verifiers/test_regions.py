"""The field of a list's item is looked for where the item's other fields stand."""

import json

import pytest

from verifiers.answer import read_answer
from verifiers.found import Placed
from verifiers.indexed import Indexed
from verifiers.regions import Regions, generic

SHOPS = [
    f"STREET {number}\nSHOP LTD\nDATE 0{number % 3 + 1}/02/2020\nTOTAL 5.00\nCASH 5.00\n"
    for number in range(20, 30)
]
DOCUMENT = "\n".join(SHOPS)
ITEMS = [
    {
        "company": "SHOP LTD",
        "address": f"STREET {number}",
        "date": f"0{number % 3 + 1}/02/2020",
        "total": "5.00",
    }
    for number in range(20, 30)
]


def region(
    doubtful: set[str], path: str, items: list[dict[str, str]] = ITEMS, document: str = DOCUMENT
) -> str:
    """The text in which a field is looked for."""
    answer = read_answer(json.dumps({"list": items, "total": "1"}))
    found = Regions(Indexed(document), {}, answer, doubtful).of(path)
    return document[found.start : found.end]


@pytest.mark.parametrize("index", [0, 4, 9])
@pytest.mark.parametrize("name", ["company", "date", "total"])
def test_it_is_the_items_own_part(index: int, name: str) -> None:
    path = f"list[{index}].{name}"
    found = region({path}, path)
    assert SHOPS[index].splitlines()[-2] in found
    assert len(found) <= 2 * len(SHOPS[index])


def test_an_item_of_which_nothing_is_sure_stands_between_those_that_are() -> None:
    path = "list[4].total"
    items = [dict(item) for item in ITEMS]
    items[4] = {"company": "SHOP LTD", "total": "9.99", "date": items[4]["date"]}
    found = region({path}, path, items)
    start = DOCUMENT.index(found)
    assert abs(start - DOCUMENT.index(SHOPS[4])) < len(SHOPS[4])


@pytest.mark.parametrize("path", ["total", "list[99].total", "other[0].x"])
def test_of_no_list_and_of_nothing_known_it_is_the_whole_document(path: str) -> None:
    assert region({path}, path) == DOCUMENT


def test_a_list_that_is_not_in_the_order_of_the_document_loses_nothing() -> None:
    """What is expected to be before turns out to be behind: such a bound is not used."""
    path = "list[5].total"
    found = region({path}, path, ITEMS[::-1])
    assert SHOPS[4] in f"{found}\n"


def test_an_empty_document_has_an_empty_region() -> None:
    answer = read_answer('{"list": [{"x": "1"}, {"x": "2"}]}')
    assert Regions(Indexed(""), {}, answer, set()).of("list[1].x") == Placed(0, 0)


def test_a_generic_path_has_no_numbers() -> None:
    assert generic("a[3].b[10].c") == "a[].b[].c"
