"""Moving appointments: the old one is closed as RESCHEDULED and a new one takes its place, in one step."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from practice.messages.planning import take_back
from practice.scheduling import refusals
from practice.scheduling.booking import (
    Wanted,
    place,
    problems_by_start,
    refuse_any,
    taken_by_start,
    write_steps,
)
from practice.scheduling.booking_models import Appointment
from practice.scheduling.facts import facts_of
from practice.scheduling.life import Which, lock_meant, lock_times, refuse_late
from practice.scheduling.models import Service
from practice.scheduling.standing_rules import Problem
from practice.scheduling.waitlist import offer_freed
from practice.scheduling.waitlist_holds import release_lapsed_offers
from practice.scheduling.wall_clock import instant
from practice.security.permissions import Scope
from practice.security.work import Work


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
    olds = lock_meant(work, appointment_id, scope, which)
    first = next(old for old in olds if old.id == appointment_id)
    refuse_late(work, olds, "RESCHEDULED")
    if any(old.group_session_id is not None for old in olds):
        seat = "A seat in a group cannot be moved by itself. Cancel it and book a seat in another group."
        raise refusals.refuse([Problem("NOT_BOOKABLE", seat)])
    wanted = Wanted(
        client_id=first.client_id,
        clinician_id=first.clinician_id,
        service_code=work.db.get_one(Service, (work.tenant_id, first.service_id)).code,
        starts_at=starts_at.astimezone(UTC),
        room_id=first.room_id,
        telehealth=first.telehealth,
        type=first.type,
        special_requests=first.special_requests,
        instructions=first.instructions,
        moved_from=frozenset(old.id for old in olds),
    )
    wanted = replace(wanted, **changes or {})
    facts = facts_of(
        work,
        client_id=wanted.client_id,
        clinician_id=wanted.clinician_id,
        service_code=wanted.service_code,
        room_id=wanted.room_id,
        starts_at=wanted.starts_at,
    )
    starts = moved_starts(olds, first, wanted.starts_at, facts.zone)
    refuse_any(work, wanted, facts, problems_by_start(work, wanted, facts, starts))
    lock_times(work, olds, wanted.client_id, wanted.clinician_id, wanted.room_id)
    release_lapsed_offers(work, wanted.clinician_id)
    refuse_any(work, wanted, facts, taken_by_start(work, wanted, facts, starts))
    close(work, olds)
    news = place(work, wanted, facts, starts, series_id=first.series_id, told="MOVED")
    for old, new in zip(olds, news, strict=True):
        old.rescheduled_to_id = new.id
        work.record("appointment.moved", "appointment", old.id, to=str(new.id))
    work.db.flush()
    for old in olds:
        offer_freed(work, old)
    return news


def moved_starts(
    olds: Sequence[Appointment], first: Appointment, starts_at: datetime, zone: ZoneInfo
) -> list[datetime]:
    to, since = (at.astimezone(zone).replace(tzinfo=None) for at in (starts_at, first.starts_at))
    moved = [old.starts_at.astimezone(zone).replace(tzinfo=None) + (to - since) for old in olds]
    return [
        starts_at if old is first else instant(local.date(), local.time(), zone)
        for old, local in zip(olds, moved, strict=True)
    ]


def close(work: Work, olds: Sequence[Appointment]) -> None:
    """They give up their times, so that the new ones can have them."""
    for old in olds:
        old.status, old.status_at, old.version = "RESCHEDULED", work.now, old.version + 1
    work.db.flush()
    write_steps(work, [(old.id, "RESCHEDULED", None) for old in olds])
    take_back(work, [old.id for old in olds])
