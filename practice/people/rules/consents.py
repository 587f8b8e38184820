"""Rules about consents: signers, dates, and whether a consent is in force."""

import re
from collections.abc import Iterable
from datetime import date, datetime
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

from practice.errors import FieldProblem, Problem
from practice.local_time import date_before, date_of
from practice.text import fold

INFORMED, GUARDIAN, TELEHEALTH = "INFORMED_TREATMENT", "GUARDIAN", "TELEHEALTH"
APOSTROPHES = re.compile("['`.\u00b4\u02b9\u02bb-\u02bd\u2018\u2019\u2032\uff07]")  # and the periods of initials
HYPHENS = re.compile("[-\u2010-\u2015\u2212]")
LABELS = {INFORMED: "informed consent", GUARDIAN: "guardian's consent", TELEHEALTH: "telehealth consent"}


def signing_problems(signer: str | None, client_name: str, guardian: str | None, minor: bool) -> list[FieldProblem]:
    """Check the signer: the guardian in the record signs every consent for a minor, others sign for themselves.

    People write their own name in more than one way, so an adult's only has to have the first name of the record.
    """
    message = None
    if minor and guardian is None:
        message = "The client is under 18 and the record has no guardian. Add the guardian's name to it first."
    elif minor and (signer is None or not is_same_name(signer, guardian or "")):
        message = "The signer is not the guardian in the client's record. Use that name or correct the record first."
    elif not minor and (signer is None or not has_first_name(signer, client_name)):
        message = (
            "The signer is not the client, who signs for themselves. Use the name in the record or correct it first."
        )
    if message is not None:
        return [FieldProblem("signed_by_name", message)]
    return []


def has_first_name(name: str, client_name: str) -> bool:
    return split_name(client_name)[0] in split_name(name)


def is_same_name(name: str, other: str) -> bool:
    """Return whether two ways of writing are the same name: spaces, capitals, accents and apostrophes do not count."""
    return split_name(name) == split_name(other)


def split_name(name: str) -> list[str]:
    """Return the words of a name as they are compared, with hyphens as spaces: people type them in many ways."""
    return fold(HYPHENS.sub(" ", APOSTROPHES.sub("", name))).split() or name.split()


def date_problems(
    signed_at: datetime, signed_on: date, expires_on: date | None, revoked_at: datetime | None, now: datetime
) -> list[FieldProblem]:
    problems = []
    if signed_at > now:
        problems.append(FieldProblem("signed_at", "The signature is in the future. Choose now or earlier."))
    if expires_on is not None and expires_on <= signed_on:
        message = "The consent expires on or before the date of the signature. Choose a later date."
        problems.append(FieldProblem("expires_on", message))
    if expires_on is not None and expires_on > (latest := compute_latest_expiry(signed_on)):
        message = f"A consent expires at most a year after its signature. Choose {latest} or earlier."
        problems.append(FieldProblem("expires_on", message))
    if revoked_at is not None and revoked_at > now:
        problems.append(FieldProblem("revoked_at", "The revocation is in the future. Choose now or earlier."))
    if revoked_at is not None and revoked_at < signed_at:
        problems.append(FieldProblem("revoked_at", "The revocation is before the signature. Choose a later time."))
    return problems


class ConsentTerm(NamedTuple):
    """The kind of a consent and when it is in force."""

    kind: str
    signed_at: datetime
    expires_on: date | None = None
    revoked_at: datetime | None = None
    signed_by: str | None = None  # not known of some imported ones


def compute_latest_expiry(signed_on: date) -> date:
    """Return the same date of the next year, or February 28 after a signature on February 29."""
    return signed_on + relativedelta(years=1)


def compute_expiry(consent: ConsentTerm, zone: ZoneInfo) -> date:
    """Return the first date on which the consent is no longer in force (default: a year after the signature)."""
    return consent.expires_on or compute_latest_expiry(date_of(consent.signed_at, zone))


