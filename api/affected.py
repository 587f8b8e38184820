"""Open visits that a change concerns, as the answers to such changes list them."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field

from api.fields import ClientId, ClinicianId, RecordId, RoomId, describe
from api.names import ClientName, RoomName, StaffName, from_record
from practice.scheduling.appointments.affected import MAX_LISTED, AffectedVisits


class AffectedVisitOut(BaseModel):
    id: RecordId
    reference: Annotated[str, describe("The booking reference, which people can say on the phone.")]
    starts_at: Annotated[datetime, describe("When it begins.")]
    client_id: ClientId
    client_name: ClientName = None
    clinician_id: ClinicianId
    clinician_name: StaffName = None


class AffectedGroupOut(BaseModel):
    """A group session without seats."""

    id: RecordId
    starts_at: Annotated[datetime, describe("When it begins.")]
    clinician_id: ClinicianId
    clinician_name: StaffName = None
    room_id: RoomId | None
    room_name: RoomName = None


class AffectedOut(BaseModel):
    """The open visits that a change concerns. They stay booked: move or cancel them."""

    affected_count: Annotated[int, Field(description="Open visits that the change concerns.")]
    affected: Annotated[list[AffectedVisitOut], Field(description=f"The first {MAX_LISTED} of them by start.")]
    affected_groups: Annotated[
        list[AffectedGroupOut],
        Field(
            description="Group sessions without seats that are in the room, on the day or of the clinician, at most "
            f"{MAX_LISTED}. They stay open too: move or cancel them."
        ),
    ]


def describe_affected(visits: AffectedVisits) -> dict[str, Any]:
    """Return the fields of `AffectedOut`."""
    listed = [from_record(AffectedVisitOut, visit) for visit in visits.appointments]
    groups = [from_record(AffectedGroupOut, group) for group in visits.groups]
    return {"affected_count": visits.count, "affected": listed, "affected_groups": groups}
