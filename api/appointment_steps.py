"""Routes that change the status of an appointment: confirm to complete, no-show, cancel, reschedule, and in bulk."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.appointments import AppointmentOut, to_response
from api.context import RequestContext
from api.fields import EXAMPLE_ID, AppointmentId, Instant, Reason200, Text1000, describe, example
from api.note_responses import Type
from api.notes import ContentIn
from api.responses import Input
from api.routing import PermissionRouter
from practice.clinical.deadlines.locking import is_note_locked
from practice.clinical.errors import NoteLocked
from practice.errors import FieldProblem, Invalid, Refusal
from practice.payroll.completions import SessionPaid
from practice.scheduling import cancellation, rescheduling
from practice.scheduling.appointments import lifecycle
from practice.scheduling.appointments.notifications import list_reach_warnings
from practice.scheduling.errors import (
    BOOKING_REFUSALS,
    CONSENT_REFUSALS,
    ClientNotActive,
    ClinicianNotActive,
    DemographicsMissing,
    TooLate,
    WrongStatus,
)
from practice.scheduling.models.appointments import Appointment
from practice.sessions import corrections
from practice.sessions.completion import NoteDraft, complete_session
from practice.sessions.corrections import SessionCharged

router = PermissionRouter(prefix="/appointments", tags=["appointments"])

SeriesScope = Literal["this", "this_and_following", "all"]


class StatusNoteIn(Input):
    model_config = example(note="Called to say that the bus is late.")

    note: Annotated[Text1000 | None, describe("What is worth knowing about this step, for staff.")] = None


class ClinicalNoteIn(ContentIn):
    """The first draft of the session's note. Only clinicians can send one."""

    model_config = example(type="SOAP_NOTE", sections={"subjective": "Slept better."})

    type: Annotated[Type, describe("The type of note.")]

    def to_draft(self) -> NoteDraft:
        return NoteDraft(self.type, self.sections, self.diagnoses)


