"""Keys: stored as HMACs, looked up on every request.

The lookup table lives in memory. Another process may make or revoke keys beside a running
gateway: SQLite's `data_version` says so, and the table is read again, so that a revocation holds
within 50 ms. What changes keys is `router.state.register`.
"""

import hmac
import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ledger.clock import Clock
from ledger.ids import KeyId
from router.errors import UnavailableError
from router.state.pepper import Pepper, PepperSource
from router.state.rights import Rights
from router.state.roles import Role
from router.state.schema import ensure_schema

PREFIX = "sk-steelyard-"
KEY_LENGTH_MAX = 128
REFRESH_S = 0.05
FOREVER_US = 1 << 62


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key as it is stored. Times in microseconds since 1970."""

    key_id: KeyId
    team: str | None
    """None for the keys of owners and auditors, which cannot spend."""
    name: str
    hint: str
    """The last characters of its newest text."""
    created_at_us: int
    revoked_at_us: int | None
    rights: Rights
    member_id: str | None = None
    role: Role | None = None
    """Its holder's; None for the key of an application."""
    closed: bool = False
    """Whether its team, its project or its holder is gone."""
    pepper_ids: tuple[str, ...] = ()
    """Under which peppers its texts are stored."""


@dataclass(frozen=True, slots=True)
class _Secret:
    digest: str
    until_us: int
    key: StoredKey


_KEYS = """
    SELECT k.key_id, k.team, k.name, k.created_at_us, k.revoked_at_us, k.member_id, m.role,
        k.models, k.paths, k.environment, k.project, k.expires_at_us, k.draws_on,
        COALESCE(t.closed_at_us, p.closed_at_us, m.removed_at_us, mt.closed_at_us) IS NOT NULL
    FROM api_key k
    LEFT JOIN member m ON m.member_id = k.member_id
    LEFT JOIN team t ON t.name = k.team
    LEFT JOIN team mt ON mt.name = m.team
    LEFT JOIN project p ON p.team = k.team AND p.name = k.project
"""
_SECRETS = "SELECT key_id, key_hmac, hint, pepper_id, expires_at_us FROM key_secret ORDER BY created_at_us"


