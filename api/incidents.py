"""Routes of incidents and their breach notices."""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from api.context import RequestContext, Version
from api.fields import (
    AccountId,
    Day,
    Instant,
    RecordId,
    RecordVersion,
    Text40,
    Text4000,
    VoidedAt,
    VoidReason,
    describe,
    example,
)
from api.names import PersonOf, from_record
from api.responses import Input, ListQuery, PageOut, VoidIn, partial_model, to_page
from api.routing import PermissionRouter
from practice.people import incidents
from practice.people.incidents import AlreadyResponded, IncidentView, NoticeSent

router = PermissionRouter(prefix="/incidents", tags=["incidents"])

People = Annotated[int, Field(ge=0, le=10**9)]
Status = Literal["OPEN", "RESPONDED", "NOTICES_DUE", "CLOSED"]


class IncidentIn(Input):
    model_config = example(
        kind="Lost laptop",
        detected_at="2026-03-18T09:30:00-04:00",
        summary="A laptop with an encrypted disk was left in a taxi.",
    )

    kind: Annotated[Text40, describe("The practice's word for it, such as lost laptop.")]
    detected_at: Annotated[Instant, describe("When the incident was detected.")]
    summary: Annotated[Text4000, describe("What happened. Encrypted.")]
    people_affected: Annotated[People | None, describe("The number of people affected; null while unknown.")] = None


class IncidentChange(Input):
    """Only the fields sent are changed. Notices follow from the number of people affected and the date of detection."""

    model_config = example(people_affected=0)

    kind: Annotated[Text40, describe("The practice's word for it.")] = ""
    detected_at: Annotated[Instant, describe("When the incident was detected.")] = datetime.min.replace(tzinfo=UTC)
    summary: Annotated[Text4000, describe("What happened. Encrypted.")] = ""
    people_affected: Annotated[People | None, describe("The number of people affected; null while unknown.")] = None


class IncidentQuery(ListQuery):
    status: Annotated[Literal["open", "closed"] | None, describe("Only open ones, or only closed ones.")] = None
    first: Annotated[Day | None, Field(alias="from", description="Detected on this local date or later.")] = None
    last: Annotated[Day | None, Field(alias="to", description="Detected on this local date or earlier.")] = None
    voided: Annotated[bool, describe("Also list voided records.")] = False


class ResponseIn(Input):
    """Default: now."""

    model_config = example(responded_at="2026-03-18T11:00:00-04:00")

    responded_at: Annotated[Instant | None, describe("When the practice responded; left out, now.")] = None


class SentIn(Input):
    model_config = example(sent_on="2026-03-20")

    sent_on: Annotated[date, describe("The day on which the notice was sent.")]


class NoticeOut(BaseModel):
    id: RecordId
    recipients: Annotated[Literal["INDIVIDUALS", "AUTHORITY", "MEDIA"], describe("Who has to be notified.")]
    due_on: Annotated[date, describe("The last day for the notice.")]
    sent_on: Annotated[date | None, describe("The day on which it was sent; null before.")]


class IncidentSummary(BaseModel):
    id: RecordId
    kind: Annotated[str, describe("The practice's word for it.")]
    status: Annotated[Status, describe("How far the practice has dealt with it.")]
    detected_at: Annotated[datetime, describe("When the incident was detected.")]
    responded_at: Annotated[datetime | None, describe("When the practice responded to it.")]
    people_affected: Annotated[int | None, describe("The number of people affected; null while unknown.")]
    notices: Annotated[list[NoticeOut], describe("The notices that the law requires.")]
    voided_at: VoidedAt | None
    voided_by: AccountId | None
    voided_by_person: PersonOf = None
    void_reason: VoidReason | None
    version: RecordVersion

    @classmethod
    def of(cls, seen: IncidentView) -> Self:
        notices = [from_record(NoticeOut, notice) for notice in seen.notices]
        summary = {"summary": seen.summary} if "summary" in cls.model_fields else {}
        return from_record(cls, seen.incident, **summary, status=seen.status, notices=notices)


class IncidentOut(IncidentSummary):
    summary: Annotated[str | None, describe("What happened.")]


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
