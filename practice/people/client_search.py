"""Type-ahead search for clients by prefixes of their names, birth date or id.

Each condition is a separate ordered index scan with a limit, so the search stays fast with a hundred thousand clients.
Row-level security allows only leak-proof operators in an index condition: `^@` and comparisons.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select, union
from sqlalchemy.orm import InstrumentedAttribute

from practice.people.access import visible_clients
from practice.people.models.clients import Client
from practice.people.practice_time import local_today
from practice.people.rules.clients import derive_status
from practice.security.permissions import Scope
from practice.security.work import Work

MAX_WORDS = 6
RESULT_COLUMNS = (Client.id, Client.first_name, Client.last_name, Client.birth_date, Client.ended_on, Client.end_reason)
NameColumn = InstrumentedAttribute[str]


@dataclass(frozen=True)
class ClientMatch:
    """A client found by a search."""

    id: UUID
    first_name: str
    last_name: str
    birth_date: date
    status: str


def search_clients(work: Work, scope: Scope, search_text: str, limit: int) -> list[ClientMatch]:
    """Return up to `limit` clients that match the search text, by last name."""
    today = local_today(work)
    queries = [
        select(*RESULT_COLUMNS, Client.by_last_name)
        .where(Client.tenant_id == work.tenant_id, visible_clients(work, scope, Client.id), condition)
        .order_by(order, Client.id)
        .limit(limit)
        for order, condition in build_conditions(work, search_text.strip())
    ]
    matches = union(*(select(query.subquery()) for query in queries)).subquery()
    rows = work.db.execute(select(matches).order_by(matches.c.by_last_name, matches.c.id).limit(limit))
    clients = [ClientMatch(*row[:4], status=derive_status(row.ended_on, row.end_reason, today)) for row in rows]
    work.record_list("clients.searched", (client.id for client in clients), found=len(clients))
    return clients


def build_conditions(work: Work, search_text: str) -> list[tuple[NameColumn, ColumnElement[bool]]]:
    """Return (sort column, condition) pairs, each served by one index."""
    by_last, by_first = Client.by_last_name, Client.by_first_name
    birth_date = parse_date(search_text)
    if birth_date is not None:
        return [(by_last, Client.birth_date == birth_date)]
    conditions: list[tuple[NameColumn, ColumnElement[bool]]] = [(by_last, Client.external_id == search_text)]
    client_id = parse_uuid(search_text)
    if client_id is not None:
        return [*conditions, (by_last, Client.id == client_id)]
    words: list[str] = work.db.scalars(select(func.search_form(search_text))).one().split()[:MAX_WORDS]
    if words:
        conditions += [
            (by_last, match_full_name(by_last, by_first, words)),
            (by_first, match_full_name(by_first, by_last, words)),
        ]
    return conditions


def match_full_name(indexed: NameColumn, other: NameColumn, words: list[str]) -> ColumnElement[bool]:
    """Return the condition that the name starts with all words, or with some of them and the other name with the rest.

    `casey exa`, `exa casey` and `cas ex` find Casey Example. Only the first word is the index condition.
    """
    halves = [
        and_(match_prefix(indexed, words[:count]), match_prefix(other, words[count:])) for count in range(1, len(words))
    ]
    return and_(match_prefix(indexed, words[:1]), or_(match_prefix(indexed, words), *halves))


def match_prefix(name: NameColumn, words: list[str]) -> ColumnElement[bool]:
    return name.bool_op("^@")(" ".join(words))


def parse_date(text: str) -> date | None:
    """Return the date written as 2026-03-18 or 3/18/2026, or None."""
    for date_format, pattern in (("%Y-%m-%d", r"\d{4}-\d{2}-\d{2}"), ("%m/%d/%Y", r"\d{1,2}/\d{1,2}/\d{4}")):
        if re.fullmatch(pattern, text, re.ASCII):
            try:
                return datetime.strptime(text, date_format).date()  # noqa: DTZ007 - a date has no zone
            except ValueError:
                return None
    return None


def parse_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
