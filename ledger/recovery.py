"""After a crash: what was dispatched and never settled is posted at its bound.

The provider may have charged up to that; a later reconciliation corrects it with an ADJUST. What was
chosen to be judged after its answer, and was not, is written down as lost. Every
opening writes how far the ledger was, with nothing open: the next one looks no further back, so a
start costs what the last run left and not what the ledger holds.
"""

import os
import sqlite3

from ledger.ids import new_id
from ledger.rows import AnswerRow, EntryRow, OutcomeRow, State
from ledger.writer import INSERTS

_OPEN_ATTEMPTS = """
    SELECT e.* FROM entry e
    WHERE e.seq > ? AND e.state = 'DISPATCHED' AND NOT EXISTS (
        SELECT 1 FROM entry t WHERE t.attempt_id = e.attempt_id
        AND t.state IN ('SETTLED', 'SETTLED_ESTIMATED', 'VOID', 'POSTED_WORST'))
    ORDER BY e.seq
"""
_UNANSWERED = """
    SELECT r.request_id, r.at_us FROM request r
    WHERE r.seq > ? AND NOT EXISTS (SELECT 1 FROM answer a WHERE a.request_id = r.request_id) ORDER BY r.seq
"""
_UNJUDGED = """
    SELECT o.* FROM outcome o JOIN request r ON r.request_id = o.request_id
    WHERE o.check_name = 'sample' AND o.code LIKE '%.chosen' AND r.seq > ? AND NOT EXISTS (
        SELECT 1 FROM outcome j WHERE j.request_id = o.request_id AND j.seq > o.seq
        AND (j.code = replace(o.code, '.chosen', '.lost')
             OR j.check_name = substr(o.code, 8, length(o.code) - 14)
             OR j.check_name LIKE substr(o.code, 8, length(o.code) - 14) || '.%'))
    ORDER BY o.seq
"""
_LAST_OPENING = "SELECT entry_seq, request_seq FROM opening ORDER BY seq DESC LIMIT 1"
_OPENING = """
    INSERT INTO opening (at_us, process_id, entry_seq, request_seq, attempts_posted) VALUES (
        ?, ?, (SELECT COALESCE(MAX(seq), 0) FROM entry), (SELECT COALESCE(MAX(seq), 0) FROM request), ?)
"""


def recover(connection: sqlite3.Connection, at_us: int) -> tuple[EntryRow, ...]:
    """Post every open attempt at its bound, and close every request that has no answer.

    One transaction. `connection` is the ledger's only writer.
    """
    connection.execute("BEGIN IMMEDIATE")
    entry_seq, request_seq = connection.execute(_LAST_OPENING).fetchone() or (0, 0)
    cursor = connection.execute(_OPEN_ATTEMPTS, (entry_seq,))
    names = [column[0] for column in cursor.description]
    posted = tuple(_posted(dict(zip(names, row, strict=True)), at_us) for row in cursor.fetchall())
    answers = [
        AnswerRow(request_id, at_us, None, "failed", 0, "crash", 0, 0, None, None, None, at_us - asked_at_us)
        for request_id, asked_at_us in connection.execute(_UNANSWERED, (request_seq,)).fetchall()
    ]
    connection.executemany(INSERTS[EntryRow], posted)
    connection.executemany(INSERTS[AnswerRow], answers)
    connection.executemany(INSERTS[OutcomeRow], _lost(connection, request_seq, at_us))
    connection.execute(_OPENING, (at_us, os.getpid(), len(posted)))
    connection.execute("COMMIT")
    return posted


def _lost(connection: sqlite3.Connection, request_seq: int, at_us: int) -> list[OutcomeRow]:
    """What was chosen to be judged in the last run, and was not."""
    cursor = connection.execute(_UNJUDGED, (request_seq,))
    names = [column[0] for column in cursor.description]
    rows = (dict(zip(names, row, strict=True)) for row in cursor.fetchall())
    return [
        OutcomeRow(**{name: row[name] for name in OutcomeRow._fields})._replace(
            outcome_id=new_id("out", at_us),
            at_us=at_us,
            code=str(row["code"]).replace(".chosen", ".lost"),
            reason="it was chosen and not judged: a crash",
            flagged=False,
            simulated=bool(row["simulated"]),
        )
        for row in rows
    ]


def _posted(row: "dict[str, object]", at_us: int) -> EntryRow:
    row.pop("seq")
    row.update(
        entry_id=new_id("ent", at_us),
        state=State.POSTED_WORST.value,
        at_us=at_us,
        cost_nano_usd=row["bound_nano_usd"],
        error="crash",
        overage=False,
        simulated=bool(row["simulated"]),
    )
    return EntryRow(**row)  # type: ignore[arg-type]  # a row of the table, whose columns are the fields
