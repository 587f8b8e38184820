"""Pagination of lists by cursor, in a stable order. Offsets are not supported."""

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

from practice.errors import FieldProblem, Invalid

INVALID_CURSOR = FieldProblem(
    "cursor", "Invalid cursor: it does not belong to this list. Request the list again without a cursor."
)


@dataclass(frozen=True)
class PageRequest:
    """The page that a caller asks for."""

    limit: int = 20
    cursor: str | None = None
    sort: str | None = None
    count: bool = False


@dataclass(frozen=True)
class Page:
    """One page of a list, with the cursor of the next one and, on request, the total."""

    items: Sequence[Any]
    next_cursor: str | None
    total: int | None


def fetch_page(
    db: Session,
    query: Select[Any],
    page_request: PageRequest,
    sortable: Mapping[str, InstrumentedAttribute[Any]],
    key: InstrumentedAttribute[Any],
    default_sort: str,
    *,
    lookup: Select[Any] | None = None,
) -> Page:
    """Return one page of the query, ordered by a sortable column (`-` in front: descending) and then by the key.

    Values that must not appear in a URL, such as names, stay out of the cursor: with `lookup` it holds only the key of
    the last row, whose values are read through that query. It must find the row even where a filter excludes it.
    """
    sort = page_request.sort or default_sort
    column = sortable.get(sort.removeprefix("-"))
    if column is None:
        message = f"Invalid sort: use one of {', '.join(sortable)}, with - in front for descending order."
        raise Invalid([FieldProblem("sort", message)])
    total = db.scalar(select(func.count()).select_from(query.subquery())) if page_request.count else None
    descending = sort.startswith("-")
    order: tuple[ColumnElement[Any], ...] = (
        (column.expression,) if column is key else (column.expression, key.expression)
    )
    if page_request.cursor is not None:
        last = tuple_(*resolve_cursor(db, page_request.cursor, sort, order, lookup))
        query = query.where(tuple_(*order) < last if descending else tuple_(*order) > last)
    query = query.order_by(*(part.desc() if descending else part.asc() for part in order)).limit(page_request.limit + 1)
    items = db.scalars(query).all()
    has_more = len(items) > page_request.limit
    items = items[: page_request.limit]
    columns = order if lookup is None else order[-1:]
    cursor = encode_cursor(sort, [getattr(items[-1], str(part.key)) for part in columns]) if has_more else None
    return Page(items, cursor, total)


def resolve_cursor(
    db: Session, cursor: str, sort: str, order: Sequence[ColumnElement[Any]], lookup: Select[Any] | None
) -> Sequence[Any]:
    """Return the sort values of the row that the cursor points at, or raise Invalid."""
    if lookup is None:
        return decode_cursor(cursor, sort, order)
    (key,) = decode_cursor(cursor, sort, order[-1:])
    values = db.execute(lookup.with_only_columns(*order).where(order[-1] == key)).one_or_none()
    if values is None:
        raise Invalid([INVALID_CURSOR])
    return values


def encode_cursor(sort: str, values: Sequence[Any]) -> str:
    texts = [
        value.isoformat() if isinstance(value, date) else value if isinstance(value, int) else str(value)
        for value in values
    ]
    return base64.urlsafe_b64encode(json.dumps([sort, *texts]).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, sort: str, order: Sequence[ColumnElement[Any]]) -> list[Any]:
    try:
        cursor_sort, *values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if cursor_sort != sort or len(values) != len(order):
            raise ValueError(cursor)
        return [parse_cursor_value(value, part.type.python_type) for part, value in zip(order, values, strict=True)]
    except (ValueError, TypeError, binascii.Error):
        raise Invalid([INVALID_CURSOR]) from None


def parse_cursor_value(value: Any, kind: type) -> Any:
    """Return a cursor value in its column's type, or raise TypeError or ValueError when the database cannot hold it."""
    if type(value) is not (int if kind is int else str):
        raise TypeError(kind)
    if kind is int and not -(2**63) <= value < 2**63:
        raise ValueError("out of range for bigint")
    if kind is str and b"\x00" in value.encode():  # a lone surrogate raises here too
        raise ValueError("contains a null character")
    readers: dict[type, Any] = {UUID: UUID, date: date.fromisoformat, datetime: datetime.fromisoformat}
    return readers.get(kind, kind)(value)
