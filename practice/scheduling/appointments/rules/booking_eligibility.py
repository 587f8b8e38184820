"""Booking eligibility: whether a client can be booked, and what check-in has to obtain from them.

Booking checks consents as of now: consents run for a year and series for two, clients are reminded before a consent
expires, and check-in checks again at the visit. Booking warns of a consent that ends before the visit. A consent counts
if it is in force: signed, not revoked, not expired. Without one in force:

- the informed consent, and the guardian's for a client who is under 18 on that day and not emancipated: booking is
  refused if one was ever signed (it has lapsed or was revoked). If none was ever signed, the first visit can be booked
  and take place: one visit may be open at a time, and check-in lists what is missing. Check-in and completion of any
  later visit are refused, unless staff give a reason. A client who declined treatment in an intake form is not booked
  until they sign;
- the telehealth consent: booking a telehealth visit is refused, including the first.

An informed consent signed before the treatment changed (a plan of a different kind than the one before) does not cover
the new treatment. One signed on the day on which the new plan began does: it is signed when the plan is discussed.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from practice.errors import Problem
from practice.local_time import date_of
from practice.people.rules.clients import DEMOGRAPHICS, needs_guardian
from practice.people.rules.consents import (
    GUARDIAN,
    INFORMED,
    LABELS,
    TELEHEALTH,
    ConsentTerm,
    find_consent_problem,
    find_latest_expiry,
    is_by_former_guardian,
)

COVERAGE = "coverage"
SIGNED_BY_ANOTHER = (
    "Somebody else than the guardian on record signed the guardian's consent. Ask the guardian on record to sign."
)


@dataclass(frozen=True)
class ClientStanding:
    """What a client's eligibility depends on."""

    birth_date: date
    emancipated: bool = False
    ended_on: date | None = None
    ended_at: datetime | None = None  # when the end of treatment was recorded; None if it was imported
    has_completed_visit: bool = False
    treatment_changed_at: datetime | None = None  # when the latest plan of another kind began
    declined_at: datetime | None = None  # when the client last declined treatment in an intake form
    guardian_name: str | None = None
    consents: tuple[ConsentTerm, ...] = ()


def booking_problems(
    client: ClientStanding, *, starts_at: datetime, telehealth: bool, now: datetime, zone: ZoneInfo
) -> list[Problem]:
    """Return every reason why the client cannot be booked for this start, each with a stable code."""
    day = date_of(starts_at, zone)
    problems = inactive_problems(client, day)
    unsigned = find_unsigned_consents(client, starts_at=starts_at, now=now, zone=zone)
    for kind in _list_required_consents(client, day, telehealth):
        problem = _consent_problem(client, kind, now, zone)
        if problem and kind not in unsigned:
            problems.append(problem)
    return problems


def inactive_problems(client: ClientStanding, day: date) -> list[Problem]:
    """Return why a client whose treatment has ended by that day is not booked."""
    if client.ended_on is None or client.ended_on > day:
        return []
    return [Problem("CLIENT_NOT_ACTIVE", "The client is not active on that day. Readmit them first.")]


def former_client_problems(client: ClientStanding, starts_at: datetime, zone: ZoneInfo) -> list[Problem]:
    """Return why a client whose treatment has ended is not seen. Visits that began before its end was recorded are."""
    if client.ended_at is not None and starts_at < client.ended_at:
        return []
    return inactive_problems(client, date_of(starts_at, zone))


def find_unsigned_consents(client: ClientStanding, *, starts_at: datetime, now: datetime, zone: ZoneInfo) -> list[str]:
    """Return the consents that were never signed and that the first visit can be booked without."""
    if client.has_completed_visit:
        return []
    kinds = _list_required_consents(client, date_of(starts_at, zone), telehealth=False)
    problems = {kind: _consent_problem(client, kind, now, zone) for kind in kinds}
    return [kind for kind, problem in problems.items() if problem and problem.code == "CONSENT_MISSING"]


def open_visit_problem(unsigned: Sequence[str]) -> Problem:
    """Return why a client without these consents cannot have a second open visit."""
    consents = " and the ".join(LABELS[kind] for kind in unsigned)
    message = f"Without the {consents}, a client can have one open visit. Have it signed before booking another."
    return Problem("CONSENT_MISSING", message)


