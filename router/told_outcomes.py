"""What people and applications know about an answer that went out: right or wrong, as a whole or by field."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ledger.history import RequestHistory
from ledger.ids import new_id
from ledger.rows import OutcomeRow, OutcomeSource
from router.errors import InvalidRequestError

TOLD_MAX = 200
_FIELD = re.compile(r"[\w.#*\[\]-]{0,200}")
CHOSEN = "sample.grade.chosen"


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that is known; `field` is "" for the whole answer."""

    field: str
    right: bool


def told_rows(
    history: RequestHistory, told: Sequence[Told], source: OutcomeSource, at_us: int
) -> list[OutcomeRow]:
    """The rows. Raises InvalidRequestError for a request without an answer, or what is no field's name.

    Of an answer that was sampled for grading, the propensity is the sample's; else it is 0: it was not
    chosen by chance, and no accuracy is estimated from it.
    """
    if history.answer is None or history.answer.status != "answered":
        raise InvalidRequestError(f"the request has no answer: it is {history.status}", param="request_id")
    if not 0 < len(told) <= TOLD_MAX:
        raise InvalidRequestError(f"tell 1 to {TOLD_MAX} outcomes at a time", param="outcomes")
    for index, each in enumerate(told):
        if not _FIELD.fullmatch(each.field):
            raise InvalidRequestError(
                f"outcomes[{index}].field is no field's name; write one as the checks do, e.g. items[0].amount",
                param=f"outcomes[{index}].field",
            )
    sampled = [row.propensity for row in history.outcomes if row.code == CHOSEN]
    return [
        OutcomeRow(
            outcome_id=new_id("out", at_us),
            request_id=history.request.request_id,
            attempt_id=history.answer.attempt_id,
            at_us=at_us,
            source=source.value,
            check_name=source.value,
            field=each.field,
            outcome="right" if each.right else "wrong",
            code=f"{source.value}.told",
            reason=f"told by {'a person' if source is OutcomeSource.PERSON else 'an application'}",
            span_start=None,
            span_end=None,
            score=None,
            flagged=False,
            propensity=sampled[0] if sampled else 0.0,
            simulated=history.simulated,
        )
        for each in told
    ]
