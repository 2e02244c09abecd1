"""How a document's path is told."""

import io

import pytest
from rich.console import Console

from router.commands.demo_documents import Sample
from router.commands.demo_story import Judged, print_conclusion, print_path
from router.commands.extraction import Extracted
from router.json_types import JsonObject, JsonValue

GOLD: JsonObject = {"vendor": "Pike", "items": [{"amount": "3"}], "total": "9"}
FAILED: JsonObject = {"outcome": "failed", "reason": "the document does not contain it"}
PASSED: JsonObject = {"outcome": "passed", "reason": "the document contains it"}


def sample(expect: str = "answer", gold: JsonObject | None = GOLD) -> Sample:
    return Sample("08_items.txt", "invoice_items.schema.json", "Items.", gold, expect)


def answered(answer: JsonValue, fields: list[JsonValue], *, passed: bool = False) -> Extracted:
    details: JsonObject = {
        "plan": "cheap",
        "route": "local/smollm2",
        "cost_nano_usd": 31_098,
        "checks": {"passed": passed, "fields": fields},
    }
    error = None if answer is not None else "the answer is not JSON"
    return Extracted("req_1", answer, error, error and "invalid_json", "stop", 1_234, 62, details)


def told(*judged: Judged, conclusion: bool = False) -> str:
    console = Console(file=io.StringIO(), width=200)
    for number, each in enumerate(judged, 1):
        print_path(console, number, 24, each)
    if conclusion:
        print_conclusion(console, judged)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_path_tells_plan_route_tokens_cost_and_each_field_with_its_doubt() -> None:
    fields: list[JsonValue] = [
        {"field": "vendor", "flagged": False, "score": 0.9, "findings": [PASSED]},
        {"field": "items[0].amount", "flagged": True, "score": 0.9, "findings": [PASSED, FAILED]},
        {"field": "total", "flagged": True, "score": 0.0312, "findings": [PASSED]},
    ]
    answer: JsonValue = {"vendor": "Pike", "items": [{"amount": "4"}], "total": "\x1b[31m" + "8" * 90}
    right = {"vendor": True, "items": False, "total": False}
    assert told(Judged(sample(), answered(answer, fields), right, 2_100_000)).splitlines() == [
        "",
        " 1/24  08_items.txt  Items.",
        "       invoice_items > plan cheap > route local/smollm2 > 1,234 tokens in, 62 out > $0.000031098, 2.10 s",
        "       right  vendor  Pike",
        '       wrong  items   [{"amount":"4"}]   gold: [{"amount":"3"}]',
        "              doubted: the document does not contain it",
        "       wrong  total   \ufffd[31m" + "8" * 52 + "...   gold: 9",
        "              doubted: the model itself was unsure (score 0.03)",
    ]


def test_an_answer_that_is_no_json_is_an_answer_and_wrong_in_everything() -> None:
    judged = Judged(sample(), answered(None, []), dict.fromkeys(GOLD, False), 1)
    assert judged.as_expected
    assert judged.doubted == dict.fromkeys(GOLD, "the answer is not JSON")
    assert told(judged).count("(nothing)   gold: ") == 3


@pytest.mark.parametrize(
    ("expect", "code", "said"),
    [
        (
            "context_length_exceeded",
            "context_length_exceeded",
            "refused, as expected: context_length_exceeded",
        ),
        ("answer", "unavailable", "refused, and not expected (answer was): unavailable"),
        ("not_text", "unavailable", "refused, and not expected (not_text was): unavailable"),
    ],
    ids=["expected", "not expected", "another refusal"],
)
def test_a_refusal_says_whether_it_was_expected(expect: str, code: str, said: str) -> None:
    judged = Judged(sample(expect, None), Extracted.refused(code, "why"), {}, 1)
    assert judged.as_expected is (expect == code)
    assert said in told(judged)
    assert "       why" in told(judged)


def test_an_answer_where_a_refusal_was_expected_is_marked() -> None:
    judged = Judged(sample("not_text", None), answered({"total": "1"}, []), {}, 1)
    assert not judged.as_expected
    assert "answered, and not expected: not_text was" in told(judged)
    assert "expected not_text, came out as answer" in told(judged, conclusion=True)


def test_the_conclusion_counts_what_was_noticed_and_what_an_auditor_would_be_asked() -> None:
    doubts: list[JsonValue] = [
        {"field": "vendor", "flagged": True, "findings": [FAILED]},
        {"field": "total", "flagged": True, "findings": [FAILED]},
    ]
    first = Judged(sample(), answered({}, doubts), {"vendor": True, "items": False, "total": False}, 1)
    second = Judged(
        sample(), answered({}, [], passed=True), {"vendor": True, "items": True, "total": True}, 1
    )
    refused = Judged(sample("not_text", None), Extracted.refused("not_text", "noise"), {}, 1)
    accuracy, noticed, auditor = told(first, second, refused, conclusion=True).splitlines()[-3:]
    assert accuracy.startswith(
        "Against gold  4 of 6 fields right (66.7 %), 1 of 2 documents right in every field; "
    )
    assert accuracy.endswith("the model, SmolLM2-135M, is a stand-in that is often wrong")
    assert noticed == "The checks    doubted 1 of 2 wrong fields (50.0 %) and 1 of 4 right ones (25.0 %)"
    assert auditor.startswith("An auditor    a premium model would have been asked about 1 of 2 answers, ")
    assert auditor.endswith("and shown the evidence for 2 doubtful values alone")
