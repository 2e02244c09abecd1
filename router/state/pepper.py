"""The pepper: the secret under which keys are stored and prompts are hashed.

It comes from the environment, or from a file of mode 0600 made at the first start.
"""

import os
import secrets
from pathlib import Path

from router.errors import UnavailableError

PEPPER_BYTES = 32


def load_pepper(path: Path, from_environment: str | None) -> bytes:
    """Return the pepper's bytes, making the file if neither it nor the variable exists.

    Raises UnavailableError for a variable that is too short, or a file that others can read.
    """
    if from_environment is not None:
        if len(from_environment) < PEPPER_BYTES:
            raise UnavailableError(
                f"STEELYARD_PEPPER has {len(from_environment)} characters; it needs at least {PEPPER_BYTES}. "
                "Make one with: python -c 'import secrets; print(secrets.token_hex(32))'"
            )
        return from_environment.encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read(path)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(PEPPER_BYTES))
        file.flush()
        os.fsync(file.fileno())
    return _read(path)


def _read(path: Path) -> bytes:
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        raise UnavailableError(
            f"the pepper file {path} can be read by others (mode {mode:04o}); run: chmod 600 {path}"
        )
    pepper = path.read_text().strip().encode()
    if len(pepper) < PEPPER_BYTES:
        raise UnavailableError(
            f"the pepper file {path} is too short; restore it from a backup: keys depend on it"
        )
    return pepper
