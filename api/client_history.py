"""How a client's standing changed, their way into the portal, and the timeline of their chart."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from api.clients import ClientOut, Line, Status
from api.context import RequestContext
from api.fields import Day
from api.responses import Input, PageOut, page_out
from api.routing import PermissionRouter
from practice.people import client_history, portal
from practice.people.models.clients import ClientStatus, PrimaryClinician
from practice.people.portal import EmailMissing, EmailTaken
from practice.sessions.timeline import Event, timeline
from practice.store.pages import PageRequest

router = PermissionRouter(prefix="/clients/{client_id}", tags=["clients"])

Kind = Literal[
    "appointment",
    "note",
    "treatment_plan",
    "treatment_plan_review",
    "progress_report",
    "consent",
    "coverage",
    "document",
    "status",
    "primary_clinician",
    "intake_form",
]


class StatusIn(Input):
    status: Status
    effective_on: Annotated[Day | None, Field(description="Default: today, local.")] = None
    reason: Line | None = None


class StatusOut(BaseModel):
    status: str
    effective_on: date
    reason: str | None
    set_at: datetime
    set_by: UUID | None


class StatusesOut(BaseModel):
    items: list[StatusOut]


class PrimaryClinicianIn(Input):
    """Without a clinician the client is in nobody's care."""

    clinician_id: UUID | None
    effective_on: Annotated[Day | None, Field(description="Default: today, local.")] = None


class PrimaryClinicianOut(BaseModel):
    clinician_id: UUID | None
    effective_on: date
    set_at: datetime
    set_by: UUID | None


class PrimaryCliniciansOut(BaseModel):
    items: list[PrimaryClinicianOut]


class PortalInvitationOut(BaseModel):
    """Give the link to the client, over a way that is safe: it lets in once, within seven days."""

    client_id: UUID
    link: str


class PortalOut(BaseModel):
    client_id: UUID
    open: bool


class TimelineQuery(Input):
    limit: Annotated[int, Field(ge=1, le=100)] = 20
    cursor: Annotated[str | None, Field(max_length=500)] = None
    since: Annotated[Day | None, Field(alias="from", description="A local date; it counts.")] = None
    until: Annotated[Day | None, Field(alias="to", description="A local date; it counts.")] = None
    kinds: Annotated[list[Kind] | None, Field(max_length=11, description="Only these; default: all.")] = None


class EventOut(BaseModel):
    at: datetime
    kind: str
    id: UUID
    summary: str

    @classmethod
    def of(cls, event: Event) -> "EventOut":
        return cls(**vars(event))


def status_out(row: ClientStatus, ctx: RequestContext) -> StatusOut:
    """Why is for those who work here."""
    out = StatusOut(**{name: getattr(row, name) for name in StatusOut.model_fields})
    return out if ctx.actor.client_id is None else out.model_copy(update={"reason": None})


def clinician_out(row: PrimaryClinician) -> PrimaryClinicianOut:
    return PrimaryClinicianOut(**{name: getattr(row, name) for name in PrimaryClinicianOut.model_fields})


@router.get("/statuses", permission="clients.read")
def list_client_statuses(ctx: RequestContext, client_id: UUID) -> StatusesOut:
    """How a client's status changed, latest first."""
    found = client_history.list_statuses(ctx.work, ctx.scope, client_id)
    return StatusesOut(items=[status_out(row, ctx) for row in found])


@router.post("/status", permission="clients.write")
def change_client_status(ctx: RequestContext, client_id: UUID, body: StatusIn) -> ClientOut:
    """A new status from a day on."""
    found = client_history.change_status(ctx.work, ctx.scope, client_id, body.status, body.effective_on, body.reason)
    return ClientOut.of(found)


@router.get("/primary-clinician", permission="clients.read")
def list_primary_clinicians(ctx: RequestContext, client_id: UUID) -> PrimaryCliniciansOut:
    """In whose care a client was, latest first."""
    found = client_history.list_primary_clinicians(ctx.work, ctx.scope, client_id)
    return PrimaryCliniciansOut(items=[clinician_out(row) for row in found])


@router.post("/primary-clinician", permission="clients.write")
def change_primary_clinician(ctx: RequestContext, client_id: UUID, body: PrimaryClinicianIn) -> ClientOut:
    """Put a client into somebody's care, from today or a day before."""
    found = client_history.change_primary_clinician(
        ctx.work, ctx.scope, client_id, body.clinician_id, body.effective_on
    )
    return ClientOut.of(found)


@router.post("/portal-invitation", permission="clients.write", errors=[EmailMissing, EmailTaken])
def invite_client(ctx: RequestContext, client_id: UUID) -> PortalInvitationOut:
    """Invite a client to the portal, under the e-mail address of their record; answers with the link."""
    invited = portal.invite_client(ctx.work, ctx.scope, client_id)
    link = f"{ctx.installation.settings.public_url}/invitation#{invited.secret}"
    return PortalInvitationOut(client_id=client_id, link=link)


@router.post("/portal-close", permission="clients.write")
def close_portal(ctx: RequestContext, client_id: UUID) -> PortalOut:
    """Close the portal for a client: they are out at once."""
    portal.close_portal(ctx.work, ctx.scope, client_id)
    return PortalOut(client_id=client_id, open=False)


@router.get("/timeline", permission="clients.read")
def get_timeline(ctx: RequestContext, client_id: UUID, query: Annotated[TimelineQuery, Query()]) -> PageOut[EventOut]:
    """A client's chart as it came about, newest first. Notes and plans for those who may read them."""
    asked = PageRequest(query.limit, query.cursor)
    found = timeline(ctx.work, ctx.scope, client_id, asked, since=query.since, until=query.until, kinds=query.kinds)
    return page_out(found, EventOut)
