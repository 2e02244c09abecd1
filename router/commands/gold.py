"""Gold values beside documents: graded, and kept in the ledger as outcomes with their source."""

from collections.abc import Mapping
from pathlib import Path

from ledger.clock import system_clock
from ledger.ids import new_id
from ledger.ledger import add_outcomes
from ledger.rows import OutcomeRow, OutcomeSource
from router.json_types import JsonValue
from verifiers.grading import grade


def grade_and_record(
    ledger: Path, request_id: str, answer: JsonValue, gold: Mapping[str, JsonValue]
) -> dict[str, bool]:
    """Grade an answer against gold, field by field; append the outcomes; return what was right."""
    graded = grade(answer, gold)
    now_us = system_clock()

    def row(field: str, *, right: bool) -> OutcomeRow:
        return OutcomeRow(
            outcome_id=new_id("out", now_us),
            request_id=request_id,
            attempt_id=None,
            at_us=now_us,
            source=OutcomeSource.GOLD.value,
            check_name="gold",
            field=field,
            outcome="right" if right else "wrong",
            code="gold.equal" if right else "gold.differs",
            reason="compared with the gold value, case and spaces aside",
            span_start=None,
            span_end=None,
            score=None,
            flagged=False,
            propensity=1.0,
            simulated=False,
        )

    rows = [row("", right=all(graded.values())), *(row(name, right=right) for name, right in graded.items())]
    add_outcomes(ledger, rows)
    return graded
