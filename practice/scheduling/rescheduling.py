"""Moving appointments: the old one is closed as RESCHEDULED and a new one takes its place, in one step."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from practice.errors import Problem
from practice.local_time import instant
from practice.messages.outbox import take_back
from practice.people.models.practices import Practice
from practice.scheduling import errors
from practice.scheduling.appointments.booking import (
    place,
    problems_by_start,
    refuse_any,
    taken_by_start,
    window_problems,
    write_steps,
)
from practice.scheduling.appointments.booking_context import Facts, facts_of
from practice.scheduling.appointments.booking_request import Wanted
from practice.scheduling.appointments.lifecycle import Which, lock_meant, refuse_late
from practice.scheduling.availability.locks import lock_resources
from practice.scheduling.models.appointments import Appointment
from practice.scheduling.models.catalog import Service
from practice.scheduling.waitlist.offers import offer_freed
from practice.security.permissions import Scope
from practice.security.work import Work


@dataclass(frozen=True)
class Part:
    """Appointments of a series that have the same people, room and kind: they are judged and placed together."""

    olds: list[Appointment]
    starts: list[datetime]
    wanted: Wanted
    facts: Facts


def move(
    work: Work,
    appointment_id: UUID,
    scope: Scope,
    starts_at: datetime,
    which: Which = "one",
    changes: dict[str, Any] | None = None,
) -> list[Appointment]:
    """To another time (with `changes` also to another clinician or room): one, it and those that follow, or all.

    The others of a series move by as many days and by as much on the clock on the wall as the first. All or none.
    """
    first, olds = lock_meant(work, appointment_id, scope, which)
    refuse_late(work, olds, "RESCHEDULED")
    refuse_seats(olds)
    zone = ZoneInfo(work.db.get_one(Practice, work.tenant_id).time_zone)
    starts = moved_starts(olds, first, starts_at.astimezone(UTC), zone)
    parts = parts_of(work, olds, starts, changes or {})
    refuse_parts(work, parts, problems_by_start, window_problems(work, starts_at, min(starts)))
    people = [part.wanted.clinician_id for part in parts] + [old.clinician_id for old in olds]
    rooms = [part.wanted.room_id for part in parts] + [old.room_id for old in olds]
    lock_resources(work, [first.client_id, *people, *rooms])
    refuse_parts(work, parts, taken_by_start)
    close(work, olds)
    news = {}
    for part in parts:
        series = part.olds[0].series_id
        placed = place(work, part.wanted, part.facts, part.starts, series_id=series, told=None if news else "MOVED")
        news |= {old.id: new for old, new in zip(part.olds, placed, strict=True)}
    for old in olds:
        new = news[old.id]
        old.rescheduled_to_id = new.id
        new.type, new.special_requests, new.instructions = old.type, old.special_requests, old.instructions
        work.record("appointment.moved", "appointment", old.id, to=str(new.id))
    work.db.flush()
    for old in olds:
        offer_freed(work, old)
    return [news[old.id] for old in olds]


def refuse_seats(olds: Sequence[Appointment]) -> None:
    if any(old.group_session_id is not None for old in olds):
        seat = "A seat in a group cannot be moved by itself. Cancel it and book a seat in another group."
        raise errors.refuse([Problem("NOT_BOOKABLE", seat)])


def moved_starts(
    olds: Sequence[Appointment], first: Appointment, starts_at: datetime, zone: ZoneInfo
) -> list[datetime]:
    to, since = (at.astimezone(zone).replace(tzinfo=None) for at in (starts_at, first.starts_at))
    moved = [old.starts_at.astimezone(zone).replace(tzinfo=None) + (to - since) for old in olds]
    return [
        starts_at if old is first else instant(local.date(), local.time(), zone)
        for old, local in zip(olds, moved, strict=True)
    ]


def parts_of(
    work: Work, olds: Sequence[Appointment], starts: Sequence[datetime], changes: dict[str, Any]
) -> list[Part]:
    alike: dict[Any, list[tuple[Appointment, datetime]]] = {}
    for old, start in zip(olds, starts, strict=True):
        alike.setdefault((old.clinician_id, old.room_id, old.service_id, old.telehealth), []).append((old, start))
    moved_from = frozenset(old.id for old in olds)
    return [part_of(work, pairs, moved_from, changes) for pairs in alike.values()]


def part_of(
    work: Work,
    pairs: Sequence[tuple[Appointment, datetime]],
    moved_from: frozenset[UUID],
    changes: dict[str, Any],
) -> Part:
    olds, starts = [old for old, _ in pairs], [start for _, start in pairs]
    wanted = Wanted(
        client_id=olds[0].client_id,
        clinician_id=olds[0].clinician_id,
        service_code=work.db.get_one(Service, (work.tenant_id, olds[0].service_id)).code,
        starts_at=starts[0],
        room_id=olds[0].room_id,
        telehealth=olds[0].telehealth,
        moved_from=moved_from,
    )
    wanted = replace(wanted, **changes)
    facts = facts_of(
        work,
        client_id=wanted.client_id,
        clinician_id=wanted.clinician_id,
        service_code=wanted.service_code,
        room_id=wanted.room_id,
        starts_at=wanted.starts_at,
    )
    return Part(olds, starts, wanted, facts)


def refuse_parts(
    work: Work,
    parts: Sequence[Part],
    judge: Callable[[Work, Wanted, Facts, Sequence[datetime]], dict[datetime, list[Problem]]],
    more: Sequence[Problem] = (),
) -> None:
    for part in parts:
        found = judge(work, part.wanted, part.facts, part.starts)
        found[part.starts[0]] += more
        refuse_any(work, part.wanted, part.facts, found)


def close(work: Work, olds: Sequence[Appointment]) -> None:
    """They give up their times, so that the new ones can have them."""
    for old in olds:
        old.status, old.status_at, old.version = "RESCHEDULED", work.now, old.version + 1
    work.db.flush()
    write_steps(work, [(old.id, "RESCHEDULED", None) for old in olds])
    take_back(work, [old.id for old in olds])
