"""The metadata of all rooms there are."""

from sqlalchemy import MetaData

from practice.store.base import Base, every_table


def everything() -> MetaData:
    assert {"staff", "accounts", "appointments"} <= {table.name for table in every_table()}
    return Base.metadata
