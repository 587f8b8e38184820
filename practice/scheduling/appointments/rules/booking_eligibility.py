"""A client's standing: whether they may be booked, and what check-in has to ask them for.

How the practice's words on consents are read. A booking looks at now: consents run for a year and series for two, and
whoever has a consent today is reminded before it runs out; check-in looks again, at the visit. A consent counts that is
in force just then: signed before, not revoked, not expired. Where none is in force:

- the informed consent, and for somebody under 18 on that day and not emancipated the guardian's: refused where one
  was ever signed (it has lapsed, or was revoked); where none ever was, refused only once a visit has been completed.
  The first visit can be booked, and check-in asks for what is missing;
- the telehealth consent: refused for a telehealth visit, the first as well.

An informed consent that was signed before the treatment changed (a plan of another kind than the one before) does not
cover the new one. One of the day on which the new plan began does: it is what is signed when the plan is talked over.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from practice.errors import Problem
from practice.local_time import date_of
from practice.people.rules.clients import needs_guardian
from practice.people.rules.consents import GUARDIAN, INFORMED, TELEHEALTH, Consent, consent_problem

COVERAGE = "coverage"

DEMOGRAPHICS = {
    "first_name": "first name",
    "last_name": "last name",
    "birth_date": "birth date",
    "address": "address",
    "city": "city",
    "state": "state",
    "zip": "zip code",
    "phone": "phone",
    "emergency_contact_name": "emergency contact's name",
    "emergency_contact_phone": "emergency contact's phone",
}


@dataclass(frozen=True)
class ClientStanding:
    birth_date: date
    emancipated: bool = False
    ended_on: date | None = None
    has_completed_visit: bool = False
    treatment_changed_at: datetime | None = None  # when the latest plan of another kind began
    consents: tuple[Consent, ...] = ()


def booking_problems(
    client: ClientStanding, *, starts_at: datetime, telehealth: bool, now: datetime, zone: ZoneInfo
) -> list[Problem]:
    """Why the client cannot be booked for this start: everything at once, each with a stable code."""
    day = date_of(starts_at, zone)
    problems = []
    if client.ended_on is not None and client.ended_on <= day:
        problems.append(Problem("CLIENT_NOT_ACTIVE", "The client is not active on that day; admit them again first."))
    for kind in _needed(client, day, telehealth):
        problem = _consent_problem(client, kind, now, zone)
        first_visit = kind != TELEHEALTH and not client.has_completed_visit
        if problem and not (first_visit and problem.code == "CONSENT_MISSING"):
            problems.append(problem)
    return problems


def check_in_asks(
    client: ClientStanding,
    *,
    starts_at: datetime,
    telehealth: bool,
    missing: Collection[str],
    now: datetime,
    zone: ZoneInfo,
) -> list[str]:
    """What the desk asks the client for: each consent that is not in force, and the demographics that are missing."""
    at = max(starts_at, now)
    found = [_consent_problem(client, kind, at, zone) for kind in _needed(client, date_of(starts_at, zone), telehealth)]
    asks = [problem.sentence for problem in found if problem]
    return [*asks, demographics_problem(missing)] if missing else asks


def _needed(client: ClientStanding, day: date, telehealth: bool) -> list[str]:
    guarded = needs_guardian(client.birth_date, client.emancipated, day)
    return [INFORMED] + [GUARDIAN] * guarded + [TELEHEALTH] * telehealth


def _consent_problem(client: ClientStanding, kind: str, at: datetime, zone: ZoneInfo) -> Problem | None:
    changed_at = client.treatment_changed_at if kind == INFORMED else None
    return consent_problem(client.consents, kind, at, zone, changed_at)


def missing_demographics(fields: Mapping[str, Any], *, self_pay: bool, covered: bool) -> list[str]:
    """Which fields are empty, and `coverage` where neither the client pays nor one is in force that day (`covered`)."""
    missing = [name for name in DEMOGRAPHICS if not str(fields.get(name) or "").strip()]
    return missing if self_pay or covered else [*missing, COVERAGE]


def demographics_problem(missing: Collection[str]) -> str:
    words = ", ".join(DEMOGRAPHICS.get(name, "coverage, or that the client pays") for name in missing)
    return f"The client's record lacks: {words}."
