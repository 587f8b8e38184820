"""Intake forms: what a client says of themselves before treatment, in four steps."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from api.context import Reason, RequestContext, Version
from api.fields import Name, Written
from api.responses import Input, ListQuery, PageOut, page_out, some_of
from api.routing import PermissionRouter
from practice.people import intake
from practice.people.intake import IntakeCompleted, IntakeOpen
from practice.people.models.clients import IntakeForm
from practice.people.rules.intake import STEPS, Answers

router = PermissionRouter(prefix="/intake-forms", tags=["intake forms"])

Status = Literal["DRAFT", "COMPLETED"]
Several = Annotated[list[Name], Field(max_length=30)]


class Personal(Input):
    emergency_contact: Written | None = None
    medical_history: Written | None = None
    current_medications: Written | None = None
    allergies: Written | None = None


class Assessment(Input):
    previous_therapy: bool | None = None
    current_symptoms: Several = Field(default_factory=list)
    severity_level: Annotated[int | None, Field(ge=1, le=10)] = None
    trigger_factors: Several = Field(default_factory=list)
    coping_mechanisms: Several = Field(default_factory=list)


class Goals(Input):
    therapy_goals: Several = Field(default_factory=list)
    expectations: Written | None = None
    preferred_approach: Written | None = None
    timeline: Written | None = None


class Agreements(Input):
    """Yes or no to each; a yes becomes a consent when the form is completed."""

    consent_to_treatment: bool | None = None
    confidentiality_agreement: bool | None = None
    data_processing_consent: bool | None = None
    terms: bool | None = None
    signed_by_name: Name | None = None
    guardian_name: Name | None = None


class IntakeIn(Input):
    client_id: UUID
    appointment_id: UUID | None = None


class IntakeQuery(ListQuery):
    client_id: UUID | None = None
    status: Status | None = None


class IntakeState(BaseModel):
    """How far a form is, without what it says."""

    id: UUID
    client_id: UUID
    appointment_id: UUID | None
    status: Status
    steps_saved: list[str]
    started_at: datetime
    saved_at: datetime
    completed_at: datetime | None
    version: int

    @classmethod
    def of(cls, form: IntakeForm) -> "IntakeState":
        plain = {name: getattr(form, name) for name in IntakeState.model_fields if name != "steps_saved"}
        return IntakeState(**plain, steps_saved=[step for step in STEPS if getattr(form, step) is not None])


class IntakeOut(IntakeState):
    personal: Personal | None
    assessment: Assessment | None
    goals: Goals | None
    agreements: Agreements | None


IntakeInList: Any = some_of(IntakeState)


def intake_out(form: IntakeForm, answers: Answers) -> IntakeOut:
    return IntakeOut.model_validate(IntakeState.of(form).model_dump() | {step: answers.get(step) for step in STEPS})


def save(ctx: RequestContext, form_id: UUID, version: int, step: str, answers: Input) -> IntakeState:
    return IntakeState.of(intake.save_step(ctx.work, ctx.scope, form_id, version, step, answers.model_dump()))


@router.get("", permission="intake.state")
def list_intake_forms(ctx: RequestContext, query: Annotated[IntakeQuery, Query()]) -> PageOut[IntakeInList]:
    """How far the intake forms are, the newest first. Sorts by started_at, saved_at or id."""
    found = intake.list_forms(ctx.work, ctx.scope, query.asked(), client_id=query.client_id, status=query.status)
    return page_out(found, IntakeState)


@router.post("", permission="intake.begin", status_code=201, errors=[IntakeOpen])
def begin_intake_form(ctx: RequestContext, body: IntakeIn) -> IntakeState:
    """A blank form. A client has one unfinished form at a time."""
    return IntakeState.of(intake.begin_form(ctx.work, ctx.scope, body.client_id, body.appointment_id))


@router.get("/{form_id}", permission="intake.read")
def get_intake_form(ctx: RequestContext, form_id: UUID, reason: Reason = None) -> IntakeOut:
    """What was answered. An admin says why in X-Reason, which goes into the audit log."""
    return intake_out(*intake.read_form(ctx.work, ctx.scope, form_id, reason))


@router.put("/{form_id}/steps/personal", permission="intake.write", errors=[IntakeCompleted])
def save_intake_personal(ctx: RequestContext, form_id: UUID, version: Version, body: Personal) -> IntakeState:
    """The first step as it now stands; it may be incomplete."""
    return save(ctx, form_id, version, "personal", body)


@router.put("/{form_id}/steps/assessment", permission="intake.write", errors=[IntakeCompleted])
def save_intake_assessment(ctx: RequestContext, form_id: UUID, version: Version, body: Assessment) -> IntakeState:
    """The second step as it now stands."""
    return save(ctx, form_id, version, "assessment", body)


@router.put("/{form_id}/steps/goals", permission="intake.write", errors=[IntakeCompleted])
def save_intake_goals(ctx: RequestContext, form_id: UUID, version: Version, body: Goals) -> IntakeState:
    """The third step as it now stands."""
    return save(ctx, form_id, version, "goals", body)


@router.put("/{form_id}/steps/agreements", permission="intake.write", errors=[IntakeCompleted])
def save_intake_agreements(ctx: RequestContext, form_id: UUID, version: Version, body: Agreements) -> IntakeState:
    """The fourth step as it now stands. Nothing is agreed to before the form is completed."""
    return save(ctx, form_id, version, "agreements", body)


@router.post("/{form_id}/complete", permission="intake.write", errors=[IntakeCompleted])
def complete_intake_form(ctx: RequestContext, form_id: UUID) -> IntakeState:
    """Hand the form in, or be told all that is missing. What was agreed to becomes consents; nothing changes later."""
    return IntakeState.of(intake.complete_form(ctx.work, ctx.scope, form_id))
