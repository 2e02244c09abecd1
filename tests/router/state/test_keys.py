"""Keys: shown once, stored as HMACs, revoked for good."""

import sqlite3
from pathlib import Path

import pytest

from ledger.clock import system_clock
from ledger.errors import LedgerBusyError, LedgerCorruptError
from router.errors import InvalidRequestError, NotFoundError
from router.state.keys import PREFIX, KeyStore

PEPPER = b"p" * 64


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.sqlite"


def test_a_key_is_found_and_its_text_is_stored_nowhere(path: Path) -> None:
    store = KeyStore(path, PEPPER, system_clock)
    stored, text = store.create("finance", "invoices")
    assert text.startswith(PREFIX)
    assert len(text) > 40
    assert store.find(text) == stored
    store.close()
    on_disk = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert text.encode() not in on_disk
    assert text.removeprefix(PREFIX)[:20].encode() not in on_disk


@pytest.mark.parametrize(
    "presented",
    [
        "",
        "sk-other",
        PREFIX,
        PREFIX + "x",
        PREFIX + "x" * 43,
        PREFIX + "x" * 10_000,
        PREFIX + "\ud800",
        PREFIX + "\0",
    ],
    ids=["empty", "foreign", "prefix", "short", "unknown", "long", "surrogate", "nul"],
)
def test_what_is_no_key_is_not_found(path: Path, presented: str) -> None:
    store = KeyStore(path, PEPPER, system_clock)
    store.create("finance", "invoices")
    assert store.find(presented) is None
    store.close()


def test_a_key_means_nothing_under_another_pepper(path: Path) -> None:
    store = KeyStore(path, PEPPER, system_clock)
    _, text = store.create("finance", "")
    store.close()
    other = KeyStore(path, b"q" * 64, system_clock)
    assert other.find(text) is None
    other.close()


def test_a_key_that_another_process_revokes_is_soon_refused(path: Path) -> None:
    store, other = KeyStore(path, PEPPER, system_clock), KeyStore(path, PEPPER, system_clock)
    stored, text = store.create("finance", "")
    store.refresh()
    assert store.find(text) is not None
    other.revoke(stored.key_id)
    store.refresh()
    assert store.find(text) is None
    with pytest.raises(NotFoundError, match="no active key"):
        other.revoke(stored.key_id)
    store.close()
    other.close()


def test_a_key_that_another_process_makes_is_found(path: Path) -> None:
    store, other = KeyStore(path, PEPPER, system_clock), KeyStore(path, PEPPER, system_clock)
    generation = store.generation
    _, text = other.create("finance", "")
    store.refresh()
    assert store.find(text) is not None
    assert store.generation > generation
    store.close()
    other.close()


@pytest.mark.parametrize("team", ["", "x" * 65, "a\nb"], ids=["empty", "long", "two lines"])
def test_a_team_has_a_printable_name(path: Path, team: str) -> None:
    store = KeyStore(path, PEPPER, system_clock)
    with pytest.raises(InvalidRequestError, match="printable"):
        store.create(team, "")
    store.close()


def test_a_state_file_from_a_newer_release_is_refused(path: Path) -> None:
    KeyStore(path, PEPPER, system_clock).close()
    connection = sqlite3.connect(path)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    with pytest.raises(LedgerCorruptError, match="newer Steelyard"):
        KeyStore(path, PEPPER, system_clock)


def test_a_new_key_is_found_at_once_by_a_store_that_read_before_it(path: Path) -> None:
    store, other = KeyStore(path, PEPPER, system_clock), KeyStore(path, PEPPER, system_clock)
    _, first = store.create("finance", "")
    assert store.find(first) is not None
    _, second = other.create("finance", "")
    assert store.find(second) is not None
    store.close()
    other.close()


def test_a_locked_state_file_is_a_sentence(path: Path) -> None:
    store = KeyStore(path, PEPPER, system_clock)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerBusyError, match="being written by another program"):
        store.create("finance", "")
    holder.execute("ROLLBACK")
    holder.close()
    assert store.create("finance", "")[0].team == "finance"
    store.close()