def find_visit_problems(
    client: ClientStanding, *, starts_at: datetime, telehealth: bool, now: datetime, zone: ZoneInfo, can_begin: bool
) -> dict[str, Problem]:
    """Return why the visit cannot take place, by the kind of a consent that is in force neither at its start nor now.

    A consent that ended after the visit counts for one recorded late, and so does one signed since. One that was
    revoked counts no longer while the visit can still begin. A change of treatment does not stop a visit, in which it
    is discussed; check-in lists the new consent as outstanding.
    """
    problems = {}
    for kind in _list_required_consents(client, date_of(starts_at, zone), telehealth):
        at_start, at_present = (_consent_problem(client, kind, at, zone) for at in (starts_at, now))
        if at_present is None or at_present.code == "CONSENT_OUTDATED":
            continue
        was_in_force = at_start is None or at_start.code == "CONSENT_OUTDATED"
        if not was_in_force or (can_begin and at_present.code == "CONSENT_REVOKED"):
            problems[kind] = at_present
    return problems


def list_consent_warnings(
    client: ClientStanding, *, starts: Sequence[datetime], telehealth: bool, now: datetime, zone: ZoneInfo
) -> list[str]:
    """Return a warning per consent that the client has not signed yet, or that ends before one of the visits."""
    warnings: dict[str, str] = {}
    for start in sorted(starts):
        day = date_of(start, zone)
        for kind in _list_required_consents(client, day, telehealth):
            today = _consent_problem(client, kind, now, zone)
            then = _consent_problem(client, kind, max(start, now), zone)
            if today is not None:
                warnings.setdefault(kind, today.message)
            elif then is not None:
                ends_on = find_latest_expiry(client.consents, kind, now, zone)
                warnings.setdefault(
                    kind, f"The {LABELS[kind]} ends on {ends_on}, before the visit on {day}. Ask for a new one."
                )
            elif kind == GUARDIAN and is_by_former_guardian(client.consents, client.guardian_name, now, zone):
                warnings.setdefault(kind, SIGNED_BY_ANOTHER)
    return list(warnings.values())


def find_outstanding_items(
    client: ClientStanding,
    *,
    starts_at: datetime,
    telehealth: bool,
    missing: Collection[str],
    now: datetime,
    zone: ZoneInfo,
) -> list[str]:
    """Return what to obtain at check-in: each consent that is not in force, and missing demographics."""
    at = max(starts_at, now)
    kinds = _list_required_consents(client, date_of(starts_at, zone), telehealth)
    problems = [_consent_problem(client, kind, at, zone) for kind in kinds]
    items = [problem.message for problem in problems if problem]
    if GUARDIAN in kinds and is_by_former_guardian(client.consents, client.guardian_name, at, zone):
        items.append(SIGNED_BY_ANOTHER)
    return [*items, describe_missing_demographics(missing)] if missing else items


def _list_required_consents(client: ClientStanding, day: date, telehealth: bool) -> list[str]:
    guarded = needs_guardian(client.birth_date, client.emancipated, day)
    return [INFORMED] + [GUARDIAN] * guarded + [TELEHEALTH] * telehealth


def _consent_problem(client: ClientStanding, kind: str, at: datetime, zone: ZoneInfo) -> Problem | None:
    if kind != INFORMED:
        return find_consent_problem(client.consents, kind, at, zone)
    return find_consent_problem(client.consents, kind, at, zone, client.treatment_changed_at, client.declined_at)


def find_missing_demographics(fields: Mapping[str, Any], *, self_pay: bool, covered: bool) -> list[str]:
    """Return the names of empty fields, and `coverage` unless the client self-pays or is `covered` on that day."""
    missing = [name for name in DEMOGRAPHICS if not str(fields.get(name) or "").strip()]
    return missing if self_pay or covered else [*missing, COVERAGE]


def describe_missing_demographics(missing: Collection[str]) -> str:
    labels = ", ".join(DEMOGRAPHICS.get(name, "coverage or self-pay") for name in missing)
    return f"Missing in the client's record: {labels}. Complete it first."
