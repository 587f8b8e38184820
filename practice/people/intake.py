"""Intake forms: start, save steps, complete, read. Each step is sealed."""

import json
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select

from practice.errors import FieldProblem, Invalid, NotFound, Refusal, Stale
from practice.people.access import APPOINTMENTS, can_see_client, client_visible, find_shown_client, visible_clients
from practice.people.clients import lock_client, reason_detail
from practice.people.consents import list_agreements, sign_consent
from practice.people.models.clients import Client, IntakeForm
from practice.people.practice_time import local_today
from practice.people.rules import intake
from practice.people.rules.clients import needs_guardian
from practice.people.rules.intake import STEPS, Answers
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.pages import Page, PageRequest, fetch_page
from practice.store.records import update_versioned


class IntakeOpen(Refusal):
    """The client already has an unfinished intake form.

    Fix: continue with that form.
    """

    code = "INTAKE_OPEN"


class IntakeCompleted(Refusal):
    """The intake form is completed and cannot be changed.

    Fix: begin a new one.
    """

    code = "INTAKE_COMPLETED"


def list_forms(
    work: Work, scope: Scope, page_request: PageRequest, *, client_id: UUID | None = None, status: str | None = None
) -> Page:
    """Return forms and their progress without the answers."""
    query = select(IntakeForm).where(IntakeForm.tenant_id == work.tenant_id)
    query = query.where(visible_clients(work, scope, IntakeForm.client_id))
    if client_id is not None:
        query = query.where(IntakeForm.client_id == client_id)
    if status is not None:
        query = query.where(IntakeForm.status == status)
    sortable = {"started_at": IntakeForm.started_at, "saved_at": IntakeForm.saved_at, "id": IntakeForm.id}
    page = fetch_page(work.db, query, page_request, sortable, IntakeForm.id, "-started_at")
    shown_id = find_shown_client(work, scope, client_id, page.items)
    if shown_id is not None:
        work.record("client.read", "client", shown_id, part="intake forms")
    else:
        work.record_list("intake.listed", (form.client_id for form in page.items))
    return page


def start_form(work: Work, scope: Scope, client_id: UUID, appointment_id: UUID | None = None) -> IntakeForm:
    if not can_see_client(work, scope, client_id):
        raise Invalid([FieldProblem("client_id", "Client not found. Choose a client that you can see.")])
    lock_client(work, scope, client_id)  # so that the second of two concurrent starts finds the first
    if appointment_id is not None and not has_appointment(work, client_id, appointment_id):
        raise Invalid([FieldProblem("appointment_id", "Appointment not found. Choose one of this client.")])
    query = select(IntakeForm.id).where(IntakeForm.tenant_id == work.tenant_id, IntakeForm.client_id == client_id)
    if work.db.scalar(query.where(IntakeForm.status == "DRAFT")) is not None:
        raise IntakeOpen("This client already has an unfinished form. Continue with that one.")
    form = IntakeForm(
        tenant_id=work.tenant_id,
        id=new_id(),
        client_id=client_id,
        appointment_id=appointment_id,
        status="DRAFT",
        started_at=work.now,
        saved_at=work.now,
        treatment_declined=False,
        version=1,
    )
    work.db.add(form)
    work.record("intake.begun", "client", client_id, form_id=str(form.id))
    return form


def has_appointment(work: Work, client_id: UUID, appointment_id: UUID) -> bool:
    condition = exists().where(
        APPOINTMENTS.c.tenant_id == work.tenant_id,
        APPOINTMENTS.c.id == appointment_id,
        APPOINTMENTS.c.client_id == client_id,
    )
    return bool(work.db.scalar(select(condition)))


def read_form(work: Work, scope: Scope, form_id: UUID, reason: str | None = None) -> tuple[IntakeForm, Answers]:
    """Return a form and its answers; the reason, if any, goes into the audit log."""
    form = find_form(work, scope, form_id)
    work.record("intake.read", "client", form.client_id, form_id=str(form_id), **reason_detail(reason))
    return form, unseal_answers(work, form)


