"""What every table is made of: the declarative base, the tenant key, sealed columns, versions."""

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
    """A column whose text only leaves through the practice's data key. Key rotation finds its columns by this type."""

    impl = LargeBinary
    cache_ok = True


Cents = Annotated[int, mapped_column(BigInteger)]
"""Money. A column's name ends in `_cents`."""


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


def every_table() -> list[Table]:
    """The tables of all rooms, also of those that nothing has imported in this process: none may be overlooked."""
    root = Path(__file__).parents[1]
    for file in sorted([*root.glob("*/models.py"), *root.glob("*/models/*.py")]):
        import_module(".".join(("practice", *file.relative_to(root).with_suffix("").parts)))
    return Base.metadata.sorted_tables


class TenantKeyed:
    """A record of one practice. Its key starts with the practice, so that a reference across practices cannot exist."""

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("practices.id"), primary_key=True, sort_order=-2)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id, sort_order=-1)


class TenantPart:
    """A record that belongs to another of the practice (it has a `same_practice` column that is never empty): that one
    leads to the practice, so a reference of its own would say nothing more, and cost with every row."""

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-2)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id, sort_order=-1)


class Voidable:
    """A record that is never deleted: it is voided, and stays with who, when and why."""

    voided_at: Mapped[datetime | None] = mapped_column(sort_order=91)
    voided_by: Mapped[UUID | None] = mapped_column(sort_order=92)
    void_reason: Mapped[str | None] = mapped_column(sort_order=93)


class Versioned:
    """A record that people edit: its version is its ETag, and a save with a stale version is refused."""

    version: Mapped[int] = mapped_column(default=1, server_default="1", sort_order=90)


def same_practice(column: str, target: str, **options: Any) -> ForeignKeyConstraint:
    """A foreign key to a record of the same practice."""
    return ForeignKeyConstraint(["tenant_id", column], [f"{target}.tenant_id", f"{target}.id"], **options)


def one_of(column: str, *values: str) -> CheckConstraint:
    """A column whose words are few. A check, not an enum type: adding a word is then an ordinary migration."""
    words = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} in ({words})", name=column)


def source_id() -> UniqueConstraint:
    """The id that a record has where it came from (`external_id`) is its own in the practice."""
    return UniqueConstraint("tenant_id", "external_id")
