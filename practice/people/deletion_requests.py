"""Clients' requests to delete their data: requested, reviewed, then carried out as far as the law permits.

Appointments, notes, consents, coverages and payments have to be retained. Nothing in them names the person: of the
birth date only the year remains, which determines the retention period.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import exists, func, select, text, update

from practice.errors import FieldProblem, Invalid, NotFound, Refusal
from practice.people.access import can_see_client, client_visible, find_shown_client, visible_clients
from practice.people.clients import REDACTED_PROBLEM, is_redacted, lock_client
from practice.people.deletion_askers import find_asker
from practice.people.email_changes import end_portal_access
from practice.people.models.clients import Consent, DeletionRequest, Document, IntakeForm
from practice.people.models.practices import Staff
from practice.people.practice_time import local_today
from practice.people.rules.clients import redact_birth_date, redact_former_birth_date
from practice.people.rules.intake import STEPS
from practice.security.permissions import Forbidden, Scope, find_scope
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.pages import Page, PageRequest, fetch_page
from practice.store.records import on_conflict, update_versioned

REDACTED = "Redacted"
# Fields of the client's record that are set to null.
CLEARED_FIELDS = (
    *("email", "phone", "address", "city", "state", "zip", "emergency_contact_name", "emergency_contact_phone"),
    *("guardian_name", "guardian_phone", "guardian_email", "referring_provider", "medical_notes", "account_id"),
    *("former_account_id", "confirmed_email"),
)
FORGET_BIRTH_DATE = text("select forget_birth_date(:tenant_id, :client_id, :instead)")
OPEN_VISITS = text("""
    select id, reference, starts_at, status from appointments
    where tenant_id = :tenant_id and client_id = :client_id
        and status in ('SCHEDULED', 'CONFIRMED', 'CHECKED_IN', 'IN_PROGRESS')
    order by starts_at, id