class FirstStepIn(StatusNoteIn):
    """The first step of a visit, which needs the client's consents."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"consent_override_reason": "The guardian signs after the visit"}]}
    )

    consent_override_reason: Annotated[
        Reason200 | None,
        Field(description="Why the visit goes on without an informed or guardian's consent; for the status history."),
    ] = None


class CompletedOut(AppointmentOut):
    """A completed session, and whether its note can still be written."""

    note_locked: Annotated[
        bool,
        Field(
            description="Whether the note's deadline has passed without a signed note: a supervisor or an admin has to "
            "unlock the session first."
        ),
    ]


class CompletionIn(FirstStepIn):
    model_config = example(actual_minutes=45)

    actual_minutes: Annotated[
        int | None, Field(ge=1, le=1440), describe("How long the session lasted, in minutes.")
    ] = None
    clinical_note: Annotated[
        ClinicalNoteIn | None, describe("The first draft of the session's note, in the same transaction.")
    ] = None


class CancellationIn(Input):
    """For a series: only this appointment, this and the following ones, or all that are still to come."""

    model_config = example(reason="Ill")

    reason: Annotated[Text1000 | None, describe("Why; staff have to say it.")] = None
    series_scope: Annotated[
        SeriesScope, describe("Of a series: `this`, `this_and_following`, or `all` still to come.")
    ] = "this"


class RescheduleIn(Input):
    """The other appointments of a series move by the same number of days and the same local time difference."""

    model_config = example(starts_at="2026-03-21T10:00:00-04:00")

    starts_at: Annotated[Instant, describe("The new start.")]
    clinician_id: Annotated[UUID | None, describe("Another clinician; left out, the same.")] = None
    room_id: Annotated[UUID | None, describe("Another room, or null for none; left out, the same.")] = None
    series_scope: Annotated[
        SeriesScope, describe("Of a series: `this`, `this_and_following`, or `all` still to come.")
    ] = "this"


class AppointmentsBulkIn(Input):
    model_config = example(action="confirm", appointment_ids=[EXAMPLE_ID])

    action: Annotated[
        Literal["confirm", "check-in", "no-show", "cancel"], describe("What to do with each appointment.")
    ]
    appointment_ids: Annotated[
        list[UUID], Field(min_length=1, max_length=100), describe("The appointments, each done or refused by itself.")
    ]
    reason: Annotated[Text1000 | None, describe("Why, when cancelling.")] = None


class RevertIn(Input):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"from_status": "NO_SHOW", "reason": "The client came late"}]}
    )

    from_status: Annotated[
        Literal["CHECKED_IN", "IN_PROGRESS", "COMPLETED", "NO_SHOW"],
        Field(description="The status to take back. Refused if the appointment has another one by now."),
    ]
    reason: Annotated[Reason200, Field(description="Why the status was a mistake.")]


class RevertedAppointmentOut(AppointmentOut):
    signed_note_ids: Annotated[
        list[UUID],
        describe("Signed notes of the session, oldest first. Their authors mark wrong ones as entered in error."),
    ]


class AppointmentsOut(BaseModel):
    items: Annotated[list[AppointmentOut], describe("The appointments that came of it.")]
    warnings: Annotated[list[str], describe("What to see to, such as a client whom no message can reach.")]

    @classmethod
    def of(cls, ctx: RequestContext, appointments: list[Appointment]) -> "AppointmentsOut":
        warnings = list_reach_warnings(ctx.work, appointments)
        return cls(items=to_response(ctx, *appointments), warnings=warnings)


class CheckInOut(BaseModel):
    appointment: Annotated[AppointmentOut, describe("The appointment, now checked in.")]
    outstanding_items: Annotated[list[str], describe("What to ask the client for before the session can be completed.")]


class AppointmentBulkResultOut(BaseModel):
    appointment_id: AppointmentId
    succeeded: Annotated[bool, describe("Whether it was done for this record.")]
    code: Annotated[str | None, describe("A stable code of the refusal; null on success.")]
    message: Annotated[str | None, describe("What is wrong and what to do; null on success.")]


class AppointmentsBulkOut(BaseModel):
    items: Annotated[list[AppointmentBulkResultOut], describe("One result for each appointment, in the order sent.")]


@router.post("/{appointment_id}/confirm", permission="appointments.status", errors=[WrongStatus])
def confirm_appointment(ctx: RequestContext, appointment_id: UUID, body: StatusNoteIn) -> AppointmentOut:
    """Confirm an appointment."""
    return to_response(ctx, lifecycle.confirm(ctx.work, ctx.scope, appointment_id, body.note))[0]


@router.post(
    "/{appointment_id}/check-in",
    permission="appointments.status",
    errors=[WrongStatus, ClientNotActive, ClinicianNotActive, *CONSENT_REFUSALS],
)
def check_in_appointment(ctx: RequestContext, appointment_id: UUID, body: FirstStepIn) -> CheckInOut:
    """Check in a client.

    On the day of the visit. `outstanding_items` lists what the front desk still needs from the client. After the first
    visit, a missing informed or guardian's consent refuses unless `consent_override_reason` is sent. A client whose
    treatment has ended is readmitted first. A visit after the clinician's last day is rescheduled or cancelled.
    """
    checked_in = lifecycle.check_in(ctx.work, ctx.scope, appointment_id, body.note, body.consent_override_reason)
    return CheckInOut(
        appointment=to_response(ctx, checked_in.appointment)[0], outstanding_items=checked_in.outstanding_items
    )


@router.post("/{appointment_id}/ready", permission="appointments.status", errors=[WrongStatus])
def mark_appointment_ready(ctx: RequestContext, appointment_id: UUID) -> AppointmentOut:
    """Mark the clinician ready for a client who has arrived."""
    return to_response(ctx, lifecycle.mark_ready(ctx.work, ctx.scope, appointment_id))[0]


@router.post(
    "/{appointment_id}/start",
    permission="appointments.status",
    errors=[WrongStatus, ClinicianNotActive, *CONSENT_REFUSALS],
)
def start_appointment(ctx: RequestContext, appointment_id: UUID, body: FirstStepIn) -> AppointmentOut:
    """Start a session.

    From 15 minutes before its start on, or the practice's own limit. A consent that has ended since the check-in
    refuses, or takes `consent_override_reason`.
    """
    started = lifecycle.start_session(ctx.work, ctx.scope, appointment_id, body.note, body.consent_override_reason)
    return to_response(ctx, started)[0]


@router.post(
    "/{appointment_id}/complete",
    permission="appointments.status",
    errors=[WrongStatus, ClientNotActive, ClinicianNotActive, *CONSENT_REFUSALS, DemographicsMissing, NoteLocked],
)
def complete_appointment(ctx: RequestContext, appointment_id: UUID, body: CompletionIn) -> CompletedOut:
    """Complete a session.

    From 15 minutes before its start on, or the practice's own limit. Its price is fixed, it counts for pay, and its
    clinician can begin its note. A visit that was not checked in needs its consents here.
    """
    written = body.clinical_note.to_draft() if body.clinical_note else None
    completed = complete_session(
        ctx.work,
        ctx.scope,
        appointment_id,
        body.actual_minutes,
        body.note,
        written,
        body.consent_override_reason,
    )
    return CompletedOut.of(completed, ctx, note_locked=is_note_locked(ctx.work, completed))


@router.post("/{appointment_id}/no-show", permission="appointments.status", errors=[WrongStatus])
def mark_appointment_no_show(ctx: RequestContext, appointment_id: UUID, body: StatusNoteIn) -> AppointmentOut:
    """Mark an appointment as a no-show."""
    return to_response(ctx, lifecycle.mark_no_show(ctx.work, ctx.scope, appointment_id, body.note))[0]


@router.post(
    "/{appointment_id}/revert",
    permission="appointments.status",
    errors=[*BOOKING_REFUSALS, WrongStatus, SessionPaid, SessionCharged],
)
def revert_appointment(ctx: RequestContext, appointment_id: UUID, body: RevertIn) -> RevertedAppointmentOut:
    """Take back a status that was set by mistake.

    Check-in, start, completion or no-show, back to the status before. Of a completion, the price is no longer fixed and
    the session voided; not once it is paid. A no-show takes its time again, if that is still free. The client gets no
    message, but the reminders that still lie ahead. `signed_note_ids` lists notes that stay signed.
    """
    reverted = corrections.revert_appointment(ctx.work, ctx.scope, appointment_id, body.from_status, body.reason)
    signed_note_ids = corrections.list_signed_notes(ctx.work, reverted)
    return RevertedAppointmentOut.of(reverted, ctx, signed_note_ids=signed_note_ids)


@router.post("/{appointment_id}/cancel", permission="appointments.cancel", errors=[WrongStatus, TooLate])
def cancel_appointment(ctx: RequestContext, appointment_id: UUID, body: CancellationIn) -> AppointmentsOut:
    """Cancel an appointment.

    Staff can cancel at any time with a reason, clients until 24 hours before or the practice's own limit.
    """
    appointments = cancellation.cancel(ctx.work, ctx.scope, appointment_id, body.reason, body.series_scope)
    return AppointmentsOut.of(ctx, appointments)


@router.post(
    "/{appointment_id}/reschedule",
    permission="appointments.move",
    status_code=201,
    errors=[*BOOKING_REFUSALS, WrongStatus, TooLate],
)
def reschedule_appointment(ctx: RequestContext, appointment_id: UUID, body: RescheduleIn) -> AppointmentsOut:
    """Reschedule an appointment.

    The original is closed and the response holds the new one, or nothing happens.
    """
    changes = body.model_dump(include={"clinician_id", "room_id"}, exclude_unset=True)
    if "clinician_id" in changes and body.clinician_id is None:
        message = "An appointment needs a clinician. Send another `clinician_id`, or leave it out."
        raise Invalid([FieldProblem("clinician_id", message)])
    if "room_id" in changes and ctx.actor.client_id is not None:
        raise Invalid([FieldProblem("room_id", "The practice chooses the room. Leave `room_id` out.")])
    appointments = rescheduling.move(ctx.work, ctx.scope, appointment_id, body.starts_at, body.series_scope, changes)
    return AppointmentsOut.of(ctx, appointments)


@router.post("/bulk", permission="appointments.write", errors=[WrongStatus])
def change_many_appointments(ctx: RequestContext, body: AppointmentsBulkIn) -> AppointmentsBulkOut:
    """Change the status of several appointments.

    Each result says whether the change succeeded, and if not, why.
    """
    results = []
    lifecycle.lock_with_resources(ctx.work, ctx.scope, body.appointment_ids)
    for appointment_id in dict.fromkeys(body.appointment_ids):
        try:
            with ctx.work.db.begin_nested():
                change_status(ctx, body, appointment_id)
            results.append(
                AppointmentBulkResultOut(appointment_id=appointment_id, succeeded=True, code=None, message=None)
            )
        except Refusal as error:
            results.append(
                AppointmentBulkResultOut(
                    appointment_id=appointment_id, succeeded=False, code=error.code, message=error.message
                )
            )
    return AppointmentsBulkOut(items=results)


def change_status(ctx: RequestContext, body: AppointmentsBulkIn, appointment_id: UUID) -> None:
    """Apply the bulk action to one appointment."""
    match body.action:
        case "confirm":
            lifecycle.confirm(ctx.work, ctx.scope, appointment_id)
        case "check-in":
            lifecycle.check_in(ctx.work, ctx.scope, appointment_id)
        case "no-show":
            lifecycle.mark_no_show(ctx.work, ctx.scope, appointment_id)
        case "cancel":
            cancellation.cancel(ctx.work, ctx.scope, appointment_id, body.reason)