def save_answers(work: Work, scope: Scope, client_id: UUID, appointment_id: UUID, answers: Answers) -> IntakeForm:
    """Save the answers of several steps in the client's unfinished form or in a new one, for an appointment."""
    drafts = select(IntakeForm).where(
        IntakeForm.tenant_id == work.tenant_id, IntakeForm.client_id == client_id, IntakeForm.status == "DRAFT"
    )
    form = work.db.scalar(drafts.with_for_update()) or start_form(work, scope, client_id, appointment_id)
    form.appointment_id = form.appointment_id or appointment_id
    work.db.flush()
    for step, answered in answers.items():
        save_step(work, scope, form.id, form.version, step, dict(answered))
    return form


def save_step(work: Work, scope: Scope, form_id: UUID, version: int, step: str, answers: dict[str, Any]) -> IntakeForm:
    """Save the answers of a step, complete or not."""
    form = lock_draft(work, scope, form_id)
    if form.version != version:
        raise Stale
    sealed = work.seal("intake_forms", step, form_id, json.dumps(answers))
    update_versioned(form, {step: sealed, "saved_at": work.now})
    work.record("intake.saved", "client", form.client_id, form_id=str(form_id), step=step)
    return form


def complete_form(work: Work, scope: Scope, form_id: UUID) -> IntakeForm:
    """Complete the form, which is final.

    The consents given in it are signed, a "no" to treatment is marked, and the emergency contact goes to the record.
    """
    form = lock_draft(work, scope, form_id)
    client = lock_client(work, scope, form.client_id)
    minor = needs_guardian(client.birth_date, client.emancipated, local_today(work))
    answers = unseal_answers(work, form)
    if problems := intake.find_missing_answers(answers, minor):
        raise Invalid(problems)
    consents = intake.collect_consents(answers["agreements"], minor)
    newest = {agreement.kind: agreement.id for agreement in list_agreements(work)}
    for kind, name in consents.items():
        sign_consent(work, scope, client.id, kind, signed_by_name=name, agreement_id=newest.get(kind))
    contact = intake.merge_emergency_contact(
        answers["personal"]["emergency_contact"], client.emergency_contact_name, client.emergency_contact_phone
    )
    if contact:
        update_versioned(client, contact)
        work.record("client.contact_changed", "client", client.id, fields=sorted(contact), form_id=str(form_id))
    declined = intake.is_treatment_declined(answers["agreements"])
    update_versioned(form, {"status": "COMPLETED", "completed_at": work.now, "treatment_declined": declined})
    details = {"consents": sorted(consents), "treatment_declined": declined}
    work.record("intake.completed", "client", form.client_id, form_id=str(form_id), **details)
    return form


def is_complete(work: Work, form: IntakeForm) -> bool:
    """Return whether every required answer is given."""
    client = work.db.get_one(Client, (work.tenant_id, form.client_id))
    minor = needs_guardian(client.birth_date, client.emancipated, local_today(work))
    return not intake.find_missing_answers(unseal_answers(work, form), minor)


def find_form(work: Work, scope: Scope, form_id: UUID, *, lock: bool = False) -> IntakeForm:
    query = select(IntakeForm).where(IntakeForm.tenant_id == work.tenant_id, IntakeForm.id == form_id)
    query = query.where(client_visible(work, scope, IntakeForm.client_id))
    form = work.db.scalar(query.with_for_update() if lock else query)
    if form is None:
        raise NotFound
    return form


def lock_draft(work: Work, scope: Scope, form_id: UUID) -> IntakeForm:
    """Lock and return a form, or raise IntakeCompleted if it is completed."""
    form = find_form(work, scope, form_id, lock=True)
    if form.status == "COMPLETED":
        raise IntakeCompleted("This form is completed and cannot be changed. Start a new one.")
    return form


def unseal_answers(work: Work, form: IntakeForm) -> Answers:
    texts = {step: work.unseal("intake_forms", step, form.id, getattr(form, step)) for step in STEPS}
    return {step: json.loads(text) for step, text in texts.items() if text}
