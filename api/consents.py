"""Routes of consents and of the agreements that clients sign."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from api.affected import AffectedOut, describe_affected
from api.context import RequestContext, Version
from api.fields import (
    AccountId,
    ClientId,
    Day,
    Instant,
    Name,
    RecordId,
    RecordVersion,
    Text50000,
    VoidedAt,
    VoidReason,
    describe,
    example,
)
from api.names import ClientName, PersonOf, from_record
from api.responses import Input, VoidIn
from api.routing import PermissionRouter
from practice.people import consents
from practice.people.consents import AlreadyRevoked, GuardianNotNeeded, GuardianSigns, NoAgreement
from practice.people.models.clients import Agreement, Consent
from practice.scheduling.appointments.affected import load_affected_by_consent

router = PermissionRouter(tags=["consents"])

Kind = Literal["INFORMED_TREATMENT", "GUARDIAN", "TELEHEALTH", "CONFIDENTIALITY", "DATA_PROCESSING"]
Signer = Annotated[
    Name | None,
    Field(description="Default: the client, or a minor's guardian in the record. A name sent has to match it."),
]


class ConsentIn(Input):
    model_config = example(kind="INFORMED_TREATMENT", signed_by_name="Casey Elm")

    kind: Annotated[Kind, describe("What the client consents to.")]
    signed_at: Annotated[Instant | None, Field(description="Default: now.")] = None
    signed_by_name: Signer = None
    expires_on: Annotated[
        Day | None,
        Field(description="The first day on which it is no longer in force. Default, and the latest: after a year."),
    ] = None


class ConsentChange(Input):
    model_config = example(expires_on="2027-03-18")

    signed_by_name: Annotated[Name, describe("The name of the signer.")] = ""
    expires_on: Annotated[
        Day | None,
        describe(
            "The first day on which it is no longer in force, at most a year after the signature; null for that year."
        ),
    ] = None


class Revocation(Input):
    model_config = example(revoked_at="2026-03-18T10:00:00-04:00")

    revoked_at: Annotated[Instant | None, Field(description="Default: now.")] = None


class Signature(Input):
    model_config = example(signed_by_name="Casey Elm")

    signed_by_name: Signer = None


class ConsentOut(BaseModel):
    id: RecordId
    client_id: ClientId
    client_name: ClientName = None
    kind: Annotated[str, describe("What the client consents to.")]
    signed_at: Annotated[datetime, describe("When it was signed.")]
    signed_by_name: Annotated[str | None, describe("The name of the signer.")]
    expires_on: Annotated[
        date | None, describe("The first day on which it is no longer in force; null for a year after the signature.")
    ]
    revoked_at: Annotated[datetime | None, describe("When the client revoked it; null while in force.")]
    agreement_id: Annotated[UUID | None, describe("The text that was signed, if it is one of the practice's.")]
    voided_at: VoidedAt | None
    voided_by: AccountId | None
    voided_by_person: PersonOf = None
    void_reason: VoidReason | None
    version: RecordVersion

    @classmethod
    def of(cls, consent: Consent) -> "ConsentOut":
        return from_record(cls, consent)


class RevokedConsentOut(AffectedOut, ConsentOut):
    """A consent that was revoked, with the visits that need one of its kind."""


class ConsentsOut(BaseModel):
    items: Annotated[list[ConsentOut], describe("The records, in the order of the list.")]


class AgreementIn(Input):
    model_config = example(
        kind="INFORMED_TREATMENT", title="Consent to treatment", text="I agree to be treated by this practice."
    )

    kind: Annotated[Kind, describe("What it is a consent to.")]
    title: Annotated[Name, describe("The title that the client reads.")]
    text: Annotated[Text50000, describe("The text that the client signs.")]


class AgreementOut(BaseModel):
    id: RecordId
    kind: Annotated[str, describe("What it is a consent to.")]
    number: Annotated[int, describe("The version, counted from 1.")]
    title: Annotated[str, describe("The title that the client reads.")]
    text: Annotated[str, describe("The text that the client signs.")]
    published_at: Annotated[datetime, describe("When it became the current text.")]
    published_by: AccountId | None
    published_by_person: PersonOf = None

    @classmethod
    def of(cls, agreement: Agreement) -> "AgreementOut":
        return from_record(cls, agreement)


class AgreementsOut(BaseModel):
    items: Annotated[list[AgreementOut], describe("The records, in the order of the list.")]


@router.get("/clients/{client_id}/consents", permission="consents.read")
def list_consents(
    ctx: RequestContext,
    client_id: UUID,
    voided: Annotated[bool, Query(description="Also list voided consents.")] = False,
) -> ConsentsOut:
    """List a client's consents.

    Latest first.
    """
    signed = consents.list_consents(ctx.work, ctx.scope, client_id, voided=voided)
    return ConsentsOut(items=[ConsentOut.of(consent) for consent in signed])


@router.post("/clients/{client_id}/consents", permission="consents.write", status_code=201, errors=[GuardianNotNeeded])
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
def revoke_consent(ctx: RequestContext, consent_id: UUID, body: Revocation) -> RevokedConsentOut:
    """Revoke a consent.

    The response lists the client's visits that need one of its kind. They stay booked.
    """
    consent = consents.revoke_consent(ctx.work, ctx.scope, consent_id, body.revoked_at)
    visits = load_affected_by_consent(ctx.work, consent)
    return from_record(RevokedConsentOut, consent, **describe_affected(visits))


@router.delete("/consents/{consent_id}", permission="consents.write", status_code=204)
def void_consent(ctx: RequestContext, consent_id: UUID, body: VoidIn) -> None:
    """Void a consent.

    It stays on record with who, when and why. Do not put personal data in `reason`.
    """
    consents.void_consent(ctx.work, ctx.scope, consent_id, body.reason)


@router.get("/agreements", permission="consents.read")
def list_agreements(
    ctx: RequestContext, kind: Annotated[Kind | None, Query(description="Only texts of this kind of consent.")] = None
) -> AgreementsOut:
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
    errors=[NoAgreement, GuardianNotNeeded, GuardianSigns],
)
def sign_agreement(ctx: RequestContext, client_id: UUID, kind: str, body: Signature) -> ConsentOut:
    """Sign an agreement.

    The newest text of a kind, now: by the client, or with the front desk. For a minor the guardian signs.
    """
    consent = consents.sign_agreement(ctx.work, ctx.scope, client_id, kind, body.signed_by_name)
    return ConsentOut.of(consent)
