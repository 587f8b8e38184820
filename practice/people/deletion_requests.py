"""Verbs about requests to be forgotten: asked, reviewed, and then carried out as far as the law lets a chart go.

Appointments, notes, consents, coverages and money stay: they have to be kept. What is left of the person in them are
initials and the birth date, which says how long.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import exists, func, select, text, update

from practice.errors import Invalid, NotFound, Refusal
from practice.people.access import clients_within, is_within, reaches
from practice.people.clients import lock_client
from practice.people.models.clients import Consent, DeletionRequest, Document, IntakeForm
from practice.people.models.practices import Staff
from practice.people.portal import leave
from practice.people.practice_time import local_today
from practice.people.rules.intake import STEPS
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.pages import Page, PageRequest, page_of
from practice.store.records import apply, refusing

# Of a client's record; names become initials.
EMPTIED = (
    *("email", "phone", "address", "city", "state", "zip", "emergency_contact_name", "emergency_contact_phone"),
    *("guardian_name", "guardian_phone", "guardian_email", "referring_provider", "medical_notes", "account_id"),
)
# Of the schedule, which stands above: what somebody wrote about the client. That there was an appointment stays.
EMPTY_APPOINTMENTS = text("""
    update appointments
    set special_requests = null, instructions = null, cancellation_reason = null, version = version + 1
    where tenant_id = :tenant_id and client_id = :client_id
        and coalesce(special_requests, instructions, cancellation_reason) is not null
""")
EMPTY_REQUESTS = text("""
    update reschedule_requests set reason = '', decision_note = null, version = version + 1
    where tenant_id = :tenant_id
        and appointment_id in (select id from appointments where tenant_id = :tenant_id and client_id = :client_id)
