"""Where things lie on disk: paths of the configuration are relative to its folder, `~` is home."""

from collections.abc import Mapping as Environment
from pathlib import Path

from policies.nodes import Mapping
from router.errors import InvalidRequestError

DATA_FOLDER = "steelyard-data"
POLICIES_FOLDER = "policies"
LEDGER_FILE = "ledger.sqlite"


def configured_path(section: Mapping, key: str, default: str, base: Path) -> Path:
    """The absolute path at `key`; `base` is the configuration's folder."""
    named = section.text(key, default)
    try:
        return (base / Path(named).expanduser()).resolve()
    except RuntimeError:
        message = f"{section.path(key)} names a home folder that is not there; write the path out"
        raise section.error(message, key) from None


def weights_folder(environment: Environment[str, str]) -> Path:
    """Where weights are kept: `$STEELYARD_MODELS`, else the user's data folder.

    Raises InvalidRequestError if the variable is not set and the user has no home.
    """
    named = environment.get("STEELYARD_MODELS")
    if named:
        return Path(named)
    shared = environment.get("XDG_DATA_HOME")
    if shared:
        return Path(shared) / "steelyard" / "models"
    try:
        return Path.home() / ".local" / "share" / "steelyard" / "models"
    except RuntimeError:
        raise InvalidRequestError(
            "this user has no home folder to keep models in; name one in STEELYARD_MODELS"
        ) from None
