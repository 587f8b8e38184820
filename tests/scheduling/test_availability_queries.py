"""Queries of clinicians' hours and busy intervals."""

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event

from practice.scheduling.availability.queries import BusyInterval, load_busy_intervals, load_hours
from practice.scheduling.availability.rules.free_time import DayChange, Window
from practice.scheduling.models.appointments import GroupSession
from practice.scheduling.models.availability import (
    AvailabilityException,
    AvailabilityWindow,
    Block,
    Closure,
    WindowService,
)
from practice.scheduling.models.waitlist import WaitlistEntry, WaitlistOffer
from practice.security.installation import Installation
from practice.store.ids import new_id
from tests.support.builders.people import NOW, PracticeFixture, make_practice
from tests.support.builders.schedule import make_appointment, make_client, make_room, make_service, put

HOUR = timedelta(hours=1)
MONDAY = date(2026, 3, 23)
NINE, TWELVE, FIVE = time(9), time(12), time(17)


def make_window(clinician_id: UUID, weekday: int = 1, **fields: Any) -> AvailabilityWindow:
    values = {"start_time": NINE, "end_time": FIVE} | fields
    return AvailabilityWindow(id=new_id(), clinician_id=clinician_id, weekday=weekday, **values)


def make_exception(clinician_id: UUID, on: date, **fields: Any) -> AvailabilityException:
    return AvailabilityException(id=new_id(), clinician_id=clinician_id, on_date=on, **{"available": False} | fields)


def test_hours_are_the_windows_changes_and_closures_that_count_in_the_span(practice: PracticeFixture) -> None:
    clinician, other = practice.add("clinician"), practice.add("clinician")
    service = make_service(practice)
    limited = make_window(
        clinician.staff_id, 2, end_time=TWELVE, effective_on=MONDAY, ends_on=MONDAY + timedelta(days=1)
    )
    put(
        practice,
        limited,
        WindowService(window_id=limited.id, service_id=service),
        make_window(clinician.staff_id),
        make_window(clinician.staff_id, 3, voided_at=NOW),
        make_window(clinician.staff_id, 4, ends_on=date(2026, 3, 22)),
        make_window(clinician.staff_id, 5, effective_on=date(2026, 3, 30)),
        make_exception(clinician.staff_id, MONDAY),
        make_exception(clinician.staff_id, date(2026, 3, 29), available=True, start_time=NINE, end_time=TWELVE),
        make_exception(clinician.staff_id, date(2026, 3, 30)),
        make_exception(clinician.staff_id, date(2026, 3, 24), voided_at=NOW),
        Closure(id=new_id(), closed_on=date(2026, 3, 25)),
        Closure(id=new_id(), closed_on=date(2026, 3, 26), voided_at=NOW),
        Closure(id=new_id(), closed_on=date(2026, 4, 25)),
    )
    with practice.work() as work:
        hours = load_hours(work, [clinician.staff_id, other.staff_id], MONDAY, date(2026, 3, 29))
    closures = frozenset({date(2026, 3, 25)})
    assert hours[clinician.staff_id].windows == [
        Window(1, NINE, FIVE),
        Window(2, NINE, TWELVE, MONDAY, date(2026, 3, 24), frozenset({service})),
    ]
    assert hours[clinician.staff_id].changes == [
        DayChange(MONDAY, False),
        DayChange(date(2026, 3, 29), True, NINE, TWELVE),
    ]
    assert hours[clinician.staff_id].closures == closures
    assert (hours[other.staff_id].windows, hours[other.staff_id].changes) == ([], [])
    assert hours[other.staff_id].closures == closures


@pytest.mark.parametrize("clinicians", [0, 1, 5])
def test_hours_of_any_number_of_clinicians_take_one_query(practice: PracticeFixture, clinicians: int) -> None:
    ids = [practice.add("clinician").staff_id for _ in range(clinicians)]
    with practice.work() as work:
        statements: list[str] = []
        event.listen(work.db.connection(), "before_cursor_execute", lambda *args: statements.append(args[2]))
        assert set(load_hours(work, ids, MONDAY, MONDAY)) == set(ids)
    assert len([statement for statement in statements if "availability" in statement or "closures" in statement]) == 1


@pytest.fixture
def day(practice: PracticeFixture) -> "Day":
    return Day(practice)


