"""Routes of a client's history: status, primary clinician, portal access and the timeline of their chart."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from api.affected import AffectedOut, AffectedVisitOut, describe_affected
from api.clients import ClientOut, Status
from api.context import Reason, RequestContext
from api.fields import EXAMPLE_ID, AccountId, ClientId, Day, EmailText, SetAt, Text200, describe, example
from api.names import ClientName, PersonOf, StaffName, from_record
from api.responses import Input, PageOut, to_page
from api.routing import PermissionRouter
from api.waitlist import WaitlistEntryOut, list_entries_out
from practice.people import client_history, portal
from practice.people.models.clients import ClientStatus, PrimaryClinician
from practice.people.portal import EmailMissing, EmailTaken, EmailUnconfirmed, InvitationHeld
from practice.scheduling import departures
from practice.scheduling.appointments.affected import MAX_LISTED, load_affected_by_client, load_unclosed_by_client
from practice.scheduling.errors import WrongStatus
from practice.security.accounts import INVITATION_LIFETIME
from practice.sessions.timeline import Event, load_timeline
from practice.store.pages import PageRequest

router = PermissionRouter(prefix="/clients/{client_id}", tags=["clients"])

INVITATION_REFUSALS = (EmailMissing, EmailTaken, EmailUnconfirmed, InvitationHeld)
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
    model_config = example(status="DISCHARGED", reason="Goals reached")

    status: Annotated[Status, describe("The new status.")]
    effective_on: Annotated[Day | None, Field(description="Default: today, local.")] = None
    reason: Annotated[Text200 | None, describe("Why it changes.")] = None


class StatusOut(BaseModel):
    status: Annotated[str, describe("The status from that day on.")]
    effective_on: Annotated[date, describe("The first day on which it applies.")]
    in_force: Annotated[bool, describe("Whether it counts; one set later replaces it from its own day on.")]
    reason: Annotated[str | None, describe("Why it changed.")]
    set_at: SetAt
    set_by: AccountId | None
    set_by_person: PersonOf = None


class StatusesOut(BaseModel):
    items: Annotated[list[StatusOut], describe("The changes, latest first.")]


class ChangedStatusOut(AffectedOut, ClientOut):
    """A client, with visits after the end of treatment, those still to be closed, and withdrawn waitlist entries."""

    withdrawn_waitlist_entries: Annotated[
        list[WaitlistEntryOut], describe("Entries that were waiting; held times went to the next in line.")
    ]
    to_close_count: Annotated[int, describe("Visits that have begun and are neither completed nor missed.")]
    to_close: Annotated[
        list[AffectedVisitOut],
        describe(f"The first {MAX_LISTED} of them by start: complete each, or record that the client did not come."),
    ]


class PrimaryClinicianIn(Input):
    """Null for no primary clinician."""

    model_config = example(clinician_id=EXAMPLE_ID)

    clinician_id: Annotated[UUID | None, describe("The new primary clinician, or null for none.")]
    effective_on: Annotated[Day | None, Field(description="Default: today, local.")] = None


class PrimaryClinicianOut(BaseModel):
    clinician_id: Annotated[UUID | None, describe("The primary clinician from that day on; null for none.")]
    clinician_name: StaffName = None
    effective_on: Annotated[date, describe("The first day on which it applies.")]
    set_at: SetAt
    set_by: AccountId | None
    set_by_person: PersonOf = None


class PrimaryCliniciansOut(BaseModel):
    items: Annotated[list[PrimaryClinicianOut], describe("The changes, latest first.")]


class PortalInvitationOut(BaseModel):
    """The link was sent to the email address in the client's record: it works once."""

    client_id: ClientId
    client_name: ClientName = None
    expires_at: Annotated[datetime, describe("When the link stops working.")]


