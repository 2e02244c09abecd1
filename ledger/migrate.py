"""Run Alembic on a ledger file: `python -m ledger.migrate PATH`.

Apart from `ledger.schema`, which calls it in a process of its own only where there is something
to do: Alembic and SQLModel cost a third of a second and 30 MB that a running gateway does not need.
"""

import sys
from pathlib import Path

from alembic import command
from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(path: Path, revision: str = "head") -> None:
    """Bring the file at `path` to `revision`, making it if it is not there."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("sqlalchemy.url", f"sqlite:///{path}")
    command.upgrade(config, revision)


if __name__ == "__main__":
    upgrade(Path(sys.argv[1]))
