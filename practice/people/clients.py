"""Client records: admission, demographics, contact, reminders, and who can read medical notes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import defer

from practice.errors import FieldProblem, Invalid, NotFound, Stale
from practice.people.access import (
    can_read_chart_notes,
    can_see_client,
    client_visible,
    clients_treated_by,
    visible_clients,
)
from practice.people.email_changes import emails_of, end_former_guardian_access, record_email_change
from practice.people.models.clients import Client, ClientStatus, DeletionRequest, PrimaryClinician
from practice.people.models.practices import Staff
from practice.people.practice_time import local_today
from practice.people.rules import clients as rules
from practice.security.permissions import Forbidden, Scope, find_scope
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.pages import Page, PageRequest, fetch_page
from practice.store.records import update_versioned

# What the client's clinicians and their supervisors write, and not the front desk.
CLINICAL_FIELDS = frozenset({"medical_notes", "high_risk_since", "high_risk_until"})
REDACTED_PROBLEM = FieldProblem(
    "client_id",
    "This client's record was redacted and stays as it is. Add a new client if the person is treated again.",
)
SORTABLE = {"last_name": Client.by_last_name, "first_name": Client.by_first_name, "id": Client.id}


@dataclass(frozen=True)
class ClientView:
    """A client's record as the actor may see it: clients do not see their own risk dates."""

    client: Client
    status: str
    minor: bool
    high_risk_since: date | None
    high_risk_until: date | None
    medical_notes: str | None = None


def list_clients(
    work: Work,
    scope: Scope,
    page_request: PageRequest,
    *,
    status: str | None = None,
    clinician_id: UUID | None = None,
    minor: bool | None = None,
) -> Page:
    today = local_today(work)
    clients = select(Client).where(Client.tenant_id == work.tenant_id)
    query = clients.where(visible_clients(work, scope, Client.id)).options(defer(Client.medical_notes))
    if clinician_id is not None:
        query = query.where(clients_treated_by(work, Client.id, lambda staff_id: staff_id == clinician_id))
    if minor is not None:
        is_adult = Client.birth_date <= rules.compute_adult_cutoff(today)
        query = query.where(~is_adult if minor else is_adult)
    if status == rules.ACTIVE:
        query = query.where(or_(Client.ended_on.is_(None), Client.ended_on > today))
    elif status is not None:
        query = query.where(Client.ended_on <= today, func.coalesce(Client.end_reason, "INACTIVE") == status)
    visible = clients.where(client_visible(work, scope, Client.id))
    page = fetch_page(work.db, query, page_request, SORTABLE, Client.id, "last_name", lookup=visible)
    work.record_list("clients.listed", (client.id for client in page.items), found=len(page.items))
    return Page([view_of(work, client, today) for client in page.items], page.next_cursor, page.total)


def get_client(work: Work, scope: Scope, client_id: UUID, reason: str | None = None) -> ClientView:
    client = find_client(work, scope, client_id)
    notes = unseal_medical_notes(work, client) if can_read_medical_notes(work, client_id, reason) else None
    work.record("client.read", "client", client_id, **reason_detail(reason))
    return view_of(work, client, local_today(work), notes)


def add_client(work: Work, *, primary_clinician_id: UUID | None = None, **fields: Any) -> tuple[ClientView, list[str]]:
    """Add a client who is active, and assigned to the primary clinician, from the admission date on.

    Clinical fields are refused unless the caller can write those of the new client. The warnings say whether another
    client may be the same person.
    """
    clinical = {name: fields.pop(name, None) for name in CLINICAL_FIELDS}
    today = local_today(work)
    fields["admitted_on"] = fields.get("admitted_on") or today
    problems = rules.client_problems(fields | clinical, fields | clinical, today)
    if primary_clinician_id is not None:
        problems += clinician_problems(work, "primary_clinician_id", primary_clinician_id, today)
    if problems:
        raise Invalid(problems)
    warnings = find_namesake_warnings(work, fields)
    client = Client(
        tenant_id=work.tenant_id,
        id=new_id(),
        primary_clinician_id=primary_clinician_id,
        reminders=["email"],
        created_at=work.now,
        **fields,
    )
    change: dict[str, Any] = {
        "tenant_id": work.tenant_id,
        "client_id": client.id,
        "effective_on": client.admitted_on,
        "set_at": work.now,
        "set_by": work.actor.account_id,
    }
    work.db.add(client)
    work.db.flush()
    if any(clinical.values()):
        refuse_clinical_fields(work, client.id)
        set_clinical_fields(work, client, clinical)
    work.db.add(ClientStatus(status=rules.ACTIVE, **change))
    if primary_clinician_id is not None:
        work.db.add(PrimaryClinician(clinician_id=primary_clinician_id, **change))
    work.record("client.added", "client", client.id)
    return view_of(work, client, today), warnings


