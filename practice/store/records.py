"""Versioned updates of records, and the translation of constraint violations into refusals."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.exc import IntegrityError

from practice.errors import Refusal


@contextmanager
def on_conflict(constraint: str, refusal: Refusal) -> Generator[None]:
    """Raise the refusal when the block violates this constraint. Other integrity errors pass through."""
    try:
        yield
    except IntegrityError as error:
        if getattr(getattr(error.orig, "diag", None), "constraint_name", None) != constraint:
            raise
        raise refusal from None


def update_versioned(record: Any, changes: dict[str, Any]) -> None:
    """Set the changed fields and increment the version."""
    for name, value in changes.items():
        setattr(record, name, value)
    record.version += 1
