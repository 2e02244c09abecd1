"""A score alone makes a field doubtful below the threshold; no score does not."""

import pytest

from verifiers.gate import Gate


@pytest.mark.parametrize(
    ("score", "doubtful"), [(None, False), (0.0, True), (0.29, True), (0.3, False), (1.0, False)]
)
def test_a_score_below_the_threshold_is_doubted(score: float | None, doubtful: bool) -> None:
    assert Gate(score_min=0.3).doubts(score) is doubtful
