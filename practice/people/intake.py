"""Verbs about intake forms: begin one, save its steps, complete it, read it. Each step is sealed."""

import json
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select

from practice.errors import Invalid, NotFound, Refusal, Stale
from practice.people.access import APPOINTMENTS, clients_within, is_within, reaches
from practice.people.clients import lock_client
from practice.people.consents import list_agreements, sign_consent
from practice.people.models.clients import Client, IntakeForm
from practice.people.practice_time import local_today
from practice.people.rules import intake
from practice.people.rules.clients import needs_guardian
from practice.people.rules.consents import GUARDIAN
from practice.people.rules.intake import STEPS, Answers
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.pages import Page, PageRequest, page_of
from practice.store.records import apply


class IntakeOpen(Refusal):
    code = "INTAKE_OPEN"


class IntakeCompleted(Refusal):
    code = "INTAKE_COMPLETED"


def list_forms(
    work: Work, scope: Scope, asked: PageRequest, *, client_id: UUID | None = None, status: str | None = None
) -> Page:
    """Whose form is how far. For this nobody needs to read what it says."""
    query = select(IntakeForm).where(IntakeForm.tenant_id == work.tenant_id)
    query = query.where(clients_within(work, scope, IntakeForm.client_id))
    if client_id is not None:
        query = query.where(IntakeForm.client_id == client_id)
        work.record("client.read", "client", client_id, part="intake forms")
    else:
        work.record("intake.listed")
    if status is not None:
        query = query.where(IntakeForm.status == status)
    sortable = {"started_at": IntakeForm.started_at, "saved_at": IntakeForm.saved_at, "id": IntakeForm.id}
    return page_of(work.db, query, asked, sortable, IntakeForm.id, "-started_at")


def begin_form(work: Work, scope: Scope, client_id: UUID, appointment_id: UUID | None = None) -> IntakeForm:
    if not is_within(work, scope, client_id):
        raise Invalid(["client_id: there is no such client, or not one of yours."])
    lock_client(work, scope, client_id)  # the second of two who begin one finds it there
    if appointment_id is not None and not has_appointment(work, client_id, appointment_id):
        raise Invalid(["appointment_id: the client has no such appointment."])
    query = select(IntakeForm.id).where(IntakeForm.tenant_id == work.tenant_id, IntakeForm.client_id == client_id)
    if work.db.scalar(query.where(IntakeForm.status == "DRAFT")) is not None:
        raise IntakeOpen("There is an unfinished form of this client already. Go on with that one.")
    form = IntakeForm(
        tenant_id=work.tenant_id,
        id=new_id(),
        client_id=client_id,
        appointment_id=appointment_id,
        status="DRAFT",
        started_at=work.now,
        saved_at=work.now,
        version=1,
    )
    work.db.add(form)
    work.record("intake.begun", "client", client_id, form_id=str(form.id))
    return form


def has_appointment(work: Work, client_id: UUID, appointment_id: UUID) -> bool:
    found = exists().where(
        APPOINTMENTS.c.tenant_id == work.tenant_id,
        APPOINTMENTS.c.id == appointment_id,
        APPOINTMENTS.c.client_id == client_id,
    )
    return bool(work.db.scalar(select(found)))


def read_form(work: Work, scope: Scope, form_id: UUID, reason: str | None = None) -> tuple[IntakeForm, Answers]:
    form = find_form(work, scope, form_id)
    said = {"reason": reason} if reason else {}
    work.record("intake.read", "client", form.client_id, form_id=str(form_id), **said)
    return form, answers_of(work, form)


def save_step(work: Work, scope: Scope, form_id: UUID, version: int, step: str, answers: dict[str, Any]) -> IntakeForm:
    """A step as it now stands, complete or not."""
    form = find_draft(work, scope, form_id)
    if form.version != version:
        raise Stale
    sealed = work.seal("intake_forms", step, form_id, json.dumps(answers))
    apply(form, {step: sealed, "saved_at": work.now})
    work.record("intake.saved", "client", form.client_id, form_id=str(form_id), step=step)
    return form


def complete_form(work: Work, scope: Scope, form_id: UUID) -> IntakeForm:
    """From here on it never changes, and what was agreed to in it are consents."""
    form = find_draft(work, scope, form_id)
    client = work.db.get_one(Client, (work.tenant_id, form.client_id))
    minor = needs_guardian(client.birth_date, client.emancipated, local_today(work))
    answers = answers_of(work, form)
    if problems := intake.missing(answers, minor):
        raise Invalid(problems)
    given = intake.consents_given(answers["agreements"], minor)
    if work.actor.client_id is not None:
        given.pop(GUARDIAN, None)  # which is the guardian's own to give, with the practice
    newest = {agreement.kind: agreement.id for agreement in list_agreements(work)}
    for kind, name in given.items():
        sign_consent(work, scope, client.id, kind, signed_by_name=name, agreement_id=newest.get(kind))
    apply(form, {"status": "COMPLETED", "completed_at": work.now})
    work.record("intake.completed", "client", form.client_id, form_id=str(form_id), consents=sorted(given))
    return form


def find_form(work: Work, scope: Scope, form_id: UUID, *, lock: bool = False) -> IntakeForm:
    query = select(IntakeForm).where(IntakeForm.tenant_id == work.tenant_id, IntakeForm.id == form_id)
    query = query.where(reaches(work, scope, IntakeForm.client_id))
    form = work.db.scalar(query.with_for_update() if lock else query)
    if form is None:
        raise NotFound
    return form


def find_draft(work: Work, scope: Scope, form_id: UUID) -> IntakeForm:
    form = find_form(work, scope, form_id, lock=True)
    if form.status == "COMPLETED":
        raise IntakeCompleted("This form is completed and does not change any more. Begin a new one.")
    return form


def answers_of(work: Work, form: IntakeForm) -> Answers:
    opened = {step: work.unseal("intake_forms", step, form.id, getattr(form, step)) for step in STEPS}
    return {step: json.loads(text) for step, text in opened.items() if text}
