"""Routes of intake forms, which a client fills in before treatment in four steps."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from api.context import Reason, RequestContext, Version
from api.fields import Name, Text4000
from api.names import ClientName, from_record
from api.responses import Input, ListQuery, PageOut, partial_model, to_page
from api.routing import PermissionRouter
from practice.people import intake
from practice.people.intake import IntakeCompleted, IntakeOpen
from practice.people.models.clients import IntakeForm
from practice.people.rules.intake import STEPS, Answers
from practice.scheduling.intake import complete_intake

router = PermissionRouter(prefix="/intake-forms", tags=["intake forms"])

Status = Literal["DRAFT", "COMPLETED"]
Names = Annotated[list[Name], Field(max_length=30)]


class Personal(Input):
    emergency_contact: Text4000 | None = None
    medical_history: Text4000 | None = None
    current_medications: Text4000 | None = None
    allergies: Text4000 | None = None


class Assessment(Input):
    previous_therapy: bool | None = None
    current_symptoms: Names = Field(default_factory=list)
    severity_level: Annotated[int | None, Field(ge=1, le=10)] = None
    trigger_factors: Names = Field(default_factory=list)
    coping_mechanisms: Names = Field(default_factory=list)


class Goals(Input):
    therapy_goals: Names = Field(default_factory=list)
    expectations: Text4000 | None = None
    preferred_approach: Text4000 | None = None
    timeline: Text4000 | None = None


class Agreements(Input):
    """Each true becomes a consent when the form is completed. For a minor the guardian signs."""

    consent_to_treatment: bool | None = None
    confidentiality_agreement: bool | None = None
    data_processing_consent: bool | None = None
    terms: bool | None = None
    signed_by_name: Name | None = None
    guardian_name: Name | None = None


class IntakeAnswersIn(Input):
    """Answers of some or all steps of an intake form."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "personal": {"emergency_contact": "Kim Example, 404-555-0102", "allergies": "none"},
                    "goals": {"therapy_goals": ["to sleep"]},
                }
            ]
        }
    )

    personal: Annotated[Personal | None, Field(description="The answers of the first step.")] = None
    assessment: Annotated[Assessment | None, Field(description="The answers of the second step.")] = None
    goals: Annotated[Goals | None, Field(description="The answers of the third step.")] = None
    agreements: Annotated[Agreements | None, Field(description="The answers of the fourth step.")] = None


class IntakeIn(Input):
    client_id: UUID
    appointment_id: UUID | None = None


class IntakeQuery(ListQuery):
    client_id: UUID | None = None
    status: Status | None = None


class IntakeState(BaseModel):
    """The progress of a form, without its answers."""

    id: UUID
    client_id: UUID
    client_name: ClientName = None
    appointment_id: UUID | None
    status: Status
    steps_saved: list[str]
    started_at: datetime
    saved_at: datetime
    completed_at: datetime | None
    treatment_declined: bool
    version: int

    @classmethod
    def of(cls, form: IntakeForm) -> "IntakeState":
        return from_record(IntakeState, form, steps_saved=[step for step in STEPS if getattr(form, step) is not None])


class IntakeOut(IntakeState):
    personal: Personal | None
    assessment: Assessment | None
    goals: Goals | None
    agreements: Agreements | None


IntakeInList: Any = partial_model(IntakeState)


def to_response(form: IntakeForm, answers: Answers) -> IntakeOut:
    """Return a form with its answers."""
    return IntakeOut.model_validate(IntakeState.of(form).model_dump() | {step: answers.get(step) for step in STEPS})


def save_step(ctx: RequestContext, form_id: UUID, version: int, step: str, answers: Input) -> IntakeState:
    """Save the answers of one step and return the progress of the form."""
    return IntakeState.of(intake.save_step(ctx.work, ctx.scope, form_id, version, step, answers.model_dump()))


@router.get("", permission="intake.state")
def list_intake_forms(ctx: RequestContext, query: Annotated[IntakeQuery, Query()]) -> PageOut[IntakeInList]:
    """List intake forms.

    Their progress without answers, newest first. Sorts by started_at, saved_at or id.
    """
    page = intake.list_forms(ctx.work, ctx.scope, query.page_request(), client_id=query.client_id, status=query.status)
    return to_page(page, IntakeState)


@router.post("", permission="intake.begin", status_code=201, errors=[IntakeOpen])
def begin_intake_form(ctx: RequestContext, body: IntakeIn) -> IntakeState:
    """Begin an intake form.

    A client has one unfinished form at a time.
    """
    return IntakeState.of(intake.start_form(ctx.work, ctx.scope, body.client_id, body.appointment_id))


@router.get("/{form_id}", permission="intake.read")
def get_intake_form(ctx: RequestContext, form_id: UUID, reason: Reason = None) -> IntakeOut:
    """Get an intake form with its answers.

    An admin states a reason in X-Reason, which goes into the audit log.
    """
    return to_response(*intake.read_form(ctx.work, ctx.scope, form_id, reason))


@router.put("/{form_id}/steps/personal", permission="intake.write", errors=[IntakeCompleted])
def save_intake_personal(ctx: RequestContext, form_id: UUID, version: Version, body: Personal) -> IntakeState:
    """Save the personal step of an intake form.

    Replaces its answers, which may be incomplete.
    """
    return save_step(ctx, form_id, version, "personal", body)


@router.put("/{form_id}/steps/assessment", permission="intake.write", errors=[IntakeCompleted])
def save_intake_assessment(ctx: RequestContext, form_id: UUID, version: Version, body: Assessment) -> IntakeState:
    """Save the assessment step of an intake form.

    Replaces its answers, which may be incomplete.
    """
    return save_step(ctx, form_id, version, "assessment", body)


@router.put("/{form_id}/steps/goals", permission="intake.write", errors=[IntakeCompleted])
def save_intake_goals(ctx: RequestContext, form_id: UUID, version: Version, body: Goals) -> IntakeState:
    """Save the goals step of an intake form.

    Replaces its answers, which may be incomplete.
    """
    return save_step(ctx, form_id, version, "goals", body)


@router.put("/{form_id}/steps/agreements", permission="intake.write", errors=[IntakeCompleted])
def save_intake_agreements(ctx: RequestContext, form_id: UUID, version: Version, body: Agreements) -> IntakeState:
    """Save the agreements step of an intake form.

    Replaces its answers. Nothing is agreed to before the form is completed.
    """
    return save_step(ctx, form_id, version, "agreements", body)


@router.post("/{form_id}/complete", permission="intake.write", errors=[IntakeCompleted])
def complete_intake_form(ctx: RequestContext, form_id: UUID) -> IntakeState:
    """Complete an intake form.

    A refusal lists everything that is missing. Agreements become consents, the emergency contact goes to the client's
    record, and the form can no longer be changed. If it declines treatment, the practice is notified, and the client is
    not booked until they sign the consent.
    """
    return IntakeState.of(complete_intake(ctx.work, ctx.scope, form_id))
