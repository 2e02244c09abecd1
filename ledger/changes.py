"""Changes: who changed a key, a role, a limit or a policy, when, from what to what.

One row a change, append-only, without secrets. Its id is made by whoever changes something, so that
a change that is delivered twice (the gateway died in between) is written once.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Integer, column, select, table
from sqlalchemy.engine import Engine

from ledger.ids import new_id
from ledger.schema import ensure_schema, sqlite_failure
from ledger.writer import connect


class ActorKind(StrEnum):
    """What changed something."""

    MEMBER = "member"
    """A person, by a key of theirs."""
    MACHINE = "machine"
    """A command on the gateway's own machine; `id` is the user of the machine."""
    GATEWAY = "gateway"
    """The gateway itself, e.g. when it reads a policy that was edited."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes something."""

    kind: ActorKind
    id: str
    key_id: str | None = None

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


GATEWAY = Actor(ActorKind.GATEWAY, "gateway")


class Change(NamedTuple):
    """One row of the table `change`."""

    change_id: str
    at_us: int
    by_kind: str
    """An ActorKind."""
    by_id: str
    by_key_id: str | None
    action: str
    """"created", "rotated", "revoked", "set", "lifted", "closed", "removed", "loaded"."""
    object_kind: str
    """"key", "member", "team", "project", "organisation", "pepper", "limit" or "policy"."""
    object_id: str
    team: str | None
    before: str | None
    """JSON of what stood there, as far as it changed."""
    after: str | None
    reason: str


Facts = Mapping[str, object]

_CHANGE = table("change", column("seq", Integer()), *(column(name) for name in Change._fields))
_INSERT = (
    f"INSERT INTO change ({', '.join(Change._fields)}) SELECT {', '.join('?' for _ in Change._fields)} "  # noqa: S608  (our own names)
    "WHERE NOT EXISTS (SELECT 1 FROM change WHERE change_id = ?)"
)
_LAST_AFTER = "SELECT after FROM change WHERE object_kind = ? AND object_id = ? ORDER BY seq DESC LIMIT 1"


def new_change(
    by: Actor,
    action: str,
    object_kind: str,
    object_id: str,
    *,
    at_us: int,
    team: str | None = None,
    before: Facts | None = None,
    after: Facts | None = None,
    reason: str = "",
) -> Change:
    """Make the row of a change that happens at `at_us`."""
    return Change(
        new_id("chg", at_us), at_us, by.kind.value, by.id, by.key_id, action, object_kind, object_id,
        team, _json(before), _json(after), reason,
    )  # fmt: skip


def insert_changes(connection: sqlite3.Connection, changes: Iterable[Change]) -> None:
    """Append `changes` in the caller's transaction; one whose id is there already is left out."""
    connection.executemany(_INSERT, [(*change, change.change_id) for change in changes])


def record_changes(path: Path, changes: Sequence[Change]) -> None:
    """Append `changes` to the ledger at `path`, beside a running gateway or without one.

    Raises LedgerError if the file is locked, out of reach or no ledger.
    """
    if not changes:
        return
    ensure_schema(path)
    try:
        with closing(connect(path)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            insert_changes(connection, changes)
            connection.execute("COMMIT")
    except sqlite3.DatabaseError as error:
        raise sqlite_failure(path, error) from error


def record_states(
    path: Path, object_kind: str, states: Mapping[str, Facts], *, by: Actor, at_us: int
) -> tuple[Change, ...]:
    """Append a change "loaded" for each object whose state is another than its last row says.

    For what is changed by editing files, e.g. policies, and noticed when they are read; `states` has an
    object's facts by its id, which is a team's name.
    """
    ensure_schema(path)
    changes: list[Change] = []
    try:
        with closing(connect(path)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            for object_id, facts in states.items():
                found = connection.execute(_LAST_AFTER, (object_kind, object_id)).fetchone()
                before = found[0] if found is not None else None
                if before != _json(facts):
                    change = new_change(
                        by, "loaded", object_kind, object_id, at_us=at_us, team=object_id, after=facts
                    )
                    changes.append(change._replace(before=before))
            insert_changes(connection, changes)
            connection.execute("COMMIT")
    except sqlite3.DatabaseError as error:
        raise sqlite_failure(path, error) from error
    return tuple(changes)


def recent_changes(
    engine: Engine, *, team: str | None = None, object_id: str | None = None, limit: int = 100
) -> tuple[Change, ...]:
    """The latest changes, newest first; of one team or one object, or of all."""
    statement = select(*(_CHANGE.c[name] for name in Change._fields)).order_by(_CHANGE.c.seq.desc())
    if team is not None:
        statement = statement.where(_CHANGE.c.team == team)
    if object_id is not None:
        statement = statement.where(_CHANGE.c.object_id == object_id)
    with engine.connect() as connection:
        return tuple(Change._make(row) for row in connection.execute(statement.limit(limit)))


def _json(facts: Facts | None) -> str | None:
    if facts is None:
        return None
    return json.dumps(dict(facts), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
