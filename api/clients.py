"""Routes of clients: list, search, records, contact details and notification preferences."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field, StringConstraints

from api.context import Reason, RequestContext, Version
from api.fields import PLAIN, Day, EmailText, IdOrMe, Name, Text40, Text200, Text50000
from api.names import StaffName, stored_fields
from api.responses import Input, ListQuery, PageOut, partial_model, to_page
from api.routing import PermissionRouter
from practice.people import client_search, clients
from practice.people.clients import ClientView
from practice.people.models.clients import Client

router = PermissionRouter(prefix="/clients", tags=["clients"])

Status = Literal["ACTIVE", "INACTIVE", "DISCHARGED"]


CLINICAL = Field(description="Written by the client's clinicians and their supervisors only.")
ClinicalText = Annotated[Text50000 | None, CLINICAL]
ClinicalDay = Annotated[Day | None, CLINICAL]


class ContactIn(Input):
    phone: Text40 | None = None
    email: EmailText | None = None
    address: Text200 | None = None
    city: Name | None = None
    state: Text40 | None = None
    zip: Text40 | None = None
    emergency_contact_name: Name | None = None
    emergency_contact_phone: Text40 | None = None


class ClientIn(ContactIn):
    first_name: Name
    last_name: Name
    birth_date: date
    sex: Text40 | None = None
    self_pay: bool = False
    emancipated: bool = False
    guardian_name: Name | None = None
    guardian_phone: Text40 | None = None
    guardian_email: EmailText | None = None
    referring_provider: Text200 | None = None
    medical_notes: ClinicalText = None
    high_risk_since: ClinicalDay = None
    high_risk_until: ClinicalDay = None
    primary_clinician_id: UUID | None = None
    admitted_on: Annotated[Day | None, Field(description="Default: today, local.")] = None


class ClientChange(ContactIn):
    """Only the fields sent are changed. Status and primary clinician have routes of their own, with a history."""

    first_name: Name = ""
    last_name: Name = ""
    birth_date: date = date.min
    sex: Text40 | None = None
    self_pay: bool = False
    emancipated: bool = False
    guardian_name: Name | None = None
    guardian_phone: Text40 | None = None
    guardian_email: EmailText | None = None
    referring_provider: Text200 | None = None
    medical_notes: ClinicalText = None
    high_risk_since: ClinicalDay = None
    high_risk_until: ClinicalDay = None
    admitted_on: Day = date.min


class ClientQuery(ListQuery):
    status: Status | None = None
    clinician_id: Annotated[IdOrMe | None, Field(description="The primary clinician; `me` for yourself.")] = None
    minor: bool | None = None


class SearchIn(Input):
    """Prefixes of names in any order, a birth date (2010-05-17 or 5/17/2010), or an id."""

    query: Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=PLAIN)]
    limit: Annotated[int, Field(ge=1, le=20)] = 20


class RemindersIn(Input):
    """The channels of reminders; empty for no reminders."""

    reminders: Annotated[list[Literal["email", "sms"]], Field(max_length=2)]


class ClientSummary(BaseModel):
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
    primary_clinician_name: StaffName = None
    admitted_on: date
    ended_on: date | None

    @classmethod
    def of(cls, seen: ClientView) -> "ClientSummary":
        return cls(**read_fields(cls, seen))


class ClientOut(ClientSummary):
    """`medical_notes` is null when there are none, and for callers who may not read them."""

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
    def of(cls, seen: ClientView) -> "ClientOut":
        return cls(**read_fields(cls, seen))


class NewClientOut(ClientOut):
    warnings: list[str]


class ClientMatchOut(BaseModel):
    id: UUID
    first_name: str
    last_name: str
    birth_date: date
    status: str


class SearchOut(BaseModel):
    items: list[ClientMatchOut]


class RemindersOut(BaseModel):
    reminders: list[str]
    version: int

    @classmethod
    def of(cls, client: Client) -> "RemindersOut":
        return cls(reminders=client.reminders, version=client.version)


ClientInList: Any = partial_model(ClientSummary)


def read_fields(model: type[BaseModel], seen: ClientView) -> dict[str, Any]:
    """Return the values of a model's fields, from the view or else from its client."""
    return {name: getattr(seen if hasattr(seen, name) else seen.client, name) for name in stored_fields(model)}


@router.get("", permission="clients.read")
def list_clients(ctx: RequestContext, query: Annotated[ClientQuery, Query()]) -> PageOut[ClientInList]:
    """List clients.

    Those the caller may see. Sorts by last_name, first_name or id.
    """
    no_clinician = UUID(int=0)
    clinician_id = ctx.actor.staff_id or no_clinician if query.clinician_id == "me" else query.clinician_id
    page = clients.list_clients(
        ctx.work, ctx.scope, query.page_request(), status=query.status, clinician_id=clinician_id, minor=query.minor
    )
    return to_page(page, ClientSummary)


@router.post("", permission="clients.write", status_code=201)
def add_client(ctx: RequestContext, body: ClientIn) -> NewClientOut:
    """Add a client.

    `warnings` says when another client may be the same person.
    """
    client, warnings = clients.add_client(ctx.work, **body.model_dump())
    return NewClientOut(**ClientOut.of(client).model_dump(), warnings=warnings)


@router.post("/search", permission="clients.read")
def search_clients(ctx: RequestContext, body: SearchIn) -> SearchOut:
    """Search clients.

    By prefixes of names, birth date or id, for search as you type.
    """
    matches = client_search.search_clients(ctx.work, ctx.scope, body.query, body.limit)
    return SearchOut(items=[ClientMatchOut(**vars(match)) for match in matches])


@router.get("/{client_id}", permission="clients.read")
def get_client(ctx: RequestContext, client_id: UUID, reason: Reason = None) -> ClientOut:
    """Get a client.

    Callers who may read medical notes only for a reason send it as X-Reason.
    """
    return ClientOut.of(clients.get_client(ctx.work, ctx.scope, client_id, reason))


@router.patch("/{client_id}", permission="clients.change")
def change_client(
    ctx: RequestContext, client_id: UUID, version: Version, body: ClientChange, reason: Reason = None
) -> ClientOut:
    """Change a client.

    Medical notes and high risk are changed by the client's clinicians and their supervisors, other fields by the front
    desk and admins.
    """
    changes = body.model_dump(exclude_unset=True)
    return ClientOut.of(clients.change_client(ctx.work, ctx.scope, client_id, version, changes, reason))


@router.patch("/{client_id}/contact", permission="clients.contact")
def change_client_contact(ctx: RequestContext, client_id: UUID, version: Version, body: ContactIn) -> ClientOut:
    """Change a client's contact details.

    Clients can change their own.
    """
    changes = body.model_dump(exclude_unset=True)
    return ClientOut.of(clients.change_contact(ctx.work, ctx.scope, client_id, version, changes))


@router.get("/{client_id}/notification-preferences", permission="clients.read")
def get_notification_preferences(ctx: RequestContext, client_id: UUID) -> RemindersOut:
    """Get a client's notification preferences."""
    return RemindersOut.of(clients.get_reminders(ctx.work, ctx.scope, client_id))


@router.put("/{client_id}/notification-preferences", permission="clients.contact")
def set_notification_preferences(
    ctx: RequestContext, client_id: UUID, version: Version, body: RemindersIn
) -> RemindersOut:
    """Set a client's notification preferences.

    Reminders by email, SMS, both or neither.
    """
    client = clients.change_reminders(ctx.work, ctx.scope, client_id, version, list(body.reminders))
    return RemindersOut.of(client)
