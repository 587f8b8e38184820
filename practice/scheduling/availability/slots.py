"""Free slots: of one clinician over a range of days, and the first free ones with anybody who offers a service."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text

from practice.errors import NotFound
from practice.local_time import instant
from practice.people.settings import setting
from practice.scheduling.availability.queries import Hours, busy_of, hours_of
from practice.scheduling.availability.rules.free_time import Busy, Slot, Span, free_slots, hours
from practice.security.work import Work

LONGEST_RANGE = 92  # days

# The clinicians who offer a service, each with the minutes that it takes with them.
OFFERING = text("""
    select t.id as clinician_id, s.id as service_id, coalesce(o.minutes, s.minutes) as minutes, t.left_on, p.time_zone
    from services as s
    join practices as p on p.id = s.tenant_id
    join staff as t on t.tenant_id = s.tenant_id and 'clinician' = any(t.roles) and t.deactivated_at is null
    left join clinician_services as o
        on o.tenant_id = s.tenant_id and o.clinician_id = t.id and o.service_id = s.id
    where s.tenant_id = :tenant_id and s.code = :service_code and s.active and coalesce(o.offered, true)
        and (cast(:clinician_ids as uuid []) is null or t.id = any(cast(:clinician_ids as uuid [])))
    order by t.id
""")


@dataclass(frozen=True)
class Offer:
    """A clinician's slot for a service."""

    clinician_id: UUID
    slot: Slot


def slots(
    work: Work, clinician_id: UUID, service_code: str, first: date, last: date, *, include_taken: bool = False
) -> list[Slot]:
    """Of one clinician, from the first local date to the last; with the taken ones and why, where that is asked."""
    offering = work.db.execute(
        OFFERING, {"tenant_id": work.tenant_id, "service_code": service_code, "clinician_ids": [clinician_id]}
    ).one_or_none()
    if offering is None:
        raise NotFound
    step, window = setting(work, "slot_step_minutes"), bookable(work)
    return [offer.slot for offer in offers(work, [offering], first, last, step, window, include_taken=include_taken)]


def first_free(
    work: Work,
    service_code: str,
    first: date,
    last: date,
    limit: int,
    clinician_ids: Collection[UUID] | None = None,
) -> list[Offer]:
    """The earliest free slots with anybody who offers the service (or of those named), until there are enough."""
    offering = work.db.execute(
        OFFERING,
        {
            "tenant_id": work.tenant_id,
            "service_code": service_code,
            "clinician_ids": None if clinician_ids is None else list(clinician_ids),
        },
    ).all()
    step, window = setting(work, "slot_step_minutes"), bookable(work)
    found: list[Offer] = []
    days = 1
    while offering and first <= last and len(found) < limit:
        upto = min(last, first + timedelta(days=days - 1))
        found += offers(work, offering, first, upto, step, window)
        first, days = upto + timedelta(days=1), 2 * days  # where little is free more days are looked at at once
    return sorted(found, key=lambda offer: (offer.slot.start, offer.clinician_id))[:limit]


def bookable(work: Work) -> tuple[datetime, datetime | None]:
    """From when and until when slots are of use: a client who looks online cannot book sooner or later anyway."""
    if work.actor.client_id is None:
        return work.now, None
    hours_ahead, days_ahead = setting(work, "portal_book_hours"), setting(work, "portal_book_days")
    return work.now + timedelta(hours=hours_ahead), work.now + timedelta(days=days_ahead)


def offers(
    work: Work,
    offering: Sequence[Any],
    first: date,
    last: date,
    step_minutes: int,
    window: tuple[datetime, datetime | None],
    *,
    include_taken: bool = False,
) -> list[Offer]:
    zone = ZoneInfo(offering[0].time_zone)
    start, end = instant(first, datetime.min.time(), zone), instant(last + timedelta(days=1), datetime.min.time(), zone)
    clinicians = [row.clinician_id for row in offering]
    me = [work.actor.client_id] if work.actor.client_id else []  # a client who looks for themselves is not free either
    known = hours_of(work, clinicians, first, last)
    busy: dict[UUID, list[Busy]] = {}
    for taken in busy_of(work, clinicians, [], me, start, end):
        busy.setdefault(taken.resource_id, []).append(Busy(taken.starts_at, taken.ends_at, taken.why))
    mine = [one for client_id in me for one in busy.get(client_id, ())]
    earliest, latest = max(start, window[0]), min(end, window[1] + timedelta.resolution) if window[1] else end
    return [
        Offer(row.clinician_id, slot)
        for row in offering
        for slot in free_slots(
            spans_of(known[row.clinician_id], zone, first, last, row.service_id),
            [*busy.get(row.clinician_id, ()), *mine],
            zone,
            minutes=row.minutes,
            step_minutes=step_minutes,
            earliest=earliest,
            latest=min(latest, until(row, zone)) if row.left_on and row.left_on <= last else latest,
            include_taken=include_taken,
        )
    ]


def until(row: Any, zone: ZoneInfo) -> datetime:
    """The end of the clinician's last day."""
    return instant(row.left_on + timedelta(days=1), datetime.min.time(), zone)


def spans_of(known: Hours, zone: ZoneInfo, first: date, last: date, service_id: UUID) -> list[Span]:
    return hours(known.windows, known.changes, known.closures, zone, first, last, service_id)