def is_in_force(consent: ConsentTerm, at: datetime, zone: ZoneInfo) -> bool:
    """Return whether the consent is in force just before the instant."""
    return (
        consent.signed_at < at
        and (consent.revoked_at is None or consent.revoked_at >= at)
        and date_before(at, zone) < compute_expiry(consent, zone)
    )


def list_in_force(consents: Iterable[ConsentTerm], kind: str, at: datetime, zone: ZoneInfo) -> list[ConsentTerm]:
    """Return the consents of the kind that are in force just before the instant.

    Who revokes one takes back what they signed before, such as the last year's. Another guardian's stands.
    """
    signed = [consent for consent in consents if consent.kind == kind]
    revoked = [consent for consent in signed if consent.revoked_at is not None and consent.revoked_at < at]
    return [
        consent
        for consent in signed
        if is_in_force(consent, at, zone) and not any(is_taken_back(consent, other) for other in revoked)
    ]


def is_taken_back(consent: ConsentTerm, revoked: ConsentTerm) -> bool:
    """Return whether the revocation of another consent, or of this one, takes this one back."""
    signers = (consent.signed_by, revoked.signed_by)
    is_same_signer = not all(signers) or is_same_name(*(signer or "" for signer in signers))
    return is_same_signer and revoked.revoked_at is not None and consent.signed_at < revoked.revoked_at


def has_consent_in_force(consents: Iterable[ConsentTerm], kind: str, at: datetime, zone: ZoneInfo) -> bool:
    return bool(list_in_force(consents, kind, at, zone))


def is_by_former_guardian(consents: Iterable[ConsentTerm], guardian: str | None, at: datetime, zone: ZoneInfo) -> bool:
    """Return whether somebody else than the guardian on record signed every guardian's consent in force."""
    signers = [consent.signed_by for consent in list_in_force(consents, GUARDIAN, at, zone)]
    return bool(guardian and signers) and not any(not name or is_same_name(name, guardian or "") for name in signers)


def find_latest_expiry(consents: Iterable[ConsentTerm], kind: str, at: datetime, zone: ZoneInfo) -> date | None:
    """Return the date from which no consent of this kind in force at the instant is in force any longer."""
    in_force = list_in_force(consents, kind, at, zone)
    return max((compute_expiry(consent, zone) for consent in in_force), default=None)


def find_consent_problem(
    consents: Iterable[ConsentTerm],
    kind: str,
    at: datetime,
    zone: ZoneInfo,
    treatment_changed_at: datetime | None = None,
    declined_at: datetime | None = None,
) -> Problem | None:
    """Return why no consent of this kind is in force, or None.

    One signed before the treatment changed is outdated, and one signed before the client declined does not count.
    """
    declined = declined_at is not None and declined_at <= at
    if declined_at is not None and declined:
        consents = [consent for consent in consents if consent.signed_at > declined_at]
    signed = [consent for consent in consents if consent.kind == kind]
    in_force = list_in_force(signed, kind, at, zone)
    if any(treatment_changed_at is None or consent.signed_at >= treatment_changed_at for consent in in_force):
        return None
    label = LABELS[kind]
    if not signed and declined:
        return Problem("CONSENT_DECLINED", f"The client declined treatment. Book again once the {label} is signed.")
    if not signed:
        return Problem("CONSENT_MISSING", f"The {label} is not signed. Ask the client to sign it.")
    if in_force:
        return Problem("CONSENT_OUTDATED", f"The treatment has changed since the {label}. Ask for a new one.")
    last_signed = max(consent.signed_at for consent in signed)
    if any(consent.revoked_at is not None and consent.revoked_at >= last_signed for consent in signed):
        return Problem("CONSENT_REVOKED", f"The {label} was revoked. Ask for a new one.")
    return Problem("CONSENT_LAPSED", f"The {label} has expired. Ask for a new one.")


def find_treatment_change(plans: Iterable[tuple[date, str]]) -> date | None:
    """Return the start of the latest plan whose kind differs from the one before; plans are in chronological order."""
    changes = [day for (_, before), (day, kind) in pairwise(plans) if kind.casefold() != before.casefold()]
    return changes[-1] if changes else None
