"""The waitlist: who waits for what, and the offers they get when a time becomes free.

What is locked, is locked in one order: the clinicians and rooms of offers, the offers, the entries.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from practice.errors import Invalid, NotFound, Stale
from practice.people.access import clients_within
from practice.people.models.clients import Client
from practice.people.models.practices import Staff
from practice.scheduling.models.catalog import Service
from practice.scheduling.models.waitlist import WaitlistEntry
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.pages import Page, PageRequest, page_of
from practice.store.records import apply


def list_entries(work: Work, asked: PageRequest, scope: Scope, status: str | None = None) -> Page:
    work.record("waitlist.listed")
    query = entries_within(work, scope)
    if status is not None:
        query = query.where(WaitlistEntry.status == status)
    sortable = {"created_at": WaitlistEntry.created_at, "priority": WaitlistEntry.priority, "id": WaitlistEntry.id}
    return page_of(work.db, query, asked, sortable, WaitlistEntry.id, "created_at")


def entries_within(work: Work, scope: Scope) -> Select[WaitlistEntry]:
    return select(WaitlistEntry).where(
        WaitlistEntry.tenant_id == work.tenant_id, clients_within(work, scope, WaitlistEntry.client_id)
    )


def get_entry(work: Work, entry_id: UUID, scope: Scope, *, lock: bool = False) -> WaitlistEntry:
    query = entries_within(work, scope).where(WaitlistEntry.id == entry_id)
    if lock:
        query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    found = work.db.scalar(query)
    if found is None:
        raise NotFound
    return found


def read_entry(work: Work, entry_id: UUID, scope: Scope) -> WaitlistEntry:
    work.record("waitlist.read", "waitlist_entry", entry_id)
    return get_entry(work, entry_id, scope)


def add_entry(work: Work, client_id: UUID, **wish: Any) -> WaitlistEntry:
    problems = wish_problems(work, wish)
    if work.db.scalar(select(Client.id).where(Client.tenant_id == work.tenant_id, Client.id == client_id)) is None:
        problems.append("There is no such client (`client_id`).")
    if problems:
        raise Invalid(problems)
    entry = WaitlistEntry(
        tenant_id=work.tenant_id,
        id=new_id(),
        client_id=client_id,
        created_at=work.now,
        created_by=work.actor.account_id,
        **wish,
    )
    work.db.add(entry)
    work.db.flush()
    work.record("waitlist.added", "waitlist_entry", entry.id)
    return entry


def change_entry(work: Work, entry_id: UUID, scope: Scope, version: int, changes: dict[str, Any]) -> WaitlistEntry:
    entry = get_entry(work, entry_id, scope, lock=True)
    if entry.version != version:
        raise Stale
    after = {name: changes.get(name, getattr(entry, name)) for name in WISH}
    problems = wish_problems(work, after)
    if problems:
        raise Invalid(problems)
    apply(entry, changes)
    work.record("waitlist.changed", "waitlist_entry", entry_id, fields=sorted(changes))
    return entry


WISH = ("clinician_ids", "service_ids", "weekdays", "time_from", "time_to", "until_on", "priority")


def wish_problems(work: Work, wish: dict[str, Any]) -> list[str]:
    problems = []
    for name, model, word in (("clinician_ids", Staff, "clinician"), ("service_ids", Service, "service")):
        wanted = set(wish.get(name) or ())
        known = set(work.db.scalars(select(model.id).where(model.tenant_id == work.tenant_id, model.id.in_(wanted))))
        if wanted - known:
            problems.append(f"There is no such {word} (`{name}`).")
    start, end = wish.get("time_from"), wish.get("time_to")
    if start is not None and end is not None and end <= start:
        problems.append("The time of day ends before it begins (`time_from`, `time_to`).")
    return problems


# Offers
