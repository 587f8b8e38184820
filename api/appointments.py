"""Appointments: booking, series, preview and lists."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from api.context import RequestContext, Version
from api.fields import Instant, MoneyOut, Short, Words
from api.responses import Input, ListQuery, PageOut, page_out, some_of
from api.routing import PermissionRouter
from practice.errors import Invalid, NotFound
from practice.people.access import is_within
from practice.scheduling.appointments import booking, queries, series, updates
from practice.scheduling.appointments.booking_request import Wanted
from practice.scheduling.appointments.queries import Filters, Names
from practice.scheduling.errors import BOOKING_REFUSALS, WrongStatus
from practice.scheduling.models.appointments import Appointment
from practice.security.permissions import Forbidden

router = PermissionRouter(tags=["appointments"])

Type = Literal[
    "INITIAL_EVALUATION",
    "FOLLOW_UP",
    "MEDICATION_MANAGEMENT",
    "THERAPY_SESSION",
    "GROUP_THERAPY",
    "FAMILY_THERAPY",
]
Status = Literal[
    "SCHEDULED", "CONFIRMED", "CHECKED_IN", "IN_PROGRESS", "COMPLETED", "NO_SHOW", "CANCELLED", "RESCHEDULED"
]
Me = Literal["me"]


class BookingIn(Input):
    """A client who books for themselves leaves `client_id` out, a seat in a group who, where and when."""

    client_id: UUID | None = None
    clinician_id: UUID | None = None
    service_code: Short
    starts_at: Instant | None = None
    room_id: UUID | None = None
    telehealth: bool = False
    type: Type | None = None
    group_session_id: UUID | None = None
    special_requests: Words | None = None
    instructions: Words | None = None


class SeriesIn(BookingIn):
    rule: Annotated[str, Field(max_length=200, description="An RRULE such as FREQ=WEEKLY;COUNT=10.")]
    skip_conflicts: bool = False


class AppointmentChange(Input):
    """Only what is sent is changed. Another time is a move, which has an address of its own."""

    room_id: UUID | None = None
    telehealth: bool = False
    type: Type = "THERAPY_SESSION"
    special_requests: Words | None = None
    instructions: Words | None = None


class AppointmentQuery(ListQuery):
    client: UUID | Me | None = None
    clinician: UUID | Me | None = None
    room: UUID | None = None
    status: Status | None = None
    since: Annotated[Instant | None, Field(alias="from", description="Starts from this instant on.")] = None
    until: Annotated[Instant | None, Field(alias="to", description="Starts before this instant.")] = None


class AppointmentOut(BaseModel):
    id: UUID
    reference: str
    client_id: UUID
    client_name: str
    clinician_id: UUID
    clinician_name: str
    service_code: str
    room_id: UUID | None
    room_name: str | None
    group_session_id: UUID | None
    series_id: UUID | None
    starts_at: datetime
    ends_at: datetime
    type: str
    status: str
    status_at: datetime | None
    created_at: datetime
    booked_via: str
    telehealth: bool
    arrived_at: datetime | None
    ready_at: datetime | None
    started_at: datetime | None
    actual_minutes: int | None
    cancellation_reason: str | None
    rescheduled_to_id: UUID | None
    special_requests: str | None
    instructions: str | None
    price: MoneyOut | None
    copay: MoneyOut | None
    version: int

    @classmethod
    def of(cls, appointment: Appointment, names: Names) -> "AppointmentOut":
        made = {"client_name", "clinician_name", "service_code", "room_name", "price", "copay", "cancellation_reason"}
        return cls(
            **{name: getattr(appointment, name) for name in cls.model_fields if name not in made},
            client_name=names.clients[appointment.client_id],
            clinician_name=names.staff[appointment.clinician_id],
            service_code=names.services[appointment.service_id],
            room_name=names.rooms.get(appointment.room_id) if appointment.room_id else None,
            price=appointment.price_cents,
            copay=appointment.copay_cents,
            cancellation_reason=appointment.cancellation_reason if names.for_staff else None,
        )


class CostOut(BaseModel):
    service_code: str
    cpt_code: str | None
    units: int
    minutes: int
    price: MoneyOut | None
    price_from: str | None
    copay: MoneyOut | None
    insurance_applies: bool

    @classmethod
    def of(cls, facts: Any, cost: Any) -> "CostOut":
        return cls(
            service_code=facts.row.service_code,
            cpt_code=facts.row.cpt_code,
            units=1,
            minutes=facts.row.length // timedelta(minutes=1),
            price=cost.cents if cost else None,
            price_from=cost.source if cost else None,
            copay=cost.copay_cents if cost else None,
            insurance_applies=bool(cost and cost.insurance),
        )


class BookedOut(BaseModel):
    appointment: AppointmentOut
    reference: str
    status: str
    payment_required: bool
    amount: MoneyOut | None
    warnings: list[str]


class ProblemOut(BaseModel):
    code: str
    sentence: str


class OccurrenceOut(BaseModel):
    starts_at: datetime
    status: Literal["booked", "skipped"]
    appointment_id: UUID | None
    reference: str | None
    problems: list[ProblemOut]


class SeriesOut(BaseModel):
    series_id: UUID
    rule: str
    occurrences: list[OccurrenceOut]
    warnings: list[str]


class PreviewOut(BaseModel):
    """What booking it would cost, and what speaks against it now."""

    cost: CostOut
    problems: list[ProblemOut]
    warnings: list[str]


class StepOut(BaseModel):
    status: str
    at: datetime
    account_id: UUID | None
    note: str | None


class StepsOut(BaseModel):
    items: list[StepOut]


AppointmentInList: Any = some_of(AppointmentOut)


def shown(ctx: RequestContext, *appointments: Appointment) -> list[AppointmentOut]:
    names = queries.names_for(ctx.work, appointments)
    return [AppointmentOut.of(appointment, names) for appointment in appointments]


def meant(ctx: RequestContext, who: UUID | Literal["me"] | None, me: UUID | None) -> UUID | None:
    if who == "me" and me is None:
        raise Forbidden("You have nothing of your own here; name somebody instead of `me`.")
    return me if who == "me" else who


NEEDED = {
    "client_id": "Say for whom (`client_id`).",
    "clinician_id": "Say with whom (`clinician_id`).",
    "starts_at": "Say when (`starts_at`).",
}


def wanted_by(ctx: RequestContext, body: BookingIn) -> Wanted:
    """Clients book for themselves and nobody else."""
    mine = ctx.actor.client_id
    given = body.model_dump(exclude={"rule", "skip_conflicts"})
    given["client_id"] = given["client_id"] or mine
    if mine is not None and given["client_id"] != mine:
        raise Forbidden("You can book for yourself only.")
    if body.group_session_id is not None:
        group = booking.group_of(ctx.work, body.group_session_id)
        for name in ("clinician_id", "room_id", "starts_at"):
            if given[name] not in (None, getattr(group, name)):
                raise Invalid([f"A seat has the clinician, room and time of its group; leave `{name}` out."])
            given[name] = getattr(group, name)
    unsaid = [sentence for name, sentence in NEEDED.items() if given[name] is None]
    if unsaid:
        raise Invalid(unsaid)
    return Wanted(**given)


def booked_out(ctx: RequestContext, booked: booking.Booked) -> BookedOut:
    [appointment] = shown(ctx, booked.appointment)
    cost = booked.cost
    due = None if cost is None else cost.copay_cents if cost.insurance else cost.cents
    return BookedOut(
        appointment=appointment,
        reference=appointment.reference,
        status=appointment.status,
        payment_required=bool(due),
        amount=due,
        warnings=booked.warnings,
    )


@router.get("/appointments", permission="appointments.read")
def list_appointments(ctx: RequestContext, query: Annotated[AppointmentQuery, Query()]) -> PageOut[AppointmentInList]:
    """Appointments, of one's own with `client=me` or `clinician=me`. Sorts by starts_at, created_at or id."""
    filters = Filters(
        client_id=meant(ctx, query.client, ctx.actor.client_id),
        clinician_id=meant(ctx, query.clinician, ctx.actor.staff_id),
        room_id=query.room,
        status=query.status,
        since=query.since,
        until=query.until,
    )
    found = queries.list_appointments(ctx.work, query.asked(), ctx.scope, filters)
    names = queries.names_for(ctx.work, found.items)
    whose = "client" if filters.client_id else None
    ctx.work.record("appointments.listed", whose, filters.client_id, count=len(found.items))
    return page_out(found, AppointmentOut, names)


