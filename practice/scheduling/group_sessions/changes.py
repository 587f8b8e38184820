"""Changes of group sessions as one: cancelling or moving them with all their seats.

Locks are taken in the order of all changes of appointments: the seats, their resources and groups, the groups' rows.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from practice.errors import Problem
from practice.messages.outbox import ClientMessage, cancel_pending
from practice.people.practice_time import zone_of
from practice.scheduling import errors
from practice.scheduling.appointments.booking import (
    CONFLICT_MESSAGES,
    conflict_problems,
    create_appointments,
)
from practice.scheduling.appointments.booking_context import BookingContext, load_booking_context
from practice.scheduling.appointments.booking_request import BookingRequest
from practice.scheduling.appointments.groups import create_groups
from practice.scheduling.appointments.lifecycle import (
    RESCHEDULABLE,
    SeriesScope,
    lock_in_time_order,
    queue_messages,
    transition,
)
from practice.scheduling.appointments.online import booking_window_problems
from practice.scheduling.appointments.rules.booking_eligibility import booking_problems
from practice.scheduling.availability.locks import lock_resources
from practice.scheduling.availability.queries import load_busy_intervals
from practice.scheduling.group_sessions.opening import GroupRequest, find_group_problems, load_group_context
from practice.scheduling.group_sessions.queries import find_group
from practice.scheduling.models.appointments import Appointment, GroupSession
from practice.scheduling.models.catalog import Service
from practice.scheduling.rescheduling import compute_new_starts, mark_rescheduled
from practice.scheduling.statuses import ACTIVE
from practice.security.permissions import Scope
from practice.security.work import Work

LABELS = {"CANCELLED": "cancelled", "RESCHEDULED": "moved"}
CANCELLABLE = (*RESCHEDULABLE, "CHECKED_IN")


@dataclass(frozen=True)
class LockedGroups:
    """Locked groups in order of time, the named one among them, with their active seats by group."""

    first: GroupSession
    groups: list[GroupSession]
    seats: dict[UUID, list[Appointment]]

    @property
    def all_seats(self) -> list[Appointment]:
        return [seat for group in self.groups for seat in self.seats[group.id]]


@dataclass(frozen=True)
class ChangedGroups:
    """The groups that came of a change, and their seats: the cancelled ones, or those at the new times."""

    groups: list[GroupSession]
    seats: list[Appointment]


@dataclass(frozen=True)
class GroupMove:
    """A group with its new start and the context of its clinician, service and room there."""

    group: GroupSession
    starts_at: datetime
    request: GroupRequest
    context: BookingContext


def cancel_group_sessions(
    work: Work, scope: Scope, group_id: UUID, reason: str, series_scope: SeriesScope = "this"
) -> ChangedGroups:
    """Cancel a group with its seats, or more of its series, and notify the clients."""
    locked = lock_groups(work, scope, group_id, series_scope)
    refuse_begun(locked.all_seats, CANCELLABLE)
    first_seats: dict[UUID, Appointment] = {}
    for seat in locked.all_seats:
        transition(work, seat, "CANCELLED", None, cancellation_reason=reason)
        if seat.starts_at > work.now:
            first_seats.setdefault(seat.client_id, seat)
    cancel_pending(work, [seat.id for seat in locked.all_seats])
    for client_id, seat in first_seats.items():
        queue_messages(work, client_id, [ClientMessage("CANCELLED", work.now, seat.id)])
    for group in locked.groups:
        group.cancellation_reason = reason
        end_group(work, group, "CANCELLED")
    return ChangedGroups(locked.groups, locked.all_seats)


def move_group_sessions(
    work: Work,
    scope: Scope,
    group_id: UUID,
    starts_at: datetime,
    series_scope: SeriesScope = "this",
    changes: dict[str, Any] | None = None,
) -> ChangedGroups:
    """Move a group with its seats, or more of its series, to another time, clinician or room, and return the new ones.

    The others of the series move by the same number of days and the same difference in local time. Either all groups
    move with all their seats, or none.
    """
    changes = changes or {}
    locked = lock_groups(work, scope, group_id, series_scope, changes.values())
    refuse_begun(locked.all_seats, RESCHEDULABLE)
    moves = plan_moves(work, locked, starts_at.astimezone(UTC), changes)
    contexts = load_client_contexts(work, moves, locked)
    problems = booking_window_problems(work, *{starts_at, min(move.starts_at for move in moves)})
    problems += move_problems(work, moves, locked) + seat_move_problems(work, moves, locked, contexts)
    if problems:
        raise errors.build_refusal(problems)
    mark_rescheduled(work, locked.all_seats)
    replacements, new_seats = [], []
    notified: set[UUID] = set()
    for move in moves:
        end_group(work, move.group, "RESCHEDULED")
        [new] = create_groups(work, move.context, [move.starts_at], move.group.series_id, held=True)
        move.group.rescheduled_to_id = new.id
        for seat in locked.seats[move.group.id]:
            notify = seat.client_id not in notified
            new_seats.append(move_seat(work, seat, move, new, contexts[seat.client_id], notify=notify))
            notified.add(seat.client_id)
        replacements.append(new)
    work.db.flush()
    return ChangedGroups(replacements, new_seats)


def lock_groups(
    work: Work, scope: Scope, group_id: UUID, series_scope: SeriesScope, resources: Collection[UUID | None] = ()
) -> LockedGroups:
    """Lock and return the named group and all that `series_scope` covers, or raise WrongStatus."""
    named = find_group(work, scope, group_id)
    ids = {group_id, *list_series_ids(work, named, series_scope)}
    seat_ids = list_active_seats(work, ids)
    seats = lock_in_time_order(work, seat_ids)
    by_id = select(GroupSession).where(GroupSession.tenant_id == work.tenant_id, GroupSession.id.in_(ids))
    groups = list(work.db.scalars(by_id.order_by(GroupSession.starts_at, GroupSession.id)))
    lock_resources(
        work,
        [
            *resources,
            *(seat.client_id for seat in seats),
            *(resource for group in groups for resource in (group.id, group.clinician_id, group.room_id)),
        ],
    )
    for group in groups:
        work.db.refresh(group, with_for_update={"key_share": True})
    if set(list_active_seats(work, ids)) != set(seat_ids):
        raise errors.WrongStatus("A seat of the group was booked or cancelled just now. Try again.")
    if named.status != "SCHEDULED":
        raise errors.WrongStatus(f"The group session is already {LABELS[named.status]}.")
    by_group: dict[UUID, list[Appointment]] = defaultdict(list)
    for seat in seats:
        assert seat.group_session_id is not None  # noqa: S101 - they were found by their groups
        by_group[seat.group_session_id].append(seat)
    return LockedGroups(named, [group for group in groups if group.status == "SCHEDULED"], by_group)


def list_series_ids(work: Work, named: GroupSession, series_scope: SeriesScope) -> list[UUID]:
    """Return the ids of the series' groups that the scope covers besides the named one."""
    if series_scope == "this" or named.series_id is None:
        return []
    query = select(GroupSession.id).where(
        GroupSession.tenant_id == work.tenant_id,
        GroupSession.series_id == named.series_id,
        GroupSession.status == "SCHEDULED",
        GroupSession.starts_at >= (named.starts_at if series_scope == "this_and_following" else work.now),
    )
    return list(work.db.scalars(query))


