"""Routes of intake forms, which a client fills in before treatment in four steps."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from api.context import Reason, RequestContext, Version
from api.fields import EXAMPLE_ID, ClientId, Name, RecordId, RecordVersion, Text4000, describe, example
from api.names import ClientName, from_record
from api.responses import Input, ListQuery, PageOut, partial_model, to_page
from api.routing import PermissionRouter
from practice.people import intake
from practice.people.consents import GuardianSigns
from practice.people.intake import IntakeCompleted, IntakeOpen
from practice.people.models.clients import IntakeForm
from practice.people.rules.intake import STEPS, Answers
from practice.scheduling.intake import complete_intake

router = PermissionRouter(prefix="/intake-forms", tags=["intake forms"])

Status = Literal["DRAFT", "COMPLETED"]
Names = Annotated[list[Name], Field(max_length=30)]


class Personal(Input):
    model_config = example(
        emergency_contact="Kim Elm, 404-555-0102",
        medical_history="None",
        current_medications="None",
        allergies="Penicillin",
    )

    emergency_contact: Annotated[Text4000 | None, describe("Whom to call in an emergency.")] = None
    medical_history: Annotated[Text4000 | None, describe("Illnesses and operations, or none.")] = None
    current_medications: Annotated[Text4000 | None, describe("Medication, or none.")] = None
    allergies: Annotated[Text4000 | None, describe("Allergies, or none.")] = None


class Assessment(Input):
    model_config = example(previous_therapy=False, current_symptoms=["Trouble sleeping"], severity_level=4)

    previous_therapy: Annotated[bool | None, describe("Whether the client had therapy before.")] = None
    current_symptoms: Annotated[Names, describe("Symptoms and concerns.")] = Field(default_factory=list)
    severity_level: Annotated[int | None, Field(ge=1, le=10), describe("How severe, from 1 to 10.")] = None
    trigger_factors: Annotated[Names, describe("What brings them on.")] = Field(default_factory=list)
    coping_mechanisms: Annotated[Names, describe("What helps.")] = Field(default_factory=list)


class Goals(Input):
    model_config = example(therapy_goals=["Sleep through the night"], expectations="To understand what keeps me awake.")

    therapy_goals: Annotated[Names, describe("What the client wants to reach.")] = Field(default_factory=list)
    expectations: Annotated[Text4000 | None, describe("What the client expects of the therapy.")] = None
    preferred_approach: Annotated[Text4000 | None, describe("The approach that the client prefers.")] = None
    timeline: Annotated[Text4000 | None, describe("By when.")] = None


class Agreements(Input):
    """Each true becomes a consent when the form is completed. For a minor the guardian signs."""

    model_config = example(
        consent_to_treatment=True,
        confidentiality_agreement=True,
        data_processing_consent=True,
        terms=True,
        signed_by_name="Casey Elm",
    )

    consent_to_treatment: Annotated[bool | None, describe("Consent to treatment.")] = None
    confidentiality_agreement: Annotated[bool | None, describe("Agreement on confidentiality.")] = None
    data_processing_consent: Annotated[bool | None, describe("Consent to the processing of data.")] = None
    terms: Annotated[bool | None, describe("Agreement to the practice's terms.")] = None
    signed_by_name: Annotated[Name | None, describe("The name of who signs.")] = None
    guardian_name: Annotated[Name | None, describe("The guardian's name, for a minor.")] = None


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
    model_config = example(client_id=EXAMPLE_ID)

    client_id: Annotated[UUID, describe("Whose form it is.")]
    appointment_id: Annotated[UUID | None, describe("The appointment that it is for.")] = None


class IntakeQuery(ListQuery):
    client_id: Annotated[UUID | None, describe("Only of this client.")] = None
    status: Annotated[Status | None, describe("Only with this status.")] = None


class IntakeState(BaseModel):
    """The progress of a form, without its answers."""

    id: RecordId
    client_id: ClientId
    client_name: ClientName = None
    appointment_id: Annotated[UUID | None, describe("The appointment that it is for.")]
    status: Annotated[Status, describe("`DRAFT` or `COMPLETED`.")]
    steps_saved: Annotated[list[str], describe("The steps that have answers.")]
    started_at: Annotated[datetime, describe("When it began.")]
    saved_at: Annotated[datetime, describe("When a step was last saved.")]
    completed_at: Annotated[datetime | None, describe("When the form was completed.")]
    treatment_declined: Annotated[bool, describe("The client said no to treatment.")]
    version: RecordVersion

    @classmethod
    def of(cls, form: IntakeForm) -> "IntakeState":
        return from_record(IntakeState, form, steps_saved=[step for step in STEPS if getattr(form, step) is not None])


class IntakeOut(IntakeState):
    personal: Annotated[Personal | None, describe("The first step; null before it was saved.")]
    assessment: Annotated[Assessment | None, describe("The second step.")]
    goals: Annotated[Goals | None, describe("The third step.")]
    agreements: Annotated[Agreements | None, describe("The fourth step.")]


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


@router.post("/{form_id}/complete", permission="intake.write", errors=[IntakeCompleted, GuardianSigns])
def complete_intake_form(ctx: RequestContext, form_id: UUID) -> IntakeState:
    """Complete an intake form.

    A refusal lists everything that is missing. Agreements become consents, the emergency contact goes to the client's
    record, and the form can no longer be changed. If it declines treatment, the practice is notified, and the client is
    not booked until they sign the consent.
    """
    return IntakeState.of(complete_intake(ctx.work, ctx.scope, form_id))