""")
# Identifiers and free text about the client in other tables, most of packages that build on this one. Their rows stay.
CLEARING = (
    text("""
        update coverages set member_id = :redacted, group_number = null, version = version + 1
        where tenant_id = :tenant_id and client_id = :client_id
    """),
    text("""
        update eligibility_checks set member_id = null, payer_reference = null
        where tenant_id = :tenant_id
            and coverage_id in (select id from coverages where tenant_id = :tenant_id and client_id = :client_id)
    """),
    text("""
        update appointments
        set special_requests = null, instructions = null, cancellation_reason = null, version = version + 1
        where tenant_id = :tenant_id and client_id = :client_id
            and coalesce(special_requests, instructions, cancellation_reason) is not null
    """),
    text("""
        update reschedule_requests set reason = '', decision_note = null, version = version + 1
        where tenant_id = :tenant_id
            and appointment_id in (select id from appointments where tenant_id = :tenant_id and client_id = :client_id)
    """),
    text("""
        update session_completions set void_reason = :redacted
        where tenant_id = :tenant_id and void_reason is not null
            and id in (select id from appointments where tenant_id = :tenant_id and client_id = :client_id)
    """),
    *(
        text(f"""
            update {table} set void_reason = :redacted
            where tenant_id = :tenant_id and client_id = :client_id and void_reason is not null
        """)
        for table in ("coverages", "consents", "notes", "treatment_plans", "treatment_plan_reviews", "progress_reports")
    ),
    text("""
        update messages set status = 'CANCELLED'
        where tenant_id = :tenant_id and client_id = :client_id and status = 'PLANNED'
    """),
    text("""
        update deletion_requests
        set refusal = case when refusal is not null then :redacted end,
            withdrawal_reason = case when withdrawal_reason is not null then :redacted end,
            version = version + 1
        where tenant_id = :tenant_id and client_id = :client_id and coalesce(refusal, withdrawal_reason) is not null
    """),
    text("select forget_reasons(:tenant_id, :client_id)"),
)


class DeletionAsked(Refusal):
    """The client already has an open deletion request.

    Fix: wait for its decision.
    """

    code = "DELETION_ASKED"


class WrongStep(Refusal):
    """The status of the deletion request does not allow this step.

    Fix: read the request again. It is reviewed before it is redacted, and withdrawn before both.
    """

    code = "WRONG_STEP"


class AskedByFormerGuardian(Refusal):
    """A former guardian made the deletion request, and somebody else decides for the client since.

    Fix: withdraw it with a reason, or refuse it. The client, or the guardian on record, can make a new one.
    """

    code = "ASKED_BY_FORMER_GUARDIAN"


class StillInTreatment(Refusal):
    """The client is still in treatment.

    Fix: discharge the client first.
    """

    code = "STILL_IN_TREATMENT"


class VisitsOpen(Refusal):
    """The client has open visits, which `details.visits` lists.

    Fix: complete or cancel them first.
    """

    code = "VISITS_OPEN"


def list_requests(
    work: Work, scope: Scope, page_request: PageRequest, *, client_id: UUID | None = None, status: str | None = None
) -> Page:
    query = select(DeletionRequest).where(DeletionRequest.tenant_id == work.tenant_id)
    query = query.where(visible_clients(work, scope, DeletionRequest.client_id))
    if client_id is not None:
        query = query.where(DeletionRequest.client_id == client_id)
    if status is not None:
        query = query.where(DeletionRequest.status == status)
    sortable = {"asked_at": DeletionRequest.asked_at, "id": DeletionRequest.id}
    page = fetch_page(work.db, query, page_request, sortable, DeletionRequest.id, "-asked_at")
    shown_id = find_shown_client(work, scope, client_id, page.items)
    if shown_id is not None:
        work.record("client.read", "client", shown_id, part="deletion requests")
    else:
        work.record_list("deletions.listed", (request.client_id for request in page.items))
    return page


def get_request(work: Work, scope: Scope, request_id: UUID) -> DeletionRequest:
    request = find_request(work, scope, request_id)
    work.record("deletion.read", "client", request.client_id, request_id=str(request_id))
    return request


def find_request(work: Work, scope: Scope, request_id: UUID, *, lock: bool = False) -> DeletionRequest:
    query = select(DeletionRequest).where(DeletionRequest.tenant_id == work.tenant_id, DeletionRequest.id == request_id)
    query = query.where(client_visible(work, scope, DeletionRequest.client_id))
    request = work.db.scalar(query.with_for_update() if lock else query)
    if request is None:
        raise NotFound
    return request


def create_request(work: Work, scope: Scope, client_id: UUID) -> DeletionRequest:
    if not can_see_client(work, scope, client_id):
        message = "Client not found. You can only request the deletion of your own record."
        raise Invalid([FieldProblem("client_id", message)])
    if is_redacted(work, client_id):
        raise Invalid([REDACTED_PROBLEM])
    request = DeletionRequest(
        tenant_id=work.tenant_id,
        id=new_id(),
        client_id=client_id,
        status="ASKED",
        asked_at=work.now,
        asked_by=work.actor.account_id,
        asked_in_portal=work.actor.client_id is not None,
        version=1,
    )
    work.db.add(request)
    with on_conflict(
        "uq_deletion_requests_open",
        DeletionAsked("A deletion request of this client is already open. Wait for its decision."),
    ):
        work.db.flush()
    work.record("deletion.requested", "client", client_id, request_id=str(request.id))
    return request


def review_request(work: Work, request_id: UUID, *, approved: bool, reason: str | None = None) -> DeletionRequest:
    """Approve the request, which still has to be carried out, or refuse it with a reason."""
    request = lock_request(work, request_id, "ASKED")
    if not approved and reason is None:
        raise Invalid([FieldProblem("reason", "Refusing a request needs a reason. The client can read it.")])
    if approved:
        refuse_former_guardian(work, request)
    update_versioned(
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


def withdraw_request(work: Work, scope: Scope, request_id: UUID, reason: str) -> DeletionRequest:
    """Withdraw a request before it is carried out, also once it is approved, as the client or for them.

    Of the staff only those who review requests withdraw one that the client made in the portal.
    """
    request = find_request(work, scope, request_id, lock=True)
    if request.status not in ("ASKED", "APPROVED"):
        raise WrongStep(f"The status is {request.status}, so there is nothing to withdraw.")
    may_review = find_scope(work.actor.roles, "deletion_requests", "review") is not None
    asker = find_asker(work, request)
    if work.actor.client_id is None and not may_review and asker is not None and asker.kind != "staff":
        raise Forbidden(
            "A former guardian made this request. Ask an admin to withdraw it, with a reason."
            if asker.kind == "former_guardian"
            else f"The {asker.kind} made this request. Ask them to withdraw it in the portal, or ask an admin."
        )
    update_versioned(
        request,
        {
            "status": "WITHDRAWN",
            "withdrawn_at": work.now,
            "withdrawn_by": work.actor.account_id,
            "withdrawal_reason": reason,
        },
    )
    work.record("deletion.withdrawn", "client", request.client_id, request_id=str(request_id))
    return request


def refuse_former_guardian(work: Work, request: DeletionRequest) -> None:
    """Raise AskedByFormerGuardian if the person who made the request no longer decides for the client."""
    asker = find_asker(work, request)
    if asker is not None and asker.kind == "former_guardian":
        raise AskedByFormerGuardian(
            "A former guardian made this request and no longer decides for the client. Withdraw it with a reason; the "
            "client, or the guardian on record, can make a new one."
        )


def withdraw_approval(work: Work, request_id: UUID) -> DeletionRequest:
    """Take an approval back before the client is redacted. The request waits for its review again."""
    request = lock_request(work, request_id, "APPROVED")
    update_versioned(request, {"status": "ASKED", "reviewed_at": None, "reviewed_by": None})
    work.record("deletion.approval_withdrawn", "client", request.client_id, request_id=str(request_id))
    return request


def redact_client(work: Work, request_id: UUID) -> DeletionRequest:
    """Redact the client's personal data. This cannot be undone."""
    request = lock_request(work, request_id, "APPROVED")
    refuse_former_guardian(work, request)
    client = lock_client(work, Scope.ALL, request.client_id)
    if client.ended_on is None or client.ended_on > local_today(work):
        raise StillInTreatment("This client is still in treatment. Discharge them first.")
    if client.account_id is not None and not is_staff(work, client.account_id):
        end_portal_access(work, client)
    refuse_open_visits(work, client.id)
    names = {"first_name": REDACTED, "last_name": "Client"}
    redacted = redact_birth_date(client.birth_date, local_today(work))
    former = redact_former_birth_date(client.birth_date, client.admitted_on, redacted)
    update_versioned(client, names | {"birth_date": redacted} | dict.fromkeys(CLEARED_FIELDS) | {"reminders": []})
    documents = clear_documents(work, client.id)
    clear_intake_forms(work, client.id)
    clear_texts(work, client.id)
    update_versioned(request, {"status": "REDACTED", "redacted_at": work.now, "redacted_by": work.actor.account_id})
    work.db.flush()  # the versions of the record follow it, and change for redacted clients only
    work.db.execute(FORGET_BIRTH_DATE, {"tenant_id": work.tenant_id, "client_id": client.id, "instead": former})
    work.record("client.redacted", "client", client.id, request_id=str(request_id), documents=documents)
    return request


