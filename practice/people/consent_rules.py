"""Rules about consents: who signs them, when, and until when they count."""

from datetime import date, datetime

GUARDIAN = "GUARDIAN"


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
