"""Runs the revisions on the connection that `migrate` hands over, inside its transaction."""

from alembic import context

from storecrew.stores.sql.migrate import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    version_table=VERSION_TABLE,
    transactional_ddl=True,
)
context.run_migrations()