def clear_documents(work: Work, client_id: UUID) -> int:
    """Erase the client's files, void their rows, and return how many there are.

    Even the empty content is sealed, because each value is bound to its row.
    """
    document_ids = work.db.scalars(
        select(Document.id).where(Document.tenant_id == work.tenant_id, Document.client_id == client_id)
    ).all()
    rows = [
        {
            "tenant_id": work.tenant_id,
            "id": document_id,
            "name": "redacted",
            "size": 0,
            "sha256": b"",
            "content": work.seal("documents", "content", document_id, ""),
        }
        for document_id in document_ids
    ]
    if rows:
        work.db.execute(update(Document), rows)
    statement = update(Document).where(
        Document.tenant_id == work.tenant_id, Document.client_id == client_id, Document.voided_at.is_(None)
    )
    work.db.execute(statement.values(voided_at=work.now, voided_by=work.actor.account_id))
    reason = "Redacted at the client's request"
    chart = (Document.tenant_id == work.tenant_id, Document.client_id == client_id)
    work.db.execute(update(Document).where(*chart).values(void_reason=reason))
    return len(document_ids)


def clear_intake_forms(work: Work, client_id: UUID) -> None:
    """Erase the answers in the client's intake forms and complete their drafts."""
    completion = {"status": "COMPLETED", "completed_at": func.coalesce(IntakeForm.completed_at, work.now)}
    statement = update(IntakeForm).where(IntakeForm.tenant_id == work.tenant_id, IntakeForm.client_id == client_id)
    work.db.execute(statement.values(dict.fromkeys(STEPS) | completion | {"version": IntakeForm.version + 1}))


def clear_texts(work: Work, client_id: UUID) -> None:
    """Erase the names of signers, identifiers and free text about the client, and cancel planned messages."""
    consents = select(Consent).where(Consent.tenant_id == work.tenant_id, Consent.client_id == client_id)
    for consent in work.db.scalars(consents.where(Consent.signed_by_name.is_not(None))):
        update_versioned(consent, {"signed_by_name": REDACTED})
    work.db.flush()
    parameters = {"tenant_id": work.tenant_id, "client_id": client_id, "redacted": REDACTED}
    for statement in CLEARING:
        work.db.execute(statement, parameters)


def refuse_open_visits(work: Work, client_id: UUID) -> None:
    """Raise VisitsOpen with the client's visits that are neither completed nor cancelled."""
    rows = work.db.execute(OPEN_VISITS, {"tenant_id": work.tenant_id, "client_id": client_id})
    visits: list[dict[str, Any]] = [
        {"id": str(row.id), "reference": row.reference, "starts_at": row.starts_at.isoformat(), "status": row.status}
        for row in rows
    ]
    if visits:
        raise VisitsOpen(
            f"This client has {len(visits)} open visits, listed in `details`. Complete or cancel them first.",
            visits=visits,
        )


def is_staff(work: Work, account_id: UUID) -> bool:
    condition = exists().where(Staff.tenant_id == work.tenant_id, Staff.account_id == account_id)
    return bool(work.db.scalar(select(condition)))


def lock_request(work: Work, request_id: UUID, status: str) -> DeletionRequest:
    """Lock and return the request, or raise WrongStep if it does not have the status."""
    request = find_request(work, Scope.ALL, request_id, lock=True)
    if request.status != status:
        raise WrongStep(f"The status is {request.status}, but this step needs {status}. Take the earlier steps first.")
    return request
