"""Waitlist entries: clients who wait for a time, and their preferences.

Locks are taken in one order: the clinicians and rooms of offers, the offers, the entries.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from practice.errors import FieldProblem, Invalid, NotFound, Stale
from practice.people.access import visible_clients
from practice.people.models.clients import Client
from practice.people.models.practices import Staff
from practice.scheduling.models.catalog import Service
from practice.scheduling.models.waitlist import WaitlistEntry
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.pages import Page, PageRequest, fetch_page
from practice.store.records import update_versioned


def list_entries(work: Work, scope: Scope, page_request: PageRequest, status: str | None = None) -> Page:
    query = select_visible_entries(work, scope)
    if status is not None:
        query = query.where(WaitlistEntry.status == status)
    sortable = {"created_at": WaitlistEntry.created_at, "priority": WaitlistEntry.priority, "id": WaitlistEntry.id}
    page = fetch_page(work.db, query, page_request, sortable, WaitlistEntry.id, "created_at")
    work.record_list("waitlist.listed", (entry.client_id for entry in page.items))
    return page


def select_visible_entries(work: Work, scope: Scope) -> Select[WaitlistEntry]:
    """Return the query for entries of visible clients."""
    return select(WaitlistEntry).where(
        WaitlistEntry.tenant_id == work.tenant_id, visible_clients(work, scope, WaitlistEntry.client_id)
    )


def get_entry(work: Work, scope: Scope, entry_id: UUID, *, lock: bool = False) -> WaitlistEntry:
    """Return the entry, or raise NotFound."""
    query = select_visible_entries(work, scope).where(WaitlistEntry.id == entry_id)
    if lock:
        query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    entry = work.db.scalar(query)
    if entry is None:
        raise NotFound
    return entry


def read_entry(work: Work, scope: Scope, entry_id: UUID) -> WaitlistEntry:
    """Return the entry and record that it was read."""
    work.record("waitlist.read", "waitlist_entry", entry_id)
    return get_entry(work, scope, entry_id)


def add_entry(work: Work, client_id: UUID, **preferences: Any) -> WaitlistEntry:
    problems = preference_problems(work, preferences)
    if work.db.scalar(select(Client.id).where(Client.tenant_id == work.tenant_id, Client.id == client_id)) is None:
        problems.append(FieldProblem("client_id", "Client not found (`client_id`)."))
    if problems:
        raise Invalid(problems)
    entry = WaitlistEntry(
        tenant_id=work.tenant_id,
        id=new_id(),
        client_id=client_id,
        created_at=work.now,
        created_by=work.actor.account_id,
        **preferences,
    )
    work.db.add(entry)
    work.db.flush()
    work.record("waitlist.added", "waitlist_entry", entry.id)
    return entry


def change_entry(work: Work, scope: Scope, entry_id: UUID, version: int, changes: dict[str, Any]) -> WaitlistEntry:
    entry = get_entry(work, scope, entry_id, lock=True)
    if entry.version != version:
        raise Stale
    after = {name: changes.get(name, getattr(entry, name)) for name in PREFERENCE_FIELDS}
    problems = preference_problems(work, after)
    if problems:
        raise Invalid(problems)
    update_versioned(entry, changes)
    work.record("waitlist.changed", "waitlist_entry", entry_id, fields=sorted(changes))
    return entry


PREFERENCE_FIELDS = ("clinician_ids", "service_ids", "weekdays", "time_from", "time_to", "until_on", "priority")


def preference_problems(work: Work, preferences: dict[str, Any]) -> list[FieldProblem]:
    """Return the problems of the preferences: unknown ids and a reversed time of day."""
    problems = []
    for name, model, label in (("clinician_ids", Staff, "Clinician"), ("service_ids", Service, "Service")):
        ids = set(preferences.get(name) or ())
        known = set(work.db.scalars(select(model.id).where(model.tenant_id == work.tenant_id, model.id.in_(ids))))
        if ids - known:
            problems.append(FieldProblem(name, f"{label} not found (`{name}`)."))
    start, end = preferences.get("time_from"), preferences.get("time_to")
    if start is not None and end is not None and end <= start:
        message = "The time of day ends before it begins. Choose a `time_to` after `time_from`."
        problems.append(FieldProblem("time_to", message))
    return problems
