"""Waitlist entries: clients who wait for a time, and their preferences.

Locks are taken in one order: the clinicians and rooms of offers, the offers, the entries.
"""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Select, any_, exists, or_, select

from practice.errors import FieldProblem, Invalid, NotFound, Stale
from practice.people.access import visible_clients
from practice.people.models.clients import Client
from practice.people.models.practices import Staff
from practice.people.practice_time import local_today
from practice.people.staff import has_left
from practice.scheduling.catalog.services import load_service_ids, service_code_problems
from practice.scheduling.models.waitlist import WaitlistEntry
from practice.scheduling.waitlist.rules import WaitlistPreference, overlaps
from practice.security.permissions import Scope, find_scope
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


def add_entry(work: Work, client_id: UUID, **preferences: Any) -> tuple[WaitlistEntry, list[str]]:
    """Add an entry. The warnings say whether the client already waits for some of the same times."""
    values, problems = resolve_preferences(work, preferences)
    client = work.db.get(Client, (work.tenant_id, client_id))
    if client is None:
        problems.append(FieldProblem("client_id", "Client not found (`client_id`)."))
    elif client.ended_on is not None and client.ended_on <= local_today(work):
        problems.append(FieldProblem("client_id", "This client's treatment has ended. Set the status to ACTIVE first."))
    if problems:
        raise Invalid(problems)
    entry = WaitlistEntry(
        tenant_id=work.tenant_id,
        id=new_id(),
        client_id=client_id,
        created_at=work.now,
        created_by=work.actor.account_id,
        **values,
    )
    work.db.add(entry)
    work.db.flush()
    work.record("waitlist.added", "waitlist_entry", entry.id)
    return entry, find_duplicate_warnings(work, entry)


def find_duplicate_warnings(work: Work, entry: WaitlistEntry) -> list[str]:
    """Return a warning if another open entry of the client suits some of the same times."""
    query = select(WaitlistEntry).where(
        WaitlistEntry.tenant_id == work.tenant_id,
        WaitlistEntry.client_id == entry.client_id,
        WaitlistEntry.id != entry.id,
        WaitlistEntry.status.in_(["WAITING", "OFFERED"]),
        or_(WaitlistEntry.until_on.is_(None), WaitlistEntry.until_on >= local_today(work)),
    )
    wish = build_preference(entry)
    if not any(overlaps(wish, build_preference(other)) for other in work.db.scalars(query)):
        return []
    return ["The client already waits for some of these times. Withdraw the other entry, or change one of them."]


def build_preference(entry: WaitlistEntry) -> WaitlistPreference:
    return WaitlistPreference(
        client=entry.client_id,
        since=entry.created_at,
        priority=entry.priority,
        clinicians=frozenset(entry.clinician_ids),
        services=frozenset(entry.service_ids),
        weekdays=frozenset(entry.weekdays),
        from_time=entry.time_from,
        to_time=entry.time_to,
        until=entry.until_on,
    )


def change_entry(work: Work, scope: Scope, entry_id: UUID, version: int, changes: dict[str, Any]) -> WaitlistEntry:
    entry = get_entry(work, scope, entry_id, lock=True)
    if entry.version != version:
        raise Stale
    values, problems = resolve_preferences(work, {name: getattr(entry, name) for name in TIMES_OF_DAY} | changes)
    if problems:
        raise Invalid(problems)
    update_versioned(entry, values)
    work.record("waitlist.changed", "waitlist_entry", entry_id, fields=sorted(changes))
    return entry


def is_gone(staff: Staff, today: date) -> bool:
    """Return whether the person has left or is no clinician any more."""
    return "clinician" not in staff.roles or has_left(staff, today)


def list_entries_without_clinician(work: Work, staff: Staff) -> list[WaitlistEntry]:
    """Return the open entries for this person who leaves, visible to the caller, that name nobody who stays."""
    scope = find_scope(work.actor.roles, "waitlist", "read")
    is_leaving = staff.left_on is not None or is_gone(staff, local_today(work))
    if scope is None or not is_leaving:
        return []
    stays = exists().where(
        Staff.tenant_id == WaitlistEntry.tenant_id,
        Staff.id == any_(WaitlistEntry.clinician_ids),
        Staff.id != staff.id,
        Staff.roles.contains(["clinician"]),
        Staff.deactivated_at.is_(None),
        Staff.left_on.is_(None),
    )
    query = select_visible_entries(work, scope).where(
        WaitlistEntry.status.in_(["WAITING", "OFFERED"]), WaitlistEntry.clinician_ids.contains([staff.id]), ~stays
    )
    entries = list(work.db.scalars(query.order_by(WaitlistEntry.created_at, WaitlistEntry.id)))
    if entries:
        work.record_list("waitlist.listed", (entry.client_id for entry in entries))
    return entries


TIMES_OF_DAY = ("time_from", "time_to")


def resolve_preferences(work: Work, preferences: dict[str, Any]) -> tuple[dict[str, Any], list[FieldProblem]]:
    """Return the preferences as stored, with the ids of their services, and their problems."""
    values = dict(preferences)
    service_codes = values.pop("service_codes", None)
    problems = []
    if service_codes is not None:
        service_ids = load_service_ids(work, service_codes)
        values["service_ids"] = sorted(service_ids.values())
        problems += service_code_problems("service_codes", service_codes, service_ids)
    clinician_ids = set(values.get("clinician_ids") or ())
    query = select(Staff).where(Staff.tenant_id == work.tenant_id, Staff.id.in_(clinician_ids))
    clinicians = list(work.db.scalars(query))
    if len(clinicians) < len(clinician_ids):
        problems.append(FieldProblem("clinician_ids", "Clinician not found (`clinician_ids`)."))
    elif clinicians and all(is_gone(clinician, local_today(work)) for clinician in clinicians):
        message = "Nobody of these sees clients here any more. Choose another clinician, or none for any."
        problems.append(FieldProblem("clinician_ids", message))
    until = values.get("until_on")
    if until is not None and until < local_today(work):
        problems.append(FieldProblem("until_on", "This day is in the past. Choose today or later."))
    start, end = (values.get(name) for name in TIMES_OF_DAY)
    if start is not None and end is not None and end <= start:
        message = "The time of day ends before it begins. Choose a `time_to` after `time_from`."
        problems.append(FieldProblem("time_to", message))
    return values, problems
