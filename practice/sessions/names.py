"""Names of the people and things that records refer to by id, as far as the actor may read them.

Those who may read a record of a client may also read the client's name, unless their roles read no clients at all: an
analyst sees no names.
"""

from collections.abc import Collection, Mapping
from functools import cache
from typing import Literal, NamedTuple
from uuid import UUID

from sqlalchemy import TextClause, text

from practice.security.permissions import find_scope
from practice.security.work import Work
from practice.store.ids import SYSTEM_TENANT

Kind = Literal["client", "staff", "room", "service", "service_code", "coded_service", "account"]
Key = UUID | str  # the code of a `coded_service`, or else the id


class Person(NamedTuple):
    """A person of the practice, as staff or as a client."""

    kind: Literal["staff", "client"]
    id: UUID
    name: str


Names = dict[tuple[Kind, Key], str | Person]

# One lookup per client: with a list of ids, the generic plan reads every client of a large practice.
QUERIES: dict[Kind, str] = {
    "client": """
        select 'client' as kind, w.id, null::text as code, null::text as person, null::uuid as person_id, c.name
        from unnest(cast(:client as uuid [])) as w (id)
        cross join lateral (
            select first_name || ' ' || last_name as name from clients
            where tenant_id = :tenant_id and id = w.id limit 1
        ) as c
    """,
    "staff": """
        select 'staff', id, null::text, null::text, null::uuid, first_name || ' ' || last_name from staff
        where tenant_id = :tenant_id and id = any(:staff)
    """,
    "room": """
        select 'room', id, null::text, null::text, null::uuid, name from rooms
        where tenant_id = :tenant_id and id = any(:room)
    """,
    "service": """
        select 'service', id, null::text, null::text, null::uuid, name from services
        where tenant_id = :tenant_id and id = any(:service)
    """,
    "service_code": """
        select 'service_code', id, null::text, null::text, null::uuid, code from services
        where tenant_id = :tenant_id and id = any(:service_code)
    """,
    "coded_service": """
        select 'coded_service', null::uuid, code, null::text, null::uuid, name from services
        where tenant_id = :tenant_id and code = any(:coded_service)
    """,
    "account": """
        select 'account', account_id, null::text, 'staff', id, first_name || ' ' || last_name from staff
        where tenant_id = :tenant_id and account_id = any(:account)
        union all
        select 'account', w.id, null::text, 'client', c.id, c.name
        from unnest(cast(:account as uuid [])) as w (id)
        cross join lateral (
            select id, first_name || ' ' || last_name as name from clients
            where tenant_id = :tenant_id and account_id = w.id limit 1
        ) as c
    """,
}


def load_names(work: Work, ids: Mapping[Kind, Collection[Key]]) -> Names:
    """Return the names of these ids that the actor may read, in one statement; of an account its person."""
    readable = {kind: list(restrict(work, kind, set(ids[kind]))) for kind in QUERIES if kind in ids}
    kinds = tuple(kind for kind, kind_ids in readable.items() if kind_ids)
    if not kinds or work.tenant_id == SYSTEM_TENANT:
        return {}
    names: Names = {}
    for kind, record_id, code, person, person_id, name in work.db.execute(
        build_query(kinds), {"tenant_id": work.tenant_id} | {kind: readable[kind] for kind in kinds}
    ):
        names.setdefault((kind, record_id or code), name if person is None else Person(person, person_id, name))
    return names


@cache
def build_query(kinds: tuple[Kind, ...]) -> TextClause:
    return text(" union all ".join(QUERIES[kind] for kind in kinds))


def restrict(work: Work, kind: Kind, ids: set[Key]) -> set[Key]:
    """Return those ids whose names the actor may read.

    Who may read the catalog, clients in the portal included, may read the names of clinicians, rooms and services in
    the records that they see. Only staff see who else did something.
    """
    actor = work.actor
    if kind == "account":
        return ids if find_scope(actor.roles, "staff", "read") else ids & {actor.account_id}
    if kind == "client":
        if actor.client_id is not None:
            return ids & {actor.client_id}
        return ids if find_scope(actor.roles, "clients", "read") else set()
    return ids if find_scope(actor.roles, "services", "read") else set()
