"""What the schedule's rules look at: hours of several clinicians, and what is taken, as the database has them."""

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event

from practice.scheduling.availability.queries import Taken, busy_of, hours_of
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


def window(clinician_id: UUID, weekday: int = 1, **more: Any) -> AvailabilityWindow:
    about = {"start_time": NINE, "end_time": FIVE} | more
    return AvailabilityWindow(id=new_id(), clinician_id=clinician_id, weekday=weekday, **about)


def exception(clinician_id: UUID, on: date, **more: Any) -> AvailabilityException:
    return AvailabilityException(id=new_id(), clinician_id=clinician_id, on_date=on, **{"available": False} | more)


def test_hours_are_the_windows_changes_and_closures_that_count_in_the_span(practice: PracticeFixture) -> None:
    clinician, other = practice.add("clinician"), practice.add("clinician")
    service = make_service(practice)
    limited = window(clinician.staff_id, 2, end_time=TWELVE, effective_on=MONDAY, ends_on=MONDAY + timedelta(days=1))
    put(
        practice,
        limited,
        WindowService(window_id=limited.id, service_id=service),
        window(clinician.staff_id),
        window(clinician.staff_id, 3, voided_at=NOW),
        window(clinician.staff_id, 4, ends_on=date(2026, 3, 22)),
        window(clinician.staff_id, 5, effective_on=date(2026, 3, 30)),
        exception(clinician.staff_id, MONDAY),
        exception(clinician.staff_id, date(2026, 3, 29), available=True, start_time=NINE, end_time=TWELVE),
        exception(clinician.staff_id, date(2026, 3, 30)),
        exception(clinician.staff_id, date(2026, 3, 24), voided_at=NOW),
        Closure(id=new_id(), closed_on=date(2026, 3, 25)),
        Closure(id=new_id(), closed_on=date(2026, 3, 26), voided_at=NOW),
        Closure(id=new_id(), closed_on=date(2026, 4, 25)),
    )
    with practice.work() as work:
        found = hours_of(work, [clinician.staff_id, other.staff_id], MONDAY, date(2026, 3, 29))
    closures = frozenset({date(2026, 3, 25)})
    assert found[clinician.staff_id].windows == [
        Window(1, NINE, FIVE),
        Window(2, NINE, TWELVE, MONDAY, date(2026, 3, 24), frozenset({service})),
    ]
    assert found[clinician.staff_id].changes == [
        DayChange(MONDAY, False),
        DayChange(date(2026, 3, 29), True, NINE, TWELVE),
    ]
    assert found[clinician.staff_id].closures == closures
    assert (found[other.staff_id].windows, found[other.staff_id].changes) == ([], [])
    assert found[other.staff_id].closures == closures


@pytest.mark.parametrize("clinicians", [0, 1, 5])
def test_hours_of_any_number_of_clinicians_take_one_query(practice: PracticeFixture, clinicians: int) -> None:
    ids = [practice.add("clinician").staff_id for _ in range(clinicians)]
    with practice.work() as work:
        asked: list[str] = []
        event.listen(work.db.connection(), "before_cursor_execute", lambda *args: asked.append(args[2]))
        assert set(hours_of(work, ids, MONDAY, MONDAY)) == set(ids)
    assert len([statement for statement in asked if "availability" in statement or "closures" in statement]) == 1


@pytest.fixture
def day(practice: PracticeFixture) -> "Day":
    return Day(practice)


class Day:
    """A clinician, a room and a client, and what takes them around a noon."""

    def __init__(self, practice: PracticeFixture) -> None:
        self.practice = practice
        self.noon = NOW.replace(hour=12, minute=0) + timedelta(days=5)
        self.clinician = practice.add("clinician")
        self.client = make_client(practice)
        self.service = make_service(practice)
        self.room = make_room(practice)

    def at(self, hours: float) -> datetime:
        return self.noon + hours * HOUR

    def book(self, start: float, end: float, **more: Any) -> UUID:
        who = more.pop("client", self.client)
        return make_appointment(
            self.practice, self.clinician, who, self.service, self.at(start), ends_at=self.at(end), **more
        )

    def block(self, start: float, end: float, **more: Any) -> UUID:
        block = Block(id=new_id(), starts_at=self.at(start), ends_at=self.at(end), **more)
        put(self.practice, block)
        return block.id

    def busy(self, start: float, end: float) -> list[Taken]:
        with self.practice.work() as work:
            return busy_of(work, [self.clinician.staff_id], [self.room], [self.client], self.at(start), self.at(end))


