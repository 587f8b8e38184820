"""The building blocks of every table: declarative base, tenant key, sealed columns, versions."""

from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator, Uuid

from practice.store.ids import new_id


class Sealed(TypeDecorator[bytes]):
    """A column of text encrypted with the practice's data key. Key rotation finds its columns by this type."""

    impl = LargeBinary
    cache_ok = True


Cents = Annotated[int, mapped_column(BigInteger)]
"""An amount of money. The column's name ends in `_cents`."""


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: DateTime(timezone=True),
        str: Text,
        UUID: Uuid(),
        list[str]: ARRAY(Text),
        dict[str, Any]: JSONB,
    }


def load_tables() -> list[Table]:
    """Return the tables of all packages. Imports every models module, so that none is missing."""
    root = Path(__file__).parents[1]
    for file in sorted([*root.glob("*/models.py"), *root.glob("*/models/*.py")]):
        import_module(".".join(("practice", *file.relative_to(root).with_suffix("").parts)))
    return Base.metadata.sorted_tables


class TenantKeyed:
    """A record of one practice. Its key starts with the practice, so references across practices cannot exist."""

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("practices.id"), primary_key=True, sort_order=-2)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id, sort_order=-1)


class TenantPart:
    """A record that belongs to another record of the practice, through a required `same_practice` column. That record
    leads to the practice, so a foreign key to the practice would add cost to every row and no safety."""

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-2)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id, sort_order=-1)


class Voidable:
    """A record that is voided instead of deleted, with who did it, when and why."""

    voided_at: Mapped[datetime | None] = mapped_column(sort_order=91)
    voided_by: Mapped[UUID | None] = mapped_column(sort_order=92)
    void_reason: Mapped[str | None] = mapped_column(sort_order=93)


class Versioned:
    """A record that people edit. Its version is its ETag; an update with a stale version is refused."""

    version: Mapped[int] = mapped_column(default=1, server_default="1", sort_order=90)


def same_practice(column: str, target: str, **options: Any) -> ForeignKeyConstraint:
    """Return a foreign key to a record of the same practice."""
    return ForeignKeyConstraint(["tenant_id", column], [f"{target}.tenant_id", f"{target}.id"], **options)


def enum_check(column: str, *values: str) -> CheckConstraint:
    """Return a check of the column's values. Unlike an enum type, adding a value is an ordinary migration."""
    quoted = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} in ({quoted})", name=column)


def unique_external_id() -> UniqueConstraint:
    """Return a constraint that makes the id from the source system (`external_id`) unique in the practice."""
    return UniqueConstraint("tenant_id", "external_id")
