"""Where a command finds the ledger: `--ledger`, or beside the configuration that it is given."""

from pathlib import Path

DATA_FOLDER = "steelyard-data"
LEDGER_FILE = "ledger.sqlite"


def ledger_path_of(config: Path | None, ledger: Path | None) -> Path:
    """The ledger's file: `ledger` itself, else the one in the data folder beside `config`."""
    if ledger is not None:
        return ledger
    folder = config.parent if config is not None else Path()
    return folder / DATA_FOLDER / LEDGER_FILE
