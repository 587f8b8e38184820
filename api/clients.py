"""Clients: the list, the search, their records, how they are reached and reminded."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field, StringConstraints

from api.context import Reason, RequestContext, Version
from api.fields import PLAIN, Day, EmailText, LongText, Name, Short
from api.responses import Input, ListQuery, PageOut, page_out, some_of
from api.routing import PermissionRouter
from practice.people import client_search, clients
from practice.people.clients import Seen
from practice.people.models.clients import Client

router = PermissionRouter(prefix="/clients", tags=["clients"])

Status = Literal["ACTIVE", "INACTIVE", "DISCHARGED"]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=PLAIN)]
Typed = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=PLAIN)]


class ContactIn(Input):
    phone: Short | None = None
    email: EmailText | None = None
    address: Line | None = None
    city: Name | None = None
    state: Short | None = None
    zip: Short | None = None
    emergency_contact_name: Name | None = None
    emergency_contact_phone: Short | None = None


class ClientIn(ContactIn):
    first_name: Name
    last_name: Name
    birth_date: date
    sex: Short | None = None
    self_pay: bool = False
    emancipated: bool = False
    guardian_name: Name | None = None
    guardian_phone: Short | None = None
    guardian_email: EmailText | None = None
    referring_provider: Line | None = None
    high_risk_since: Day | None = None
    high_risk_until: Day | None = None
    primary_clinician_id: UUID | None = None
    admitted_on: Annotated[Day | None, Field(description="Default: today, local.")] = None


class ClientChange(ContactIn):
    """Only what is sent is changed. Status and primary clinician change on their own, with a history."""

    first_name: Name = ""
    last_name: Name = ""
    birth_date: date = date.min
    sex: Short | None = None
    self_pay: bool = False
    emancipated: bool = False
    guardian_name: Name | None = None
    guardian_phone: Short | None = None
    guardian_email: EmailText | None = None
    referring_provider: Line | None = None
    medical_notes: Annotated[LongText | None, Field(description="By those who may read them.")] = None
    high_risk_since: Day | None = None
    high_risk_until: Day | None = None
    admitted_on: Day = date.min


class ClientQuery(ListQuery):
    status: Status | None = None
    clinician: Annotated[UUID | Literal["me"] | None, Field(description="Whose clients; `me` for the own.")] = None
    minor: bool | None = None


class SearchIn(Input):
    """Beginnings of names in any order, a birth date (2010-05-17 or 5/17/2010), or an id."""

    query: Typed
    limit: Annotated[int, Field(ge=1, le=20)] = 20


class RemindersIn(Input):
    """Over which ways to remind; none of them: not at all."""

    reminders: Annotated[list[Literal["email", "sms"]], Field(max_length=2)]


class ClientInBrief(BaseModel):
    id: UUID
    external_id: str | None
    first_name: str
    last_name: str
    birth_date: date
    minor: bool
    status: str
    email: str | None
    phone: str | None
    self_pay: bool
    primary_clinician_id: UUID | None
    admitted_on: date
    ended_on: date | None

    @classmethod
    def of(cls, seen: Seen) -> "ClientInBrief":
        return cls(**shown(cls, seen))


class ClientOut(ClientInBrief):
    """`medical_notes` are null for whoever may not read them, as where there are none."""

    sex: str | None
    address: str | None
    city: str | None
    state: str | None
    zip: str | None
    emergency_contact_name: str | None
    emergency_contact_phone: str | None
    emancipated: bool
    guardian_name: str | None
    guardian_phone: str | None
    guardian_email: str | None
    referring_provider: str | None
    medical_notes: str | None
    high_risk_since: date | None
    high_risk_until: date | None
    end_reason: str | None
    reminders: list[str]
    portal_activated_at: datetime | None
    created_at: datetime
    version: int

    @classmethod
    def of(cls, seen: Seen) -> "ClientOut":
        return cls(**shown(cls, seen))


class FoundOut(BaseModel):
    id: UUID
    first_name: str
    last_name: str
    birth_date: date
    status: str


class SearchOut(BaseModel):
    items: list[FoundOut]


class RemindersOut(BaseModel):
    reminders: list[str]
    version: int

    @classmethod
    def of(cls, client: Client) -> "RemindersOut":
        return cls(reminders=client.reminders, version=client.version)


ClientInList: Any = some_of(ClientInBrief)


def shown(model: type[BaseModel], seen: Seen) -> dict[str, Any]:
    return {name: getattr(seen if hasattr(seen, name) else seen.client, name) for name in model.model_fields}


@router.get("", permission="clients.read")
def list_clients(ctx: RequestContext, query: Annotated[ClientQuery, Query()]) -> PageOut[ClientInList]:
    """The clients that are yours to see. Sorts by last_name, first_name or id."""
    nobody = UUID(int=0)
    clinician_id = ctx.actor.staff_id or nobody if query.clinician == "me" else query.clinician
    found = clients.list_clients(
        ctx.work, ctx.scope, query.asked(), status=query.status, clinician_id=clinician_id, minor=query.minor
    )
    return page_out(found, ClientInBrief)


@router.post("", permission="clients.write", status_code=201)
def add_client(ctx: RequestContext, body: ClientIn) -> ClientOut:
    """Take a client in."""
    return ClientOut.of(clients.add_client(ctx.work, **body.model_dump()))


@router.post("/search", permission="clients.read")
def search_clients(ctx: RequestContext, body: SearchIn) -> SearchOut:
    """Find a client as somebody types: by the beginnings of names, birth date or id."""
    found = client_search.search_clients(ctx.work, ctx.scope, body.query, body.limit)
    return SearchOut(items=[FoundOut(**vars(person)) for person in found])


@router.get("/{client_id}", permission="clients.read")
def get_client(ctx: RequestContext, client_id: UUID, reason: Reason = None) -> ClientOut:
    """A client's record. Whoever may read medical notes only for a reason states it in X-Reason to see them."""
    return ClientOut.of(clients.get_client(ctx.work, ctx.scope, client_id, reason))


@router.patch("/{client_id}", permission="clients.write")
def change_client(
    ctx: RequestContext, client_id: UUID, version: Version, body: ClientChange, reason: Reason = None
) -> ClientOut:
    """Change a client's record."""
    changes = body.model_dump(exclude_unset=True)
    return ClientOut.of(clients.change_client(ctx.work, ctx.scope, client_id, version, changes, reason))


@router.patch("/{client_id}/contact", permission="clients.contact")
def change_client_contact(ctx: RequestContext, client_id: UUID, version: Version, body: ContactIn) -> ClientOut:
    """How to reach a client, and whom in an emergency. Clients keep up their own."""
    changes = body.model_dump(exclude_unset=True)
    return ClientOut.of(clients.change_contact(ctx.work, ctx.scope, client_id, version, changes))


@router.get("/{client_id}/notification-preferences", permission="clients.read")
def get_notification_preferences(ctx: RequestContext, client_id: UUID) -> RemindersOut:
    """Over which ways a client is reminded."""
    return RemindersOut.of(clients.get_reminders(ctx.work, ctx.scope, client_id))


@router.put("/{client_id}/notification-preferences", permission="clients.contact")
def set_notification_preferences(
    ctx: RequestContext, client_id: UUID, version: Version, body: RemindersIn
) -> RemindersOut:
    """Choose over which ways a client is reminded: e-mail, SMS, both, or none."""
    found = clients.change_reminders(ctx.work, ctx.scope, client_id, version, list(body.reminders))
    return RemindersOut.of(found)