def test_an_appointment_takes_its_clinician_room_and_client(day: Day) -> None:
    held = day.book(0, 1, room_id=day.room)
    resources = {day.clinician.staff_id: "clinician", day.room: "room", day.client: "client"}
    expected = {Taken(id, kind, day.at(0), day.at(1), "booked", held) for id, kind in resources.items()}
    assert set(day.busy(0, 1)) == set(day.busy(0.5, 0.6)) == set(day.busy(-20, 20)) == expected
    assert day.busy(1, 2) == day.busy(-1, 0) == []


def test_meetings_and_maintenance_are_away_however_long_they_are(day: Day) -> None:
    meeting = day.block(-100, 100, clinician_id=day.clinician.staff_id)
    maintenance = day.block(0, 1, room_id=day.room)
    assert day.busy(0, 1) == [
        Taken(day.clinician.staff_id, "clinician", day.at(-100), day.at(100), "away", meeting),
        Taken(day.room, "room", day.at(0), day.at(1), "away", maintenance),
    ]
    assert [found.holder_id for found in day.busy(50, 51)] == [meeting]
    assert day.busy(100, 101) == day.busy(-101, -100) == []


def test_all_that_touches_the_span_is_found_and_nothing_beyond(day: Day) -> None:
    starts = range(-6, 6, 2)
    held = {start: day.book(start, start + 1) for start in starts}
    for first, last in [(-3.5, 2.5), (-6, 5), (-1, 0), (-0.5, 0), (4.5, 4.75), (0, 0.5), (-20, -5.5)]:
        clinicians = [found for found in day.busy(first, last) if found.kind == "clinician"]
        wanted = [held[start] for start in starts if start < last and start + 1 > first]
        assert [found.holder_id for found in clinicians] == wanted, (first, last)


def test_what_came_with_an_import_counts_while_it_is_active(day: Day) -> None:
    old = day.book(-22, 1, guarded=False, room_id=day.room, status="COMPLETED", status_at=NOW)
    day.book(0, 1, guarded=False, room_id=day.room, status="CANCELLED", status_at=NOW)
    day.book(2, 3, guarded=False, room_id=day.room)
    assert {(found.kind, found.holder_id, found.why) for found in day.busy(0, 2)} == {
        (kind, old, "booked") for kind in ("clinician", "room", "client")
    }


def test_a_group_and_an_offer_take_the_clinician_and_the_room(day: Day) -> None:
    times = {"starts_at": day.at(0), "ends_at": day.at(1)}
    place = {"clinician_id": day.clinician.staff_id, "service_id": day.service, "room_id": day.room}
    group = GroupSession(id=new_id(), **place, **times, capacity=5)
    put(day.practice, group)
    for client in (day.client, make_client(day.practice)):
        day.book(0, 1, client=client, room_id=day.room, group_session_id=group.id)
    assert [found.holder_id for found in day.busy(0, 1) if found.kind != "client"] == [group.id] * 2
    entry = WaitlistEntry(id=new_id(), client_id=day.client, created_at=NOW)
    later = {"starts_at": day.at(1), "ends_at": day.at(2), "offered_at": NOW, "holds_until": NOW + HOUR}
    offer = WaitlistOffer(id=new_id(), entry_id=entry.id, **place, telehealth=False, **later)
    put(day.practice, entry, offer)
    assert {(found.kind, found.holder_id) for found in day.busy(1, 2)} == {("clinician", offer.id), ("room", offer.id)}


def test_another_practice_is_not_looked_into(day: Day, installation: Installation) -> None:
    day.book(0, 1, room_id=day.room)
    with make_practice(installation).work() as work:
        ids = [day.clinician.staff_id]
        assert busy_of(work, ids, [day.room], [day.client], day.at(0), day.at(1)) == []
