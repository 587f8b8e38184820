"""Series: appointments of one recurrence rule, booked together."""

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Literal
from uuid import UUID

from practice.errors import FieldProblem, Invalid, NotFound, Problem
from practice.scheduling import errors
from practice.scheduling.appointments.booking import (
    collect_warnings,
    create_appointments,
    find_problems_by_start,
    lock_request_resources,
    resolve,
    suggest_alternatives,
)
from practice.scheduling.appointments.booking_context import BookingContext
from practice.scheduling.appointments.booking_request import BookingRequest
from practice.scheduling.appointments.online import booking_window_problems
from practice.scheduling.appointments.queries import Filters, select_appointments
from practice.scheduling.appointments.rules.series import expand_occurrences, series_problems
from practice.scheduling.models.appointments import Appointment, Series
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.ids import new_id


@dataclass(frozen=True)
class Occurrence:
    """One start of the series, and whether it was booked."""

    starts_at: datetime
    status: Literal["booked", "skipped"]
    appointment: Appointment | None
    problems: list[Problem]


@dataclass(frozen=True)
class SeriesView:
    """A series with those of its appointments that the caller may see, in order of time."""

    series: Series
    appointments: list[Appointment]


@dataclass(frozen=True)
class BookedSeries:
    """A booked series with all its occurrences."""

    series: Series
    occurrences: list[Occurrence]
    warnings: list[str]


def book_series(work: Work, request: BookingRequest, rule: str, *, skip_conflicts: bool = False) -> BookedSeries:
    """Book every occurrence of the rule or none. With `skip_conflicts`, skip the occurrences with problems."""
    request, context = resolve(work, request)
    rule_problems = [
        FieldProblem("rule", message) for message in series_problems(rule, request.starts_at, context.zone)
    ]
    if context.row.service_kind == "GROUP" or request.group_session_id is not None:
        message = "Group seats cannot be booked as a series. Open a series of groups and book each seat."
        rule_problems.append(FieldProblem("rule", message))
    if rule_problems:
        raise Invalid(rule_problems)
    starts = [start.astimezone(UTC) for start in expand_occurrences(rule, request.starts_at, context.zone)]
    if starts[-1] < work.now:
        message = "The whole series lies in the past. Check the year, or end it later."
        raise Invalid([FieldProblem("starts_at", message)])
    lock_request_resources(work, request)
    problems_by_start = find_problems_by_start(work, request, context, starts)
    too_far = booking_window_problems(work, starts[0])  # of the first start: the rule limits how long a series lasts
    for problems in problems_by_start.values():
        problems += too_far
    free = [start for start in starts if not problems_by_start[start]]
    if not free or (len(free) < len(starts) and not skip_conflicts):
        raise build_series_refusal(work, request, context, problems_by_start)
    series = Series(
        tenant_id=work.tenant_id,
        id=new_id(),
        client_id=context.row.client_id,
        clinician_id=context.row.clinician_id,
        service_id=context.row.service_id,
        rule=rule,
        first_starts_at=request.starts_at,
        created_at=work.now,
        created_by=work.actor.account_id,
    )
    work.db.add(series)
    work.db.flush()
    appointments = create_appointments(work, request, context, free, series_id=series.id)
    booked = {appointment.starts_at: appointment for appointment in appointments}
    work.record("series.booked", "series", series.id, appointments=len(booked))
    occurrences = [
        Occurrence(start, "booked" if start in booked else "skipped", booked.get(start), problems_by_start[start])
        for start in starts
    ]
    return BookedSeries(series, occurrences, collect_warnings(work, request, context, free))


def get_series(work: Work, scope: Scope, series_id: UUID) -> SeriesView:
    """Return the series with its appointments, moved and cancelled ones included, or raise NotFound."""
    query = select_appointments(work, scope, Filters(series_id=series_id))
    appointments = list(work.db.scalars(query.order_by(Appointment.starts_at, Appointment.id)))
    if not appointments:
        raise NotFound
    work.record_list("series.read", (appointment.client_id for appointment in appointments), "series", series_id)
    return SeriesView(work.db.get_one(Series, (work.tenant_id, series_id)), appointments)


def build_series_refusal(
    work: Work, request: BookingRequest, context: BookingContext, problems_by_start: dict[datetime, list[Problem]]
) -> errors.BookingRefused:
    """Return the refusal with every occurrence: its problems, or that it is free."""
    all_problems = list(chain.from_iterable(problems_by_start.values()))
    refusal = errors.build_refusal(all_problems, suggest_alternatives(work, request, context, problems_by_start))
    refusal.details["occurrences"] = describe_occurrences(problems_by_start)
    return refusal


def describe_occurrences(problems_by_start: dict[datetime, list[Problem]]) -> list[dict[str, Any]]:
    """Return each occurrence with its problems, or that it is free, for the details of a refusal."""
    return [
        {"starts_at": start.isoformat(), "free": not problems, "problems": [problem.message for problem in problems]}
        for start, problems in problems_by_start.items()
    ]
