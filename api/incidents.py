"""Incidents, and the notices that they call for."""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, Self, cast
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from api.context import RequestContext, Version
from api.fields import Day, Instant, Short, Why, Written
from api.responses import Input, ListQuery, PageOut, page_out, some_of
from api.routing import PermissionRouter
from practice.people import incidents
from practice.people.incidents import AlreadyResponded, NoticeSent, Seen

router = PermissionRouter(prefix="/incidents", tags=["incidents"])

People = Annotated[int, Field(ge=0, le=10**9)]
Status = Literal["OPEN", "RESPONDED", "NOTICES_DUE", "CLOSED"]


class IncidentIn(Input):
    kind: Short
    detected_at: Instant
    summary: Written
    people_affected: People | None = None


class IncidentChange(Input):
    """Only what is sent is changed. Notices follow the number of people affected and the date of detection."""

    kind: Short = ""
    detected_at: Instant = datetime.min.replace(tzinfo=UTC)
    summary: Written = ""
    people_affected: People | None = None


class IncidentQuery(ListQuery):
    state: Literal["open", "closed"] | None = None
    first: Annotated[Day | None, Field(alias="from", description="Detected on this local date or later.")] = None
    last: Annotated[Day | None, Field(alias="to", description="Detected on this local date or earlier.")] = None
    voided: bool = False


class ResponseIn(Input):
    """Now, where nothing else is said."""

    responded_at: Instant | None = None


class SentIn(Input):
    sent_on: date


class NoticeOut(BaseModel):
    id: UUID
    recipients: Literal["INDIVIDUALS", "AUTHORITY", "MEDIA"]
    due_on: date
    sent_on: date | None


class IncidentListed(BaseModel):
    id: UUID
    kind: str
    status: Status
    detected_at: datetime
    responded_at: datetime | None
    people_affected: int | None
    notices: list[NoticeOut]
    voided_at: datetime | None
    void_reason: str | None
    version: int

    @classmethod
    def of(cls, seen: Seen) -> Self:
        made = {"status", "notices", "summary"}
        plain = {name: getattr(seen.incident, name) for name in cls.model_fields if name not in made}
        notices = [
            NoticeOut(**{name: getattr(notice, name) for name in NoticeOut.model_fields}) for notice in seen.notices
        ]
        more = {"summary": seen.summary} if "summary" in cls.model_fields else {}
        return cls(**plain, **more, status=cast(Status, seen.status), notices=notices)


class IncidentOut(IncidentListed):
    summary: str | None


IncidentInList: Any = some_of(IncidentListed)


@router.get("", permission="incidents.read")
def list_incidents(ctx: RequestContext, query: Annotated[IncidentQuery, Query()]) -> PageOut[IncidentInList]:
    """Incidents without what happened, the latest first. Sorts by detected_at or id."""
    found = incidents.list_incidents(
        ctx.work,
        query.asked(),
        is_open=None if query.state is None else query.state == "open",
        first=query.first,
        last=query.last,
        voided=query.voided,
    )
    return page_out(found, IncidentListed)


@router.post("", permission="incidents.report", status_code=201)
def report_incident(ctx: RequestContext, body: IncidentIn) -> IncidentOut:
    """Report a breach, or what may be one. Whom it makes the practice tell follows from how many were affected."""
    return IncidentOut.of(incidents.report_incident(ctx.work, **body.model_dump()))


@router.get("/{incident_id}", permission="incidents.read")
def get_incident(ctx: RequestContext, incident_id: UUID) -> IncidentOut:
    """One incident with its notices."""
    return IncidentOut.of(incidents.get_incident(ctx.work, incident_id))


@router.patch("/{incident_id}", permission="incidents.write")
def change_incident(ctx: RequestContext, incident_id: UUID, version: Version, body: IncidentChange) -> IncidentOut:
    """Change what is known of an incident."""
    changes = body.model_dump(exclude_unset=True)
    return IncidentOut.of(incidents.change_incident(ctx.work, incident_id, version, changes))


@router.post("/{incident_id}/respond", permission="incidents.write", errors=[AlreadyResponded])
def respond_to_incident(ctx: RequestContext, incident_id: UUID, body: ResponseIn) -> IncidentOut:
    """The practice has responded: what let it happen is stopped."""
    return IncidentOut.of(incidents.respond_to_incident(ctx.work, incident_id, body.responded_at))


@router.post("/{incident_id}/notices/{notice_id}/sent", permission="incidents.write", errors=[NoticeSent])
def record_notice_sent(ctx: RequestContext, incident_id: UUID, notice_id: UUID, body: SentIn) -> IncidentOut:
    """Those whom a notice is for were told."""
    return IncidentOut.of(incidents.notice_sent(ctx.work, incident_id, notice_id, body.sent_on))


@router.delete("/{incident_id}", permission="incidents.write", status_code=204)
def void_incident(ctx: RequestContext, incident_id: UUID, reason: Annotated[Why, Query()]) -> None:
    """What turned out to be no incident. It stays on record with who, when and why."""
    incidents.void_incident(ctx.work, incident_id, reason)
