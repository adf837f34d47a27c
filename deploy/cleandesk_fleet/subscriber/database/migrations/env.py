"""Runs migrations on the connection, and in the transaction, of whoever opens the log."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=False)
context.run_migrations()
