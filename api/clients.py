"""Routes of clients: list, search, records, contact details and notification preferences."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field, StringConstraints

from api.context import Reason, RequestContext, Version
from api.fields import (
    PLAIN,
    CreatedAt,
    Day,
    EmailText,
    IdOrMe,
    Name,
    RecordId,
    RecordVersion,
    Text40,
    Text200,
    Text50000,
    describe,
    example,
)
from api.names import StaffName, from_record, stored_fields
from api.responses import Input, ListQuery, PageOut, partial_model, to_page
from api.routing import PermissionRouter
from practice.people import client_search, clients
from practice.people.clients import ClientView
from practice.people.models.clients import Client, Consent
from practice.scheduling import client_contacts

router = PermissionRouter(prefix="/clients", tags=["clients"])

Status = Literal["ACTIVE", "INACTIVE", "DISCHARGED"]


CLINICAL = Field(description="Written by the client's clinicians and their supervisors only.")
ClinicalText = Annotated[Text50000 | None, CLINICAL]
ClinicalDay = Annotated[Day | None, CLINICAL]


class ContactIn(Input):
    model_config = example(phone="404-555-0101", email="casey@elm.example")

    phone: Annotated[Text40 | None, describe("Phone number like 404-555-0100, for messages by SMS.")] = None
    email: Annotated[EmailText | None, describe("Email address, for messages.")] = None
    address: Annotated[Text200 | None, describe("Street and number of the postal address.")] = None
    city: Annotated[Name | None, describe("City of the postal address.")] = None
    state: Annotated[Text40 | None, describe("State, such as GA.")] = None
    zip: Annotated[Text40 | None, describe("ZIP code of five or nine digits.")] = None
    emergency_contact_name: Annotated[Name | None, describe("Whom to call in an emergency.")] = None
    emergency_contact_phone: Annotated[Text40 | None, describe("Phone number of the emergency contact.")] = None


class ClientIn(ContactIn):
    model_config = example(
        first_name="Casey", last_name="Elm", birth_date="1990-05-17", phone="404-555-0101", email="casey@elm.example"
    )

    first_name: Annotated[Name, describe("Given name, as the person writes it.")]
    last_name: Annotated[Name, describe("Family name, as the person writes it.")]
    birth_date: Annotated[date, describe("Local date of birth, which decides who is a minor.")]
    sex: Annotated[Text40 | None, describe("Sex, in the practice's own words.")] = None
    self_pay: Annotated[bool, describe("The client pays without insurance.")] = False
    emancipated: Annotated[bool, describe("A minor who consents without a guardian.")] = False
    guardian_name: Annotated[Name | None, describe("The guardian, who consents for a minor.")] = None
    guardian_phone: Annotated[Text40 | None, describe("Phone number of the guardian.")] = None
    guardian_email: Annotated[
        EmailText | None, describe("Email address of the guardian, who receives a minor's messages.")
    ] = None
    referring_provider: Annotated[Text200 | None, describe("Who referred the client.")] = None
    medical_notes: ClinicalText = None
    high_risk_since: ClinicalDay = None
    high_risk_until: ClinicalDay = None
    primary_clinician_id: Annotated[UUID | None, describe("The client's primary clinician; null without one.")] = None
    admitted_on: Annotated[Day | None, Field(description="Default: today, local.")] = None


class ClientChange(ContactIn):
    """Only the fields sent are changed. Status and primary clinician have routes of their own, with a history."""

    model_config = example(city="Atlanta", zip="30301")

    first_name: Annotated[Name, describe("Given name, as the person writes it.")] = ""
    last_name: Annotated[Name, describe("Family name, as the person writes it.")] = ""
    birth_date: Annotated[date, describe("Local date of birth, which decides who is a minor.")] = date.min
    sex: Annotated[Text40 | None, describe("Sex, in the practice's own words.")] = None
    self_pay: Annotated[bool, describe("The client pays without insurance.")] = False
    emancipated: Annotated[bool, describe("A minor who consents without a guardian.")] = False
    guardian_name: Annotated[Name | None, describe("The guardian, who consents for a minor.")] = None
    guardian_phone: Annotated[Text40 | None, describe("Phone number of the guardian.")] = None
    guardian_email: Annotated[
        EmailText | None, describe("Email address of the guardian, who receives a minor's messages.")
    ] = None
    referring_provider: Annotated[Text200 | None, describe("Who referred the client.")] = None
    medical_notes: ClinicalText = None
    high_risk_since: ClinicalDay = None
    high_risk_until: ClinicalDay = None
    admitted_on: Annotated[Day, describe("The day on which treatment began.")] = date.min


class ClientQuery(ListQuery):
    status: Annotated[Status | None, describe("Only with this status today.")] = None
    clinician_id: Annotated[IdOrMe | None, Field(description="The primary clinician; `me` for yourself.")] = None
    minor: Annotated[bool | None, describe("Only those under 18, or only adults.")] = None


class ClientSearchIn(Input):
    """Prefixes of names in any order, a birth date (2010-05-17 or 5/17/2010), or an id."""

    model_config = example(query="elm cas")

    query: Annotated[
        str,
        StringConstraints(min_length=1, max_length=100, pattern=PLAIN),
        describe("Beginnings of names, a birth date, or an id."),
    ]
    limit: Annotated[int, Field(ge=1, le=20), describe("The most rows to return.")] = 20


class RemindersIn(Input):
    """The channels of reminders; empty for no reminders."""

    model_config = example(reminders=["email"])

    reminders: Annotated[
        list[Literal["email", "sms"]], Field(max_length=2), describe("The channels of reminders: `email`, `sms`.")
    ]


class ClientSummary(BaseModel):
    id: RecordId
    external_id: Annotated[str | None, describe("The id in the system that the record was imported from.")]
    first_name: Annotated[str, describe("Given name, as the person writes it.")]
    last_name: Annotated[str, describe("Family name, as the person writes it.")]
    birth_date: Annotated[date, describe("Local date of birth, which decides who is a minor.")]
    minor: Annotated[bool, describe("Under 18 today.")]
    status: Annotated[str, describe("`ACTIVE`, `INACTIVE` or `DISCHARGED` today.")]
    email: Annotated[str | None, describe("Email address, for messages.")]
    phone: Annotated[str | None, describe("Phone number like 404-555-0100, for messages by SMS.")]
    self_pay: Annotated[bool, describe("The client pays without insurance.")]
    primary_clinician_id: Annotated[UUID | None, describe("The client's primary clinician; null without one.")]
    primary_clinician_name: StaffName = None
    admitted_on: Annotated[date, describe("The day on which treatment began.")]
    ended_on: Annotated[date | None, describe("The day from which the client is no longer active.")]

    @classmethod
    def of(cls, seen: ClientView) -> "ClientSummary":
        return cls(**read_fields(cls, seen))


class ClientOut(ClientSummary):
    """`medical_notes` is null when there are none, and for callers who may not read them."""

    sex: Annotated[str | None, describe("Sex, in the practice's own words.")]
    address: Annotated[str | None, describe("Street and number of the postal address.")]
    city: Annotated[str | None, describe("City of the postal address.")]
    state: Annotated[str | None, describe("State, such as GA.")]
    zip: Annotated[str | None, describe("ZIP code of five or nine digits.")]
    emergency_contact_name: Annotated[str | None, describe("Whom to call in an emergency.")]
    emergency_contact_phone: Annotated[str | None, describe("Phone number of the emergency contact.")]
    emancipated: Annotated[bool, describe("A minor who consents without a guardian.")]
    guardian_name: Annotated[str | None, describe("The guardian, who consents for a minor.")]
    guardian_phone: Annotated[str | None, describe("Phone number of the guardian.")]
    guardian_email: Annotated[str | None, describe("Email address of the guardian, who receives a minor's messages.")]
    referring_provider: Annotated[str | None, describe("Who referred the client.")]
    medical_notes: Annotated[str | None, describe("Diagnoses, medication and allergies. Encrypted.")]
    high_risk_since: Annotated[
        date | None, describe("The day from which the client is at high risk and needs a safety plan.")
    ]
    high_risk_until: Annotated[date | None, describe("The last day at high risk.")]
    end_reason: Annotated[str | None, describe("Why treatment ended: `DISCHARGED` or `INACTIVE`.")]
    reminders: Annotated[list[str], describe("The channels of reminders: `email`, `sms`.")]
    portal_activated_at: Annotated[
        datetime | None,
        describe("When the client, or a minor's guardian, first signed in to the portal; null without access."),
    ]
    created_at: CreatedAt
    version: RecordVersion

    @classmethod
    def of(cls, seen: ClientView) -> "ClientOut":
        return cls(**read_fields(cls, seen))


class NewClientOut(ClientOut):
    warnings: Annotated[list[str], describe("What to see to, although the booking is possible.")]


class SignedConsentOut(BaseModel):
    id: RecordId
    kind: Annotated[str, describe("What it is a consent to.")]
    signed_at: Annotated[datetime, describe("When it was signed.")]
    signed_by_name: Annotated[str | None, describe("The name of the signer.")]

    @classmethod
    def of(cls, consent: Consent) -> "SignedConsentOut":
        return from_record(cls, consent)


class ChangedClientOut(ClientOut):
    """A client, with the consents of a former guardian, which go on counting until the new guardian signs."""

    former_guardian_consents: Annotated[
        list[SignedConsentOut], describe("Consents in force that the former guardian signed, latest first.")
    ]


class ClientMatchOut(BaseModel):
    id: RecordId
    first_name: Annotated[str, describe("Given name, as the person writes it.")]
    last_name: Annotated[str, describe("Family name, as the person writes it.")]
    birth_date: Annotated[date, describe("Local date of birth, which decides who is a minor.")]
    status: Annotated[str, describe("`ACTIVE`, `INACTIVE` or `DISCHARGED` today.")]


class ClientSearchOut(BaseModel):
    items: Annotated[list[ClientMatchOut], describe("The matches, by last name.")]


class RemindersOut(BaseModel):
    reminders: Annotated[list[str], describe("The channels of reminders: `email`, `sms`.")]
    version: RecordVersion

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
def search_clients(ctx: RequestContext, body: ClientSearchIn) -> ClientSearchOut:
    """Search clients.

    By prefixes of names, birth date or id, for search as you type.
    """
    matches = client_search.search_clients(ctx.work, ctx.scope, body.query, body.limit)
    return ClientSearchOut(items=[ClientMatchOut(**vars(match)) for match in matches])


@router.get("/{client_id}", permission="clients.read")
def get_client(ctx: RequestContext, client_id: UUID, reason: Reason = None) -> ClientOut:
    """Get a client.

    Callers who may read medical notes only for a reason send it as X-Reason.
    """
    return ClientOut.of(clients.get_client(ctx.work, ctx.scope, client_id, reason))


@router.patch("/{client_id}", permission="clients.change")
def change_client(
    ctx: RequestContext, client_id: UUID, version: Version, body: ClientChange, reason: Reason = None
) -> ChangedClientOut:
    """Change a client.

    Medical notes and high risk are changed by the client's clinicians and their supervisors,
    other fields by the front desk and admins. When another person becomes the guardian of a minor, the portal access
    of the former guardian ends, and an invitation is held for a day unless an admin gives a reason.
    `former_guardian_consents` lists what the former guardian signed and is still in force.
    """
    changes = body.model_dump(exclude_unset=True)
    view, signed = client_contacts.change_client(ctx.work, ctx.scope, client_id, version, changes, reason)
    former = [SignedConsentOut.of(consent) for consent in signed]
    return ChangedClientOut(**ClientOut.of(view).model_dump(), former_guardian_consents=former)


@router.patch("/{client_id}/contact", permission="clients.contact")
def change_client_contact(ctx: RequestContext, client_id: UUID, version: Version, body: ContactIn) -> ClientOut:
    """Change a client's contact details.

    Clients can change their own.
    """
    changes = body.model_dump(exclude_unset=True)
    return ClientOut.of(client_contacts.change_contact(ctx.work, ctx.scope, client_id, version, changes))


@router.get("/{client_id}/notification-preferences", permission="clients.read")
def get_notification_preferences(ctx: RequestContext, client_id: UUID) -> RemindersOut:
    """Get a client's notification preferences."""
    return RemindersOut.of(clients.get_reminders(ctx.work, ctx.scope, client_id))


@router.put("/{client_id}/notification-preferences", permission="clients.contact")
def set_notification_preferences(
    ctx: RequestContext, client_id: UUID, version: Version, body: RemindersIn
) -> RemindersOut:
    """Set a client's notification preferences.

    Reminders by email, SMS, both or neither; those of upcoming visits are replanned. News about visits, such as a
    cancellation, is always sent, by email or else by SMS.
    """
    client = client_contacts.change_reminders(ctx.work, ctx.scope, client_id, version, list(body.reminders))
    return RemindersOut.of(client)
