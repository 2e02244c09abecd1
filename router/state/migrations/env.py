"""Alembic's environment: the URL is handed in by `router.state.migrate`, there is no ini file."""

from alembic import context
from sqlalchemy import create_engine

from router.state.tables import STATE_METADATA

engine = create_engine(context.config.get_main_option("sqlalchemy.url", ""))
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=STATE_METADATA, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
