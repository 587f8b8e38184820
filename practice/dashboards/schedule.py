"""The page of the front desk: the visits of a day, who waits since when, rooms in use, and what needs somebody."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select

from practice.dashboards.needs import Need, sort_needs
from practice.local_time import DAY, start_of_day
from practice.people.practice_time import local_today, zone_of
from practice.scheduling.appointments.notifications import is_after_last_day
from practice.scheduling.appointments.queries import Filters, list_appointments
from practice.scheduling.models.appointments import Appointment
from practice.scheduling.models.waitlist import WaitlistEntry
from practice.scheduling.statuses import EXPECTED, FINAL
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.pages import PageRequest
from practice.text import format_count

MAX_VISITS = 1000
PRESENT = ("CHECKED_IN", "IN_PROGRESS")


@dataclass(frozen=True)
class ScheduleDay:
    """Everything that the page shows at first."""

    today: date
    day: date
    visits: Sequence[Appointment]
    waiting: int
    in_session: int
    rooms_in_use: int
    waitlist: int
    needs: Sequence[Need]


def load_schedule(work: Work, scope: Scope, day: date | None) -> ScheduleDay:
    """Return the page of a local date, by default today."""
    zone, today = zone_of(work), local_today(work)
    chosen = day or today
    filters = Filters(since=start_of_day(chosen, zone), until=start_of_day(chosen + DAY, zone))
    visits = list_appointments(work, scope, PageRequest(limit=MAX_VISITS), filters).items
    shown = [visit for visit in visits if visit.status != "RESCHEDULED"]
    waitlist = select(func.count()).where(WaitlistEntry.tenant_id == work.tenant_id, WaitlistEntry.status == "WAITING")
    return ScheduleDay(
        today=today,
        day=chosen,
        visits=shown,
        waiting=sum(visit.status == "CHECKED_IN" for visit in shown),
        in_session=sum(visit.status == "IN_PROGRESS" for visit in shown),
        rooms_in_use=len({visit.room_id for visit in shown if visit.status in PRESENT and visit.room_id}),
        waitlist=work.db.scalar(waitlist) or 0,
        needs=list_needs(work, shown),
    )


def count_open_visits_past(work: Work) -> int:
    """Return the number of visits of all days that are over, and neither completed, missed nor cancelled."""
    over = select(func.count()).where(
        Appointment.tenant_id == work.tenant_id, Appointment.status.not_in(FINAL), Appointment.ends_at <= work.now
    )
    return work.db.scalar(over) or 0


def count_unheld_visits(work: Work) -> int:
    """Return the number of visits ahead that are after the last day of their clinician."""
    ahead = select(func.count()).where(
        Appointment.tenant_id == work.tenant_id,
        Appointment.status.in_(EXPECTED),
        Appointment.starts_at > work.now,
        is_after_last_day(work),
    )
    return work.db.scalar(ahead) or 0


def list_needs(work: Work, visits: Sequence[Appointment]) -> list[Need]:
    """Return what the front desk has to see to: visits that are over and still open, and those about to begin."""
    over = count_open_visits_past(work)
    late = [
        visit
        for visit in visits
        if visit.starts_at <= work.now < visit.ends_at and visit.status in ("SCHEDULED", "CONFIRMED")
    ]
    needs = []
    if unheld := count_unheld_visits(work):
        needs.append(
            Need(
                "unheld_visits",
                "this_week",
                f"{format_count(unheld, 'visit')} after the last day of the clinician",
                "Move them to somebody else, or cancel them: nobody will hold them, and no reminder is sent.",
                unheld,
            )
        )
    if late:
        needs.append(
            Need(
                "not_checked_in",
                "today",
                f"{format_count(len(late), 'visit')} begun and nobody is checked in",
                "Check the client in, or mark a no-show.",
                len(late),
            )
        )
    if over:
        needs.append(
            Need(
                "still_open",
                "today",
                f"{format_count(over, 'visit')} over and still open",
                "Complete them, or mark a no-show: nothing is paid or billed for them until then.",
                over,
            )
        )
    return sort_needs(needs)