def find_namesake_warnings(work: Work, fields: Mapping[str, Any]) -> list[str]:
    """Return a warning if a client has the same name, in upper or lower case, and the same birth date."""
    namesakes = select(Client.id).where(
        Client.tenant_id == work.tenant_id,
        Client.birth_date == fields["birth_date"],
        func.lower(Client.first_name) == func.lower(fields["first_name"]),
        func.lower(Client.last_name) == func.lower(fields["last_name"]),
    )
    if work.db.scalar(namesakes.limit(1)) is None:
        return []
    return ["Another client has the same name and birth date. Search for them, and check that this is another person."]


def change_client(
    work: Work, scope: Scope, client_id: UUID, version: int, changes: dict[str, Any], reason: str | None = None
) -> ClientView:
    """Change fields of the record. Another guardian of a minor ends the portal access of the former one."""
    client = lock_client(work, scope, client_id, version)
    today = local_today(work)
    refuse_fields(work, client_id, changes)
    record = {column.key: getattr(client, column.key) for column in Client.__table__.columns}
    problems = rules.client_problems(changes, record | changes, today)
    if problems:
        raise Invalid(problems)
    set_clinical_fields(work, client, {name: changes[name] for name in changes.keys() & CLINICAL_FIELDS})
    old_emails = emails_of(client, today)
    if rules.is_portal_holder_replaced(client, changes, today):
        refuse_minor_in_place_of_adult(work, client, today)
        end_former_guardian_access(work, client)
        if "guardian_name" in changes:  # whose contact details are not those of the former one
            changes = {"guardian_email": None, "guardian_phone": None} | changes
    update_versioned(client, {name: changes[name] for name in changes.keys() - CLINICAL_FIELDS})
    record_email_change(work, client, old_emails, emails_of(client, today))
    work.record("client.changed", "client", client_id, fields=sorted(changes), **reason_detail(reason))
    notes = unseal_medical_notes(work, client) if can_read_medical_notes(work, client_id, reason) else None
    return view_of(work, client, today, notes)


def refuse_minor_in_place_of_adult(work: Work, client: Client, today: date) -> None:
    """Raise Forbidden if an adult who uses the portal would become a minor: whose account it is would be forgotten.

    An admin can correct a birth date; others could give the portal to another address in this way.
    """
    is_adult = not rules.needs_guardian(client.birth_date, client.emancipated, today)
    uses_portal = client.portal_activated_at is not None or client.former_account_id is not None
    if is_adult and uses_portal and find_scope(work.actor.roles, "clients", "approve_email") is None:
        raise Forbidden("This client uses the portal as an adult. Ask an admin to correct the birth date.")


def refuse_fields(work: Work, client_id: UUID, changes: Mapping[str, Any]) -> None:
    """Raise Forbidden for fields that the caller cannot write: clinical ones, or all others."""
    if changes.keys() & CLINICAL_FIELDS:
        refuse_clinical_fields(work, client_id)
    if changes.keys() - CLINICAL_FIELDS and find_scope(work.actor.roles, "clients", "write") is None:
        raise Forbidden("You can change medical notes and high risk. Ask the front desk to change other fields.")


def refuse_clinical_fields(work: Work, client_id: UUID) -> None:
    """Raise Forbidden unless the caller is a clinician of the client or the supervisor of one."""
    scope = find_scope(work.actor.roles, "clients", "clinical")
    if scope is None or not can_see_client(work, scope, client_id):
        raise Forbidden("Medical notes and high risk are written by the client's clinicians and their supervisors.")


def set_clinical_fields(work: Work, client: Client, values: Mapping[str, Any]) -> None:
    """Set clinical fields, with the medical notes sealed."""
    for name, value in values.items():
        sealed = work.seal("clients", name, client.id, value) if name == "medical_notes" else value
        setattr(client, name, sealed)


