"""A ledger that an earlier release left is brought up to date, and says of its money what it said before."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from ledger.budgets import Scope, ScopeKind, Window
from ledger.ledger import Ledger, read_only_engine
from ledger.report_values import Dimension
from ledger.reports import spend_report
from ledger.schema import HEAD, ensure_schema, revision_of
from ledger.tables import APPEND_ONLY

FIRST_RELEASE = Path(__file__).parents[1] / "vectors" / "ledger_first_release.sql"
SUMS = """
    SELECT team, state, role, count(*), SUM(cost_nano_usd), SUM(bound_nano_usd) FROM entry
    GROUP BY team, state, role ORDER BY team, state, role
"""
COUNTED = tuple(table for table in APPEND_ONLY if table != "change")


def first_release(path: Path) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(FIRST_RELEASE.read_text())
    return path


def sums(path: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        counts = [connection.execute(f"SELECT count(*) FROM {table}").fetchone() for table in COUNTED]  # noqa: S608  (our own names)
        return [*connection.execute(SUMS).fetchall(), *counts]


def test_a_ledger_of_the_first_release_is_migrated_and_its_sums_are_unchanged(tmp_path: Path) -> None:
    path = first_release(tmp_path / "ledger.sqlite")
    assert revision_of(path) == "0001"
    before = sums(path)
    ensure_schema(path)
    assert revision_of(path) == HEAD
    assert sums(path) == before
    engine = read_only_engine(path)
    report = spend_report(engine, team="finance")
    where = spend_report(engine, team="finance", by=[Dimension.JURISDICTION, Dimension.ORIGIN])
    engine.dispose()
    assert report.observed.total.cost_nano_usd == 132_000_009
    assert {row.key for row in where.observed.rows} == {("not recorded", "not recorded")}
    assert where.observed.total == report.observed.total


def test_a_migrated_ledger_opens_with_its_limits_and_takes_no_change_of_what_is_written(
    tmp_path: Path,
) -> None:
    path = first_release(tmp_path / "ledger.sqlite")
    ledger = Ledger.open(path)
    room = ledger.budgets.headroom((Scope(ScopeKind.TEAM, "finance"),), 1_793_534_400_000_000)
    ledger.close()
    assert room is not None
    assert (room.limit.window, room.limit.amount_nano_usd) == (Window.MONTH, 5_000_000_000)


def test_a_migrated_file_has_every_table_index_and_trigger_of_a_new_one(
    empty_ledger: Path, tmp_path: Path
) -> None:
    path = first_release(tmp_path / "ledger.sqlite")
    ensure_schema(path)
    new = Path(shutil.copy(empty_ledger, tmp_path / "new.sqlite"))
    made, migrated = (
        {row[0] for row in sqlite_master(file) if row[0] != "sqlite_sequence"} for file in (new, path)
    )
    assert migrated == made


def sqlite_master(path: Path) -> list[tuple[str]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT name FROM sqlite_master").fetchall()