@router.get("/clients/{client_id}/appointments", permission="appointments.read")
def list_client_appointments(
    ctx: RequestContext, client_id: UUID, query: Annotated[ListQuery, Query()]
) -> PageOut[AppointmentInList]:
    """A client's appointments. Sorts by starts_at, created_at or id."""
    if not is_within(ctx.work, ctx.scope, client_id):
        raise NotFound
    found = queries.list_appointments(ctx.work, query.asked(), ctx.scope, Filters(client_id=client_id))
    names = queries.names_for(ctx.work, found.items)
    ctx.work.record("appointments.listed", "client", client_id, count=len(found.items))
    return page_out(found, AppointmentOut, names)


@router.post("/appointments", permission="appointments.book", status_code=201, errors=BOOKING_REFUSALS)
def book_appointment(ctx: RequestContext, body: BookingIn) -> BookedOut:
    """Book a time. What speaks against it comes all at once, with up to five alternatives when it is taken."""
    return booked_out(ctx, booking.book(ctx.work, wanted_by(ctx, body)))


@router.post("/appointments/series", permission="appointments.write", status_code=201, errors=BOOKING_REFUSALS)
def book_series(ctx: RequestContext, body: SeriesIn) -> SeriesOut:
    """Book by a rule, at the same local time throughout: all of it or nothing, unless conflicts are to be skipped."""
    made = series.book_series(ctx.work, wanted_by(ctx, body), body.rule, skip_conflicts=body.skip_conflicts)
    return SeriesOut(
        series_id=made.series.id,
        rule=made.series.rule,
        warnings=made.warnings,
        occurrences=[
            OccurrenceOut(
                starts_at=one.starts_at,
                status=one.status,
                appointment_id=one.appointment.id if one.appointment else None,
                reference=one.appointment.reference if one.appointment else None,
                problems=[ProblemOut(**problem._asdict()) for problem in one.problems],
            )
            for one in made.occurrences
        ],
    )


