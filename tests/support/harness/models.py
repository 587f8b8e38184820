"""The metadata of all packages."""

from sqlalchemy import MetaData

from practice.store.base import Base, load_tables


def load_metadata() -> MetaData:
    assert {"staff", "accounts", "appointments"} <= {table.name for table in load_tables()}
    return Base.metadata
