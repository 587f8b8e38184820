"""How full the practice is in the two weeks to come: by weekday and hour, and how many slots are open, in dollars."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from practice.dashboards.schedule_columns import ScheduleColumn, load_clinicians, load_columns
from practice.local_time import DAY
from practice.people.practice_time import local_today, zone_of
from practice.scheduling.availability.rules.free_time import Pair
from practice.scheduling.models.appointments import Appointment
from practice.security.work import Work

DAYS_AHEAD = 14
DAYS_BACK = 28
MINUTE, QUARTER = timedelta(minutes=1), timedelta(minutes=15)


class HourFill(NamedTuple):
    """Open and booked minutes of all clinicians in an hour of a weekday, which is 0 for Sunday."""

    weekday: int
    hour: int
    open_minutes: int
    booked_minutes: int


@dataclass(frozen=True)
class Capacity:
    """The time of the days ahead. Without recent sessions there is no length of a slot, and so no number of them."""

    first: date
    last: date
    hours: Sequence[HourFill]
    open_minutes: int
    booked_minutes: int
    session_minutes: int | None
    open_slots: int | None
    open_cents: int | None


def load_capacity(work: Work, reimbursement: Decimal | None) -> Capacity:
    """Return the capacity from tomorrow on. `reimbursement` is what a session brings on average, in dollars."""
    first = local_today(work) + DAY
    days = [first + number * DAY for number in range(DAYS_AHEAD)]
    clinicians = load_clinicians(work)
    columns = load_columns(work, "clinician", clinicians, days, [], clinicians)
    hours = add_up_hours(columns, zone_of(work))
    open_minutes, booked = (sum(getattr(hour, name) for hour in hours) for name in ("open_minutes", "booked_minutes"))
    session_minutes = load_session_minutes(work)
    slots = (open_minutes - booked) // session_minutes if session_minutes else None
    cents = None
    if slots is not None and reimbursement is not None:
        cents = int((slots * reimbursement * 100).quantize(Decimal(1), ROUND_HALF_UP))
    return Capacity(first, days[-1], hours, open_minutes, booked, session_minutes, slots, cents)


def load_session_minutes(work: Work) -> int | None:
    """Return the average length of the sessions of the last four weeks, or None without any."""
    minutes = func.avg(func.extract("epoch", Appointment.ends_at - Appointment.starts_at)) / 60
    found = work.db.scalar(
        select(minutes).where(
            Appointment.tenant_id == work.tenant_id,
            Appointment.status == "COMPLETED",
            Appointment.starts_at.between(work.now - DAYS_BACK * DAY, work.now),
        )
    )
    return round(found) or None if found is not None else None


def add_up_hours(columns: Iterable[ScheduleColumn], zone: ZoneInfo) -> list[HourFill]:
    """Return the minutes of each hour of a weekday in which somebody sees clients, without those that are blocked."""
    minutes: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0])
    for column in columns:
        blocked = [(item.starts_at, item.ends_at) for item in column.taken if item.kind == "block"]
        for start, end in split_at_quarters(subtract(column.open, blocked)):
            local = start.astimezone(zone)
            place = minutes[local.isoweekday() % 7, local.hour]
            place[0] += (end - start) // MINUTE
            place[1] += (end - start) // MINUTE - measure_overlap((start, end), column.free)
    return [HourFill(*key, *found) for key, found in sorted(minutes.items())]


def split_at_quarters(pairs: Iterable[Pair]) -> Iterator[Pair]:
    """Yield the periods in parts that lie in one hour of the clock in every zone: quarters of an hour."""
    for start, end in pairs:
        at = start
        while at < end:
            following = min(floor_to_quarter(at) + QUARTER, end)
            yield at, following
            at = following


def floor_to_quarter(at: datetime) -> datetime:
    return at - timedelta(minutes=at.minute % 15, seconds=at.second, microseconds=at.microsecond)


def subtract(pairs: Iterable[Pair], removed: Sequence[Pair]) -> list[Pair]:
    """Return the parts of the periods that none of the others covers."""
    left = list(pairs)
    for start, end in removed:
        left = [
            part
            for since, until in left
            for part in ((since, min(until, start)), (max(since, end), until))
            if part[0] < part[1]
        ]
    return left


def measure_overlap(pair: Pair, others: Iterable[Pair]) -> int:
    """Return how many minutes of the period the others cover, which do not overlap each other."""
    return sum(
        (min(pair[1], end) - max(pair[0], start)) // MINUTE
        for start, end in others
        if start < pair[1] and pair[0] < end
    )
