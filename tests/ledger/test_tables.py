"""Tables, rows and migration say the same, and SQL itself keeps the ledger append-only."""

import sqlite3
from collections.abc import Iterator
from dataclasses import fields
from itertools import product
from pathlib import Path
from typing import get_type_hints

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Boolean, Float, Integer, create_engine, inspect
from sqlmodel import AutoString, SQLModel

from ledger.migrations.versions import __name__ as versions
from ledger.prices import Price
from ledger.rows import ENDED, AnswerRow, EntryRow, OutcomeRow, RequestRow, Row, State
from ledger.schema import HEAD, revision_of
from ledger.tables import APPEND_ONLY, LEDGER_METADATA
from ledger.usage import UNIT_CLASSES
from ledger.writer import INSERTS
from support.ledger_rows import RequestMaker

SQL_TYPES = {str: AutoString, int: Integer, bool: Boolean, float: Float}
ROWS: dict[str, type[Row]] = {
    "request": RequestRow,
    "entry": EntryRow,
    "answer": AnswerRow,
    "outcome": OutcomeRow,
}


@pytest.fixture
def connection(empty_ledger: Path) -> Iterator[sqlite3.Connection]:
    """The migrated file, with whatever a test writes into it taken back."""
    opened = sqlite3.connect(empty_ledger, isolation_level=None)
    opened.execute("BEGIN")
    yield opened
    opened.execute("ROLLBACK")
    opened.close()


@pytest.mark.parametrize("name", ROWS)
def test_a_table_has_its_rows_fields_in_their_order_with_their_types(name: str) -> None:
    hints = get_type_hints(ROWS[name])
    seq, *columns = LEDGER_METADATA.tables[name].columns
    assert (seq.name, seq.primary_key) == ("seq", True)
    assert [column.name for column in columns] == list(ROWS[name]._fields)
    for column in columns:
        kind, *nothing = getattr(hints[column.name], "__args__", (hints[column.name],))
        assert isinstance(column.type, SQL_TYPES[kind]), column.name
        assert column.nullable is bool(nothing), column.name


def test_the_price_table_holds_every_field_of_a_price() -> None:
    stored = {column.name for column in LEDGER_METADATA.tables["price"].columns}
    assert stored == {"seq", *UNIT_CLASSES, *(field.name for field in fields(Price) if field.name != "rates")}


def test_an_upgrade_from_nothing_gives_exactly_the_metadata(empty_ledger: Path) -> None:
    engine = create_engine(f"sqlite:///{empty_ledger}")
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "target_metadata": LEDGER_METADATA}
        )
        assert compare_metadata(context, LEDGER_METADATA) == []
        for name, table in LEDGER_METADATA.tables.items():
            found = inspect(connection).get_columns(name)
            assert [column["name"] for column in found] == [column.name for column in table.columns], name
            assert [column["nullable"] for column in found] == [
                column.nullable for column in table.columns
            ], name
    engine.dispose()


def index_conditions(connection: sqlite3.Connection) -> dict[str, str]:
    """The indexes of a file with their whole definitions: a comparison of metadata sees no WHERE."""
    found = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
    return {name: " ".join(sql.replace('"', "").split()) for name, sql in found}


def test_the_migrations_indexes_have_the_conditions_of_the_metadatas(
    connection: sqlite3.Connection, tmp_path: Path
) -> None:
    path = tmp_path / "metadata.sqlite"
    engine = create_engine(f"sqlite:///{path}")
    LEDGER_METADATA.create_all(engine)
    engine.dispose()
    made = sqlite3.connect(path)
    expected = index_conditions(made)
    made.close()
    assert index_conditions(connection) == expected
    states = ", ".join(f"'{state.value}'" for state in ENDED)
    assert expected["ux_entry_ended"].endswith(f"WHERE state IN ({states})")


def test_a_file_that_was_migrated_is_at_the_head_of_the_steps(empty_ledger: Path) -> None:
    assert revision_of(empty_ledger) == HEAD
    steps = sorted(
        path.name for path in (Path(__file__).parents[2] / versions.replace(".", "/")).glob("0*.py")
    )
    assert steps[-1].startswith(HEAD)


def test_every_table_is_append_only_and_no_other_metadata_holds_one() -> None:
    assert set(APPEND_ONLY) == set(LEDGER_METADATA.tables)
    assert not set(LEDGER_METADATA.tables) & set(SQLModel.metadata.tables)


def insert_one(connection: sqlite3.Connection, table: str) -> None:
    """Write some row of `table`: zeros and empty text wherever something must be."""
    columns = [column for column in LEDGER_METADATA.tables[table].columns if column.name != "seq"]
    values = ["" if isinstance(column.type, AutoString) else 0 for column in columns]
    names = ", ".join(f'"{column.name}"' for column in columns)
    connection.execute(
        f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' for _ in columns)})",  # noqa: S608  (our own names)
        values,
    )


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("change", ["UPDATE {} SET seq = seq", "DELETE FROM {}"], ids=["update", "delete"])
def test_sql_refuses_to_change_what_is_written(
    connection: sqlite3.Connection, table: str, change: str
) -> None:
    insert_one(connection, table)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(change.format(table))
    assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (1,)  # noqa: S608  (our own names)


