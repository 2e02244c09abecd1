"""The path of one request: what was decided, every attempt and its money, the answer, the outcomes.

Read as rows and given as they stand; nothing is summed that the rows do not say.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import TypeVar

from sqlalchemy import TableClause, select
from sqlalchemy.engine import Connection, Engine

from ledger.history_json import JsonObject, answer_json, attempt_json, outcome_json, request_json
from ledger.money import format_usd
from ledger.rows import AnswerRow, EntryRow, OutcomeRow, RequestRow, State
from ledger.selectables import ANSWER, ENTRY, OUTCOME, REQUEST, snapshot

RowType = TypeVar("RowType", RequestRow, EntryRow, AnswerRow, OutcomeRow)


@dataclass(frozen=True, slots=True)
class AttemptHistory:
    """One attempt: its entries in the order in which they were written; at least one."""

    entries: tuple[EntryRow, ...]

    @property
    def dispatched(self) -> EntryRow:
        """The first entry: what was asked of whom, and its bound."""
        return self.entries[0]

    @property
    def settled(self) -> EntryRow | None:
        """The entry that said what the attempt came to; None while it runs."""
        ended = [entry for entry in self.entries if entry.state not in (State.DISPATCHED, State.ADJUST)]
        return ended[-1] if ended else None

    @property
    def state(self) -> str:
        """Where its money stands: the newest entry's state."""
        return self.entries[-1].state

    @property
    def cost_nano_usd(self) -> int | None:
        """What it cost, corrections included; None while nobody knows."""
        known = [entry.cost_nano_usd for entry in self.entries if entry.cost_nano_usd is not None]
        return sum(known) if known else None


@dataclass(frozen=True, slots=True)
class RequestHistory:
    """Everything that the ledger holds about one request."""

    request: RequestRow
    entries: tuple[EntryRow, ...]
    answer: AnswerRow | None
    outcomes: tuple[OutcomeRow, ...]

    @property
    def attempts(self) -> tuple[AttemptHistory, ...]:
        """The attempts in their order."""
        ordered = sorted(self.entries, key=attrgetter("attempt_no", "attempt_id"))  # stable: then as written
        return tuple(
            AttemptHistory(tuple(entries)) for _, entries in groupby(ordered, attrgetter("attempt_id"))
        )

    @property
    def cost_nano_usd(self) -> int:
        """What is known to have been spent so far."""
        return sum(entry.cost_nano_usd or 0 for entry in self.entries)

    @property
    def simulated(self) -> bool:
        """Whether a simulated route touched it."""
        return self.request.simulated or any(entry.simulated for entry in self.entries)

    @property
    def status(self) -> str:
        """The answer's status, or "open" where there is none yet."""
        return self.answer.status if self.answer is not None else "open"

    def to_json(self) -> JsonObject:
        """Give the path as JSON-ready values: times ISO 8601 in UTC, money twice.

        Keys: `request_id`, `status` ("answered", "failed", "client_left", "open"), `cost_nano_usd`
        (integer) and `cost_usd` (decimal string), `simulated`, then `request` (what was asked and
        decided), `attempts` (each with its `route`, `bound_*`, `cost_*`, `usage` by token class, and
        its `entries`: state, time, cost), `answer` (null while open), `outcomes` (checks, gold,
        persons, auditors). Every money value stands as `..._nano_usd` and as `..._usd`.
        """
        return {
            "request_id": self.request.request_id,
            "status": self.status,
            "cost_nano_usd": self.cost_nano_usd,
            "cost_usd": format_usd(self.cost_nano_usd),
            "simulated": self.simulated,
            "request": request_json(self.request),
            "attempts": [
                attempt_json(attempt.entries, attempt.settled, attempt.cost_nano_usd)
                for attempt in self.attempts
            ],
            "answer": answer_json(self.answer) if self.answer is not None else None,
            "outcomes": [outcome_json(outcome) for outcome in self.outcomes],
        }


def request_history(engine: Engine, request_id: str) -> RequestHistory | None:
    """Read the path of one request at one moment; None if the ledger has no such request."""
    if not request_id.isascii():  # ids are; what is not may not even be text to SQL
        return None
    with snapshot(engine) as connection:
        requests = tuple(_rows(connection, REQUEST, RequestRow, request_id))
        if not requests:
            return None
        answers = tuple(_rows(connection, ANSWER, AnswerRow, request_id))
        return RequestHistory(
            requests[0],
            tuple(_rows(connection, ENTRY, EntryRow, request_id)),
            answers[0] if answers else None,
            tuple(_rows(connection, OUTCOME, OutcomeRow, request_id)),
        )


def _rows(
    connection: Connection, source: TableClause, kind: type[RowType], request_id: str
) -> Iterator[RowType]:
    statement = (
        select(*(source.c[name] for name in kind._fields))
        .where(source.c.request_id == request_id)
        .order_by(source.c.seq)
    )
    for row in connection.execute(statement):
        yield kind._make(row)
