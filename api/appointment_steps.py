"""What is done to an appointment: confirm, check in, ready, start, complete, no-show, cancel, move; and in bulk."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.appointments import AppointmentOut, shown
from api.deps import Desk, Invalid, endpoint
from api.fields import Instant, Words
from api.notes import ContentIn, Type
from api.responses import Input
from practice.clinical.errors import NoteLocked
from practice.errors import Refusal
from practice.scheduling import cancellation, rescheduling
from practice.scheduling.appointments import lifecycle
from practice.scheduling.errors import BOOKING_REFUSALS, ConsentMissing, DemographicsMissing, TooLate, WrongStatus
from practice.sessions.completion import Written, complete

router = APIRouter(prefix="/appointments", tags=["appointments"])

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


@endpoint(router, "POST", "/{appointment_id}/confirm", may="appointments.status", refusals=[WrongStatus])
def confirm_appointment(desk: Desk, appointment_id: UUID, body: Noted) -> AppointmentOut:
    """The client says that they will come."""
    return shown(desk, lifecycle.confirm(desk.work, appointment_id, desk.scope, body.note))[0]


@endpoint(
    router, "POST", "/{appointment_id}/check-in", may="appointments.status", refusals=[WrongStatus, ConsentMissing]
)
def check_in_appointment(desk: Desk, appointment_id: UUID, body: Noted) -> CheckInOut:
    """The client has arrived. `asks` is what the desk still needs from them."""
    found = lifecycle.check_in(desk.work, appointment_id, desk.scope, body.note)
    return CheckInOut(appointment=shown(desk, found.appointment)[0], asks=found.asks)


@endpoint(router, "POST", "/{appointment_id}/ready", may="appointments.status", refusals=[WrongStatus])
def ready_appointment(desk: Desk, appointment_id: UUID) -> AppointmentOut:
    """The clinician is ready for the client who has arrived."""
    return shown(desk, lifecycle.ready(desk.work, appointment_id, desk.scope))[0]


@endpoint(router, "POST", "/{appointment_id}/start", may="appointments.status", refusals=[WrongStatus])
def start_appointment(desk: Desk, appointment_id: UUID, body: Noted) -> AppointmentOut:
    """The session begins."""
    return shown(desk, lifecycle.start(desk.work, appointment_id, desk.scope, body.note))[0]


@endpoint(
    router,
    "POST",
    "/{appointment_id}/complete",
    may="appointments.status",
    refusals=[WrongStatus, ConsentMissing, DemographicsMissing, NoteLocked],
)
def complete_appointment(desk: Desk, appointment_id: UUID, body: Completion) -> AppointmentOut:
    """The session took place: its price is fixed now, it counts for pay, and its clinician can begin its note."""
    written = body.clinical_note.written() if body.clinical_note else None
    completed = complete(desk.work, appointment_id, desk.scope, body.actual_minutes, body.note, written)
    return shown(desk, completed)[0]


@endpoint(router, "POST", "/{appointment_id}/no-show", may="appointments.status", refusals=[WrongStatus])
def no_show_appointment(desk: Desk, appointment_id: UUID, body: Noted) -> AppointmentOut:
    """The client did not come."""
    return shown(desk, lifecycle.no_show(desk.work, appointment_id, desk.scope, body.note))[0]


@endpoint(router, "POST", "/{appointment_id}/cancel", may="appointments.cancel", refusals=[WrongStatus, TooLate])
def cancel_appointment(desk: Desk, appointment_id: UUID, body: Cancellation) -> AppointmentsOut:
    """Cancel it: staff at any time with a reason, clients until 24 hours before (or as the practice has set)."""
    found = cancellation.cancel(desk.work, appointment_id, desk.scope, body.reason, body.which)
    return AppointmentsOut(items=shown(desk, *found))


@endpoint(
    router,
    "POST",
    "/{appointment_id}/reschedule",
    may="appointments.move",
    status=201,
    refusals=[*BOOKING_REFUSALS, WrongStatus, TooLate],
)
def reschedule_appointment(desk: Desk, appointment_id: UUID, body: Move) -> AppointmentsOut:
    """Move it: the old one is closed and the answer holds the new one, or nothing happens."""
    changes = body.model_dump(include={"clinician_id", "room_id"}, exclude_unset=True)
    if "clinician_id" in changes and body.clinician_id is None:
        raise Invalid(["An appointment is with somebody (`clinician_id`)."])
    found = rescheduling.move(desk.work, appointment_id, desk.scope, body.starts_at, body.which, changes)
    return AppointmentsOut(items=shown(desk, *found))


@endpoint(router, "POST", "/bulk", may="appointments.write", refusals=[WrongStatus])
def change_many_appointments(desk: Desk, body: Bulk) -> BulkOut:
    """The same step for several: each is done, or says why not."""
    results = []
    lifecycle.lock_all(desk.work, body.appointment_ids, desk.scope)
    for appointment_id in dict.fromkeys(body.appointment_ids):
        try:
            with desk.work.db.begin_nested():
                take_step(desk, body, appointment_id)
            results.append(BulkResult(appointment_id=appointment_id, done=True, code=None, message=None))
        except Refusal as no:
            results.append(BulkResult(appointment_id=appointment_id, done=False, code=no.code, message=no.message))
    return BulkOut(items=results)


def take_step(desk: Desk, body: Bulk, appointment_id: UUID) -> None:
    match body.action:
        case "confirm":
            lifecycle.confirm(desk.work, appointment_id, desk.scope)
        case "check-in":
            lifecycle.check_in(desk.work, appointment_id, desk.scope)
        case "no-show":
            lifecycle.no_show(desk.work, appointment_id, desk.scope)
        case "cancel":
            cancellation.cancel(desk.work, appointment_id, desk.scope, body.reason)
