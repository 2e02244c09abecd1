"""When a field is doubtful: a check failed, or the model was unsure of it."""

from dataclasses import dataclass

SCORE_MIN = 0.05
"""Chosen with SmolLM2 on receipts, before the checks beside it were as they are: docs/benchmarks.md."""


@dataclass(frozen=True, slots=True)
class Gate:
    """The threshold below which a score alone makes a field doubtful."""

    score_min: float = SCORE_MIN

    def doubts(self, score: float | None) -> bool:
        """Whether this score makes a field doubtful; no score does not."""
        return score is not None and score < self.score_min