def columns_of(table: str, *, seq: bool) -> str:
    columns = LEDGER_METADATA.tables[table].columns
    return ", ".join(f'"{column.name}"' for column in columns if seq or column.name != "seq")


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_no_row_is_replaced_by_one_of_its_number(connection: sqlite3.Connection, table: str) -> None:
    insert_one(connection, table)
    names = columns_of(table, seq=True)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(f"INSERT OR REPLACE INTO {table} ({names}) SELECT {names} FROM {table}")  # noqa: S608  (our own names)


@pytest.mark.parametrize("table", [table for table in APPEND_ONLY if table not in ("entry", "opening")])
def test_no_row_is_replaced_by_one_of_its_key(connection: sqlite3.Connection, table: str) -> None:
    insert_one(connection, table)
    names = columns_of(table, seq=False)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(f"INSERT OR REPLACE INTO {table} ({names}) SELECT {names} FROM {table}")  # noqa: S608  (our own names)


@pytest.mark.parametrize(
    ("first", "second"),
    [(State.DISPATCHED, State.DISPATCHED), (State.ADJUST, State.ADJUST), *product(ENDED, ENDED)],
)
def test_no_entry_is_replaced_by_one_of_its_attempt_and_state(
    connection: sqlite3.Connection, first: State, second: State
) -> None:
    (one, other) = entries_of_one_attempt(first, second)
    connection.execute(INSERTS[EntryRow], one)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(
            INSERTS[EntryRow].replace("INSERT", "INSERT OR REPLACE", 1), other._replace(entry_id=one.entry_id)
        )


def test_every_unique_key_is_guarded_against_a_replacement(connection: sqlite3.Connection) -> None:
    for table in APPEND_ONLY:
        (guard,) = connection.execute(
            "SELECT sql FROM sqlite_master WHERE name = ?", (f"{table}_no_replace",)
        ).fetchone()
        unique = [row[1] for row in connection.execute(f"PRAGMA index_list({table})") if row[2]]
        for index in unique:
            ((_, _, column),) = connection.execute(f"PRAGMA index_info({index})").fetchall()
            assert f"WHERE {column} = NEW.{column}" in guard
        assert guard.count("EXISTS") == 1 + len(unique)


def entries_of_one_attempt(*states: State) -> list[EntryRow]:
    request = RequestMaker(1)
    request.attempt(state=None)
    dispatched = request.rows[-1]
    assert isinstance(dispatched, EntryRow)
    return [
        dispatched._replace(entry_id=f"ent_{place}", state=state.value) for place, state in enumerate(states)
    ]


@pytest.mark.parametrize("second", ENDED)
@pytest.mark.parametrize("first", ENDED)
def test_an_attempt_ends_once_whatever_its_end(
    connection: sqlite3.Connection, first: State, second: State
) -> None:
    rows = entries_of_one_attempt(State.DISPATCHED, first, second)
    connection.executemany(INSERTS[EntryRow], rows[:2])
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(INSERTS[EntryRow], rows[2])


def test_an_attempt_is_dispatched_once(connection: sqlite3.Connection) -> None:
    first, again = entries_of_one_attempt(State.DISPATCHED, State.DISPATCHED)
    connection.execute(INSERTS[EntryRow], first)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(INSERTS[EntryRow], again)


def test_an_attempt_is_corrected_as_often_as_need_be_and_each_correction_is_written_once(
    connection: sqlite3.Connection,
) -> None:
    rows = entries_of_one_attempt(State.DISPATCHED, State.POSTED_WORST, State.ADJUST, State.ADJUST)
    connection.executemany(INSERTS[EntryRow], rows)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(INSERTS[EntryRow], rows[-1])


@pytest.mark.parametrize(
    "row",
    [pytest.param(kind, id=name) for name, kind in ROWS.items() if name in ("request", "answer", "outcome")],
)
def test_a_request_its_answer_and_an_outcome_are_written_once(
    connection: sqlite3.Connection, row: type[Row]
) -> None:
    request = RequestMaker(1)
    request.answer(request.attempt())
    request.outcome("gold", "right")
    (one,) = [made for made in request.rows if type(made) is row]
    connection.execute(INSERTS[row], one)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(INSERTS[row], one)


def test_what_a_later_decision_learns_from_is_kept_from_the_first_row_on() -> None:
    """The design's decision 9, by name."""
    assert {"task_kind", "task_class", "template_hash", "propensity", "features_version"} <= set(
        RequestRow._fields
    )
    assert {"document_bytes", "message_count", "prompt_tokens_bound", "label", "purpose"} <= set(
        RequestRow._fields
    )
    assert {"fingerprint", "model_served", "latency_us", "ttft_us", "finish_reason"} <= set(EntryRow._fields)
    assert {"policy_hash", "rule_ids", "price_id", "simulated", "cpu_us"} <= set(EntryRow._fields)
    assert {"score", "propensity", "source"} <= set(OutcomeRow._fields)
    assert {"score_min", "score_mean"} <= set(AnswerRow._fields)


def test_no_column_is_called_after_content() -> None:
    names = {column.name for table in LEDGER_METADATA.tables.values() for column in table.columns}
    assert not names & {
        "prompt",
        "text",
        "content",
        "messages",
        "document",
        "answer",
        "response",
        "value",
        "key",
    }
