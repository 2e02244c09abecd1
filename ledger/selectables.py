"""The ledger's tables as a SELECT sees them: their columns, from the fields of `ledger.rows`.

`ledger.tables` declares the same to SQL, but imports SQLModel for it, which costs a fifth of a
second and 10 MB; a gateway that only shows one request's path need not pay for that.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import get_type_hints

from sqlalchemy import Boolean, Integer, TableClause, column, table
from sqlalchemy.engine import Connection, Engine

from ledger.rows import AnswerRow, EntryRow, OutcomeRow, RequestRow, Row
from ledger.usage import UNIT_CLASSES


def _selectable(name: str, row: type[Row]) -> TableClause:
    hints = get_type_hints(row)
    columns = (
        column(name, Boolean()) if hints[name] in (bool, bool | None) else column(name)
        for name in row._fields
    )
    return table(name, column("seq", Integer()), *columns)


REQUEST = _selectable("request", RequestRow)
ENTRY = _selectable("entry", EntryRow)
ANSWER = _selectable("answer", AnswerRow)
OUTCOME = _selectable("outcome", OutcomeRow)
PRICE = table("price", column("price_id"), *(column(name, Integer()) for name in UNIT_CLASSES))


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """Connect so that every statement sees the ledger at one moment, beside a running gateway."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite" and not _in_transaction(connection):
            connection.exec_driver_sql("BEGIN")  # sqlite3 opens none for a SELECT by itself
        yield connection


def _in_transaction(connection: Connection) -> bool:
    return bool(getattr(connection.connection.driver_connection, "in_transaction", False))
