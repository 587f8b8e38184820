"""Opening group sessions: one, or a series of them, before anybody has a seat."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Literal
from uuid import UUID

from practice.errors import FieldProblem, Invalid, Problem
from practice.scheduling import errors
from practice.scheduling.appointments.booking import (
    CONFLICT_MESSAGES,
    conflict_problems,
    load_clinician_hours,
    resource_problems,
)
from practice.scheduling.appointments.booking_context import BookingContext, load_booking_context
from practice.scheduling.appointments.groups import create_groups
from practice.scheduling.appointments.online import booking_window_problems
from practice.scheduling.appointments.rules.series import expand_occurrences, series_problems
from practice.scheduling.appointments.series import describe_occurrences
from practice.scheduling.availability.locks import lock_resources
from practice.scheduling.availability.queries import load_busy_intervals
from practice.scheduling.availability.rules.free_time import outside_hours_problem
from practice.scheduling.models.appointments import GroupSession, Series
from practice.security.work import Work
from practice.store.ids import new_id


@dataclass(frozen=True)
class GroupRequest:
    """A request to open a group session."""

    clinician_id: UUID
    service_code: str
    starts_at: datetime
    room_id: UUID | None = None


@dataclass(frozen=True)
class GroupOccurrence:
    """One start of a series of groups, and whether it was opened."""

    starts_at: datetime
    status: Literal["opened", "skipped"]
    group: GroupSession | None
    problems: list[Problem]


@dataclass(frozen=True)
class OpenedSeries:
    """A series of group sessions with all its occurrences."""

    series: Series
    occurrences: list[GroupOccurrence]


def open_group_session(work: Work, request: GroupRequest) -> GroupSession:
    """Open a group session, which takes its clinician and room until it is cancelled, or raise BookingRefused."""
    context = load_group_context(work, request)
    lock_resources(work, [request.clinician_id, request.room_id])
    start = request.starts_at.astimezone(UTC)
    problems = find_group_problems(work, context, [start])[start] + booking_window_problems(work, start)
    if problems:
        raise errors.build_refusal(problems)
    [group] = create_groups(work, context, [start], held=True)
    work.record("group_session.opened", "group_session", group.id)
    return group


def open_group_series(work: Work, request: GroupRequest, rule: str, *, skip_conflicts: bool = False) -> OpenedSeries:
    """Open every group of the rule or none. With `skip_conflicts`, skip the occurrences with problems."""
    context = load_group_context(work, request)
    rule_problems = series_problems(rule, request.starts_at, context.zone)
    if rule_problems:
        raise Invalid([FieldProblem("rule", problem) for problem in rule_problems])
    starts = [start.astimezone(UTC) for start in expand_occurrences(rule, request.starts_at, context.zone)]
    if starts[-1] < work.now:
        raise Invalid([FieldProblem("rule", "The whole series lies in the past. Check the year, or end it later.")])
    lock_resources(work, [request.clinician_id, request.room_id])
    problems_by_start = find_group_problems(work, context, starts)
    too_far = booking_window_problems(work, starts[0])  # of the first start: the rule limits how long a series lasts
    for problems in problems_by_start.values():
        problems += too_far
    free = [start for start in starts if not problems_by_start[start]]
    if not free or (len(free) < len(starts) and not skip_conflicts):
        refusal = errors.build_refusal(list(chain.from_iterable(problems_by_start.values())))
        refusal.details["occurrences"] = describe_occurrences(problems_by_start)
        raise refusal
    series = Series(
        tenant_id=work.tenant_id,
        id=new_id(),
        clinician_id=context.row.clinician_id,
        service_id=context.row.service_id,
        rule=rule,
        first_starts_at=starts[0],
        created_at=work.now,
        created_by=work.actor.account_id,
    )
    work.db.add(series)
    work.db.flush()
    opened = {group.starts_at: group for group in create_groups(work, context, free, series.id, held=True)}
    work.record("group_series.opened", "series", series.id, groups=len(opened))
    occurrences = [
        GroupOccurrence(start, "opened" if start in opened else "skipped", opened.get(start), problems_by_start[start])
        for start in starts
    ]
    return OpenedSeries(series, occurrences)


def load_group_context(work: Work, request: GroupRequest) -> BookingContext:
    """Load the clinician, service and room, or raise Invalid unless they exist and the service is for groups."""
    context = load_booking_context(
        work,
        client_id=None,
        clinician_id=request.clinician_id,
        service_code=request.service_code,
        room_id=request.room_id,
        starts_at=request.starts_at,
    )
    if context.row.service_kind != "GROUP":
        message = "A group session needs a service of the kind GROUP. Choose another one."
        raise Invalid([FieldProblem("service_code", message)])
    return context


def find_group_problems(
    work: Work, context: BookingContext, starts: Sequence[datetime], moved_from: Collection[UUID] = ()
) -> dict[datetime, list[Problem]]:
    """Return the problems of each start with hours, bookings and blocks, except those of what moves away."""
    row, length = context.row, context.row.length
    first, last = min(starts), max(starts) + length
    spans = load_clinician_hours(work, context, first, last)
    rooms = [row.room_id] if row.room_id else []
    busy = [
        interval
        for interval in load_busy_intervals(work, [row.clinician_id], rooms, [], first, last)
        if interval.holder_id not in moved_from
    ]
    problems_by_start = {}
    for start in starts:
        problems = conflict_problems(busy, start, start + length, CONFLICT_MESSAGES)
        outside = outside_hours_problem(spans, start, start + length)
        problems += [Problem("OUTSIDE_HOURS", outside)] if outside else []
        problems_by_start[start] = problems + resource_problems(context, start)
    return problems_by_start
