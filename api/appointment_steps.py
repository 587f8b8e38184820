"""What is done to an appointment: confirm, check in, ready, start, complete, no-show, cancel, move; and in bulk."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from api.appointments import AppointmentOut, shown
from api.context import RequestContext
from api.fields import Instant, Words
from api.notes import ContentIn, Type
from api.responses import Input
from api.routing import PermissionRouter
from practice.clinical.errors import NoteLocked
from practice.errors import Invalid, Refusal
from practice.scheduling import cancellation, rescheduling
from practice.scheduling.appointments import lifecycle
from practice.scheduling.errors import BOOKING_REFUSALS, ConsentMissing, DemographicsMissing, TooLate, WrongStatus
from practice.sessions.completion import Written, complete

router = PermissionRouter(prefix="/appointments", tags=["appointments"])

Which = Literal["one", "following", "all"]


class Noted(Input):
    note: Words | None = None


class ClinicalNote(ContentIn):
    """As a draft is begun: only clinicians write any."""

    type: Type

    def written(self) -> Written:
        return Written(self.type, self.sections, self.diagnoses)


class Completion(Noted):
    actual_minutes: Annotated[int | None, Field(ge=1, le=1440)] = None
    clinical_note: ClinicalNote | None = None


class Cancellation(Input):
    """Of a series one appointment, it and those that follow, or all that are still to come."""

    reason: Words | None = None
    which: Which = "one"


class Move(Input):
    """Others of a series move by as many days and as much on the clock."""

    starts_at: Instant
    clinician_id: UUID | None = None
    room_id: UUID | None = None
    which: Which = "one"


class Bulk(Input):
    action: Literal["confirm", "check-in", "no-show", "cancel"]
    appointment_ids: Annotated[list[UUID], Field(min_length=1, max_length=100)]
    reason: Words | None = None


class AppointmentsOut(BaseModel):
    items: list[AppointmentOut]


class CheckInOut(BaseModel):
    appointment: AppointmentOut
    asks: list[str]


class BulkResult(BaseModel):
    appointment_id: UUID
    done: bool
    code: str | None
    message: str | None


class BulkOut(BaseModel):
    items: list[BulkResult]


@router.post("/{appointment_id}/confirm", permission="appointments.status", errors=[WrongStatus])
def confirm_appointment(ctx: RequestContext, appointment_id: UUID, body: Noted) -> AppointmentOut:
    """The client says that they will come."""
    return shown(ctx, lifecycle.confirm(ctx.work, appointment_id, ctx.scope, body.note))[0]


@router.post("/{appointment_id}/check-in", permission="appointments.status", errors=[WrongStatus, ConsentMissing])
def check_in_appointment(ctx: RequestContext, appointment_id: UUID, body: Noted) -> CheckInOut:
    """The client has arrived. `asks` is what the ctx still needs from them."""
    found = lifecycle.check_in(ctx.work, appointment_id, ctx.scope, body.note)
    return CheckInOut(appointment=shown(ctx, found.appointment)[0], asks=found.asks)


@router.post("/{appointment_id}/ready", permission="appointments.status", errors=[WrongStatus])
def ready_appointment(ctx: RequestContext, appointment_id: UUID) -> AppointmentOut:
    """The clinician is ready for the client who has arrived."""
    return shown(ctx, lifecycle.ready(ctx.work, appointment_id, ctx.scope))[0]


@router.post("/{appointment_id}/start", permission="appointments.status", errors=[WrongStatus])
def start_appointment(ctx: RequestContext, appointment_id: UUID, body: Noted) -> AppointmentOut:
    """The session begins."""
    return shown(ctx, lifecycle.start(ctx.work, appointment_id, ctx.scope, body.note))[0]


@router.post(
    "/{appointment_id}/complete",
    permission="appointments.status",
    errors=[WrongStatus, ConsentMissing, DemographicsMissing, NoteLocked],
)
def complete_appointment(ctx: RequestContext, appointment_id: UUID, body: Completion) -> AppointmentOut:
    """The session took place: its price is fixed now, it counts for pay, and its clinician can begin its note."""
    written = body.clinical_note.written() if body.clinical_note else None
    completed = complete(ctx.work, appointment_id, ctx.scope, body.actual_minutes, body.note, written)
    return shown(ctx, completed)[0]


@router.post("/{appointment_id}/no-show", permission="appointments.status", errors=[WrongStatus])
def no_show_appointment(ctx: RequestContext, appointment_id: UUID, body: Noted) -> AppointmentOut:
    """The client did not come."""
    return shown(ctx, lifecycle.no_show(ctx.work, appointment_id, ctx.scope, body.note))[0]


@router.post("/{appointment_id}/cancel", permission="appointments.cancel", errors=[WrongStatus, TooLate])
def cancel_appointment(ctx: RequestContext, appointment_id: UUID, body: Cancellation) -> AppointmentsOut:
    """Cancel it: staff at any time with a reason, clients until 24 hours before (or as the practice has set)."""
    found = cancellation.cancel(ctx.work, appointment_id, ctx.scope, body.reason, body.which)
    return AppointmentsOut(items=shown(ctx, *found))


@router.post(
    "/{appointment_id}/reschedule",
    permission="appointments.move",
    status_code=201,
    errors=[*BOOKING_REFUSALS, WrongStatus, TooLate],
)
def reschedule_appointment(ctx: RequestContext, appointment_id: UUID, body: Move) -> AppointmentsOut:
    """Move it: the old one is closed and the answer holds the new one, or nothing happens."""
    changes = body.model_dump(include={"clinician_id", "room_id"}, exclude_unset=True)
    if "clinician_id" in changes and body.clinician_id is None:
        raise Invalid(["An appointment is with somebody (`clinician_id`)."])
    found = rescheduling.move(ctx.work, appointment_id, ctx.scope, body.starts_at, body.which, changes)
    return AppointmentsOut(items=shown(ctx, *found))


@router.post("/bulk", permission="appointments.write", errors=[WrongStatus])
def change_many_appointments(ctx: RequestContext, body: Bulk) -> BulkOut:
    """The same step for several: each is done, or says why not."""
    results = []
    lifecycle.lock_all(ctx.work, body.appointment_ids, ctx.scope)
    for appointment_id in dict.fromkeys(body.appointment_ids):
        try:
            with ctx.work.db.begin_nested():
                take_step(ctx, body, appointment_id)
            results.append(BulkResult(appointment_id=appointment_id, done=True, code=None, message=None))
        except Refusal as no:
            results.append(BulkResult(appointment_id=appointment_id, done=False, code=no.code, message=no.message))
    return BulkOut(items=results)


def take_step(ctx: RequestContext, body: Bulk, appointment_id: UUID) -> None:
    match body.action:
        case "confirm":
            lifecycle.confirm(ctx.work, appointment_id, ctx.scope)
        case "check-in":
            lifecycle.check_in(ctx.work, appointment_id, ctx.scope)
        case "no-show":
            lifecycle.no_show(ctx.work, appointment_id, ctx.scope)
        case "cancel":
            cancellation.cancel(ctx.work, appointment_id, ctx.scope, body.reason)
