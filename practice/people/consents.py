"""Consents of clients, and the practice's agreement texts that they sign."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on

from practice.errors import Invalid, NotFound, Refusal, Stale
from practice.people.access import can_see_client, client_visible
from practice.people.clients import lock_client
from practice.people.models.clients import CONSENT_KINDS, Agreement, Client, Consent
from practice.people.practice_time import local_today, zone_of
from practice.people.rules import consents as rules
from practice.people.rules.clients import choose_portal_email, needs_guardian
from practice.security.models import Account
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.records import update_versioned

NOT_PUBLISHED = "No agreement of this kind is published. Publish one, then have it signed."
NOTHING_TO_SIGN = "There is no text to sign online yet. Please call the practice, where you can sign it."


class AlreadyRevoked(Refusal):
    """The consent is already revoked.

    Fix: ask the client to sign a new one if that was a mistake.
    """

    code = "ALREADY_REVOKED"


class NoAgreement(Refusal):
    """No agreement of this kind is published.

    Fix: publish one, then have it signed.
    """

    code = "NO_AGREEMENT"


class GuardianNotNeeded(Refusal):
    """The client was of age or emancipated on the day of the signature, so no guardian consents for them.

    Fix: have the client sign the informed consent. For a minor, correct the birth date or `emancipated` first.
    """

    code = "GUARDIAN_NOT_NEEDED"
    status = 422


class GuardianSigns(Refusal):
    """The client is a minor, and the portal account does not have the address of the guardian, who signs.

    Fix: record the guardian's email address and invite them, or have it signed at the practice.
    """

    code = "GUARDIAN_SIGNS"


def list_consents(work: Work, scope: Scope, client_id: UUID, *, voided: bool = False) -> list[Consent]:
    """Return the client's consents, latest first. Clients never see voided ones."""
    if not can_see_client(work, scope, client_id):
        raise NotFound
    query = select(Consent).where(Consent.tenant_id == work.tenant_id, Consent.client_id == client_id)
    if not voided or work.actor.client_id is not None:
        query = query.where(Consent.voided_at.is_(None))
    work.record("client.read", "client", client_id, part="consents")
    return list(work.db.scalars(query.order_by(Consent.signed_at.desc(), Consent.id.desc())))


def list_signed_by(work: Work, client_id: UUID, name: str) -> list[Consent]:
    """Return the client's consents in force that somebody of this name signed, latest first."""
    query = select(Consent).where(
        Consent.tenant_id == work.tenant_id,
        Consent.client_id == client_id,
        Consent.voided_at.is_(None),
        Consent.revoked_at.is_(None),
    )
    consents = work.db.scalars(query.order_by(Consent.signed_at.desc(), Consent.id.desc()))
    today, zone = local_today(work), zone_of(work)
    return [
        consent
        for consent in consents
        if rules.is_same_name(consent.signed_by_name or "", name)
        and today < rules.compute_expiry(rules.ConsentTerm(consent.kind, consent.signed_at, consent.expires_on), zone)
    ]


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
    """Record a signed consent, for a minor in the guardian's name. It is valid for a year unless `expires_on` is given.

    A minor's guardian signs in the portal, too, with an account of their own address. Other clients sign there in their
    own name, whatever they type.
    """
    client = lock_client(work, scope, client_id)
    signed_at = signed_at or work.now
    signed_on = local_date_of(work, signed_at)
    minor = needs_guardian(client.birth_date, client.emancipated, signed_on)
    by_client = work.actor.client_id is not None
    if kind == rules.GUARDIAN and not minor:
        raise GuardianNotNeeded(
            "You sign for yourself, so no guardian consents for you. Sign the informed consent."
            if by_client
            else "The client is of age or emancipated, so no guardian consents. Have the client sign the informed "
            "consent, or correct the birth date first."
        )
    if by_client and minor:
        refuse_other_than_guardian(work, client)
    typed_name = None if by_client and not minor else signed_by_name
    client_name = f"{client.first_name} {client.last_name}"
    signer = typed_name or (client.guardian_name if minor else client_name)
    problems = rules.signing_problems(signer, client_name, client.guardian_name, minor)
    problems += rules.date_problems(signed_at, signed_on, expires_on, None, work.now)
    if problems:
        raise Invalid(problems)
    consent = Consent(
        tenant_id=work.tenant_id,
        id=new_id(),
        client_id=client_id,
        kind=kind,
        signed_at=signed_at,
        signed_by_name=signer,
        expires_on=expires_on,
        agreement_id=agreement_id,
    )
    work.db.add(consent)
    work.db.flush()
    work.record("consent.signed", "client", client_id, consent_id=str(consent.id), kind=kind, by_client=by_client)
    return consent


def refuse_other_than_guardian(work: Work, client: Client) -> None:
    """Raise GuardianSigns unless the signed-in account has the address of the guardian in a minor's record."""
    account = work.db.get_one(Account, work.actor.account_id)
    if account.email != choose_portal_email(client, local_today(work)):
        raise GuardianSigns(
            "The guardian signs for a minor, and this account does not have the guardian's email address. Please call "
            "the practice, which can invite the guardian or have it signed there."
        )


