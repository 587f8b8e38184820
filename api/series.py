"""Routes of series: appointments of one recurrence rule, booked together."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from api.appointments import AppointmentOut, BookingIn, BookingProblemOut, to_booking_request
from api.context import RequestContext
from api.fields import EXAMPLE_ID, AppointmentId, ClientId, ClinicianId, CreatedAt, ServiceId, describe, example
from api.names import ClientName, ServiceCode, ServiceName, StaffName, from_record
from api.routing import PermissionRouter
from practice.scheduling.appointments import series
from practice.scheduling.errors import BOOKING_REFUSALS

router = PermissionRouter(prefix="/appointments/series", tags=["appointments"])


class SeriesIn(BookingIn):
    model_config = example(
        client_id=EXAMPLE_ID,
        clinician_id=EXAMPLE_ID,
        service_code="IND45",
        starts_at="2026-03-20T10:00:00-04:00",
        rule="FREQ=WEEKLY;COUNT=10",
    )

    rule: Annotated[str, Field(max_length=200, description="An RRULE such as FREQ=WEEKLY;COUNT=10.")]
    skip_conflicts: Annotated[bool, describe("Book the occurrences that are possible, instead of all or none.")] = False


class OccurrenceOut(BaseModel):
    starts_at: Annotated[datetime, describe("When it begins.")]
    status: Annotated[Literal["booked", "skipped"], describe("Whether this occurrence was booked or skipped.")]
    appointment_id: AppointmentId | None
    reference: Annotated[str | None, describe("The booking reference, which people can say on the phone.")]
    problems: Annotated[list[BookingProblemOut], describe("Why it was skipped.")]


class SeriesOut(BaseModel):
    series_id: Annotated[UUID, describe("The series that it belongs to.")]
    rule: Annotated[str, describe("The recurrence rule.")]
    occurrences: Annotated[list[OccurrenceOut], describe("All occurrences, in the order of time.")]
    warnings: Annotated[list[str], describe("What to see to, although the booking is possible.")]


class SeriesDetailsOut(BaseModel):
    series_id: Annotated[UUID, describe("The series that it belongs to.")]
    rule: Annotated[str, describe("The recurrence rule.")]
    client_id: ClientId
    client_name: ClientName = None
    clinician_id: ClinicianId
    clinician_name: StaffName = None
    service_id: ServiceId
    service_code: ServiceCode = None
    service_name: ServiceName = None
    first_starts_at: Annotated[datetime, describe("When the first appointment begins.")]
    created_at: CreatedAt
    appointments: Annotated[list[AppointmentOut], describe("Its appointments, in the order of time.")]


@router.post("", permission="appointments.write", status_code=201, errors=BOOKING_REFUSALS)
def book_series(ctx: RequestContext, body: SeriesIn) -> SeriesOut:
    """Book a series of appointments.

    The rule repeats the same local time. Nothing is booked unless every occurrence can be, or `skip_conflicts` is set.
    """
    result = series.book_series(ctx.work, to_booking_request(ctx, body), body.rule, skip_conflicts=body.skip_conflicts)
    return SeriesOut(
        series_id=result.series.id,
        rule=result.series.rule,
        warnings=result.warnings,
        occurrences=[
            OccurrenceOut(
                starts_at=occurrence.starts_at,
                status=occurrence.status,
                appointment_id=occurrence.appointment.id if occurrence.appointment else None,
                reference=occurrence.appointment.reference if occurrence.appointment else None,
                problems=[BookingProblemOut(**problem._asdict()) for problem in occurrence.problems],
            )
            for occurrence in result.occurrences
        ],
    )


@router.get("/{series_id}", permission="appointments.read")
def get_series(ctx: RequestContext, series_id: UUID) -> SeriesDetailsOut:
    """Get a series.

    With all its appointments in order of time, moved and cancelled ones included.
    """
    view = series.get_series(ctx.work, ctx.scope, series_id)
    appointments = [AppointmentOut.of(appointment, ctx) for appointment in view.appointments]
    return from_record(SeriesDetailsOut, view.series, series_id=view.series.id, appointments=appointments)
