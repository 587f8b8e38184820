"""Uses of the services of hours: weekly windows, exceptions, closures."""

from datetime import time
from uuid import UUID

from practice.scheduling.availability.closures import add_closure, void_closure
from practice.scheduling.availability.hours import (
    add_exception,
    add_window,
    change_exception,
    change_window,
    void_exception,
    void_window,
)
from practice.security.permissions import Scope
from tests.support.simulation.practice import DAY, NothingToDo, SimulatedPractice, service

WINDOWS = """
    select w.* from availability_windows as w
    join staff as s on s.tenant_id = w.tenant_id and s.id = w.clinician_id and 'clinician' = any(s.roles)
    where w.voided_at is null and (w.ends_on is null or w.ends_on > :now) order by w.id
"""
EXCEPTIONS = "select * from availability_exceptions where voided_at is null order by id"
CLOSURES = "select * from closures where voided_at is null order by id"


@service("add a window", 0.1)
def add_any_window(sim: SimulatedPractice, staff_id: UUID | None = None) -> None:
    """Add hours of one day of the week or, for somebody new, of all workdays."""
    weekdays = range(1, 6) if staff_id else [sim.random.randint(0, 6)]
    staff_id = staff_id or sim.pick_clinician().id
    start = time(8, 30) if len(weekdays) > 1 else time(sim.random.randint(6, 19), sim.choose(0, 30))
    end = time(18) if len(weekdays) > 1 else time(min(23, start.hour + sim.random.randint(1, 5)), 30)
    effective_on = sim.choose(None, None, sim.choose_day(-20, 20)) if len(weekdays) == 1 else None
    for weekday in weekdays:
        hours = {"weekday": weekday, "start_time": start, "end_time": end, "effective_on": effective_on}
        with sim.work() as work:
            add_window(work, Scope.ALL, staff_id, services=[], ends_on=None, **hours)


@service("change a window", 0.12)
def change_any_window(sim: SimulatedPractice) -> None:
    window = sim.pick(WINDOWS)
    changes = sim.choose(
        {"end_time": time(sim.random.randint(window.start_time.hour + 1, 23), 15)}
        if window.start_time.hour < 22
        else {},
        {"start_time": time(min(window.end_time.hour - 1, 9), 15)} if window.end_time.hour > 1 else {},
        {"ends_on": sim.choose_day(-1, 60)},
        {"effective_on": sim.choose_day(-30, 10)},
    )
    with sim.work() as work:
        change_window(work, Scope.ALL, window.clinician_id, window.id, window.version, changes)


@service("void a window", 0.06)
def void_any_window(sim: SimulatedPractice) -> None:
    window = sim.pick(WINDOWS)
    with sim.work() as work:
        void_window(work, Scope.ALL, window.clinician_id, window.id, "Entered by mistake.")


@service("add an exception", 0.3)
def add_any_exception(sim: SimulatedPractice) -> None:
    clinician = sim.pick_clinician()
    available = sim.happens(0.4)
    part = sim.happens(0.5) or available
    first = sim.random.randint(7, 16)
    day = {
        "on_date": sim.choose_day(-10, 25),
        "available": available,
        "start_time": time(first) if part else None,
        "end_time": time(first + 3) if part else None,
        "reason": None,
    }
    with sim.work() as work:
        add_exception(work, Scope.ALL, clinician.id, **day)


@service("change an exception", 0.08)
def change_any_exception(sim: SimulatedPractice) -> None:
    exception = sim.pick(EXCEPTIONS)
    changes = sim.choose(
        {"on_date": exception.on_date + DAY * sim.random.randint(-7, 7)},
        {"start_time": time(10), "end_time": time(15, 45)},
    )
    with sim.work() as work:
        change_exception(work, Scope.ALL, exception.clinician_id, exception.id, exception.version, changes)


@service("void an exception", 0.1)
def void_any_exception(sim: SimulatedPractice) -> None:
    exception = sim.pick(EXCEPTIONS)
    with sim.work() as work:
        void_exception(work, Scope.ALL, exception.clinician_id, exception.id, "Not needed.")


@service("add a closure", 0.1)
def add_any_closure(sim: SimulatedPractice) -> None:
    with sim.work() as work:
        add_closure(work, sim.choose_day(-10, 30), "Storm")


@service("void a closure", 0.06)
def void_any_closure(sim: SimulatedPractice) -> None:
    closures = [row for row in sim.rows(CLOSURES) if abs(row.closed_on - sim.today) < 40 * DAY]
    if not closures:
        raise NothingToDo
    with sim.work() as work:
        void_closure(work, sim.random.choice(closures).closed_on, "Open after all.")