def list_active_seats(work: Work, group_ids: Collection[UUID]) -> list[UUID]:
    query = select(Appointment.id).where(
        Appointment.tenant_id == work.tenant_id,
        Appointment.group_session_id.in_(group_ids),
        Appointment.status.in_(ACTIVE),
    )
    return list(work.db.scalars(query))


def refuse_begun(seats: Sequence[Appointment], statuses: Collection[str]) -> None:
    """Raise WrongStatus if any of the seats has another status than these."""
    if any(seat.status not in statuses for seat in seats):
        raise errors.WrongStatus("The group session has begun. Change the appointments of its clients one by one.")


def end_group(work: Work, group: GroupSession, status: str) -> None:
    """Record that the group does not take place, which frees its time."""
    group.status, group.status_at = status, work.now
    work.db.flush()
    work.record(f"group_session.{LABELS[status]}", "group_session", group.id)


def plan_moves(work: Work, locked: LockedGroups, starts_at: datetime, changes: dict[str, Any]) -> list[GroupMove]:
    """Return each group with its new start. Groups of one clinician, room and service share a context."""
    starts = compute_new_starts(locked.groups, locked.first, starts_at, zone_of(work))
    contexts: dict[Any, BookingContext] = {}
    moves = []
    for group, start in zip(locked.groups, starts, strict=True):
        request = GroupRequest(
            clinician_id=changes.get("clinician_id", group.clinician_id),
            room_id=changes.get("room_id", group.room_id),
            service_code=work.db.get_one(Service, (work.tenant_id, group.service_id)).code,
            starts_at=start,
        )
        key = (request.clinician_id, request.room_id, request.service_code)
        if key not in contexts:
            contexts[key] = load_group_context(work, request)
        moves.append(GroupMove(group, start, request, contexts[key]))
    return moves


