"""How Alembic runs here: on the connection it is given, one transaction per migration."""

from typing import Literal

from alembic import context

from practice.store.base import Sealed


def render_item(kind: str, item: object, _: object) -> str | Literal[False]:
    """Migrations stay readable when our own types are gone: they name the plain ones."""
    return "sa.LargeBinary()" if kind == "type" and isinstance(item, Sealed) else False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=context.config.attributes["metadata"],
    transaction_per_migration=True,
    compare_server_default=True,
    render_item=render_item,
)
with context.begin_transaction():
    context.run_migrations()
