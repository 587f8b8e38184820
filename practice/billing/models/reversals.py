"""The constraints of rows that undo an earlier row of their table."""

from sqlalchemy import Constraint, Index, text

from practice.store.base import same_practice


def reversal_of(table: str) -> tuple[Constraint | Index, ...]:
    """Return the constraints of `reverses_id`: nothing is undone twice. That it is undone exactly, a trigger checks."""
    return (
        same_practice("reverses_id", table),
        Index(None, "tenant_id", "reverses_id", unique=True, postgresql_where=text("reverses_id is not null")),
    )
