"""An error of a file says where and what, as one sentence."""

import pytest

from policies.errors import DocumentError, PolicyError, RuleError


@pytest.mark.parametrize("kind", [DocumentError, RuleError])
def test_an_error_is_told_with_file_and_line(kind: type[PolicyError]) -> None:
    error = kind("unknown key 'x'", "finance.yaml", 12)
    assert isinstance(error, PolicyError)
    assert str(error) == "finance.yaml line 12: unknown key 'x'"
    assert (error.message, error.file, error.line) == ("unknown key 'x'", "finance.yaml", 12)


def test_an_error_of_a_whole_file_names_no_line() -> None:
    assert (
        str(DocumentError("there is no such file", "steelyard.yaml", None))
        == "steelyard.yaml: there is no such file"
    )
