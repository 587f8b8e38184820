"""Lists in pages: a stable order, a cursor that says where to go on, never an offset."""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from practice.errors import Refusal

FOREIGN_CURSOR = "This cursor does not belong to this list. Start again without it."


class BadPage(Refusal):
    code = "VALIDATION_ERROR"
    status = 422


@dataclass(frozen=True)
class PageRequest:
    limit: int = 20
    cursor: str | None = None
    sort: str | None = None
    count: bool = False


@dataclass(frozen=True)
class Page:
    items: Sequence[Any]
    next_cursor: str | None
    total: int | None


def page_of(
    db: Session,
    query: Select[Any],
    asked: PageRequest,
    sortable: Mapping[str, InstrumentedAttribute[Any]],
    key: InstrumentedAttribute[Any],
    default_sort: str,
    *,
    looked_up_in: Select[Any] | None = None,
) -> Page:
    """One page of the query, ordered by an allowed column (`-` in front: descending) and then by the key.

    Where rows are ordered by what must not stand in an address, such as names, the cursor holds the key of the last one
    alone, and its place is looked up in a query that still finds it when a filter does not.
    """
    sort = asked.sort or default_sort
    column = sortable.get(sort.removeprefix("-"))
    if column is None:
        raise BadPage(
            f"Lists like this are sorted by {', '.join(sortable)}; put - in front for the other way round.",
            field="sort",
        )
    total = db.scalar(select(func.count()).select_from(query.subquery())) if asked.count else None
    down = sort.startswith("-")
    order: tuple[ColumnElement[Any], ...] = (
        (column.expression,) if column is key else (column.expression, key.expression)
    )
    if asked.cursor is not None:
        place = tuple_(*place_of(db, asked.cursor, sort, order, looked_up_in))
        query = query.where(tuple_(*order) < place if down else tuple_(*order) > place)
    query = query.order_by(*(part.desc() if down else part.asc() for part in order)).limit(asked.limit + 1)
    items = db.scalars(query).all()
    more = len(items) > asked.limit
    items = items[: asked.limit]
    told = order if looked_up_in is None else order[-1:]
    cursor = write_cursor(sort, [getattr(items[-1], str(part.key)) for part in told]) if more else None
    return Page(items, cursor, total)


def place_of(
    db: Session, cursor: str, sort: str, order: Sequence[ColumnElement[Any]], looked_up_in: Select[Any] | None
) -> Sequence[Any]:
    if looked_up_in is None:
        return read_cursor(cursor, sort, order)
    (row,) = read_cursor(cursor, sort, order[-1:])
    found = db.execute(looked_up_in.with_only_columns(*order).where(order[-1] == row)).one_or_none()
    if found is None:
        raise BadPage(FOREIGN_CURSOR, field="cursor")
    return found


def write_cursor(sort: str, place: Sequence[Any]) -> str:
    values = [
        value.isoformat() if isinstance(value, date) else value if isinstance(value, int) else str(value)
        for value in place
    ]
    return base64.urlsafe_b64encode(json.dumps([sort, *values]).encode()).decode().rstrip("=")


def read_cursor(cursor: str, sort: str, order: Sequence[ColumnElement[Any]]) -> list[Any]:
    try:
        found_sort, *values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if found_sort != sort or len(values) != len(order):
            raise ValueError(cursor)
        return [read_value(value, part.type.python_type) for part, value in zip(order, values, strict=True)]
    except (ValueError, TypeError, binascii.Error):
        raise BadPage(FOREIGN_CURSOR, field="cursor") from None


def read_value(value: Any, kind: type) -> Any:
    """A value of a cursor, refused when it is not of its column's kind or the database could not hold it."""
    if type(value) is not (int if kind is int else str):
        raise TypeError(kind)
    if kind is int and not -(2**63) <= value < 2**63:
        raise ValueError("beyond bigint")
    if kind is str and b"\x00" in value.encode():  # which half a surrogate pair does not survive
        raise ValueError("no text")
    readers: dict[type, Any] = {UUID: UUID, date: date.fromisoformat, datetime: datetime.fromisoformat}
    return readers.get(kind, kind)(value)
