"""Verbs about clients: taking them in, their record and who may see what of it, their contact, their reminders."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import defer

from practice.errors import Invalid, NotFound, Stale
from practice.people.access import clients_of, clients_within, reaches, reads_chart_notes
from practice.people.models.clients import Client, ClientStatus, PrimaryClinician
from practice.people.models.practices import Staff
from practice.people.practice_time import local_today
from practice.people.rules import clients as rules
from practice.security.permissions import Forbidden, Scope, scope_of
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.pages import Page, PageRequest, page_of
from practice.store.records import apply

SORTABLE = {"last_name": Client.by_last_name, "first_name": Client.by_first_name, "id": Client.id}


@dataclass(frozen=True)
class Seen:
    """A client's record as somebody sees it: a client does not read there what their clinicians think of them."""

    client: Client
    status: str
    minor: bool
    high_risk_since: date | None
    high_risk_until: date | None
    medical_notes: str | None = None


def list_clients(
    work: Work,
    scope: Scope,
    asked: PageRequest,
    *,
    status: str | None = None,
    clinician_id: UUID | None = None,
    minor: bool | None = None,
) -> Page:
    today = local_today(work)
    all_of_them = select(Client).where(Client.tenant_id == work.tenant_id)
    query = all_of_them.where(clients_within(work, scope, Client.id)).options(defer(Client.medical_notes))
    if clinician_id is not None:
        query = query.where(clients_of(work, Client.id, lambda staff_id: staff_id == clinician_id))
    if minor is not None:
        of_age = Client.birth_date <= rules.adult_since(today)
        query = query.where(~of_age if minor else of_age)
    if status == rules.ACTIVE:
        query = query.where(or_(Client.ended_on.is_(None), Client.ended_on > today))
    elif status is not None:
        query = query.where(Client.ended_on <= today, func.coalesce(Client.end_reason, "INACTIVE") == status)
    mine = all_of_them.where(reaches(work, scope, Client.id))
    page = page_of(work.db, query, asked, SORTABLE, Client.id, "last_name", looked_up_in=mine)
    work.record("clients.listed", found=len(page.items))
    return Page([seen(work, client, today) for client in page.items], page.next_cursor, page.total)


def get_client(work: Work, scope: Scope, client_id: UUID, reason: str | None = None) -> Seen:
    client = find_client(work, scope, client_id)
    notes = medical_notes_of(work, client) if may_read_notes(work, client_id, reason) else None
    work.record("client.read", "client", client_id, **because(reason))
    return seen(work, client, local_today(work), notes)


def add_client(work: Work, *, primary_clinician_id: UUID | None = None, **about: Any) -> Seen:
    """Take somebody in: active, and in their clinician's care, from the day of admission on."""
    today = local_today(work)
    about["admitted_on"] = about.get("admitted_on") or today
    problems = rules.client_problems(about, about, today)
    if primary_clinician_id is not None:
        problems += clinician_problems(work, primary_clinician_id, today)
    if problems:
        raise Invalid(problems)
    client = Client(
        tenant_id=work.tenant_id,
        id=new_id(),
        primary_clinician_id=primary_clinician_id,
        reminders=["email"],
        created_at=work.now,
        **about,
    )
    row: dict[str, Any] = {"tenant_id": work.tenant_id, "client_id": client.id, "effective_on": client.admitted_on}
    by_whom = {"set_at": work.now, "set_by": work.actor.account_id}
    work.db.add(client)
    work.db.flush()
    work.db.add(ClientStatus(status=rules.ACTIVE, **row, **by_whom))
    if primary_clinician_id is not None:
        work.db.add(PrimaryClinician(clinician_id=primary_clinician_id, **row, **by_whom))
    work.record("client.added", "client", client.id)
    return seen(work, client, today)


