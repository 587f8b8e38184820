"""Type-ahead search for clients by the beginnings of words of their names, birth date or id.

Row-level security allows only leak-proof operators in an index condition: `^@` and comparisons. The words of names are
a table with such an index, so the search stays fast with a hundred thousand clients.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, any_, exists, func, select, union
from sqlalchemy.orm import aliased

from practice.people.access import visible_clients
from practice.people.models.clients import Client, ClientNameWord
from practice.people.name_search import split_words
from practice.people.practice_time import local_today
from practice.people.rules.clients import derive_status
from practice.security.permissions import Scope
from practice.security.work import Work

RESULT_COLUMNS = (Client.id, Client.first_name, Client.last_name, Client.birth_date, Client.ended_on, Client.end_reason)


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
        .order_by(Client.by_last_name, Client.id)
        .limit(limit)
        for condition in build_conditions(work, scope, search_text.strip(), limit)
    ]
    matches = union(*(select(query.subquery()) for query in queries)).subquery()
    rows = work.db.execute(select(matches).order_by(matches.c.by_last_name, matches.c.id).limit(limit))
    clients = [ClientMatch(*row[:4], status=derive_status(row.ended_on, row.end_reason, today)) for row in rows]
    work.record_list("clients.searched", (client.id for client in clients), found=len(clients))
    return clients


def build_conditions(work: Work, scope: Scope, search_text: str, limit: int) -> list[ColumnElement[bool]]:
    """Return the conditions of which a match meets one, each served by one index."""
    birth_date = parse_date(search_text)
    if birth_date is not None:
        return [Client.birth_date == birth_date]
    conditions: list[ColumnElement[bool]] = [Client.external_id == search_text]
    client_id = parse_uuid(search_text)
    if client_id is not None:
        return [*conditions, Client.id == client_id]
    words = split_words(work, search_text)
    if words:
        matches = select_by_name(work, scope, words).limit(limit)
        conditions.append(Client.id == any_(func.array(matches.scalar_subquery())))
    return conditions


def select_by_name(work: Work, scope: Scope, words: list[str]) -> Select[UUID]:
    """Return the query for clients with a word that begins with each of these, the closest to the first one first.

    `casey exa`, `exa casey` and `exa` find Casey Example.
    """
    first, *others = (aliased(ClientNameWord) for _ in words)
    query = select(first.client_id).where(
        begins_with(work, first, words[0]), visible_clients(work, scope, first.client_id)
    )
    for other, word in zip(others, words[1:], strict=True):
        query = query.where(first.client_id.in_(select(other.client_id).where(begins_with(work, other, word))))
    earlier = aliased(ClientNameWord)  # of the same name, so that nobody is returned twice
    repeats = exists().where(
        begins_with(work, earlier, words[0]), earlier.client_id == first.client_id, earlier.word < first.word
    )
    return query.where(~repeats).order_by(first.word, first.client_id)


def begins_with(work: Work, name_word: type[ClientNameWord], beginning: str) -> ColumnElement[bool]:
    return and_(name_word.tenant_id == work.tenant_id, name_word.word.bool_op("^@")(beginning))


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
