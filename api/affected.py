"""Open visits that a change concerns, as the answers to such changes list them."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field

from api.context import RequestContext
from practice.scheduling.appointments.affected import MAX_LISTED, AffectedVisits
from practice.scheduling.appointments.queries import load_names


class AffectedVisitOut(BaseModel):
    id: UUID
    reference: str
    starts_at: datetime
    client_id: UUID
    client_name: str
    clinician_id: UUID
    clinician_name: str


class AffectedOut(BaseModel):
    """The open visits that a change concerns. They stay booked: move or cancel them."""

    affected_count: Annotated[int, Field(description="Open visits that the change concerns.")]
    affected: Annotated[list[AffectedVisitOut], Field(description=f"The first {MAX_LISTED} of them by start.")]


def describe_affected(ctx: RequestContext, visits: AffectedVisits) -> dict[str, Any]:
    """Return the fields of `AffectedOut`, with the names of clients and clinicians."""
    names = load_names(ctx.work, visits.appointments)
    listed = [
        AffectedVisitOut(
            id=visit.id,
            reference=visit.reference,
            starts_at=visit.starts_at,
            client_id=visit.client_id,
            client_name=names.clients[visit.client_id],
            clinician_id=visit.clinician_id,
            clinician_name=names.staff[visit.clinician_id],
        )
        for visit in visits.appointments
    ]
    return {"affected_count": visits.count, "affected": listed}