@router.post("/appointments/preview", permission="appointments.book")
def preview_appointment(ctx: RequestContext, body: BookingIn) -> PreviewOut:
    """What it would cost and whether it could be booked, without booking it."""
    found = booking.preview(ctx.work, wanted_by(ctx, body))
    return PreviewOut(
        cost=CostOut.of(found.facts, found.cost),
        problems=[ProblemOut(**problem._asdict()) for problem in found.problems],
        warnings=found.warnings,
    )


@router.get("/appointments/{appointment_id}", permission="appointments.read")
def get_appointment(ctx: RequestContext, appointment_id: UUID) -> AppointmentOut:
    """One appointment."""
    return shown(ctx, queries.get_appointment(ctx.work, appointment_id, ctx.scope))[0]


@router.patch(
    "/appointments/{appointment_id}", permission="appointments.write", errors=[*BOOKING_REFUSALS, WrongStatus]
)
def change_appointment(
    ctx: RequestContext, appointment_id: UUID, version: Version, body: AppointmentChange
) -> AppointmentOut:
    """Change its room, requests or instructions. For another time move it."""
    changes = body.model_dump(exclude_unset=True)
    return shown(ctx, updates.change_appointment(ctx.work, appointment_id, ctx.scope, version, changes))[0]


@router.get("/appointments/{appointment_id}/steps", permission="appointments.read")
def list_appointment_steps(ctx: RequestContext, appointment_id: UUID) -> StepsOut:
    """Who took it to which status, and when."""
    found = queries.steps_of(ctx.work, appointment_id, ctx.scope)
    for_staff = ctx.actor.client_id is None
    return StepsOut(
        items=[
            StepOut(
                status=one.status,
                at=one.at,
                account_id=one.account_id if for_staff else None,
                note=ctx.work.unseal("appointment_steps", "note", one.id, one.note) if for_staff else None,
            )
            for one in found
        ]
    )
