"""Finding a client by the beginnings of their names, a birth date, or an id: fit for a list that fills as one types.

Each way is an index scan of its own, in order and cut off early, so that a practice of a hundred thousand clients
answers like a small one. Row-level security lets only leak-proof operators into an index: `^@` and comparisons.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select, union
from sqlalchemy.orm import InstrumentedAttribute

from practice.people.access import clients_within
from practice.people.models.clients import Client
from practice.people.practice_time import local_today
from practice.people.rules.clients import status_on
from practice.security.permissions import Scope
from practice.security.work import Work

MOST_WORDS = 6
SHOWN = (Client.id, Client.first_name, Client.last_name, Client.birth_date, Client.ended_on, Client.end_reason)
Name = InstrumentedAttribute[str]


@dataclass(frozen=True)
class Found:
    id: UUID
    first_name: str
    last_name: str
    birth_date: date
    status: str


def search_clients(work: Work, scope: Scope, wanted: str, limit: int) -> list[Found]:
    today = local_today(work)
    ways = [
        select(*SHOWN, Client.by_last_name)
        .where(Client.tenant_id == work.tenant_id, clients_within(work, scope, Client.id), matches)
        .order_by(order, Client.id)
        .limit(limit)
        for order, matches in ways_to(work, wanted.strip())
    ]
    found = union(*(select(way.subquery()) for way in ways)).subquery()
    rows = work.db.execute(select(found).order_by(found.c.by_last_name, found.c.id).limit(limit))
    people = [Found(*row[:4], status=status_on(row.ended_on, row.end_reason, today)) for row in rows]
    work.record("clients.searched", found=len(people))
    return people


def ways_to(work: Work, wanted: str) -> list[tuple[Name, ColumnElement[bool]]]:
    """Conditions, each for one index, and by what the first of those that match are chosen."""
    last, first = Client.by_last_name, Client.by_first_name
    born = as_date(wanted)
    if born is not None:
        return [(last, Client.birth_date == born)]
    ways: list[tuple[Name, ColumnElement[bool]]] = [(last, Client.external_id == wanted)]
    client_id = as_id(wanted)
    if client_id is not None:
        return [*ways, (last, Client.id == client_id)]
    words: list[str] = work.db.scalars(select(func.search_form(wanted))).one().split()[:MOST_WORDS]
    if words:
        ways += [(last, begins(last, first, words)), (first, begins(first, last, words))]
    return ways


def begins(one: Name, other: Name, words: list[str]) -> ColumnElement[bool]:
    """The name begins with all the words, or with some of them and its other half with the rest: `casey exa`,
    `exa casey` and `cas ex` find Casey Example. The first word alone is what the index is asked for."""
    halves = [and_(starts(one, words[:count]), starts(other, words[count:])) for count in range(1, len(words))]
    return and_(starts(one, words[:1]), or_(starts(one, words), *halves))


def starts(name: Name, words: list[str]) -> ColumnElement[bool]:
    return name.bool_op("^@")(" ".join(words))


def as_date(text: str) -> date | None:
    """2026-03-18 or 3/18/2026."""
    for shape, pattern in (("%Y-%m-%d", r"\d{4}-\d{2}-\d{2}"), ("%m/%d/%Y", r"\d{1,2}/\d{1,2}/\d{4}")):
        if re.fullmatch(pattern, text, re.ASCII):
            try:
                return datetime.strptime(text, shape).date()  # noqa: DTZ007 - a date has no zone
            except ValueError:
                return None
    return None


def as_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
