"""Run Alembic on a SQLite file: `python -m ledger.migrate MIGRATIONS PATH`.

Apart from `ledger.schema`, which calls it in a process of its own only where there is something
to do: Alembic and SQLModel cost a third of a second and 30 MB that a running gateway does not need.

`python -m ledger.migrate MIGRATIONS` alone prints the schema's newest form as SQL: what
`MIGRATIONS/head.sql` must hold, from which new files are made.
"""

import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from alembic import command, context
from alembic.config import Config
from sqlalchemy import URL, Connection, MetaData, create_engine, event

MIGRATIONS = Path(__file__).parent / "migrations"
"""The ledger's own history."""


def upgrade(path: Path, migrations: Path = MIGRATIONS, revision: str = "head") -> None:
    """Bring the file at `path` to `revision`, making it if it is not there: wholly or not at all."""
    config = Config(attributes={"url": URL.create("sqlite", database=str(path))})
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    command.upgrade(config, revision)


def run_steps(metadata: MetaData) -> None:
    """Run the steps that are due, for a history's `env.py`.

    All steps are one transaction, begun before the version is read: a process that dies half way
    leaves the file as it was, and of two that start at once the second finds the work done.
    """
    engine = create_engine(context.config.attributes["url"])
    if engine.dialect.name == "sqlite":
        event.listen(engine, "begin", _begin)
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


def _begin(connection: Connection) -> None:
    """Begin in fact: sqlite3 by itself begins only before the first INSERT."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def head_sql(migrations: Path) -> str:
    """The statements that make, in an empty file, what all steps of `migrations` make."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "head.sqlite"
        upgrade(path, migrations)
        with closing(sqlite3.connect(path)) as connection:
            made = connection.execute(
                "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"
            ).fetchall()
            (version,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    statements = [
        "\n".join(line.rstrip() for line in sql.splitlines())
        for (sql,) in made
        if "sqlite_sequence" not in sql
    ]
    return ";\n".join([*statements, f"INSERT INTO alembic_version VALUES ('{version}')"]) + ";\n"  # noqa: S608  (our own)


if __name__ == "__main__":
    if len(sys.argv) == 2:
        sys.stdout.write(head_sql(Path(sys.argv[1])))
    else:
        upgrade(Path(sys.argv[2]), Path(sys.argv[1]))