def change_client(
    work: Work, scope: Scope, client_id: UUID, version: int, changes: dict[str, Any], reason: str | None = None
) -> Seen:
    client = lock_client(work, scope, client_id, version)
    today = local_today(work)
    record = {column.key: getattr(client, column.key) for column in Client.__table__.columns}
    problems = rules.client_problems(changes, record | changes, today)
    if problems:
        raise Invalid(problems)
    reads_notes = may_read_notes(work, client_id, reason)
    if "medical_notes" in changes:
        if not reads_notes:
            refuse_notes(work)
        changes["medical_notes"] = work.seal("clients", "medical_notes", client_id, changes["medical_notes"])
    apply(client, changes)
    work.record("client.changed", "client", client_id, fields=sorted(changes), **because(reason))
    return seen(work, client, today, medical_notes_of(work, client) if reads_notes else None)


def change_contact(work: Work, scope: Scope, client_id: UUID, version: int, changes: dict[str, Any]) -> Seen:
    """How to reach somebody: what clients keep up themselves."""
    client = lock_client(work, scope, client_id, version)
    problems = rules.contact_problems(changes)
    if problems:
        raise Invalid(problems)
    apply(client, changes)
    work.record("client.contact_changed", "client", client_id, fields=sorted(changes))
    return seen(work, client, local_today(work))


def get_reminders(work: Work, scope: Scope, client_id: UUID) -> Client:
    client = find_client(work, scope, client_id)
    work.record("client.read", "client", client_id, part="reminders")
    return client


def change_reminders(work: Work, scope: Scope, client_id: UUID, version: int, reminders: list[str]) -> Client:
    client = lock_client(work, scope, client_id, version)
    apply(client, {"reminders": sorted(set(reminders))})
    work.record("client.reminders_changed", "client", client_id, reminders=client.reminders)
    return client


def find_client(work: Work, scope: Scope, client_id: UUID) -> Client:
    query = select(Client).where(Client.tenant_id == work.tenant_id, Client.id == client_id)
    client = work.db.scalar(query.where(reaches(work, scope, Client.id)))
    if client is None:
        raise NotFound
    return client


def lock_client(work: Work, scope: Scope, client_id: UUID, version: int | None = None) -> Client:
    """For a change of the record, or of what hangs on it: two of them come one after the other."""
    query = select(Client).where(Client.tenant_id == work.tenant_id, Client.id == client_id)
    # the key stays: whoever refers to the client meanwhile, such as a booking, need not wait
    client = work.db.scalar(query.where(reaches(work, scope, Client.id)).with_for_update(of=Client, key_share=True))
    if client is None:
        raise NotFound
    if version is not None and client.version != version:
        raise Stale
    return client


def clinician_problems(work: Work, clinician_id: UUID, today: date) -> list[str]:
    found = work.db.get(Staff, (work.tenant_id, clinician_id))
    if found is None:
        return rules.clinician_problems(None, None, False, today)
    return rules.clinician_problems(found.roles, found.left_on, found.deactivated_at is not None, today)


def seen(work: Work, client: Client, today: date, medical_notes: str | None = None) -> Seen:
    own = work.actor.client_id is not None
    return Seen(
        client,
        rules.status_on(client.ended_on, client.end_reason, today),
        rules.is_minor(client.birth_date, today),
        None if own else client.high_risk_since,
        None if own else client.high_risk_until,
        medical_notes,
    )


# Medical notes are for those who read the words of the chart; an admin says why.


def may_read_notes(work: Work, client_id: UUID, reason: str | None) -> bool:
    with_reason = scope_of(work.actor.roles, "notes", "read_with_reason") is not None
    return (with_reason and reason is not None) or reads_chart_notes(work, client_id)


def refuse_notes(work: Work) -> None:
    if scope_of(work.actor.roles, "notes", "read_with_reason") is not None:
        raise Invalid(["Say in X-Reason why you write medical notes: it goes into the audit log."])
    raise Forbidden("Medical notes are written by those who may read them. Leave them out.")


def medical_notes_of(work: Work, client: Client) -> str | None:
    return work.unseal("clients", "medical_notes", client.id, client.medical_notes)


def because(reason: str | None) -> Mapping[str, Any]:
    return {} if reason is None else {"reason": reason}
