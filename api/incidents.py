"""Routes of incidents and their breach notices."""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from api.context import RequestContext, Version
from api.fields import Day, Instant, Text40, Text4000
from api.names import PersonOf, from_record
from api.responses import Input, ListQuery, PageOut, VoidIn, partial_model, to_page
from api.routing import PermissionRouter
from practice.people import incidents
from practice.people.incidents import AlreadyResponded, IncidentView, NoticeSent

router = PermissionRouter(prefix="/incidents", tags=["incidents"])

People = Annotated[int, Field(ge=0, le=10**9)]
Status = Literal["OPEN", "RESPONDED", "NOTICES_DUE", "CLOSED"]


class IncidentIn(Input):
    kind: Text40
    detected_at: Instant
    summary: Text4000
    people_affected: People | None = None


class IncidentChange(Input):
    """Only the fields sent are changed. Notices follow from the number of people affected and the date of detection."""

    kind: Text40 = ""
    detected_at: Instant = datetime.min.replace(tzinfo=UTC)
    summary: Text4000 = ""
    people_affected: People | None = None


class IncidentQuery(ListQuery):
    status: Literal["open", "closed"] | None = None
    first: Annotated[Day | None, Field(alias="from", description="Detected on this local date or later.")] = None
    last: Annotated[Day | None, Field(alias="to", description="Detected on this local date or earlier.")] = None
    voided: bool = False


class ResponseIn(Input):
    """Default: now."""

    responded_at: Instant | None = None


class SentIn(Input):
    sent_on: date


class NoticeOut(BaseModel):
    id: UUID
    recipients: Literal["INDIVIDUALS", "AUTHORITY", "MEDIA"]
    due_on: date
    sent_on: date | None


class IncidentSummary(BaseModel):
    id: UUID
    kind: str
    status: Status
    detected_at: datetime
    responded_at: datetime | None
    people_affected: int | None
    notices: list[NoticeOut]
    voided_at: datetime | None
    voided_by: UUID | None
    voided_by_person: PersonOf = None
    void_reason: str | None
    version: int

    @classmethod
    def of(cls, seen: IncidentView) -> Self:
        notices = [from_record(NoticeOut, notice) for notice in seen.notices]
        summary = {"summary": seen.summary} if "summary" in cls.model_fields else {}
        return from_record(cls, seen.incident, **summary, status=seen.status, notices=notices)


class IncidentOut(IncidentSummary):
    summary: str | None


IncidentInList: Any = partial_model(IncidentSummary)


@router.get("", permission="incidents.read")
def list_incidents(ctx: RequestContext, query: Annotated[IncidentQuery, Query()]) -> PageOut[IncidentInList]:
    """List incidents.

    Without their summaries, latest first. Sorts by detected_at or id.
    """
    page = incidents.list_incidents(
        ctx.work,
        query.page_request(),
        is_open=None if query.status is None else query.status == "open",
        first=query.first,
        last=query.last,
        voided=query.voided,
    )
    return to_page(page, IncidentSummary)


@router.post("", permission="incidents.report", status_code=201)
def report_incident(ctx: RequestContext, body: IncidentIn) -> IncidentOut:
    """Report an incident.

    A breach, or what may be one. The notices due follow from the number of people affected.
    """
    return IncidentOut.of(incidents.report_incident(ctx.work, **body.model_dump()))


@router.get("/{incident_id}", permission="incidents.read")
def get_incident(ctx: RequestContext, incident_id: UUID) -> IncidentOut:
    """Get an incident."""
    return IncidentOut.of(incidents.get_incident(ctx.work, incident_id))


@router.patch("/{incident_id}", permission="incidents.write")
def change_incident(ctx: RequestContext, incident_id: UUID, version: Version, body: IncidentChange) -> IncidentOut:
    """Change an incident."""
    changes = body.model_dump(exclude_unset=True)
    return IncidentOut.of(incidents.change_incident(ctx.work, incident_id, version, changes))


@router.post("/{incident_id}/respond", permission="incidents.write", errors=[AlreadyResponded])
def respond_to_incident(ctx: RequestContext, incident_id: UUID, body: ResponseIn) -> IncidentOut:
    """Record the response to an incident."""
    return IncidentOut.of(incidents.respond_to_incident(ctx.work, incident_id, body.responded_at))


@router.post("/{incident_id}/notices/{notice_id}/sent", permission="incidents.write", errors=[NoticeSent])
def record_notice_sent(ctx: RequestContext, incident_id: UUID, notice_id: UUID, body: SentIn) -> IncidentOut:
    """Record a notice as sent."""
    return IncidentOut.of(incidents.record_notice_sent(ctx.work, incident_id, notice_id, body.sent_on))


@router.delete("/{incident_id}", permission="incidents.write", status_code=204)
def void_incident(ctx: RequestContext, incident_id: UUID, body: VoidIn) -> None:
    """Void an incident.

    It stays on record with who, when and why. Do not put personal data in `reason`.
    """
    incidents.void_incident(ctx.work, incident_id, body.reason)