class KeyStore:
    """The keys of one state file, for looking up."""

    def __init__(self, path: Path, peppers: PepperSource, clock: Clock) -> None:
        ensure_schema(path)
        self._clock = clock
        self._pepper_source = peppers
        self._connection = sqlite3.connect(path, isolation_level=None, timeout=0.1)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._read_peppers()
        self._version = -1
        self._refreshed_at = -REFRESH_S
        self._by_digest: dict[str, _Secret] = {}
        self._holders: dict[str, str] = {}
        self.generation = 0
        """Grows each time that the file was found changed."""

    def find(self, key: str) -> StoredKey | None:
        """Find a presented key; None if it is unknown, revoked or expired. Compared in constant time."""
        now_s = time.monotonic()
        if now_s - self._refreshed_at >= REFRESH_S:
            self._refreshed_at = now_s
            self.refresh()
        if len(key) > KEY_LENGTH_MAX or not key.startswith(PREFIX):
            return None
        digest = self._digest(self._mac, key)
        secret = self._by_digest.get(digest)
        if secret is None:
            secret, digest = self._find_elsewhere(key, digest)
        if secret is None or not hmac.compare_digest(secret.digest, digest):
            return None
        if secret.key.revoked_at_us is not None or secret.key.closed or secret.until_us <= self._clock():
            return None
        return secret.key

    def holder_of(self, key_id: str) -> str | None:
        """The member whose key it is or was; None for the key of an application."""
        if key_id not in self._holders:  # perhaps another process made it a moment ago
            self.refresh()
        return self._holders.get(key_id)

    def refresh(self) -> None:
        """Read the keys again if another process changed them."""
        version = self._connection.execute("PRAGMA data_version").fetchone()[0]
        if version != self._version:
            self._version = version
            self._read()

    def all(self) -> tuple[StoredKey, ...]:
        """All keys, oldest first."""
        return tuple(read_keys(self._connection))

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _find_elsewhere(self, key: str, digest: str) -> tuple[_Secret | None, str]:
        """Look again: perhaps another process made it a moment ago, or it is stored under the old pepper."""
        known = self._pepper_id
        self.refresh()
        if self._pepper_id != known:
            digest = self._digest(self._mac, key)
        secret = self._by_digest.get(digest)
        if secret is not None or self._old_mac is None or self._old_until_us <= self._clock():
            return secret, digest
        old_digest = self._digest(self._old_mac, key)
        secret = self._by_digest.get(old_digest)
        if secret is not None:
            self._move(old_digest, digest)
        return secret, old_digest

    def _move(self, old_digest: str, digest: str) -> None:
        """Store a key under the pepper in force, now that its text is here: the old one is needed no more."""
        with suppress(sqlite3.OperationalError):  # somebody else writes; its next use will do
            self._connection.execute(
                "UPDATE key_secret SET key_hmac = ?, pepper_id = ? WHERE key_hmac = ?",
                (digest, self._pepper_id, old_digest),
            )
            self._version = -1

    def _read_peppers(self) -> None:
        peppers = self._pepper_source()
        self._pepper_id = peppers.current.id
        self._mac = mac_of(peppers.current)
        old = peppers.previous
        self._old_mac = mac_of(old) if old is not None else None
        self._old_until_us = old.until_us if old is not None and old.until_us is not None else FOREVER_US

    @staticmethod
    def _digest(keyed: "hmac.HMAC", key: str) -> str:
        mac = keyed.copy()  # a tenth of the cost of keying it anew
        mac.update(key.encode("utf-8", "surrogatepass"))
        return mac.hexdigest()

    def _read(self) -> None:
        self._connection.execute("BEGIN")  # both statements see the file at one moment
        keys = {key.key_id: key for key in read_keys(self._connection)}
        secrets = self._connection.execute(_SECRETS).fetchall()
        self._connection.execute("COMMIT")
        self._holders = {key.key_id: key.member_id for key in keys.values() if key.member_id is not None}
        self._by_digest = {}
        for key_id, digest, _, _, until_us in secrets:
            key = keys[key_id]
            ends = [end for end in (until_us, key.rights.expires_at_us) if end is not None]
            self._by_digest[digest] = _Secret(digest, min(ends, default=FOREVER_US), key)
        with suppress(UnavailableError):  # a file that somebody is about to mend: the known ones hold
            self._read_peppers()  # whoever rotates it notes so in this file
        self.generation += 1


def mac_of(pepper: Pepper) -> "hmac.HMAC":
    """The keyed hash under which keys are stored."""
    return hmac.new(pepper.secret, digestmod="sha256")


def read_keys(connection: sqlite3.Connection) -> Iterator[StoredKey]:
    """All keys of a state file, oldest first."""
    hints: dict[str, str] = {}
    peppers: dict[str, list[str]] = {}
    for key_id, _, hint, pepper_id, _ in connection.execute(_SECRETS):
        hints[key_id] = hint
        if pepper_id is not None:
            peppers.setdefault(key_id, []).append(pepper_id)
    for row in connection.execute(_KEYS + "ORDER BY k.key_id").fetchall():
        (
            key_id,
            team,
            name,
            created,
            revoked,
            member_id,
            role,
            models,
            paths,
            environment,
            project,
            ends,
            draws_on,
            gone,
        ) = row
        yield StoredKey(
            KeyId(key_id),
            team,
            name,
            hints.get(key_id, ""),
            created,
            revoked,
            Rights(_names(models), _names(paths), environment, project, ends, _names(draws_on) or ()),
            member_id,
            Role(role) if role is not None else None,
            bool(gone),
            tuple(dict.fromkeys(peppers.get(key_id, ()))),
        )


def _names(text: str | None) -> tuple[str, ...] | None:
    return tuple(json.loads(text)) if text is not None else None
