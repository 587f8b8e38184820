"""The page of the front desk: a day or week of visits and free time, who waits since when, and what needs somebody."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, distinct, func, select

from practice.dashboards.needs import MAX_LISTED, Need, NeedRecord, sort_needs
from practice.dashboards.own_work import Requests, list_pending_requests
from practice.dashboards.schedule_columns import (
    Resource,
    ResourceKind,
    ScheduleColumn,
    list_days_of_week,
    load_clinicians,
    load_columns,
    load_rooms,
    load_visits_between,
)
from practice.errors import NotFound
from practice.local_time import DAY, start_of_day
from practice.people.practice_time import local_today, zone_of
from practice.scheduling.appointments.notifications import is_after_last_day
from practice.scheduling.models.appointments import Appointment
from practice.scheduling.models.catalog import Service
from practice.scheduling.models.waitlist import WaitlistEntry, WaitlistOffer
from practice.scheduling.statuses import EXPECTED, FINAL
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.text import format_count

PRESENT = ("CHECKED_IN", "IN_PROGRESS")
View = Literal["day", "week"]


@dataclass(frozen=True)
class Board:
    """The practice now, on whatever day the page is: who came, who waits since when, and which rooms are in use."""

    visits: int
    check_ins: int
    waiting: int
    waiting_since: datetime | None
    in_session: int
    rooms_in_use: int
    not_checked_in: int

    def compute_longest_wait(self, now: datetime) -> int | None:
        """Return the minutes that the client waits who came first; None if nobody waits."""
        return None if self.waiting_since is None else max(0, (now - self.waiting_since) // timedelta(minutes=1))


@dataclass(frozen=True)
class SchedulePage:
    """Everything that the page shows at first."""

    today: date
    day: date
    days: Sequence[date]
    view: View
    by: ResourceKind
    chosen: Resource | None
    columns: Sequence[ScheduleColumn]
    visits: Sequence[Appointment]
    clinicians: Sequence[Resource]
    rooms: Sequence[Resource]
    services: Sequence[Any]
    board: Board
    waitlist: int
    brief: Sequence[str]
    needs: Sequence[Need]
    need_visits: Sequence[Appointment]
    requests: Requests
    holds: Sequence[Any]


def load_schedule(
    work: Work, scope: Scope, day: date | None, view: View, by: ResourceKind, chosen_id: UUID | None
) -> SchedulePage:
    """Return the page of a local date, by default today, or of its week, by clinician or by room.

    A day is of everybody, or of the chosen clinician or room; a week of the chosen one, by default the first.
    """
    today = local_today(work)
    on = day or today
    days = [on] if view == "day" else list_days_of_week(on)
    is_room = by == "room"
    if chosen_id is None and view == "week":
        chosen_id = next((resource.id for resource in (load_rooms if is_room else load_clinicians)(work)), None)
    ids = {"room_id" if is_room else "clinician_id": chosen_id}
    visits = [] if view == "week" and chosen_id is None else load_visits_between(work, scope, days, **ids)
    also = [] if chosen_id is None else [chosen_id]
    clinicians = load_clinicians(work, {visit.clinician_id for visit in visits} | set(also))
    rooms = load_rooms(work, {visit.room_id for visit in visits if visit.room_id} | set(also))
    resources = rooms if is_room else clinicians
    chosen = next((resource for resource in resources if resource.id == chosen_id), None)
    if chosen is None and chosen_id is not None:
        raise NotFound
    shown = [chosen] if chosen else [] if view == "week" else resources
    board, waitlist = load_board(work), count_waiting_entries(work)
    requests = list_pending_requests(work)
    open_past, unheld = list_visits(work, is_open_and_past(work)), list_visits(work, is_unheld(work))
    columns = load_columns(work, by, shown, days, visits, clinicians)
    return SchedulePage(
        today=today,
        day=on,
        days=days,
        view=view,
        by=by,
        chosen=chosen,
        columns=columns,
        visits=visits,
        clinicians=clinicians,
        rooms=rooms,
        services=load_services(work),
        board=board,
        waitlist=waitlist,
        brief=describe_schedule(board, board.compute_longest_wait(work.now), columns, waitlist),
        needs=list_needs(work, board, open_past, unheld, len(requests.items)),
        requests=requests,
        holds=load_holds(work, columns),
        need_visits=[*open_past, *unheld],
    )


def load_board(work: Work) -> Board:
    """Return where the practice stands now."""
    zone, today = zone_of(work), local_today(work)
    is_waiting, late = Appointment.status == "CHECKED_IN", Appointment.status.in_(EXPECTED)
    is_due = (Appointment.starts_at <= work.now) & (work.now < Appointment.ends_at)
    query = select(
        func.count(),
        func.count().filter(Appointment.arrived_at.is_not(None)),
        func.count().filter(is_waiting),
        func.min(Appointment.arrived_at).filter(is_waiting),
        func.count().filter(Appointment.status == "IN_PROGRESS"),
        func.count(distinct(Appointment.room_id)).filter(Appointment.status.in_(PRESENT)),
        func.count().filter(late, is_due),
    ).where(
        Appointment.tenant_id == work.tenant_id,
        Appointment.starts_at >= start_of_day(today, zone),
        Appointment.starts_at < start_of_day(today + DAY, zone),
        Appointment.status.not_in(["CANCELLED", "RESCHEDULED"]),
    )
    return Board(*work.db.execute(query).one())


def load_holds(work: Work, columns: Sequence[ScheduleColumn]) -> Sequence[Any]:
    """Return the offers of the waitlist that hold time of the columns, with their clients, and record the access."""
    ids = {item.id for column in columns for item in column.taken if item.kind == "held"}
    if not ids:
        return []
    offer, entry = WaitlistOffer, WaitlistEntry
    shown = (offer.id, offer.clinician_id, offer.service_id, offer.starts_at, offer.ends_at, offer.holds_until)
    query = select(*shown, entry.client_id).join(
        entry, (entry.tenant_id == offer.tenant_id) & (entry.id == offer.entry_id)
    )
    found = work.db.execute(query.where(offer.tenant_id == work.tenant_id, offer.id.in_(ids))).all()
    work.record_list("waitlist.listed", (hold.client_id for hold in found), part="held times")
    return found


def load_services(work: Work) -> Sequence[Any]:
    """Return the services that can be booked, by name."""
    query = select(Service.id, Service.code, Service.name, Service.minutes, Service.kind).where(
        Service.tenant_id == work.tenant_id, Service.active
    )
    return work.db.execute(query.order_by(Service.name, Service.code)).all()


def count_waiting_entries(work: Work) -> int:
    """Return the number of entries on the waitlist without an offer."""
    query = select(func.count()).where(WaitlistEntry.tenant_id == work.tenant_id, WaitlistEntry.status == "WAITING")
    return work.db.scalar(query) or 0


def describe_schedule(
    board: Board, longest_wait: int | None, columns: Sequence[ScheduleColumn], waitlist: int
) -> list[str]:
    """Return in sentences how far today is, who waits, and how much free time there is to be offered."""
    sentences = ["No visits are booked today."]
    if board.visits:
        sentences = [f"{board.check_ins} of {format_count(board.visits, 'visit')} today have a check-in."]
    if longest_wait is not None:
        sentences.append(
            f"{format_count(board.waiting, 'client')} {'waits' if board.waiting == 1 else 'wait'}, the longest for "
            f"{format_count(longest_wait, 'minute')}."
        )
    free = sum((end - start for column in columns for start, end in column.free), timedelta())
    if free and waitlist:
        hours = format_count(round(free / timedelta(hours=1)), "hour")
        waits = f"{format_count(waitlist, 'entry', 'entries')} on the waitlist {'waits' if waitlist == 1 else 'wait'}"
        sentences.append(f"{waits}, and about {hours} of this view are free: choose a free time to offer it.")
    return sentences


def is_open_and_past(work: Work) -> ColumnElement[bool]:
    """Return the condition for visits of all days that are over, and neither completed, missed nor cancelled."""
    return Appointment.status.not_in(FINAL) & (Appointment.ends_at <= work.now)


def is_unheld(work: Work) -> ColumnElement[bool]:
    """Return the condition for visits ahead that are after the last day of their clinician."""
    return Appointment.status.in_(EXPECTED) & (Appointment.starts_at > work.now) & is_after_last_day(work)


def count_visits(work: Work, condition: ColumnElement[bool]) -> int:
    return work.db.scalar(select(func.count()).where(Appointment.tenant_id == work.tenant_id, condition)) or 0


def list_visits(work: Work, condition: ColumnElement[bool]) -> Sequence[Appointment]:
    """Return the first visits for which the condition holds, by start, and record the access."""
    query = select(Appointment).where(Appointment.tenant_id == work.tenant_id, condition)
    visits = work.db.scalars(query.order_by(Appointment.starts_at, Appointment.id).limit(MAX_LISTED)).all()
    if visits:
        work.record_list("calendar.read", (visit.client_id for visit in visits), part="visits of a need")
    return visits


def name_visits(visits: Sequence[Appointment]) -> list[NeedRecord]:
    return [NeedRecord(visit.id, visit.reference) for visit in visits]


def list_needs(
    work: Work, board: Board, open_past: Sequence[Appointment], unheld: Sequence[Appointment], requests: int
) -> list[Need]:
    """Return what the front desk has to see to: visits that are over and still open, and those about to begin."""
    needs = []
    if unheld:
        count = count_visits(work, is_unheld(work))
        needs.append(
            Need(
                "unheld_visits",
                "this_week",
                f"{format_count(count, 'visit')} after the last day of the clinician",
                "Move them to somebody else, or cancel them: nobody will hold them, and no reminder is sent.",
                count,
                "show_visits",
                "Show visits",
                name_visits(unheld),
            )
        )
    if requests:
        needs.append(
            Need(
                "move_requests",
                "this_week",
                f"{format_count(requests, 'request')} to move visits",
                f"{'A clinician waits' if requests == 1 else 'Clinicians wait'} for your decision.",
                requests,
                "decide_requests",
                "Decide",
            )
        )
    if late := board.not_checked_in:
        needs.append(
            Need(
                "not_checked_in",
                "today",
                f"{format_count(late, 'visit')} begun and nobody is checked in",
                "Check the client in, or mark a no-show.",
                late,
            )
        )
    if open_past:
        count = count_visits(work, is_open_and_past(work))
        needs.append(
            Need(
                "still_open",
                "today",
                f"{format_count(count, 'visit')} over and still open",
                "Complete them, or mark a no-show: nothing is paid or billed for them until then.",
                count,
                "show_visits",
                "Show visits",
                name_visits(open_past),
            )
        )
    return sort_needs(needs)
