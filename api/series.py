"""Routes of series: appointments of one recurrence rule, booked together."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from api.appointments import AppointmentOut, BookingIn, ProblemOut, to_booking_request
from api.context import RequestContext
from api.names import ClientName, ServiceCode, ServiceName, StaffName, from_record
from api.routing import PermissionRouter
from practice.scheduling.appointments import series
from practice.scheduling.errors import BOOKING_REFUSALS

router = PermissionRouter(prefix="/appointments/series", tags=["appointments"])


class SeriesIn(BookingIn):
    rule: Annotated[str, Field(max_length=200, description="An RRULE such as FREQ=WEEKLY;COUNT=10.")]
    skip_conflicts: bool = False


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


class SeriesDetailsOut(BaseModel):
    series_id: UUID
    rule: str
    client_id: UUID
    client_name: ClientName = None
    clinician_id: UUID
    clinician_name: StaffName = None
    service_id: UUID
    service_code: ServiceCode = None
    service_name: ServiceName = None
    first_starts_at: datetime
    created_at: datetime
    appointments: list[AppointmentOut]


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
                problems=[ProblemOut(**problem._asdict()) for problem in occurrence.problems],
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
