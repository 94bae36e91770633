"""The environment of the migrations; `service.store.schema` hands the open connection in."""

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate.api import AutogenContext

from service.store.tables import metadata


def freeze_type(kind: str, item: Any, _: AutogenContext) -> str | Literal[False]:
    """Write the project's own column types as plain ones, so that code cannot alter the past."""
    if kind != "type":
        return False
    if isinstance(item, sa.TypeDecorator):
        return f"sa.{item.impl!r}"
    return False


def exists_here(item: Any, *_: object) -> bool:
    """Autogenerate does not ask `ddl_if`, and would give every database what is meant for one."""
    condition = getattr(item, "_ddl_if", None)
    dialects = condition.dialect if condition else None
    return dialects is None or context.get_context().dialect.name in dialects


connection: sa.Connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=True,
    # SQLite rolls DDL back too, once the driver leaves transactions to SQLAlchemy.
    transactional_ddl=True,
    # There nothing but a transaction around all of them keeps another process from beginning in
    # between; PostgreSQL has its lock for that.
    transaction_per_migration=connection.dialect.name != "sqlite",
    render_item=freeze_type,
    include_object=exists_here,
)
with context.begin_transaction():
    context.run_migrations()
