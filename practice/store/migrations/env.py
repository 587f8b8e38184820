"""How Alembic runs here: on the connection it is given, one transaction per migration."""

from alembic import context

import practice.people.models
import practice.security.models  # noqa: F401 - the models have to be known before they can be compared
from practice.store.base import Base, Sealed


def render_item(kind: str, item: object, _: object) -> str | bool:
    """Migrations stay readable when our own types are gone: they name the plain ones."""
    return "sa.LargeBinary()" if kind == "type" and isinstance(item, Sealed) else False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    transaction_per_migration=True,
    compare_server_default=True,
    render_item=render_item,
)
with context.begin_transaction():
    context.run_migrations()