def change_contact(work: Work, scope: Scope, client_id: UUID, version: int, changes: dict[str, Any]) -> ClientView:
    """Change contact details, which clients can maintain themselves."""
    client = lock_client(work, scope, client_id, version)
    problems = rules.contact_problems(changes)
    if problems:
        raise Invalid(problems)
    today = local_today(work)
    is_guardian = work.actor.client_id is not None and rules.needs_guardian(
        client.birth_date, client.emancipated, today
    )
    if is_guardian and "email" in changes:
        message = "This address is the child's own from the 18th birthday on. Ask the practice to change it."
        raise Invalid([FieldProblem("email", message)])
    old_emails = emails_of(client, today)
    update_versioned(client, changes)
    record_email_change(work, client, old_emails, emails_of(client, today))
    work.record("client.contact_changed", "client", client_id, fields=sorted(changes))
    return view_of(work, client, today)


def get_reminders(work: Work, scope: Scope, client_id: UUID) -> Client:
    client = find_client(work, scope, client_id)
    work.record("client.read", "client", client_id, part="reminders")
    return client


def change_reminders(work: Work, scope: Scope, client_id: UUID, version: int, reminders: list[str]) -> Client:
    client = lock_client(work, scope, client_id, version)
    update_versioned(client, {"reminders": sorted(set(reminders))})
    work.record("client.reminders_changed", "client", client_id, reminders=client.reminders)
    return client


def find_client(work: Work, scope: Scope, client_id: UUID) -> Client:
    query = select(Client).where(Client.tenant_id == work.tenant_id, Client.id == client_id)
    client = work.db.scalar(query.where(client_visible(work, scope, Client.id)))
    if client is None:
        raise NotFound
    return client


def lock_client(work: Work, scope: Scope, client_id: UUID, version: int | None = None) -> Client:
    """Lock and return the client so that changes to the record and its dependent records are serialized.

    Raise Invalid for a redacted client, whose record stays as it is.
    """
    query = select(Client).where(Client.tenant_id == work.tenant_id, Client.id == client_id)
    # FOR NO KEY UPDATE: inserts that reference the client, such as a booking, do not wait
    client = work.db.scalar(
        query.where(client_visible(work, scope, Client.id)).with_for_update(of=Client, key_share=True)
    )
    if client is None:
        raise NotFound
    if version is not None and client.version != version:
        raise Stale
    if is_redacted(work, client_id):
        raise Invalid([REDACTED_PROBLEM])
    return client


def is_redacted(work: Work, client_id: UUID) -> bool:
    condition = exists().where(
        DeletionRequest.tenant_id == work.tenant_id,
        DeletionRequest.client_id == client_id,
        DeletionRequest.status == "REDACTED",
    )
    return bool(work.db.scalar(select(condition)))


def clinician_problems(work: Work, field: str, clinician_id: UUID, today: date) -> list[FieldProblem]:
    staff = work.db.get(Staff, (work.tenant_id, clinician_id))
    if staff is None:
        return rules.clinician_problems(field, None, None, False, today)
    return rules.clinician_problems(field, staff.roles, staff.left_on, staff.deactivated_at is not None, today)


def view_of(work: Work, client: Client, today: date, medical_notes: str | None = None) -> ClientView:
    """Return the client's record as the actor may see it."""
    is_own = work.actor.client_id is not None
    return ClientView(
        client,
        rules.derive_status(client.ended_on, client.end_reason, today),
        rules.is_minor(client.birth_date, today),
        None if is_own else client.high_risk_since,
        None if is_own else client.high_risk_until,
        medical_notes,
    )


# Medical notes are readable by those who can read chart notes; admins have to give a reason.


def can_read_medical_notes(work: Work, client_id: UUID, reason: str | None) -> bool:
    with_reason = find_scope(work.actor.roles, "notes", "read_with_reason") is not None
    return (with_reason and reason is not None) or can_read_chart_notes(work, client_id)


def unseal_medical_notes(work: Work, client: Client) -> str | None:
    return work.unseal("clients", "medical_notes", client.id, client.medical_notes)


def reason_detail(reason: str | None) -> Mapping[str, Any]:
    return {} if reason is None else {"reason": reason}
