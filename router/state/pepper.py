"""The pepper: the secret under which keys are stored and prompts are hashed.

It comes from the environment, or from a file of mode 0600 made at the first start. A pepper that was
rotated out lies beside it until its overlap ends; each key says under which pepper it is stored.
"""

import contextlib
import hashlib
import hmac
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from router.errors import InvalidRequestError, UnavailableError

PEPPER_BYTES = 32
PREVIOUS = ".previous"


@dataclass(frozen=True, slots=True)
class Pepper:
    """One pepper and what it is called; the name tells nothing of it."""

    secret: bytes = field(repr=False)
    until_us: int | None = None
    """When its overlap ends; None for the one in force."""

    @property
    def id(self) -> str:
        """Twelve hex digits that name it."""
        return hmac.new(self.secret, b"steelyard pepper", hashlib.sha256).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Peppers:
    """The pepper in force, and the one before it while keys may still be stored under that."""

    current: Pepper
    previous: Pepper | None = None


PepperSource = Callable[[], Peppers]
"""Reads the peppers; called again when the state file was changed."""


def load_peppers(path: Path, from_environment: str | None, previous: str | None = None) -> Peppers:
    """Return the peppers, making the file if neither it nor the variable exists.

    `previous` is the variable of the pepper before it. Raises UnavailableError for one that is too
    short, or a file that others can read.
    """
    if from_environment is not None:
        current = Pepper(_of_environment("STEELYARD_PEPPER", from_environment))
        before = _of_environment("STEELYARD_PEPPER_PREVIOUS", previous) if previous is not None else None
        return Peppers(current, Pepper(before) if before is not None else None)
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        _write_new(path, secrets.token_hex(PEPPER_BYTES))
    (secret,) = _read(path)
    old = path.with_name(path.name + PREVIOUS)
    if not old.exists():
        return Peppers(Pepper(secret.encode()))
    words = _read(old)
    return Peppers(Pepper(secret.encode()), Pepper(words[0].encode(), int(words[1])))


def rotate_pepper(path: Path, *, now_us: int, until_us: int) -> tuple[Pepper, Pepper]:
    """Put a new pepper in force and keep the old one until `until_us`; return both, the old one first.

    Raises InvalidRequestError while an earlier overlap lasts: keys may still be stored under that one.
    """
    peppers = load_peppers(path, None)
    if peppers.previous is not None and (peppers.previous.until_us or 0) > now_us:
        raise InvalidRequestError("the last rotation's overlap has not ended; wait until it has")
    old = Pepper(peppers.current.secret, until_us)
    kept = path.with_name(path.name + PREVIOUS)
    _replace(kept, f"{old.secret.decode()} {until_us}")
    new = Pepper(secrets.token_hex(PEPPER_BYTES).encode())
    _replace(path, new.secret.decode())
    return old, new


def _of_environment(name: str, text: str) -> bytes:
    if len(text) < PEPPER_BYTES:
        raise UnavailableError(
            f"{name} has {len(text)} characters; it needs at least {PEPPER_BYTES}. "
            "Make one with: python -c 'import secrets; print(secrets.token_hex(32))'"
        )
    return text.encode()


def _replace(path: Path, text: str) -> None:
    """Write a file whole, or leave what was there."""
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    _write_new(temporary, text)
    temporary.replace(path)


def _write_new(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _read(path: Path) -> list[str]:
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        raise UnavailableError(
            f"the pepper file {path} can be read by others (mode {mode:04o}); run: chmod 600 {path}"
        )
    words = path.read_text().split()
    wanted = 2 if path.name.endswith(PREVIOUS) else 1
    if len(words) != wanted or len(words[0]) < PEPPER_BYTES or not all(map(str.isdigit, words[1:])):
        raise UnavailableError(
            f"the pepper file {path} is too short; restore it from a backup: keys depend on it"
        )
    return words