""")
EMPTY_STATUSES = text("select forget_reasons(:tenant_id, :client_id)")


class DeletionAsked(Refusal):
    code = "DELETION_ASKED"


class WrongStep(Refusal):
    code = "WRONG_STEP"


class StillInTreatment(Refusal):
    code = "STILL_IN_TREATMENT"


def list_requests(
    work: Work, scope: Scope, asked: PageRequest, *, client_id: UUID | None = None, status: str | None = None
) -> Page:
    query = select(DeletionRequest).where(DeletionRequest.tenant_id == work.tenant_id)
    query = query.where(clients_within(work, scope, DeletionRequest.client_id))
    if client_id is not None:
        query = query.where(DeletionRequest.client_id == client_id)
        work.record("client.read", "client", client_id, part="deletion requests")
    else:
        work.record("deletions.listed")
    if status is not None:
        query = query.where(DeletionRequest.status == status)
    sortable = {"asked_at": DeletionRequest.asked_at, "id": DeletionRequest.id}
    return page_of(work.db, query, asked, sortable, DeletionRequest.id, "-asked_at")


def get_request(work: Work, scope: Scope, request_id: UUID) -> DeletionRequest:
    request = find_request(work, scope, request_id)
    work.record("deletion.read", "client", request.client_id, request_id=str(request_id))
    return request


def find_request(work: Work, scope: Scope, request_id: UUID, *, lock: bool = False) -> DeletionRequest:
    query = select(DeletionRequest).where(DeletionRequest.tenant_id == work.tenant_id, DeletionRequest.id == request_id)
    query = query.where(reaches(work, scope, DeletionRequest.client_id))
    found = work.db.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise NotFound
    return found


def ask(work: Work, scope: Scope, client_id: UUID) -> DeletionRequest:
    if not is_within(work, scope, client_id):
        raise Invalid(["client_id: there is no such client, or it is not you."])
    request = DeletionRequest(
        tenant_id=work.tenant_id,
        id=new_id(),
        client_id=client_id,
        status="ASKED",
        asked_at=work.now,
        asked_by=work.actor.account_id,
        version=1,
    )
    work.db.add(request)
    with refusing("uq_deletion_requests_open", DeletionAsked("This was asked for already and is not done yet.")):
        work.db.flush()
    work.record("deletion.asked", "client", client_id, request_id=str(request.id))
    return request


def review(work: Work, request_id: UUID, *, approved: bool, reason: str | None = None) -> DeletionRequest:
    """Approved, it still waits for somebody to redact; refused, it says why."""
    request = at_step(work, request_id, "ASKED")
    if not approved and reason is None:
        raise Invalid(["reason: say why the request is refused. The client reads it."])
    apply(
        request,
        {
            "status": "APPROVED" if approved else "REFUSED",
            "refusal": None if approved else reason,
            "reviewed_at": work.now,
            "reviewed_by": work.actor.account_id,
        },
    )
    work.record("deletion.reviewed", "client", request.client_id, request_id=str(request_id), approved=approved)
    return request


def redact(work: Work, request_id: UUID) -> DeletionRequest:
    """There is no way back from here."""
    request = at_step(work, request_id, "APPROVED")
    client = lock_client(work, Scope.ALL, request.client_id)
    if client.ended_on is None or client.ended_on > local_today(work):
        raise StillInTreatment("The client is still in treatment. Discharge them first.")
    if client.account_id is not None and not is_staff(work, client.account_id):
        leave(work, client)
    names = {"first_name": initial(client.first_name), "last_name": initial(client.last_name)}
    apply(client, names | dict.fromkeys(EMPTIED) | {"reminders": []})
    documents = empty_documents(work, client.id)
    close_forms(work, client.id)
    empty_words(work, client.id)
    apply(request, {"status": "REDACTED", "redacted_at": work.now, "redacted_by": work.actor.account_id})
    work.record("client.redacted", "client", client.id, request_id=str(request_id), documents=documents)
    return request


def empty_documents(work: Work, client_id: UUID) -> int:
    """The rows stay, voided; of the files nothing does. Sealed is even the emptiness, as each is to its row."""
    ids = work.db.scalars(
        select(Document.id).where(Document.tenant_id == work.tenant_id, Document.client_id == client_id)
    ).all()
    left: dict[str, Any] = {"name": "redacted", "size": 0, "sha256": b""}
    rows = [
        {"tenant_id": work.tenant_id, "id": one, "content": work.seal("documents", "content", one, ""), **left}
        for one in ids
    ]
    if rows:
        work.db.execute(update(Document), rows)
    voided = update(Document).where(
        Document.tenant_id == work.tenant_id, Document.client_id == client_id, Document.voided_at.is_(None)
    )
    reason = "Redacted at the client's request"
    work.db.execute(voided.values(voided_at=work.now, voided_by=work.actor.account_id, void_reason=reason))
    return len(ids)


def close_forms(work: Work, client_id: UUID) -> None:
    """Also those that nobody handed in: they are not filled in any more."""
    closed = {"status": "COMPLETED", "completed_at": func.coalesce(IntakeForm.completed_at, work.now)}
    forms = update(IntakeForm).where(IntakeForm.tenant_id == work.tenant_id, IntakeForm.client_id == client_id)
    work.db.execute(forms.values(dict.fromkeys(STEPS) | closed | {"version": IntakeForm.version + 1}))


def empty_words(work: Work, client_id: UUID) -> None:
    """Who signed a consent is left as initials; of what was written in passing nothing is."""
    signed = select(Consent).where(Consent.tenant_id == work.tenant_id, Consent.client_id == client_id)
    for consent in work.db.scalars(signed.where(Consent.signed_by_name.is_not(None))):
        apply(consent, {"signed_by_name": " ".join(initial(name) for name in (consent.signed_by_name or "").split())})
    whose = {"tenant_id": work.tenant_id, "client_id": client_id}
    for statement in (EMPTY_APPOINTMENTS, EMPTY_REQUESTS, EMPTY_STATUSES):
        work.db.execute(statement, whose)


def initial(name: str) -> str:
    return f"{name.strip()[:1]}."


def is_staff(work: Work, account_id: UUID) -> bool:
    found = exists().where(Staff.tenant_id == work.tenant_id, Staff.account_id == account_id)
    return bool(work.db.scalar(select(found)))


def at_step(work: Work, request_id: UUID, status: str) -> DeletionRequest:
    request = find_request(work, Scope.ALL, request_id, lock=True)
    if request.status != status:
        steps = "A request is asked for, then reviewed, then carried out, each once"
        raise WrongStep(f"{steps}; this one is {request.status}.")
    return request
