"""Rules about consents: who signs them, when, and until when they count."""

from collections.abc import Iterable
from datetime import date, datetime
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

from practice.errors import Problem
from practice.local_time import date_before, date_of

INFORMED, GUARDIAN, TELEHEALTH = "INFORMED_TREATMENT", "GUARDIAN", "TELEHEALTH"
WORDS = {INFORMED: "informed consent", GUARDIAN: "guardian's consent", TELEHEALTH: "telehealth consent"}


def signing_problems(kind: str, signer: str | None, guardian: str | None, minor: bool) -> list[str]:
    """The guardian's consent to the treatment of a minor is the guardian's own: of whoever the record names."""
    if signer is None:
        return ["Say who signs: the record names no guardian."]
    if kind == GUARDIAN and minor and (guardian is None or not same_name(signer, guardian)):
        return ["A minor's guardian consent is signed by the guardian whom the record names. Look there first."]
    return []


def same_name(one: str, other: str) -> bool:
    return one.casefold().split() == other.casefold().split()


def date_problems(
    signed_at: datetime, signed_on: date, expires_on: date | None, revoked_at: datetime | None, now: datetime
) -> list[str]:
    problems = []
    if signed_at > now:
        problems.append("The signature lies in the future.")
    if expires_on is not None and expires_on <= signed_on:
        problems.append("The consent expires before it counts; choose a day after that of the signature.")
    if revoked_at is not None and revoked_at > now:
        problems.append("The revocation lies in the future.")
    if revoked_at is not None and revoked_at < signed_at:
        problems.append("The revocation lies before the signature.")
    return problems


class Consent(NamedTuple):
    kind: str
    signed_at: datetime
    expires_on: date | None = None
    revoked_at: datetime | None = None


def expires_on(consent: Consent, zone: ZoneInfo) -> date:
    """The first date on which it no longer counts: a year after its signing where nothing else is agreed."""
    return consent.expires_on or date_of(consent.signed_at, zone) + relativedelta(years=1)


def counts(consent: Consent, at: datetime, zone: ZoneInfo) -> bool:
    """Whether it is in force just before the instant."""
    return (
        consent.signed_at < at
        and (consent.revoked_at is None or consent.revoked_at >= at)
        and date_before(at, zone) < expires_on(consent, zone)
    )


def consent_in_force(consents: Iterable[Consent], kind: str, at: datetime, zone: ZoneInfo) -> bool:
    return any(consent.kind == kind and counts(consent, at, zone) for consent in consents)


def consent_problem(
    consents: Iterable[Consent], kind: str, at: datetime, zone: ZoneInfo, treatment_changed_at: datetime | None = None
) -> Problem | None:
    """Return why no consent of this kind is in force, or None. One signed before the treatment changed is outdated."""
    signed = [consent for consent in consents if consent.kind == kind]
    in_force = [consent for consent in signed if counts(consent, at, zone)]
    if any(treatment_changed_at is None or consent.signed_at >= treatment_changed_at for consent in in_force):
        return None
    words = WORDS[kind]
    if not signed:
        return Problem("CONSENT_MISSING", f"The {words} has not been signed; ask for it.")
    if in_force:
        return Problem("CONSENT_OUTDATED", f"The treatment has changed since the {words}; ask for a new one.")
    if max(signed, key=lambda consent: consent.signed_at).revoked_at is not None:
        return Problem("CONSENT_REVOKED", f"The {words} was revoked; ask for a new one.")
    return Problem("CONSENT_LAPSED", f"The {words} has lapsed; ask for a new one.")


def treatment_changed_on(plans: Iterable[tuple[date, str]]) -> date | None:
    """When the latest plan of another kind than the one before began. The plans come in their order."""
    begun = list(plans)
    changes = [day for (_, before), (day, kind) in pairwise(begun) if kind.casefold() != before.casefold()]
    return changes[-1] if changes else None
