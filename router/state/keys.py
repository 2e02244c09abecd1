"""Keys: made once, stored as HMACs, looked up on every request.

The lookup table lives in memory. Another process may make or revoke keys beside a running
gateway: SQLite's `data_version` says so, and the table is read again, so that a revocation holds
within 50 ms.
"""

import hmac
import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ledger.clock import Clock
from ledger.ids import KeyId, new_id
from ledger.schema import sqlite_failure
from router.errors import InvalidRequestError, NotFoundError
from router.state.schema import ensure_schema

PREFIX = "sk-steelyard-"
KEY_LENGTH_MAX = 128
REFRESH_S = 0.05


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key as it is stored. Times in microseconds since 1970."""

    key_id: KeyId
    team: str
    name: str
    hint: str
    created_at_us: int
    revoked_at_us: int | None


class KeyStore:
    """The keys of one state file."""

    def __init__(self, path: Path, pepper: bytes, clock: Clock) -> None:
        ensure_schema(path)
        self._path = path
        self._clock = clock
        self._connection = sqlite3.connect(path, isolation_level=None, timeout=5.0)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._mac = hmac.new(pepper, digestmod="sha256")
        self._version = -1
        self._refreshed_at = -REFRESH_S
        self._by_hmac: dict[str, tuple[str, StoredKey]] = {}
        self.generation = 0
        """Grows each time that the file was found changed."""

    def find(self, key: str) -> StoredKey | None:
        """Find a presented key; None if it is unknown or revoked. Compared in constant time."""
        now_s = time.monotonic()
        if now_s - self._refreshed_at >= REFRESH_S:
            self._refreshed_at = now_s
            self.refresh()
        if len(key) > KEY_LENGTH_MAX or not key.startswith(PREFIX):
            return None
        digest = self._digest(key)
        entry = self._by_hmac.get(digest)
        if entry is None:  # perhaps another process made it a moment ago
            self.refresh()
            entry = self._by_hmac.get(digest)
        if entry is None or not hmac.compare_digest(entry[0], digest) or entry[1].revoked_at_us is not None:
            return None
        return entry[1]

    def refresh(self) -> None:
        """Read the keys again if another process changed them."""
        version = self._connection.execute("PRAGMA data_version").fetchone()[0]
        if version != self._version:
            self._read(version)

    def create(self, team: str, name: str) -> tuple[StoredKey, str]:
        """Make a key for `team`; return it and its text, which exists nowhere else."""
        if not 0 < len(team) <= 64 or not team.isprintable():
            raise InvalidRequestError("a team's name has 1 to 64 printable characters", param="team")
        text = PREFIX + secrets.token_urlsafe(32)
        now_us = self._clock()
        stored = StoredKey(KeyId(new_id("key", now_us)), team, name, text[-4:], now_us, None)
        with self._writing():
            self._connection.execute(
                "INSERT OR IGNORE INTO team (name, created_at_us) VALUES (?, ?)", (team, now_us)
            )
            self._connection.execute(
                "INSERT INTO api_key (key_id, team, name, key_hmac, hint, created_at_us) VALUES (?, ?, ?, ?, ?, ?)",
                (stored.key_id, team, name, self._digest(text), stored.hint, now_us),
            )
        return stored, text

    def revoke(self, key_id: str) -> None:
        """Revoke a key for good. Raises NotFoundError if there is none, or it was revoked before."""
        with self._writing():
            changed = self._connection.execute(
                "UPDATE api_key SET revoked_at_us = ? WHERE key_id = ? AND revoked_at_us IS NULL",
                (self._clock(), key_id),
            )
        if changed.rowcount != 1:
            raise NotFoundError(
                f"there is no active key '{key_id}'; `steelyard keys list` shows them", param="key_id"
            )

    def touch(self) -> None:
        """Let a running gateway see that something changed, limits in the ledger among it."""
        with self._writing():
            self._connection.execute(
                "UPDATE team SET name = name WHERE rowid = (SELECT MIN(rowid) FROM team)"
            )

    def all(self) -> tuple[StoredKey, ...]:
        """All keys, oldest first."""
        self.refresh()
        return tuple(sorted((key for _, key in self._by_hmac.values()), key=lambda key: key.key_id))

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction. Raises LedgerError if the file is locked, out of reach or damaged."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
        except sqlite3.DatabaseError as error:
            raise sqlite_failure(self._path, error) from error
        self._version = -1

    def _digest(self, key: str) -> str:
        mac = self._mac.copy()  # a tenth of the cost of keying it anew
        mac.update(key.encode("utf-8", "surrogatepass"))
        return mac.hexdigest()

    def _read(self, version: int) -> None:
        rows = self._connection.execute(
            "SELECT key_hmac, key_id, team, name, hint, created_at_us, revoked_at_us FROM api_key"
        ).fetchall()
        self._by_hmac = {row[0]: (row[0], StoredKey(KeyId(row[1]), *row[2:])) for row in rows}
        self._version = version
        self.generation += 1
