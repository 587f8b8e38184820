"""Series: many appointments by one rule, booked together."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from practice.errors import Invalid, Problem
from practice.scheduling import errors
from practice.scheduling.appointments.booking import elsewhere, lock, place, problems_by_start, understand, warnings_of
from practice.scheduling.appointments.booking_context import Facts
from practice.scheduling.appointments.booking_request import Wanted
from practice.scheduling.appointments.rules.series import occurrences, series_problems
from practice.scheduling.models.appointments import Appointment, Series
from practice.security.work import Work
from practice.store.ids import new_id


@dataclass(frozen=True)
class Occurrence:
    """One start of the series, and what came of it."""

    starts_at: datetime
    status: Literal["booked", "skipped"]
    appointment: Appointment | None
    problems: list[Problem]


@dataclass(frozen=True)
class BookedSeries:
    series: Series
    occurrences: list[Occurrence]
    warnings: list[str]


def book_series(work: Work, wanted: Wanted, rule: str, *, skip_conflicts: bool = False) -> BookedSeries:
    """All of it or nothing; with `skip_conflicts` without the occurrences against which something speaks."""
    wanted, facts = understand(work, wanted)
    wrong = series_problems(rule, wanted.starts_at, facts.zone)
    if facts.row.service_kind == "GROUP" or wanted.group_session_id is not None:
        wrong.append("Seats in groups are booked one by one.")
    if wrong:
        raise Invalid(wrong)
    starts = [start.astimezone(UTC) for start in occurrences(rule, wanted.starts_at, facts.zone)]
    lock(work, wanted)
    found = problems_by_start(work, wanted, facts, starts)
    free = [start for start in starts if not found[start]]
    if not free or (len(free) < len(starts) and not skip_conflicts):
        raise refuse_series(work, wanted, facts, found)
    series = Series(
        tenant_id=work.tenant_id,
        id=new_id(),
        client_id=facts.row.client_id,
        clinician_id=facts.row.clinician_id,
        service_id=facts.row.service_id,
        rule=rule,
        first_starts_at=wanted.starts_at,
        created_at=work.now,
        created_by=work.actor.account_id,
    )
    work.db.add(series)
    work.db.flush()
    booked = {one.starts_at: one for one in place(work, wanted, facts, free, series_id=series.id)}
    work.record("series.booked", "series", series.id, appointments=len(booked))
    listed = [
        Occurrence(start, "booked" if start in booked else "skipped", booked.get(start), found[start])
        for start in starts
    ]
    return BookedSeries(series, listed, warnings_of(work, facts, wanted.starts_at))


def refuse_series(
    work: Work, wanted: Wanted, facts: Facts, found: dict[datetime, list[Problem]]
) -> errors.BookingRefused:
    """Each occurrence that cannot be booked, with its reasons, and every other one as free."""
    problems = [problem for one in found.values() for problem in one]
    refusal = errors.refuse(problems, elsewhere(work, wanted, facts, found))
    refusal.details["occurrences"] = [
        {"starts_at": start.isoformat(), "free": not one, "problems": [problem.sentence for problem in one]}
        for start, one in found.items()
    ]
    return refusal
