"""What Alembic runs: the steps, inside the transaction that ``migrate`` opened."""

from alembic import context

from configurator.trail.database import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
)
context.run_migrations()
