"""Open visits that a change concerns, as the answers to such changes list them."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field

from api.fields import ClientId, ClinicianId, RecordId, describe
from api.names import ClientName, StaffName, from_record
from practice.scheduling.appointments.affected import MAX_LISTED, AffectedVisits


class AffectedVisitOut(BaseModel):
    id: RecordId
    reference: Annotated[str, describe("The booking reference, which people can say on the phone.")]
    starts_at: Annotated[datetime, describe("When it begins.")]
    client_id: ClientId
    client_name: ClientName = None
    clinician_id: ClinicianId
    clinician_name: StaffName = None


class AffectedOut(BaseModel):
    """The open visits that a change concerns. They stay booked: move or cancel them."""

    affected_count: Annotated[int, Field(description="Open visits that the change concerns.")]
    affected: Annotated[list[AffectedVisitOut], Field(description=f"The first {MAX_LISTED} of them by start.")]


def describe_affected(visits: AffectedVisits) -> dict[str, Any]:
    """Return the fields of `AffectedOut`."""
    listed = [from_record(AffectedVisitOut, visit) for visit in visits.appointments]
    return {"affected_count": visits.count, "affected": listed}
