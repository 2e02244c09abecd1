"""Where a command finds the ledger: `--ledger`, or through the configuration that it is given."""

from pathlib import Path

from router.errors import InvalidRequestError
from router.settings import CONFIG_NAME
from router.settings import ledger_path_of as configured_ledger


def ledger_path_of(config: Path | None, ledger: Path | None) -> Path:
    """The ledger's file: `ledger` itself, else the one that the configuration names.

    Without a configuration it is looked for in the data folder's usual place. Raises
    InvalidRequestError for a configuration that is named and not there, PolicyError for a bad one.
    """
    if ledger is not None:
        return ledger
    path = config if config is not None else Path(CONFIG_NAME)
    if not path.is_file():
        if config is not None:
            raise InvalidRequestError(f"there is no configuration at {path}; name another with --config")
        return Path("steelyard-data") / "ledger.sqlite"
    return configured_ledger(path)
