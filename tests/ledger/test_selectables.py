"""What a SELECT sees of the ledger."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import TableClause, func, select

from ledger.ledger import read_only_engine
from ledger.selectables import ANSWER, ENTRY, OUTCOME, PRICE, REQUEST, snapshot
from ledger.tables import LEDGER_METADATA
from ledger.writer import INSERTS
from support.ledger_rows import RequestMaker, write_ledger


@pytest.mark.parametrize("source", [REQUEST, ENTRY, ANSWER, OUTCOME], ids=lambda source: source.name)
def test_a_selectable_has_the_columns_of_its_table_in_their_order(source: TableClause) -> None:
    assert [column.name for column in source.c] == [
        column.name for column in LEDGER_METADATA.tables[source.name].c
    ]


def test_the_prices_columns_are_among_those_of_their_table() -> None:
    assert {column.name for column in PRICE.c} <= {
        column.name for column in LEDGER_METADATA.tables["price"].c
    }


def test_every_statement_of_a_snapshot_sees_the_same_moment(empty_ledger: Path, tmp_path: Path) -> None:
    path = write_ledger(empty_ledger, tmp_path / "ledger.sqlite", [RequestMaker(1)])
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("PRAGMA journal_mode=WAL")
    engine = read_only_engine(path)
    number = select(func.count()).select_from(REQUEST)
    with snapshot(engine) as connection:
        before = connection.scalar(number)
        writer.execute(INSERTS[type(RequestMaker(2).rows[0])], RequestMaker(2).rows[0])
        after = connection.scalar(number)
    with snapshot(engine) as connection:
        later = connection.scalar(number)
    engine.dispose()
    writer.close()
    assert (before, after, later) == (1, 1, 2)