class Day:
    """A clinician, a room and a client, and what makes them busy around noon."""

    def __init__(self, practice: PracticeFixture) -> None:
        self.practice = practice
        self.noon = NOW.replace(hour=12, minute=0) + timedelta(days=5)
        self.clinician = practice.add("clinician")
        self.client = make_client(practice)
        self.service = make_service(practice)
        self.room = make_room(practice)

    def at(self, hours: float) -> datetime:
        return self.noon + hours * HOUR

    def book(self, start: float, end: float, **fields: Any) -> UUID:
        client_id = fields.pop("client", self.client)
        return make_appointment(
            self.practice, self.clinician, client_id, self.service, self.at(start), ends_at=self.at(end), **fields
        )

    def block(self, start: float, end: float, **fields: Any) -> UUID:
        block = Block(id=new_id(), starts_at=self.at(start), ends_at=self.at(end), **fields)
        put(self.practice, block)
        return block.id

    def busy(self, start: float, end: float) -> list[BusyInterval]:
        with self.practice.work() as work:
            return load_busy_intervals(
                work, [self.clinician.staff_id], [self.room], [self.client], self.at(start), self.at(end)
            )


def test_an_appointment_occupies_its_clinician_room_and_client(day: Day) -> None:
    appointment_id = day.book(0, 1, room_id=day.room)
    resources = {day.clinician.staff_id: "clinician", day.room: "room", day.client: "client"}
    expected = {
        BusyInterval(id, kind, day.at(0), day.at(1), "booked", appointment_id) for id, kind in resources.items()
    }
    assert set(day.busy(0, 1)) == set(day.busy(0.5, 0.6)) == set(day.busy(-20, 20)) == expected
    assert day.busy(1, 2) == day.busy(-1, 0) == []


def test_meetings_and_maintenance_are_away_however_long_they_are(day: Day) -> None:
    meeting = day.block(-100, 100, clinician_id=day.clinician.staff_id)
    maintenance = day.block(0, 1, room_id=day.room)
    assert day.busy(0, 1) == [
        BusyInterval(day.clinician.staff_id, "clinician", day.at(-100), day.at(100), "away", meeting),
        BusyInterval(day.room, "room", day.at(0), day.at(1), "away", maintenance),
    ]
    assert [interval.holder_id for interval in day.busy(50, 51)] == [meeting]
    assert day.busy(100, 101) == day.busy(-101, -100) == []


def test_every_interval_that_overlaps_the_span_is_found_and_no_other(day: Day) -> None:
    starts = range(-6, 6, 2)
    appointment_ids = {start: day.book(start, start + 1) for start in starts}
    for first, last in [(-3.5, 2.5), (-6, 5), (-1, 0), (-0.5, 0), (4.5, 4.75), (0, 0.5), (-20, -5.5)]:
        clinicians = [interval for interval in day.busy(first, last) if interval.kind == "clinician"]
        expected = [appointment_ids[start] for start in starts if start < last and start + 1 > first]
        assert [interval.holder_id for interval in clinicians] == expected, (first, last)


def test_imported_appointments_count_while_they_are_active(day: Day) -> None:
    imported = day.book(-22, 1, guarded=False, room_id=day.room, status="COMPLETED", status_at=NOW)
    day.book(0, 1, guarded=False, room_id=day.room, status="CANCELLED", status_at=NOW)
    day.book(2, 3, guarded=False, room_id=day.room)
    assert {(interval.kind, interval.holder_id, interval.reason) for interval in day.busy(0, 2)} == {
        (kind, imported, "booked") for kind in ("clinician", "room", "client")
    }


def test_a_group_and_an_offer_take_the_clinician_and_the_room(day: Day) -> None:
    times = {"starts_at": day.at(0), "ends_at": day.at(1)}
    resources = {"clinician_id": day.clinician.staff_id, "service_id": day.service, "room_id": day.room}
    group = GroupSession(id=new_id(), **resources, **times, capacity=5)
    put(day.practice, group)
    for client in (day.client, make_client(day.practice)):
        day.book(0, 1, client=client, room_id=day.room, group_session_id=group.id)
    assert [interval.holder_id for interval in day.busy(0, 1) if interval.kind != "client"] == [group.id] * 2
    entry = WaitlistEntry(id=new_id(), client_id=day.client, created_at=NOW)
    later = {"starts_at": day.at(1), "ends_at": day.at(2), "offered_at": NOW, "holds_until": NOW + HOUR}
    offer = WaitlistOffer(id=new_id(), entry_id=entry.id, **resources, telehealth=False, **later)
    put(day.practice, entry, offer)
    assert {(interval.kind, interval.holder_id) for interval in day.busy(1, 2)} == {
        ("clinician", offer.id),
        ("room", offer.id),
    }


def test_another_practice_is_not_looked_into(day: Day, installation: Installation) -> None:
    day.book(0, 1, room_id=day.room)
    with make_practice(installation).work() as work:
        ids = [day.clinician.staff_id]
        assert load_busy_intervals(work, ids, [day.room], [day.client], day.at(0), day.at(1)) == []