def move_problems(work: Work, moves: Sequence[GroupMove], locked: LockedGroups) -> list[Problem]:
    """Return the problems of the new times with the clinician, the room and its capacity."""
    moved_from = {group.id for group in locked.groups}
    starts_by_context: dict[int, list[GroupMove]] = defaultdict(list)
    for move in moves:
        starts_by_context[id(move.context)].append(move)
    problems = []
    for batch in starts_by_context.values():
        context = batch[0].context
        found = find_group_problems(work, context, [move.starts_at for move in batch], moved_from)
        problems += [problem for listed in found.values() for problem in listed]
        most_seats = max(len(locked.seats[move.group.id]) for move in batch)
        if context.row.room_capacity is not None and most_seats > context.row.room_capacity:
            problems.append(Problem("GROUP_FULL", "The room has fewer seats than the group. Choose another one."))
    return problems


def load_client_contexts(work: Work, moves: Sequence[GroupMove], locked: LockedGroups) -> dict[UUID, BookingContext]:
    """Return the booking context of each client of the groups."""
    request = moves[0].request
    return {
        client_id: load_booking_context(
            work,
            client_id=client_id,
            clinician_id=request.clinician_id,
            service_code=request.service_code,
            room_id=request.room_id,
            starts_at=request.starts_at,
        )
        for client_id in {seat.client_id for seat in locked.all_seats}
    }


def seat_move_problems(
    work: Work, moves: Sequence[GroupMove], locked: LockedGroups, contexts: dict[UUID, BookingContext]
) -> list[Problem]:
    """Return the problems of each client at the new time, with the reference of their seat."""
    if not contexts:
        return []
    moved_from = {seat.id for seat in locked.all_seats}
    length = max(move.context.row.length for move in moves)
    first, last = min(move.starts_at for move in moves), max(move.starts_at for move in moves) + length
    busy = [
        interval
        for interval in load_busy_intervals(work, [], [], list(contexts), first, last)
        if interval.holder_id not in moved_from
    ]
    problems = []
    for move in moves:
        for seat in locked.seats[move.group.id]:
            context = contexts[seat.client_id]
            own = [interval for interval in busy if interval.resource_id == seat.client_id]
            end = move.starts_at + move.context.row.length
            found = conflict_problems(own, move.starts_at, end, CONFLICT_MESSAGES) + booking_problems(
                context.client, starts_at=move.starts_at, telehealth=seat.telehealth, now=work.now, zone=context.zone
            )
            problems += [problem._replace(message=f"{seat.reference}: {problem.message}") for problem in found]
    return problems


def move_seat(
    work: Work, seat: Appointment, move: GroupMove, group: GroupSession, context: BookingContext, *, notify: bool
) -> Appointment:
    """Create and return the client's seat in the new group, and link the old one to it."""
    request = BookingRequest(
        client_id=seat.client_id,
        clinician_id=group.clinician_id,
        service_code=move.request.service_code,
        starts_at=group.starts_at,
        room_id=group.room_id,
        telehealth=seat.telehealth,
        type=seat.type,
        group_session_id=group.id,
        special_requests=seat.special_requests,
        instructions=seat.instructions,
    )
    seat_context = BookingContext(
        context.row._replace(
            clinician_id=group.clinician_id, room_id=group.room_id, length=group.ends_at - group.starts_at
        ),
        context.zone,
        context.client,
    )
    [new] = create_appointments(
        work, request, seat_context, [group.starts_at], group.id, notification="MOVED" if notify else None
    )
    seat.rescheduled_to_id = new.id
    work.record("appointment.moved", "appointment", seat.id, to=str(new.id))
    return new
