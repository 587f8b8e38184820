"""Versioned updates, and refusals in place of constraint violations."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.exc import IntegrityError

from practice.errors import Refusal


@contextmanager
def refusing(constraint: str, refusal: Refusal) -> Generator[None]:
    """Turn the database's no at this constraint into a sentence. Any other no stays an error."""
    try:
        yield
    except IntegrityError as error:
        if getattr(getattr(error.orig, "diag", None), "constraint_name", None) != constraint:
            raise
        raise refusal from None


def apply(record: Any, changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        setattr(record, name, value)
    record.version += 1
