"""Queries for the availability rules: clinicians' hours and busy intervals."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text

from practice.scheduling.availability.rules.free_time import DayChange, Reason, Window
from practice.security.work import Work


@dataclass(frozen=True)
class ClinicianHours:
    """The windows and exceptions of one clinician, with the closures of the practice."""

    windows: list[Window] = field(default_factory=list)
    changes: list[DayChange] = field(default_factory=list)
    closures: frozenset[date] = frozenset()


class BusyInterval(NamedTuple):
    """A time when a clinician, room or client is busy: `booked`, `away` for a meeting or maintenance, or `held`.

    The holder is the appointment, group session, block or waitlist offer that takes the time.
    """

    resource_id: UUID
    kind: str
    starts_at: datetime
    ends_at: datetime
    reason: Reason
    holder_id: UUID


WINDOWS_SQL = text("""
    select
        w.id, w.clinician_id, w.weekday, w.start_time, w.end_time, w.effective_on, w.ends_on,
        array(
            select s.service_id from window_services as s where s.tenant_id = w.tenant_id and s.window_id = w.id
        ) as services
    from availability_windows as w
    where w.tenant_id = :tenant_id and w.clinician_id = any(:clinicians) and w.voided_at is null
        and (w.effective_on is null or w.effective_on <= :last) and (w.ends_on is null or w.ends_on >= :first)
    order by w.weekday, w.start_time, w.id
""")

# Windows, exceptions and closures.
HOURS_SQL = text(f"""
    select
        w.clinician_id, null::date as on_date, null::boolean as available, w.start_time, w.end_time,
        w.weekday, w.effective_on, w.ends_on, w.services
    from ({WINDOWS_SQL.text}) as w
    union all
    select e.clinician_id, e.on_date, e.available, e.start_time, e.end_time, null, null, null, null
    from availability_exceptions as e
    where e.tenant_id = :tenant_id and e.clinician_id = any(:clinicians) and e.on_date between :first and :last
        and e.voided_at is null
    union all
    select null, c.closed_on, null, null, null, null, null, null, null
    from closures as c
    where c.tenant_id = :tenant_id and c.closed_on between :first and :last and c.voided_at is null
    order by on_date, weekday, start_time
""")

# The occupancies of one resource never overlap, so at most one that ends after the span begins within it: the index
# finds those few without reading the years before and after. Imported appointments of the past have no occupancies;
# they are read from their own table and last a day at most.
BUSY_SQL = text("""
    select
        o.resource_id, o.kind, o.starts_at, o.ends_at,
        case o.holder when 'block' then 'away' when 'offer' then 'held' else 'booked' end as why, o.holder_id
    from unnest(cast(:resources as uuid [])) as wanted (resource_id)
    cross join lateral (
        select within.* from occupancies as within
        where within.tenant_id = :tenant_id and within.resource_id = wanted.resource_id
            and within.ends_at > :start and within.ends_at <= :end
        union all
        (
            select beyond.* from occupancies as beyond
            where beyond.tenant_id = :tenant_id and beyond.resource_id = wanted.resource_id and beyond.ends_at > :end
            order by beyond.ends_at
            limit 1
        )
    ) as o
    where o.starts_at < :end
        -- an expired offer no longer holds its time, even if its status is still OPEN
        and not exists (
            select from waitlist_offers as w
            where o.holder = 'offer' and w.tenant_id = :tenant_id and w.id = o.holder_id and w.holds_until <= :now
        )
    union all
    select came.resource_id, came.kind, came.starts_at, came.ends_at, 'booked', came.id
    from (
        select a.clinician_id, 'clinician', a.* from appointments as a
        where a.tenant_id = :tenant_id and a.clinician_id = any(:clinicians) and a.starts_at > :a_day_before
        union all
        select a.room_id, 'room', a.* from appointments as a
        where a.tenant_id = :tenant_id and a.room_id = any(:rooms) and a.starts_at > :a_day_before
        union all
        select a.client_id, 'client', a.* from appointments as a
        where a.tenant_id = :tenant_id and a.client_id = any(:clients) and a.starts_at > :a_day_before
    ) as came (resource_id, kind)
    where not came.guarded and came.starts_at < :end and came.ends_at > :start
        and came.status not in ('CANCELLED', 'RESCHEDULED', 'NO_SHOW')
    order by 3, 1
""")
MAX_APPOINTMENT_LENGTH = timedelta(hours=24)


def load_hours(work: Work, clinician_ids: Collection[UUID], first: date, last: date) -> dict[UUID, ClinicianHours]:
    """Return the hours of each clinician from the first date to the last, in one query."""
    span = {"tenant_id": work.tenant_id, "clinicians": list(clinician_ids), "first": first, "last": last}
    windows, changes, closures = defaultdict(list), defaultdict(list), set()
    for row in work.db.execute(HOURS_SQL, span):
        if row.clinician_id is None:
            closures.add(row.on_date)
        elif row.on_date is None:
            windows[row.clinician_id].append(build_window(row))
        else:
            change = DayChange(row.on_date, row.available, row.start_time, row.end_time)
            changes[row.clinician_id].append(change)
    return {
        clinician_id: ClinicianHours(windows[clinician_id], changes[clinician_id], frozenset(closures))
        for clinician_id in clinician_ids
    }


def build_window(row: Any) -> Window:
    return Window(row.weekday, row.start_time, row.end_time, row.effective_on, row.ends_on, frozenset(row.services))


def load_busy_intervals(
    work: Work,
    clinician_ids: Collection[UUID],
    room_ids: Collection[UUID],
    client_ids: Collection[UUID],
    start: datetime,
    end: datetime,
) -> list[BusyInterval]:
    """Return the busy intervals of these resources that overlap the span, ordered by start."""
    rows = work.db.execute(
        BUSY_SQL,
        {
            "tenant_id": work.tenant_id,
            "clinicians": list(clinician_ids),
            "rooms": list(room_ids),
            "clients": list(client_ids),
            "resources": list({*clinician_ids, *room_ids, *client_ids}),
            "start": start,
            "end": end,
            "a_day_before": start - MAX_APPOINTMENT_LENGTH,
            "now": work.now,
        },
    )
    return [BusyInterval(*row) for row in rows]
