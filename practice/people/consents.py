"""Verbs about what clients consent to, and the practice's texts that they sign."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on

from practice.errors import Invalid, NotFound, Refusal, Stale
from practice.people.access import is_within, reaches
from practice.people.clients import lock_client
from practice.people.models.clients import CONSENT_KINDS, Agreement, Client, Consent
from practice.people.practice_time import zone_of
from practice.people.rules import consents as rules
from practice.people.rules.clients import needs_guardian
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.records import apply


class AlreadyRevoked(Refusal):
    code = "ALREADY_REVOKED"


class NoAgreement(Refusal):
    code = "NO_AGREEMENT"


class SignedByGuardian(Refusal):
    code = "SIGNED_BY_GUARDIAN"


def list_consents(work: Work, scope: Scope, client_id: UUID, *, voided: bool = False) -> list[Consent]:
    """Latest first. What was entered by mistake is not the client's to see."""
    if not is_within(work, scope, client_id):
        raise NotFound
    query = select(Consent).where(Consent.tenant_id == work.tenant_id, Consent.client_id == client_id)
    if not voided or work.actor.client_id is not None:
        query = query.where(Consent.voided_at.is_(None))
    work.record("client.read", "client", client_id, part="consents")
    return list(work.db.scalars(query.order_by(Consent.signed_at.desc(), Consent.id.desc())))


def sign_consent(
    work: Work,
    scope: Scope,
    client_id: UUID,
    kind: str,
    *,
    signed_at: datetime | None = None,
    signed_by_name: str | None = None,
    expires_on: date | None = None,
    agreement_id: UUID | None = None,
) -> Consent:
    """Put a signature on record. Without a date of its end it counts for a year."""
    client = lock_client(work, scope, client_id)
    if work.actor.client_id is not None and kind == rules.GUARDIAN:
        raise SignedByGuardian("This one is signed by the guardian, with the practice. Ask the front desk.")
    signer = signed_by_name or signer_of(client, kind)
    at = signed_at or work.now
    signed_on = date_there(work, at)
    minor = needs_guardian(client.birth_date, client.emancipated, signed_on)
    problems = rules.signing_problems(kind, signer, client.guardian_name, minor)
    problems += rules.date_problems(at, signed_on, expires_on, None, work.now)
    if problems:
        raise Invalid(problems)
    consent = Consent(
        tenant_id=work.tenant_id,
        id=new_id(),
        client_id=client_id,
        kind=kind,
        signed_at=at,
        signed_by_name=signer,
        expires_on=expires_on,
        agreement_id=agreement_id,
    )
    work.db.add(consent)
    work.db.flush()
    by_client = work.actor.client_id is not None
    work.record("consent.signed", "client", client_id, consent_id=str(consent.id), kind=kind, by_client=by_client)
    return consent


def signer_of(client: Client, kind: str) -> str | None:
    """Who signs where nobody else is named."""
    return client.guardian_name if kind == rules.GUARDIAN else f"{client.first_name} {client.last_name}"


def change_consent(work: Work, scope: Scope, consent_id: UUID, version: int, changes: dict[str, Any]) -> Consent:
    """When it ends, or how the signer is written."""
    consent = lock_consent(work, scope, consent_id)
    if consent.version != version:
        raise Stale
    client = work.db.get_one(Client, (work.tenant_id, consent.client_id))
    signed_on = date_there(work, consent.signed_at)
    problems = []
    if "signed_by_name" in changes:
        minor = needs_guardian(client.birth_date, client.emancipated, signed_on)
        problems += rules.signing_problems(consent.kind, changes["signed_by_name"], client.guardian_name, minor)
    if "expires_on" in changes:
        problems += rules.date_problems(consent.signed_at, signed_on, changes["expires_on"], None, work.now)
    if problems:
        raise Invalid(problems)
    apply(consent, changes)
    work.record("consent.changed", "client", consent.client_id, consent_id=str(consent_id), fields=sorted(changes))
    return consent


def revoke_consent(work: Work, scope: Scope, consent_id: UUID, revoked_at: datetime | None = None) -> Consent:
    """It counts no more from that moment on, now where nothing else is said."""
    consent = lock_consent(work, scope, consent_id)
    if consent.revoked_at is not None:
        raise AlreadyRevoked("This consent was revoked before. If that was a mistake, have a new one signed.")
    at = revoked_at or work.now
    problems = rules.date_problems(consent.signed_at, date_there(work, consent.signed_at), None, at, work.now)
    if problems:
        raise Invalid(problems)
    apply(consent, {"revoked_at": at})
    work.record("consent.revoked", "client", consent.client_id, consent_id=str(consent_id), kind=consent.kind)
    return consent


def void_consent(work: Work, scope: Scope, consent_id: UUID, reason: str) -> None:
    """It was put on record by mistake. One that was signed and no longer holds is revoked instead."""
    consent = lock_consent(work, scope, consent_id)
    work.void(consent, reason)
    work.record("consent.voided", "client", consent.client_id, consent_id=str(consent_id), reason=reason)


def lock_consent(work: Work, scope: Scope, consent_id: UUID) -> Consent:
    query = select(Consent).where(
        Consent.tenant_id == work.tenant_id, Consent.id == consent_id, Consent.voided_at.is_(None)
    )
    consent = work.db.scalar(query.where(reaches(work, scope, Consent.client_id)).with_for_update(of=Consent))
    if consent is None:
        raise NotFound
    return consent


def date_there(work: Work, at: datetime) -> date:
    return at.astimezone(zone_of(work)).date()


# The practice's texts


def list_agreements(work: Work, kind: str | None = None) -> list[Agreement]:
    """Those that are signed today: the newest of each kind. Of one kind every text, the newest first."""
    query = select(Agreement).where(Agreement.tenant_id == work.tenant_id)
    query = query.ext(distinct_on(Agreement.kind)) if kind is None else query.where(Agreement.kind == kind)
    return list(work.db.scalars(query.order_by(Agreement.kind, Agreement.number.desc())))


def newest_agreement(work: Work, kind: str) -> Agreement | None:
    query = select(Agreement).where(Agreement.tenant_id == work.tenant_id, Agreement.kind == kind)
    return work.db.scalar(query.order_by(Agreement.number.desc()).limit(1))


def publish_agreement(work: Work, kind: str, title: str, text: str) -> Agreement:
    """A new text under the next number. What was signed before stays signed as it was."""
    work.serialize_on("agreements")
    last = newest_agreement(work, kind)
    agreement = Agreement(
        tenant_id=work.tenant_id,
        id=new_id(),
        kind=kind,
        number=last.number + 1 if last else 1,
        title=title,
        text=text,
        published_at=work.now,
        published_by=work.actor.account_id,
    )
    work.db.add(agreement)
    work.record("agreement.published", "agreement", agreement.id, kind=kind, number=agreement.number)
    return agreement


def sign_agreement(work: Work, scope: Scope, client_id: UUID, kind: str, signed_by_name: str | None = None) -> Consent:
    """The newest text of its kind, now: by the client in the portal, or with the practice."""
    lock_client(work, scope, client_id)
    if kind not in CONSENT_KINDS:
        raise NotFound
    text = newest_agreement(work, kind)
    if text is None:
        raise NoAgreement("The practice has not published a text of this kind. Publish it first, then have it signed.")
    return sign_consent(work, scope, client_id, kind, signed_by_name=signed_by_name, agreement_id=text.id)
