"""Routes of consents and of the agreements that clients sign."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from api.context import RequestContext, Version
from api.fields import Day, Instant, Name, Text50000
from api.names import ClientName, PersonOf, from_record
from api.responses import Input, VoidIn
from api.routing import PermissionRouter
from practice.people import consents
from practice.people.consents import AlreadyRevoked, NoAgreement, SignedByGuardian
from practice.people.models.clients import Agreement, Consent

router = PermissionRouter(tags=["consents"])

Kind = Literal["INFORMED_TREATMENT", "GUARDIAN", "TELEHEALTH", "CONFIDENTIALITY", "DATA_PROCESSING"]
Signer = Annotated[
    Name | None,
    Field(description="Default: the client; for a minor the guardian of the record, whom a name sent has to match."),
]


class ConsentIn(Input):
    kind: Kind
    signed_at: Annotated[Instant | None, Field(description="Default: now.")] = None
    signed_by_name: Signer = None
    expires_on: Annotated[
        Day | None, Field(description="The first day on which it is no longer in force. Default: after a year.")
    ] = None


class ConsentChange(Input):
    signed_by_name: Name = ""
    expires_on: Day | None = None


class Revocation(Input):
    revoked_at: Annotated[Instant | None, Field(description="Default: now.")] = None


class Signature(Input):
    signed_by_name: Signer = None


class ConsentOut(BaseModel):
    id: UUID
    client_id: UUID
    client_name: ClientName = None
    kind: str
    signed_at: datetime
    signed_by_name: str | None
    expires_on: date | None
    revoked_at: datetime | None
    agreement_id: UUID | None
    voided_at: datetime | None
    voided_by: UUID | None
    voided_by_person: PersonOf = None
    void_reason: str | None
    version: int

    @classmethod
    def of(cls, consent: Consent) -> "ConsentOut":
        return from_record(cls, consent)


class ConsentsOut(BaseModel):
    items: list[ConsentOut]


class AgreementIn(Input):
    kind: Kind
    title: Name
    text: Text50000


class AgreementOut(BaseModel):
    id: UUID
    kind: str
    number: int
    title: str
    text: str
    published_at: datetime
    published_by: UUID | None
    published_by_person: PersonOf = None

    @classmethod
    def of(cls, agreement: Agreement) -> "AgreementOut":
        return from_record(cls, agreement)


class AgreementsOut(BaseModel):
    items: list[AgreementOut]


@router.get("/clients/{client_id}/consents", permission="consents.read")
def list_consents(ctx: RequestContext, client_id: UUID, voided: Annotated[bool, Query()] = False) -> ConsentsOut:
    """List a client's consents.

    Latest first.
    """
    signed = consents.list_consents(ctx.work, ctx.scope, client_id, voided=voided)
    return ConsentsOut(items=[ConsentOut.of(consent) for consent in signed])


@router.post("/clients/{client_id}/consents", permission="consents.write", status_code=201)
def sign_consent(ctx: RequestContext, client_id: UUID, body: ConsentIn) -> ConsentOut:
    """Record a signed consent."""
    return ConsentOut.of(consents.sign_consent(ctx.work, ctx.scope, client_id, **body.model_dump()))


@router.patch("/consents/{consent_id}", permission="consents.write")
def change_consent(ctx: RequestContext, consent_id: UUID, version: Version, body: ConsentChange) -> ConsentOut:
    """Change a consent.

    Its end or the name of its signer.
    """
    changes = body.model_dump(exclude_unset=True)
    return ConsentOut.of(consents.change_consent(ctx.work, ctx.scope, consent_id, version, changes))


@router.post("/consents/{consent_id}/revoke", permission="consents.write", errors=[AlreadyRevoked])
def revoke_consent(ctx: RequestContext, consent_id: UUID, body: Revocation) -> ConsentOut:
    """Revoke a consent."""
    return ConsentOut.of(consents.revoke_consent(ctx.work, ctx.scope, consent_id, body.revoked_at))


@router.delete("/consents/{consent_id}", permission="consents.write", status_code=204)
def void_consent(ctx: RequestContext, consent_id: UUID, body: VoidIn) -> None:
    """Void a consent.

    It stays on record with who, when and why. Do not put personal data in `reason`.
    """
    consents.void_consent(ctx.work, ctx.scope, consent_id, body.reason)


@router.get("/agreements", permission="consents.read")
def list_agreements(ctx: RequestContext, kind: Annotated[Kind | None, Query()] = None) -> AgreementsOut:
    """List agreements.

    The current text of each kind, or every text of one kind.
    """
    return AgreementsOut(items=[AgreementOut.of(agreement) for agreement in consents.list_agreements(ctx.work, kind)])


@router.post("/agreements", permission="settings.write", status_code=201)
def publish_agreement(ctx: RequestContext, body: AgreementIn) -> AgreementOut:
    """Publish an agreement.

    The text to be signed from now on, under the next number of its kind.
    """
    return AgreementOut.of(consents.publish_agreement(ctx.work, body.kind, body.title, body.text))


@router.post(
    "/clients/{client_id}/agreements/{kind}/sign",
    permission="consents.sign",
    status_code=201,
    errors=[NoAgreement, SignedByGuardian],
)
def sign_agreement(ctx: RequestContext, client_id: UUID, kind: str, body: Signature) -> ConsentOut:
    """Sign an agreement.

    The newest text of a kind, now: by the client, or with the front desk. For a minor the guardian signs.
    """
    consent = consents.sign_agreement(ctx.work, ctx.scope, client_id, kind, body.signed_by_name)
    return ConsentOut.of(consent)