def change_consent(work: Work, scope: Scope, consent_id: UUID, version: int, changes: dict[str, Any]) -> Consent:
    """Change when a consent expires or how the signer's name is written."""
    consent = lock_consent(work, scope, consent_id)
    if consent.version != version:
        raise Stale
    client = work.db.get_one(Client, (work.tenant_id, consent.client_id))
    signed_on = local_date_of(work, consent.signed_at)
    problems = []
    if "signed_by_name" in changes:
        minor = needs_guardian(client.birth_date, client.emancipated, signed_on)
        names = (f"{client.first_name} {client.last_name}", client.guardian_name)
        problems += rules.signing_problems(changes["signed_by_name"], *names, minor)
    if "expires_on" in changes:
        problems += rules.date_problems(consent.signed_at, signed_on, changes["expires_on"], None, work.now)
    if problems:
        raise Invalid(problems)
    update_versioned(consent, changes)
    work.record("consent.changed", "client", consent.client_id, consent_id=str(consent_id), fields=sorted(changes))
    return consent


def revoke_consent(work: Work, scope: Scope, consent_id: UUID, revoked_at: datetime | None = None) -> Consent:
    """Revoke a consent from a time on (default: now)."""
    consent = lock_consent(work, scope, consent_id)
    if consent.revoked_at is not None:
        raise AlreadyRevoked("This consent is already revoked. If that was a mistake, have a new one signed.")
    revoked_at = revoked_at or work.now
    signed_on = local_date_of(work, consent.signed_at)
    problems = rules.date_problems(consent.signed_at, signed_on, None, revoked_at, work.now)
    if problems:
        raise Invalid(problems)
    update_versioned(consent, {"revoked_at": revoked_at})
    work.record("consent.revoked", "client", consent.client_id, consent_id=str(consent_id), kind=consent.kind)
    return consent


def void_consent(work: Work, scope: Scope, consent_id: UUID, reason: str) -> None:
    """Void a consent entered by mistake. A consent that was signed and no longer applies is revoked instead."""
    consent = lock_consent(work, scope, consent_id)
    work.void(consent, reason)
    work.record("consent.voided", "client", consent.client_id, consent_id=str(consent_id))


def lock_consent(work: Work, scope: Scope, consent_id: UUID) -> Consent:
    query = select(Consent).where(
        Consent.tenant_id == work.tenant_id, Consent.id == consent_id, Consent.voided_at.is_(None)
    )
    consent = work.db.scalar(query.where(client_visible(work, scope, Consent.client_id)).with_for_update(of=Consent))
    if consent is None:
        raise NotFound
    return consent


def local_date_of(work: Work, at: datetime) -> date:
    """Return the date of an instant in the practice's time zone."""
    return at.astimezone(zone_of(work)).date()


# Agreement texts


def list_agreements(work: Work, kind: str | None = None) -> list[Agreement]:
    """Return the newest agreement of each kind, or every version of one kind, newest first."""
    query = select(Agreement).where(Agreement.tenant_id == work.tenant_id)
    query = query.ext(distinct_on(Agreement.kind)) if kind is None else query.where(Agreement.kind == kind)
    return list(work.db.scalars(query.order_by(Agreement.kind, Agreement.number.desc())))


def find_newest_agreement(work: Work, kind: str) -> Agreement | None:
    query = select(Agreement).where(Agreement.tenant_id == work.tenant_id, Agreement.kind == kind)
    return work.db.scalar(query.order_by(Agreement.number.desc()).limit(1))


def publish_agreement(work: Work, kind: str, title: str, text: str) -> Agreement:
    """Publish a new text under the next number. Existing signatures keep the text they were given for."""
    work.serialize_on("agreements")
    latest = find_newest_agreement(work, kind)
    agreement = Agreement(
        tenant_id=work.tenant_id,
        id=new_id(),
        kind=kind,
        number=latest.number + 1 if latest else 1,
        title=title,
        text=text,
        published_at=work.now,
        published_by=work.actor.account_id,
    )
    work.db.add(agreement)
    work.record("agreement.published", "agreement", agreement.id, kind=kind, number=agreement.number)
    return agreement


def sign_agreement(work: Work, scope: Scope, client_id: UUID, kind: str, signed_by_name: str | None = None) -> Consent:
    """Sign the newest agreement of a kind now, in the portal or at the practice."""
    lock_client(work, scope, client_id)
    if kind not in CONSENT_KINDS:
        raise NotFound
    agreement = find_newest_agreement(work, kind)
    if agreement is None:
        raise NoAgreement(NOTHING_TO_SIGN if work.actor.client_id else NOT_PUBLISHED)
    return sign_consent(work, scope, client_id, kind, signed_by_name=signed_by_name, agreement_id=agreement.id)