class EmailIn(Input):
    """The email address to confirm, as it is in the record."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"email": "robin.reed@example.com"}]})

    email: Annotated[EmailText, Field(description="The email address in the record.")]


class EmailConfirmedOut(BaseModel):
    client_id: ClientId
    client_name: ClientName = None
    email: Annotated[str, describe("Email address, for messages.")]


class PortalOut(BaseModel):
    client_id: ClientId
    client_name: ClientName = None
    open: Annotated[bool, describe("Whether the client can sign in.")]


class TimelineQuery(Input):
    limit: Annotated[int, Field(ge=1, le=100), describe("The most rows to return.")] = 20
    cursor: Annotated[str | None, Field(max_length=500), describe("The `next_cursor` of the page before.")] = None
    since: Annotated[Day | None, Field(alias="from", description="A local date, inclusive.")] = None
    until: Annotated[Day | None, Field(alias="to", description="A local date, inclusive.")] = None
    kinds: Annotated[list[Kind] | None, Field(max_length=11, description="Default: all kinds.")] = None


class EventOut(BaseModel):
    at: Annotated[datetime, describe("When it happened.")]
    kind: Annotated[str, describe("What happened.")]
    id: Annotated[UUID, describe("The id of the record it is about.")]
    summary: Annotated[str, describe("One line about it, without clinical text.")]

    @classmethod
    def of(cls, event: Event) -> "EventOut":
        return cls(**vars(event))


def to_status(status: ClientStatus, in_force: bool, ctx: RequestContext) -> StatusOut:
    """Return a status. The reason is visible to staff only."""
    out = from_record(StatusOut, status, in_force=in_force)
    return out if ctx.actor.client_id is None else out.model_copy(update={"reason": None})


def to_primary_clinician(period: PrimaryClinician) -> PrimaryClinicianOut:
    return from_record(PrimaryClinicianOut, period)


@router.get("/statuses", permission="clients.read")
def list_client_statuses(ctx: RequestContext, client_id: UUID) -> StatusesOut:
    """List a client's statuses.

    Latest first.
    """
    statuses = client_history.list_statuses(ctx.work, ctx.scope, client_id)
    return StatusesOut(items=[to_status(status, in_force, ctx) for status, in_force in statuses])


@router.post("/status", permission="clients.write", errors=[WrongStatus])
def change_client_status(ctx: RequestContext, client_id: UUID, body: StatusIn) -> ChangedStatusOut:
    """Change a client's status.

    From a day on, in place of every change planned for a later day. The response lists the visits booked after the end
    of treatment, those that began before and are still open (they can be completed, or recorded as missed), and the
    waitlist entries that were withdrawn. If treatment ends on a later day, the entries are withdrawn on that day.
    """
    view, entries = departures.change_client_status(
        ctx.work, ctx.scope, client_id, body.status, body.effective_on, body.reason
    )
    visits = load_affected_by_client(ctx.work, view.client)
    unclosed = load_unclosed_by_client(ctx.work, view.client)
    return ChangedStatusOut(
        **ClientOut.of(view).model_dump(),
        **describe_affected(visits),
        withdrawn_waitlist_entries=list_entries_out(ctx, entries),
        to_close_count=unclosed.count,
        to_close=[from_record(AffectedVisitOut, visit) for visit in unclosed.appointments],
    )


@router.get("/primary-clinician", permission="clients.read")
def list_primary_clinicians(ctx: RequestContext, client_id: UUID) -> PrimaryCliniciansOut:
    """List a client's primary clinicians.

    Latest first.
    """
    periods = client_history.list_primary_clinicians(ctx.work, ctx.scope, client_id)
    return PrimaryCliniciansOut(items=[to_primary_clinician(period) for period in periods])


@router.post("/primary-clinician", permission="clients.write")
def change_primary_clinician(ctx: RequestContext, client_id: UUID, body: PrimaryClinicianIn) -> ClientOut:
    """Change a client's primary clinician.

    From today or an earlier day on.
    """
    client = client_history.change_primary_clinician(
        ctx.work, ctx.scope, client_id, body.clinician_id, body.effective_on
    )
    return ClientOut.of(client)


@router.post("/portal/invite", permission="clients.write", errors=INVITATION_REFUSALS)
def invite_client(ctx: RequestContext, client_id: UUID, reason: Reason = None) -> PortalInvitationOut:
    """Invite a client to the portal.

    Sends the link to the email address of their record. Refused for a day after that address was changed, and, if
    they use the portal with another address, until they have confirmed it. An admin may state a reason in X-Reason
    instead.
    """
    portal.invite_client(ctx.work, ctx.scope, client_id, reason)
    return PortalInvitationOut(client_id=client_id, expires_at=ctx.now + INVITATION_LIFETIME)


@router.post("/portal/confirm-email", permission="clients.confirm_email")
def confirm_email(ctx: RequestContext, client_id: UUID, body: EmailIn) -> EmailConfirmedOut:
    """Confirm your email address.

    After the practice has changed it, so that the portal can move to it.
    """
    client = portal.confirm_email(ctx.work, ctx.scope, client_id, body.email)
    return EmailConfirmedOut(client_id=client_id, email=client.email or "")


@router.post("/portal/close", permission="clients.write")
def close_portal(ctx: RequestContext, client_id: UUID) -> PortalOut:
    """Close the portal for a client.

    Their sessions end immediately.
    """
    portal.close_portal(ctx.work, ctx.scope, client_id)
    return PortalOut(client_id=client_id, open=False)


@router.get("/timeline", permission="clients.read")
def get_timeline(ctx: RequestContext, client_id: UUID, query: Annotated[TimelineQuery, Query()]) -> PageOut[EventOut]:
    """Get the timeline of a client's chart.

    Newest first; notes and plans only for callers who may read them.
    """
    page_request = PageRequest(query.limit, query.cursor)
    page = load_timeline(
        ctx.work, ctx.scope, client_id, page_request, since=query.since, until=query.until, kinds=query.kinds
    )
    return to_page(page, EventOut)
