"""A verdict passes if the answer is valid and no field is doubtful."""

import pytest

from verifiers.verdict import FieldVerdict, Finding, Outcome, Verdict


@pytest.mark.parametrize(
    ("valid", "flags", "passed"),
    [
        pytest.param(True, [False, False], True, id="valid, no doubts"),
        pytest.param(True, [], True, id="no fields"),
        pytest.param(True, [False, True], False, id="one doubt"),
        pytest.param(False, [False], False, id="invalid"),
    ],
)
def test_an_answer_passes_if_it_is_valid_and_without_doubts(
    valid: bool, flags: list[bool], passed: bool
) -> None:
    finding = Finding("support", "a", Outcome.PASSED, "support.exact", "the document contains it")
    fields = tuple(FieldVerdict("a", flag, None, (finding,)) for flag in flags)

    assert Verdict(valid, fields, ()).passed is passed
