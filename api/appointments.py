"""Routes of appointments: booking, preview, lists and status history."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from api.context import RequestContext, Version
from api.costs import AmountDue, CostOut, PaymentRequired, describe_payment
from api.fields import (
    EXAMPLE_ID,
    ClientId,
    ClinicianId,
    CreatedAt,
    IdOrMe,
    Instant,
    MoneyOut,
    RecordId,
    RecordVersion,
    RoomId,
    ServiceId,
    Text40,
    Text1000,
    describe,
    example,
)
from api.filters import StartsQuery, resolve_me
from api.intake import IntakeAnswersIn, IntakeState
from api.names import ClientName, PersonOf, RoomName, ServiceCode, ServiceName, StaffName, from_record
from api.responses import Input, PageOut, partial_model, to_page
from api.routing import PermissionRouter
from practice.errors import FieldProblem, Invalid, NotFound
from practice.people.access import can_see_client
from practice.people.consents import GuardianSigns
from practice.people.models.clients import IntakeForm
from practice.scheduling.appointments import booking, queries, updates
from practice.scheduling.appointments.booking_request import BookingRequest
from practice.scheduling.appointments.groups import load_group_session
from practice.scheduling.appointments.queries import Filters
from practice.scheduling.catalog.services import load_service_codes
from practice.scheduling.errors import BOOKING_REFUSALS, WrongStatus
from practice.scheduling.intake import book_with_intake
from practice.scheduling.models.appointments import Appointment, AppointmentStep
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


class BookingIn(Input):
    """A client may omit `client_id`; a seat has the service, clinician, room and time of its group session."""

    model_config = example(
        client_id=EXAMPLE_ID, clinician_id=EXAMPLE_ID, service_code="IND45", starts_at="2026-03-20T10:00:00-04:00"
    )

    client_id: Annotated[UUID | None, describe("The client; a client books for themselves.")] = None
    clinician_id: Annotated[UUID | None, describe("The clinician; not for a seat in a group session.")] = None
    service_code: Annotated[
        Text40 | None, describe("The code of the service in the catalog; not for a seat in a group session.")
    ] = None
    starts_at: Annotated[Instant | None, describe("When it begins; the end follows from the service.")] = None
    room_id: RoomId | None = None
    telehealth: Annotated[bool, describe("Held by video.")] = False
    type: Annotated[Type | None, describe("The type of appointment; by default it follows from the service.")] = None
    group_session_id: Annotated[UUID | None, describe("The group session to take a seat in.")] = None
    special_requests: Annotated[Text1000 | None, describe("What the client asks for.")] = None
    instructions: Annotated[Text1000 | None, describe("What the practice tells the client.")] = None


class AppointmentIn(BookingIn):
    intake: Annotated[IntakeAnswersIn | None, Field(description="Intake answers of the client, saved with it.")] = None


class AppointmentChange(Input):
    """Only the fields sent are changed. To change the time use `/reschedule`."""

    model_config = example(telehealth=True)

    room_id: RoomId | None = None
    telehealth: Annotated[bool, describe("Held by video.")] = False
    type: Annotated[Type, describe("The type of appointment.")] = "THERAPY_SESSION"
    special_requests: Annotated[Text1000 | None, describe("What the client asks for.")] = None
    instructions: Annotated[Text1000 | None, describe("What the practice tells the client.")] = None


class ClientAppointmentQuery(StartsQuery):
    reference: Annotated[
        Text40 | None, Field(description="With exactly this booking reference, in large or small letters.")
    ] = None
    clinician_id: Annotated[IdOrMe | None, Field(description="A clinician's id, or `me` for yourself.")] = None
    room_id: Annotated[UUID | None, Field(description="In this room.")] = None
    series_id: Annotated[UUID | None, Field(description="Of this series.")] = None
    status: Annotated[Status | None, Field(description="With this status.")] = None
    outside_hours: Annotated[
        bool,
        Field(description="Only open visits ahead outside the clinician's hours, on closures, or after they left."),
    ] = False

    def to_filters(self, ctx: RequestContext, client_id: UUID | None) -> Filters:
        """Return the filters of the query."""
        return Filters(
            reference=self.reference,
            client_id=client_id,
            clinician_id=resolve_me(self.clinician_id, ctx.actor.staff_id),
            room_id=self.room_id,
            series_id=self.series_id,
            statuses=None if self.status is None else [self.status],
            outside_hours=self.outside_hours,
            **self.to_span(ctx.work),
        )


class AppointmentQuery(ClientAppointmentQuery):
    client_id: Annotated[IdOrMe | None, Field(description="A client's id, or `me` for yourself.")] = None


class AppointmentOut(BaseModel):
    id: RecordId
    reference: Annotated[str, describe("The booking reference, which people can say on the phone.")]
    client_id: ClientId
    client_name: ClientName = None
    clinician_id: ClinicianId
    clinician_name: StaffName = None
    service_id: ServiceId
    service_code: ServiceCode = None
    service_name: ServiceName = None
    room_id: RoomId | None
    room_name: RoomName = None
    group_session_id: Annotated[UUID | None, describe("The group session in which this is a seat.")]
    series_id: Annotated[UUID | None, describe("The series that it belongs to.")]
    starts_at: Annotated[datetime, describe("When it begins.")]
    ends_at: Annotated[datetime, describe("When it ends, by the minutes of the service.")]
    type: Annotated[str, describe("The type of appointment.")]
    status: Annotated[str, describe("Where it stands: `SCHEDULED` to `COMPLETED`, or an end without a session.")]
    status_at: Annotated[datetime | None, describe("When it got its status.")]
    created_at: CreatedAt
    booked_via: Annotated[str, describe("Who booked it: `FRONT_DESK`, `PORTAL`, `CLINICIAN` or `SYNC`.")]
    telehealth: Annotated[bool, describe("Held by video.")]
    arrived_at: Annotated[datetime | None, describe("When the client arrived.")]
    ready_at: Annotated[datetime | None, describe("When the clinician was ready.")]
    started_at: Annotated[datetime | None, describe("When the session began.")]
    actual_minutes: Annotated[int | None, describe("How long the session lasted, in minutes.")]
    cancellation_reason: Annotated[str | None, describe("Why it was cancelled.")]
    rescheduled_to_id: Annotated[UUID | None, describe("The appointment that replaces it.")]
    special_requests: Annotated[str | None, describe("What the client asks for.")]
    instructions: Annotated[str | None, describe("What the practice tells the client.")]
    price: Annotated[MoneyOut | None, Field(description="Fixed at completion; null before.")]
    copay: Annotated[MoneyOut | None, Field(description="Fixed at completion; null before, or when it is not known.")]
    version: RecordVersion

    @classmethod
    def of(cls, appointment: Appointment, ctx: RequestContext, **more: Any) -> Self:
        """Return the appointment as the caller may see it: the reason of a cancellation is for staff only."""
        hidden = {} if ctx.actor.client_id is None else {"cancellation_reason": None}
        money = {"price": appointment.price_cents, "copay": appointment.copay_cents}
        return from_record(cls, appointment, **money, **hidden, **more)


class BookedOut(BaseModel):
    appointment: Annotated[AppointmentOut, describe("The appointment.")]
    reference: Annotated[str, describe("The booking reference, which people can say on the phone.")]
    status: Annotated[str, describe("Its status.")]
    payment_required: PaymentRequired
    amount: AmountDue
    warnings: Annotated[list[str], describe("What to see to, although the booking is possible.")]
    intake_form: Annotated[IntakeState | None, describe("The client's intake form, if the booking came with answers.")]

    @classmethod
    def of(cls, ctx: RequestContext, booked: booking.BookingResult, form: IntakeForm | None = None) -> "BookedOut":
        [appointment] = to_response(ctx, booked.appointment)
        return cls(
            appointment=appointment,
            reference=appointment.reference,
            status=appointment.status,
            warnings=booked.warnings,
            **describe_payment(booked.cost),
            intake_form=IntakeState.of(form) if form else None,
        )


class BookingProblemOut(BaseModel):
    code: Annotated[str, describe("A stable code of the problem.")]
    message: Annotated[str, describe("What is wrong and what to do.")]


class BookingPreviewOut(BaseModel):
    """The cost of a booking and the problems that prevent it now."""

    cost: Annotated[CostOut, describe("What it would cost.")]
    problems: Annotated[list[BookingProblemOut], describe("What prevents the booking now; empty if nothing.")]
    warnings: Annotated[list[str], describe("What to see to, although the booking is possible.")]


class StatusChangeOut(BaseModel):
    status: Annotated[str, describe("The status from then on.")]
    at: Annotated[datetime, describe("When it happened.")]
    account_id: Annotated[UUID | None, describe("Who changed it; null for an import or the system.")]
    person: PersonOf = None
    note: Annotated[str | None, describe("What was noted about the step.")]
    consent_override_reason: Annotated[
        str | None, describe("Why the visit went on without an informed or guardian's consent.")
    ]


class StatusHistoryOut(BaseModel):
    items: Annotated[list[StatusChangeOut], describe("The changes of status, oldest first.")]


AppointmentInList: Any = partial_model(AppointmentOut)


def to_response(ctx: RequestContext, *appointments: Appointment) -> list[AppointmentOut]:
    """Return the appointments as the caller may see them."""
    return [AppointmentOut.of(appointment, ctx) for appointment in appointments]


REQUIRED = {
    "client_id": "Missing client. Send `client_id`.",
    "clinician_id": "Missing clinician. Send `clinician_id`.",
    "service_code": "Missing service. Send `service_code`.",
    "starts_at": "Missing time. Send `starts_at`.",
}


def to_booking_request(ctx: RequestContext, body: BookingIn) -> BookingRequest:
    """Return the booking request with the values that the caller or the group session implies.

    Raise Forbidden when a client books for somebody else, and Invalid when a value is missing.
    """
    own_id = ctx.actor.client_id
    values = body.model_dump(exclude={"rule", "skip_conflicts", "intake"})
    values["client_id"] = values["client_id"] or own_id
    if own_id is not None and values["client_id"] != own_id:
        raise Forbidden("You can book for yourself only. Leave `client_id` out.")
    practice_fields = [name for name in ("room_id", "instructions") if values[name] is not None]
    if own_id is not None and practice_fields:
        message = "The practice chooses the room and gives instructions. Leave this out."
        raise Invalid([FieldProblem(name, message) for name in practice_fields])
    if body.group_session_id is not None:
        group = load_group_session(ctx.work, body.group_session_id)
        for name in ("clinician_id", "room_id", "starts_at"):
            if values[name] not in (None, getattr(group, name)):
                message = f"A seat has the clinician, room and time of its group session. Leave `{name}` out."
                raise Invalid([FieldProblem(name, message)])
            values[name] = getattr(group, name)
        if body.service_code is None:
            values["service_code"] = load_service_codes(ctx.work, [group.service_id])[group.service_id]
    missing = [FieldProblem(name, message) for name, message in REQUIRED.items() if values[name] is None]
    if missing:
        raise Invalid(missing)
    return BookingRequest(**values)


@router.get("/appointments", permission="appointments.read")
def list_appointments(ctx: RequestContext, query: Annotated[AppointmentQuery, Query()]) -> PageOut[AppointmentInList]:
    """List appointments.

    Send `me` as `client_id` or `clinician_id` for your own. Sorts by starts_at, created_at or id.
    """
    filters = query.to_filters(ctx, resolve_me(query.client_id, ctx.actor.client_id))
    page = queries.list_appointments(ctx.work, ctx.scope, query.page_request(), filters)
    return to_page(page, AppointmentOut, ctx)


@router.get("/clients/{client_id}/appointments", permission="appointments.read")
def list_client_appointments(
    ctx: RequestContext, client_id: UUID, query: Annotated[ClientAppointmentQuery, Query()]
) -> PageOut[AppointmentInList]:
    """List a client's appointments.

    Sorts by starts_at, created_at or id.
    """
    if not can_see_client(ctx.work, ctx.scope, client_id):
        raise NotFound
    page = queries.list_appointments(ctx.work, ctx.scope, query.page_request(), query.to_filters(ctx, client_id))
    return to_page(page, AppointmentOut, ctx)


@router.post(
    "/appointments", permission="appointments.book", status_code=201, errors=[*BOOKING_REFUSALS, GuardianSigns]
)
def book_appointment(ctx: RequestContext, body: AppointmentIn) -> BookedOut:
    """Book an appointment.

    A refusal lists every problem, with up to five alternatives when the time is taken.
    """
    answers = body.intake.model_dump(exclude_none=True) if body.intake else None
    return BookedOut.of(ctx, *book_with_intake(ctx.work, to_booking_request(ctx, body), answers))


@router.post("/appointments/preview", permission="appointments.book")
def preview_appointment(ctx: RequestContext, body: BookingIn) -> BookingPreviewOut:
    """Preview a booking.

    Returns its cost and every problem that prevents it now.
    """
    preview = booking.preview(ctx.work, to_booking_request(ctx, body))
    return BookingPreviewOut(
        cost=CostOut.of(preview.context, preview.cost),
        problems=[BookingProblemOut(**problem._asdict()) for problem in preview.problems],
        warnings=preview.warnings,
    )


@router.get("/appointments/{appointment_id}", permission="appointments.read")
def get_appointment(ctx: RequestContext, appointment_id: UUID) -> AppointmentOut:
    """Get an appointment."""
    return to_response(ctx, queries.get_appointment(ctx.work, ctx.scope, appointment_id))[0]


@router.patch(
    "/appointments/{appointment_id}", permission="appointments.write", errors=[*BOOKING_REFUSALS, WrongStatus]
)
def change_appointment(
    ctx: RequestContext, appointment_id: UUID, version: Version, body: AppointmentChange
) -> AppointmentOut:
    """Change an appointment.

    Changes room, telehealth, type, requests or instructions. To change the time, reschedule it.
    """
    changes = body.model_dump(exclude_unset=True)
    return to_response(ctx, updates.change_appointment(ctx.work, ctx.scope, appointment_id, version, changes))[0]


@router.get("/appointments/{appointment_id}/status-history", permission="appointments.read")
def list_status_history(ctx: RequestContext, appointment_id: UUID) -> StatusHistoryOut:
    """List the status history of an appointment.

    Who set which status, and when.
    """
    steps = queries.list_steps(ctx.work, ctx.scope, appointment_id)
    for_staff = ctx.actor.client_id is None

    def unseal(step: AppointmentStep, column: str) -> str | None:
        sealed = getattr(step, column)
        return ctx.work.unseal("appointment_steps", column, step.id, sealed) if for_staff else None

    return StatusHistoryOut(
        items=[
            StatusChangeOut(
                status=step.status,
                at=step.at,
                account_id=step.account_id if for_staff else None,
                note=unseal(step, "note"),
                consent_override_reason=unseal(step, "consent_override_reason"),
            )
            for step in steps
        ]
    )
