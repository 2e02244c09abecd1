"""The register of keys: where they are made, rotated and revoked. What looks them up is `router.state.keys`."""

import json
import secrets
from dataclasses import asdict

from ledger.ids import KeyId, new_id
from router.errors import InvalidRequestError, NotFoundError
from router.state.file import StateFile
from router.state.keys import PREFIX, StoredKey, mac_of, read_keys
from router.state.pepper import PepperSource
from router.state.rights import ANY, Rights, checked

OVERLAP_S = 24 * 3_600
OVERLAP_S_MAX = 90 * 24 * 3_600


class KeyRegister:
    """Changes the keys of a state file."""

    def __init__(self, file: StateFile, peppers: PepperSource) -> None:
        self._file = file
        self._connection = file.connection
        self._pepper = peppers().current

    def create(
        self, team: str | None, name: str, rights: Rights = ANY, *, member_id: str | None = None
    ) -> tuple[StoredKey, str]:
        """Make a key; return it and its text, which exists nowhere else.

        A team that is not known yet is; a project must be. Raises InvalidRequestError for what cannot be.
        """
        now_us = self._file.clock()
        rights = checked(rights, now_us)
        if team is not None and (not 0 < len(team) <= 64 or not team.isprintable()):
            raise InvalidRequestError("a team's name has 1 to 64 printable characters", param="team")
        if len(name) > 128:
            raise InvalidRequestError("a key's name has at most 128 characters", param="name")
        key_id = KeyId(new_id("key", now_us))
        with self._file.changing():
            if team is not None:
                self._connection.execute(
                    "INSERT OR IGNORE INTO team (name, created_at_us) VALUES (?, ?)", (team, now_us)
                )
            self._refuse_unknown_project(team, rights.project)
            self._connection.execute(
                "INSERT INTO api_key (key_id, team, name, created_at_us, project, member_id, environment, models, "
                "paths, expires_at_us, draws_on) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    key_id,
                    team,
                    name,
                    now_us,
                    rights.project,
                    member_id,
                    rights.environment,
                    _json(rights.models),
                    _json(rights.paths),
                    rights.expires_at_us,
                    _json(rights.draws_on or None),
                ),
            )
            text = self._add_text(key_id, now_us)
            self._file.note(
                "created",
                "key",
                key_id,
                team=team,
                after={"name": name, "member_id": member_id, **_said(rights)},
            )
        return self.get(key_id), text

    def rotate(self, key_id: str, overlap_s: int = OVERLAP_S) -> tuple[StoredKey, str]:
        """Give a key a new text; the old one opens it for `overlap_s` more, 0 for no longer.

        The key stays who it is: its rights, its budget and what it spent. Raises NotFoundError.
        """
        if not 0 <= overlap_s <= OVERLAP_S_MAX:
            raise InvalidRequestError(
                f"an overlap is from 0 s to {OVERLAP_S_MAX // 86_400} days", param="overlap"
            )
        key = self._active(key_id)
        now_us = self._file.clock()
        until_us = now_us + overlap_s * 1_000_000
        with self._file.changing():
            self._connection.execute(
                "UPDATE key_secret SET expires_at_us = ? WHERE key_id = ? AND (expires_at_us IS NULL OR expires_at_us > ?)",
                (until_us, key_id, until_us),
            )
            text = self._add_text(key.key_id, now_us)
            self._file.note(
                "rotated",
                "key",
                key_id,
                team=key.team,
                before={"ends_in": key.hint, "until_us": until_us},
                after={"ends_in": text[-4:]},
            )
        return self.get(key_id), text

    def revoke(self, key_id: str, reason: str = "") -> None:
        """Revoke a key for good. Raises NotFoundError if there is none, or it was revoked before."""
        key = self._active(key_id)
        with self._file.changing():
            self._connection.execute(
                "UPDATE api_key SET revoked_at_us = ? WHERE key_id = ?", (self._file.clock(), key_id)
            )
            self._file.note("revoked", "key", key_id, team=key.team, reason=reason)

    def touch(self) -> None:
        """Let a running gateway see that something changed, limits in the ledger among it."""
        with self._file.changing():
            self._connection.execute(
                "UPDATE team SET name = name WHERE rowid = (SELECT MIN(rowid) FROM team)"
            )

    def get(self, key_id: str) -> StoredKey:
        """One key, revoked or not. Raises NotFoundError."""
        for key in read_keys(self._connection):
            if key.key_id == key_id:
                return key
        raise _unknown(key_id)

    def all(self) -> tuple[StoredKey, ...]:
        """All keys, oldest first."""
        return tuple(read_keys(self._connection))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _active(self, key_id: str) -> StoredKey:
        key = self.get(key_id)
        if key.revoked_at_us is not None:
            raise _unknown(key_id)
        return key

    def _add_text(self, key_id: KeyId, now_us: int) -> str:
        text = PREFIX + secrets.token_urlsafe(32)
        mac = mac_of(self._pepper)
        mac.update(text.encode())
        self._connection.execute(
            "INSERT INTO key_secret (key_hmac, key_id, pepper_id, hint, created_at_us) VALUES (?, ?, ?, ?, ?)",
            (mac.hexdigest(), key_id, self._pepper.id, text[-4:], now_us),
        )
        return text

    def _refuse_unknown_project(self, team: str | None, project: str | None) -> None:
        if project is None:
            return
        found = self._connection.execute(
            "SELECT 1 FROM project WHERE team = ? AND name = ? AND closed_at_us IS NULL", (team, project)
        ).fetchone()
        if found is None:
            raise NotFoundError(
                f"the team has no project '{project[:64]}'; make it first, with: steelyard projects create",
                param="project",
            )


def _said(rights: Rights) -> dict[str, object]:
    """Rights as a change tells them: only what they narrow."""
    return {name: found for name, found in asdict(rights).items() if found not in (None, ())}


def _json(names: tuple[str, ...] | None) -> str | None:
    return json.dumps(names) if names is not None else None


def _unknown(key_id: str) -> NotFoundError:
    return NotFoundError(
        f"there is no active key '{key_id[:64]}'; `steelyard keys list` shows them", param="key_id"
    )
