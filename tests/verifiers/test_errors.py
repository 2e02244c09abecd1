"""What a caller's schema can do wrong has one root, so that the router can answer 400 for all of it."""

import pytest

from verifiers.errors import MarkError, NonceError, SchemaError, VerifierError


@pytest.mark.parametrize("error", [SchemaError, MarkError, NonceError])
def test_each_error_is_a_verifier_error(error: type[Exception]) -> None:
    assert issubclass(error, VerifierError)
