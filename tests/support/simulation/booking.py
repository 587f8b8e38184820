"""Uses of the services that book, move and cancel appointments, alone, in series, in groups, and from the waitlist."""

from collections.abc import Collection
from datetime import datetime, time
from uuid import UUID

from practice.local_time import to_instant
from practice.scheduling.appointments.booking import book
from practice.scheduling.appointments.booking_request import BookingRequest
from practice.scheduling.appointments.series import book_series
from practice.scheduling.appointments.updates import change_appointment
from practice.scheduling.cancellation import cancel
from practice.scheduling.group_sessions.changes import cancel_group_sessions, move_group_sessions
from practice.scheduling.group_sessions.opening import GroupRequest, open_group_session
from practice.scheduling.models.appointments import Appointment
from practice.scheduling.reschedule_requests import approve_request, request_reschedule
from practice.scheduling.rescheduling import move
from practice.scheduling.waitlist.entries import add_entry
from practice.scheduling.waitlist.offers import take_offer
from practice.security.permissions import Scope
from tests.support.simulation.practice import DAY, MINUTE, SimulatedPractice, service

UPCOMING = """
    select * from appointments
    where status in ('SCHEDULED', 'CONFIRMED') and starts_at > :now and group_session_id is null order by id
"""


def choose_start(sim: SimulatedPractice, first: int = 1, last: int = 16) -> datetime:
    """Return a start within the usual hours of a day between so many days from today."""
    day = sim.choose_day(first, last)
    if day.weekday() > 4 and sim.happens(0.9):
        day -= 2 * DAY
    hour = sim.random.randint(9, 16) if sim.happens(0.92) else sim.random.randint(6, 21)
    return to_instant(day, time(hour, sim.choose(0, 0, 0, 30)), sim.zone)


def plan_visits(sim: SimulatedPractice, appointments: Collection[Appointment]) -> None:
    """Plan what becomes of appointments that were just booked."""
    for appointment in appointments:
        sim.later(sim.now + MINUTE, "await a visit", appointment.id, appointment.starts_at)


def build_request(sim: SimulatedPractice, client_id: UUID, first: int = 1) -> BookingRequest:
    client = sim.pick("select * from clients where id = :id", id=client_id)
    usual = client.primary_clinician_id is not None and sim.happens(0.75)
    return BookingRequest(
        client_id=client_id,
        clinician_id=client.primary_clinician_id if usual else sim.pick_bookable_clinician().id,
        service_code="COU45",
        starts_at=choose_start(sim, first),
        telehealth=sim.happens(0.5) and has_telehealth_consent(sim, client_id),
    )


def has_telehealth_consent(sim: SimulatedPractice, client_id: UUID) -> bool:
    query = "select 1 from consents where client_id = :id and kind = 'TELEHEALTH' and voided_at is null limit 1"
    return bool(sim.rows(query, id=client_id))


@service("book an appointment", 7)
def book_any(sim: SimulatedPractice, client_id: UUID | None = None) -> None:
    client_id = client_id or sim.pick_client().id
    first = -3 if sim.happens(0.05) else 1
    with sim.work() as work:
        plan_visits(sim, [book(work, build_request(sim, client_id, first)).appointment])


@service("book online", 2)
def book_online(sim: SimulatedPractice) -> None:
    client = sim.pick_client("account_id is not null and portal_activated_at is not null")
    with sim.work(sim.client_actor(client.id)) as work:
        plan_visits(sim, [book(work, build_request(sim, client.id, 2)).appointment])


@service("book a series", 0.1)
def book_any_series(sim: SimulatedPractice) -> None:
    client = sim.pick_client()
    request = build_request(sim, client.id)
    weekday = f"{request.starts_at.astimezone(sim.zone):%a}"[:2].upper()
    rule = f"FREQ=WEEKLY;BYDAY={weekday};COUNT={sim.random.randint(3, 6)}"
    with sim.work() as work:
        series = book_series(work, request, rule, skip_conflicts=True)
        plan_visits(sim, [occurrence.appointment for occurrence in series.occurrences if occurrence.appointment])


@service("move an appointment", 0.2)
def move_any(sim: SimulatedPractice, appointment_id: UUID | None = None) -> None:
    appointment_id = appointment_id or sim.pick(UPCOMING).id
    changes = {"clinician_id": sim.pick_bookable_clinician().id} if sim.happens(0.3) else {}
    with sim.work() as work:
        plan_visits(sim, move(work, Scope.ALL, appointment_id, choose_start(sim), changes=changes))


