"""Free slots: of one clinician over a range of dates, and the first free ones of everyone who offers a service."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta
from sqlalchemy import select, text

from practice.errors import FieldProblem, Invalid, NotFound
from practice.local_time import DAY, start_of_day
from practice.people.settings import get_setting
from practice.scheduling.availability.group_slots import GroupSlot, load_group_slots
from practice.scheduling.availability.queries import ClinicianHours, load_busy_intervals, load_hours
from practice.scheduling.availability.rules.free_time import (
    BOOKED,
    MAX_YEARS_AHEAD,
    Busy,
    Slot,
    Span,
    compute_hours,
    find_free_slots,
)
from practice.scheduling.models.catalog import Service
from practice.security.work import Work

MAX_RANGE_DAYS = 92  # days

# The clinicians who offer a service, each with their minutes for it.
OFFERING_SQL = text("""
    select
        t.id as clinician_id, s.id as service_id, s.kind as service_kind, coalesce(o.minutes, s.minutes) as minutes,
        t.hired_on, t.left_on, p.time_zone
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
class ClinicianSlot:
    """A slot with the clinician who offers it, and the group session in which it is a seat, if any."""

    clinician_id: UUID
    slot: Slot
    group: GroupSlot | None = None


def list_slots(
    work: Work, clinician_id: UUID, service_code: str, first: date, last: date, *, include_taken: bool = False
) -> list[ClinicianSlot]:
    """Return a clinician's free slots from the first local date to the last. `include_taken` adds the others."""
    offering = work.db.execute(
        OFFERING_SQL, {"tenant_id": work.tenant_id, "service_code": service_code, "clinician_ids": [clinician_id]}
    ).one_or_none()
    if offering is None:
        raise NotFound
    step, window = get_setting(work, "slot_step_minutes"), compute_bookable_range(work)
    return find_clinician_slots(work, [offering], first, last, step, window, include_taken=include_taken)


def find_first_free_slots(
    work: Work,
    service_code: str,
    first: date,
    last: date,
    limit: int,
    clinician_ids: Collection[UUID] | None = None,
) -> list[ClinicianSlot]:
    """Return the earliest free slots, up to the limit, of all who offer the service or of the given clinicians."""
    offerings = work.db.execute(
        OFFERING_SQL,
        {
            "tenant_id": work.tenant_id,
            "service_code": service_code,
            "clinician_ids": None if clinician_ids is None else list(clinician_ids),
        },
    ).all()
    step, window = get_setting(work, "slot_step_minutes"), compute_bookable_range(work)
    free: list[ClinicianSlot] = []
    days = 1
    while offerings and first <= last and len(free) < limit:
        batch_end = min(last, first + timedelta(days=days - 1))
        free += find_clinician_slots(work, offerings, first, batch_end, step, window)
        first, days = batch_end + timedelta(days=1), 2 * days  # the fewer free slots, the larger the batches
    return sorted(free, key=lambda item: (item.slot.start, item.clinician_id))[:limit]


def require_offered_service(work: Work, service_code: str) -> None:
    """Raise Invalid if there is no such service, or it is no longer offered: no free slot would mean booked out."""
    query = select(Service.active).where(Service.tenant_id == work.tenant_id, Service.code == service_code)
    active = work.db.scalar(query)
    if active is None:
        raise Invalid([FieldProblem("service", "Service not found (`service`).")])
    if not active:
        raise Invalid([FieldProblem("service", "The service is no longer offered. Choose another one.")])


def compute_bookable_range(work: Work) -> tuple[datetime, datetime]:
    """Return the earliest and latest bookable start."""
    if work.actor.client_id is None:
        return work.now, work.now + relativedelta(years=MAX_YEARS_AHEAD)
    hours_ahead, days_ahead = get_setting(work, "portal_book_hours"), get_setting(work, "portal_book_days")
    return work.now + timedelta(hours=hours_ahead), work.now + timedelta(days=days_ahead)


def find_clinician_slots(
    work: Work,
    offerings: Sequence[Any],
    first: date,
    last: date,
    step_minutes: int,
    window: tuple[datetime, datetime],
    *,
    include_taken: bool = False,
) -> list[ClinicianSlot]:
    """Return the slots of all offerings of a service from the first date to the last.

    For a group service these are the group sessions with free seats and, for staff, the times at which another one can
    be opened.
    """
    zone = ZoneInfo(offerings[0].time_zone)
    start, end = start_of_day(first, zone), start_of_day(last + DAY, zone)
    clinicians = [offering.clinician_id for offering in offerings]
    own_ids = [work.actor.client_id] if work.actor.client_id else []  # a client's own bookings count as busy too
    hours = load_hours(work, clinicians, first, last)
    busy: dict[UUID, list[Busy]] = {}
    for interval in load_busy_intervals(work, clinicians, [], own_ids, start, end):
        busy.setdefault(interval.resource_id, []).append(Busy(interval.starts_at, interval.ends_at, interval.reason))
    own_busy = [item for client_id in own_ids for item in busy.get(client_id, ())]
    earliest, latest = max(start, window[0]), min(end, window[1] + timedelta.resolution)
    seats = []
    if offerings[0].service_kind == "GROUP":
        seats = load_seats(work, offerings, earliest, latest)
        if work.actor.client_id is not None:
            return [seat for seat in seats if seat.slot.taken is None]
    times_of_groups = {(seat.clinician_id, seat.slot.start) for seat in seats}
    slots = [
        ClinicianSlot(offering.clinician_id, slot)
        for offering in offerings
        for slot in find_free_slots(
            compute_spans(hours[offering.clinician_id], zone, first, last, offering.service_id),
            [*busy.get(offering.clinician_id, ()), *own_busy],
            zone,
            minutes=offering.minutes,
            step_minutes=step_minutes,
            earliest=max(earliest, start_of_day(offering.hired_on, zone)),
            latest=min(latest, compute_end_of_last_day(offering.left_on, zone))
            if offering.left_on and offering.left_on <= last
            else latest,
            include_taken=include_taken,
        )
        if (offering.clinician_id, slot.start) not in times_of_groups
    ]
    slots += [seat for seat in seats if include_taken or seat.slot.taken is None]
    return sorted(slots, key=lambda item: (item.slot.start, item.clinician_id)) if seats else slots


def load_seats(work: Work, offerings: Sequence[Any], earliest: datetime, latest: datetime) -> list[ClinicianSlot]:
    """Return the group sessions of the offered service as slots, `booked` where no seat is left."""
    groups = load_group_slots(
        work,
        offerings[0].service_id,
        earliest,
        latest,
        clinician_ids=[offering.clinician_id for offering in offerings],
        client_id=work.actor.client_id,
    )
    return [
        ClinicianSlot(
            group.clinician_id, Slot(group.start, group.end, BOOKED if group.free_seats == 0 else None), group
        )
        for group in groups
    ]


def compute_end_of_last_day(left_on: date, zone: ZoneInfo) -> datetime:
    return start_of_day(left_on + DAY, zone)


def compute_spans(hours: ClinicianHours, zone: ZoneInfo, first: date, last: date, service_id: UUID) -> list[Span]:
    return compute_hours(hours.windows, hours.changes, hours.closures, zone, first, last, service_id)
