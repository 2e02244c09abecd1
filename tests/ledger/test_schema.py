"""Bringing a file to the newest schema, and refusing what is no ledger."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from ledger.errors import LedgerBusyError, LedgerCorruptError, LedgerUnavailableError
from ledger.ledger import Ledger, read_only_engine
from ledger.migrate import MIGRATIONS, head_sql, upgrade
from ledger.schema import HEAD, ensure_schema, revision_of, sqlite_failure
from ledger.tables import APPEND_ONLY


def tables_of(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def test_the_head_is_the_last_step_of_the_history() -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == HEAD


@pytest.mark.parametrize("folder", ["ledger/migrations", "router/state/migrations"])
def test_a_new_file_is_what_the_steps_of_its_history_make(folder: str) -> None:
    migrations = Path(__file__).parents[2] / folder
    assert (migrations / "head.sql").read_text() == head_sql(migrations), (
        f"run: python -m ledger.migrate {folder} > head.sql, and move it to {folder}/head.sql"
    )


def test_of_two_that_make_a_file_at_once_both_find_it_whole(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    program = f"from pathlib import Path; from ledger.schema import ensure_schema; ensure_schema(Path({str(path)!r}))"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program], cwd=Path(__file__).parents[2], stderr=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    ended = [(process.communicate(timeout=60)[1], process.returncode) for process in started]
    assert [code for _, code in ended] == [0] * 4, ended
    assert tables_of(path) >= set(APPEND_ONLY)


def test_a_missing_file_is_made_with_its_folder_and_a_second_call_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "ledger.sqlite"
    assert revision_of(path) is None
    ensure_schema(path)
    assert revision_of(path) == HEAD
    before = path.read_bytes()
    ensure_schema(path)
    assert path.read_bytes() == before


def test_an_empty_file_becomes_a_ledger(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    path.touch()
    ensure_schema(path)
    assert tables_of(path) >= set(APPEND_ONLY)


@pytest.mark.parametrize("folder", ["50% off", "what? a#b", "Zürich %41 & co"])
def test_a_folder_may_have_any_name(tmp_path: Path, folder: str) -> None:
    path = tmp_path / folder / "ledger.sqlite"
    Ledger.open(path).close()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [folder]
    engine = read_only_engine(path)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM opening").scalar() == 1
    engine.dispose()


def test_a_relative_path_is_relative_to_where_we_are(tmp_path: Path) -> None:
    program = "from pathlib import Path; from ledger.schema import ensure_schema; ensure_schema(Path('data/ledger.sqlite'))"
    root = Path(__file__).parents[2]
    subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root)},
        check=True,
        capture_output=True,
    )
    assert revision_of(tmp_path / "data" / "ledger.sqlite") == HEAD
    assert not (root / "data").exists()


def test_a_migration_that_fails_leaves_nothing_half_made(tmp_path: Path) -> None:
    """What a kill in the middle leaves is what an error in the middle leaves: the file as it was."""
    path = tmp_path / "ledger.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE price (theirs)")  # the step's last table but one cannot be made
    with pytest.raises(Exception, match="table price already exists"):
        upgrade(path)
    assert tables_of(path) == {"price"}


def test_of_two_migrations_at_once_both_find_a_whole_ledger(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    command = [sys.executable, "-m", "ledger.migrate", str(MIGRATIONS), str(path)]
    started = [
        subprocess.Popen(command, cwd=Path(__file__).parents[2], stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    ended = [(process.communicate(timeout=60)[1], process.returncode) for process in started]
    assert [code for _, code in ended] == [0, 0], ended
    assert revision_of(path) == HEAD
    assert tables_of(path) >= set(APPEND_ONLY)


def test_a_file_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "theirs.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE songs (title)")
    before = path.read_bytes()
    with pytest.raises(LedgerCorruptError, match="not one of Steelyard's"):
        Ledger.open(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"no database at all\n" * 400, b"\0" * 8_192], ids=["text", "zeros"])
def test_what_is_no_database_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(content)
    with pytest.raises(LedgerCorruptError, match="restore a backup"):
        Ledger.open(path)
    assert path.read_bytes() == content


def test_a_newer_schema_is_refused_with_the_advice_to_upgrade(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    ensure_schema(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0042'")
    with pytest.raises(LedgerCorruptError, match=r"newer Steelyard \(schema 0042.*upgrade"):
        Ledger.open(path)


def test_a_ledger_that_lost_a_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    ensure_schema(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DROP TABLE opening")
    with pytest.raises(LedgerCorruptError, match="opening"):
        Ledger.open(path)


def test_a_damaged_page_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    ensure_schema(path)
    with path.open("r+b") as file:
        file.seek(4_096)
        file.write(b"\xff" * (path.stat().st_size - 4_096))
    with pytest.raises(LedgerCorruptError):
        Ledger.open(path)


def test_a_path_that_cannot_be_a_file_is_unavailable_not_corrupt(tmp_path: Path) -> None:
    with pytest.raises(LedgerUnavailableError, match="cannot be used"):
        Ledger.open(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(LedgerUnavailableError, match="cannot be opened"):
        Ledger.open(tmp_path / "file" / "ledger.sqlite")


def test_a_lock_of_another_program_is_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    ensure_schema(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with (
            closing(sqlite3.connect(path, timeout=0)) as blocked,
            pytest.raises(sqlite3.OperationalError) as caught,
        ):
            blocked.execute("SELECT count(*) FROM entry")
        assert isinstance(sqlite_failure(path, caught.value), LedgerBusyError)
        other.execute("ROLLBACK")