@service("ask to move an appointment", 0.15)
def ask_to_move(sim: SimulatedPractice) -> None:
    appointment = sim.pick(UPCOMING)
    with sim.work(sim.staff_actor(appointment.clinician_id)) as work:
        request_id = request_reschedule(work, Scope.OWN, appointment.id, choose_start(sim, 3), "A conference.").id
    sim.later(sim.now + sim.choose_span(MINUTE, DAY), "approve a move", request_id)


@service("approve a move")
def approve_move(sim: SimulatedPractice, request_id: UUID) -> None:
    with sim.work() as work:
        appointment_id = approve_request(work, request_id).appointment_id
    moved = sim.rows("select rescheduled_to_id from appointments where id = :id", id=appointment_id)[0]
    start = sim.rows("select starts_at from appointments where id = :id", id=moved.rescheduled_to_id)[0].starts_at
    sim.later(sim.now + MINUTE, "await a visit", moved.rescheduled_to_id, start)


@service("cancel an appointment", 0.3)
def cancel_any(sim: SimulatedPractice, appointment_id: UUID | None = None) -> None:
    appointment_id = appointment_id or sim.pick(UPCOMING).id
    with sim.work() as work:
        cancel(work, Scope.ALL, appointment_id, "The client is ill.")


@service("cancel online", 0.15)
def cancel_online(sim: SimulatedPractice) -> None:
    query = UPCOMING.replace(
        "order by", "and client_id in (select id from clients where account_id is not null) order by"
    )
    appointment = sim.pick(query)
    with sim.work(sim.client_actor(appointment.client_id)) as work:
        cancel(work, Scope.OWN, appointment.id, None)


@service("change an appointment", 0.5)
def change_any_appointment(sim: SimulatedPractice) -> None:
    appointment = sim.pick("""
        select * from appointments
        where status in ('SCHEDULED', 'CONFIRMED', 'CHECKED_IN', 'IN_PROGRESS') order by id
    """)
    with sim.work() as work:
        changes = {"telehealth": not appointment.telehealth}
        change_appointment(work, Scope.ALL, appointment.id, appointment.version, changes)


# Groups


@service("open a group", 0.2)
def open_any_group(sim: SimulatedPractice) -> None:
    request = GroupRequest(sim.pick_bookable_clinician().id, "GRP90", choose_start(sim))
    with sim.work() as work:
        group_id = open_group_session(work, request).id
    for _ in range(sim.random.randint(2, 5)):
        sim.later(sim.now + sim.choose_span(MINUTE, DAY), "book a seat", group_id)


@service("book a seat")
def book_seat(sim: SimulatedPractice, group_id: UUID) -> None:
    group = sim.pick("select * from group_sessions where id = :id", id=group_id)
    request = BookingRequest(
        client_id=sim.pick_client().id,
        clinician_id=group.clinician_id,
        service_code="GRP90",
        starts_at=group.starts_at,
        group_session_id=group_id,
    )
    with sim.work() as work:
        plan_visits(sim, [book(work, request).appointment])


OPEN_GROUPS = "select * from group_sessions where status = 'SCHEDULED' and starts_at > :now and held order by id"


@service("cancel a group", 0.1)
def cancel_group(sim: SimulatedPractice) -> None:
    group = sim.pick(OPEN_GROUPS)
    with sim.work() as work:
        cancel_group_sessions(work, Scope.ALL, group.id, "The clinician is ill.")


@service("move a group", 0.08)
def move_group(sim: SimulatedPractice) -> None:
    group = sim.pick(OPEN_GROUPS)
    with sim.work() as work:
        plan_visits(sim, move_group_sessions(work, Scope.ALL, group.id, choose_start(sim)).seats)


# The waitlist


@service("wait for a time", 0.2)
def wait_for_time(sim: SimulatedPractice) -> None:
    client = sim.pick_client()
    with sim.work() as work:
        add_entry(work, client.id, clinician_ids=[], weekdays=[], priority=2)


@service("take an offer", 0.5)
def take_any_offer(sim: SimulatedPractice) -> None:
    offer = sim.pick("select * from waitlist_offers where status = 'OPEN' and holds_until > :now order by id")
    with sim.work() as work:
        plan_visits(sim, [take_offer(work, Scope.ALL, offer.id).appointment])
