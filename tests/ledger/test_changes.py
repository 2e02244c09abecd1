"""Changes of keys, roles, limits and policies: who, when, from what to what; written once."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ledger.changes import (
    GATEWAY,
    Actor,
    ActorKind,
    Change,
    new_change,
    recent_changes,
    record_changes,
    record_states,
)
from ledger.errors import LedgerBusyError
from ledger.ledger import read_only_engine

ANNA = Actor(ActorKind.MEMBER, "mem_1", "key_1")


def changes(path: Path, *, team: str | None = None, object_id: str | None = None) -> list[Change]:
    engine = read_only_engine(path)
    try:
        return list(recent_changes(engine, team=team, object_id=object_id))
    finally:
        engine.dispose()


def test_a_change_says_who_when_and_from_what_to_what(path: Path) -> None:
    change = new_change(
        ANNA,
        "revoked",
        "key",
        "key_9",
        at_us=5,
        team="finance",
        before={"b": 1, "a": None},
        reason="it leaked",
    )
    record_changes(path, [change])
    assert changes(path) == [change]
    assert change.change_id.startswith("chg_")
    assert change[1:] == (
        5, "member", "mem_1", "key_1", "revoked", "key", "key_9", "finance", '{"a":null,"b":1}', None, "it leaked",
    )  # fmt: skip


def test_a_change_that_is_delivered_twice_is_written_once(path: Path) -> None:
    first, second = (new_change(ANNA, "created", "key", name, at_us=1) for name in ("key_1", "key_2"))
    record_changes(path, [first])
    record_changes(path, [first, second])
    assert changes(path) == [second, first]


def test_changes_are_found_by_team_and_by_object_newest_first(path: Path) -> None:
    rows = [
        new_change(ANNA, "created", "key", object_id, at_us=at, team=team)
        for at, (team, object_id) in enumerate((("a", "key_1"), ("b", "key_2"), ("a", "key_3")))
    ]
    record_changes(path, rows)
    assert [row.object_id for row in changes(path, team="a")] == ["key_3", "key_1"]
    assert [row.object_id for row in changes(path, object_id="key_2")] == ["key_2"]
    assert changes(path, team="a", object_id="key_2") == []


def test_a_state_that_was_edited_is_a_change_and_one_that_was_not_is_none(path: Path) -> None:
    loaded = record_states(path, "policy", {"a": {"hash": "1"}, "b": {"hash": "2"}}, by=GATEWAY, at_us=1)
    assert [(row.object_id, row.before, row.after) for row in loaded] == [
        ("a", None, '{"hash":"1"}'),
        ("b", None, '{"hash":"2"}'),
    ]
    assert record_states(path, "policy", {"a": {"hash": "1"}}, by=GATEWAY, at_us=2) == ()
    (edited,) = record_states(path, "policy", {"a": {"hash": "3"}, "b": {"hash": "2"}}, by=GATEWAY, at_us=3)
    assert (edited.object_id, edited.before, edited.after) == ("a", '{"hash":"1"}', '{"hash":"3"}')
    assert [row.at_us for row in changes(path, object_id="a")] == [3, 1]


def test_a_locked_ledger_is_a_sentence(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("PRAGMA journal_mode=WAL")
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerBusyError, match="being written by another program"):
            record_changes(path, [new_change(ANNA, "created", "key", "key_1", at_us=1)])
        holder.execute("ROLLBACK")
