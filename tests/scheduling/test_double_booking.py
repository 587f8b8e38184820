"""The database rejects double bookings of a clinician, room or client, by plain SQL and by the models alike.

The tests write with the database role of the service, without its service functions."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from practice.scheduling.models.appointments import Appointment, GroupSession
from practice.scheduling.models.availability import Block
from practice.scheduling.models.catalog import Room
from practice.scheduling.models.waitlist import WaitlistEntry, WaitlistOffer
from practice.store.ids import new_id
from tests.support.builders.people import NOW, PracticeFixture, make_practice
from tests.support.builders.schedule import make_appointment, make_client, make_room, make_service, put

TEN = NOW.replace(hour=10, minute=0) + timedelta(days=7)
HOUR = timedelta(hours=1)


class Scene:
    """An appointment at ten, and all the records for another one."""

    def __init__(self, practice: PracticeFixture) -> None:
        self.practice = practice
        self.service_id = make_service(practice)
        self.clinician, self.other_clinician = practice.add("clinician"), practice.add("clinician")
        self.room_id, self.other_room_id = make_room(practice), make_room(practice)
        self.client_id, self.other_client_id = make_client(practice), make_client(practice)
        self.taken = {
            "clinician_id": self.clinician.staff_id,
            "room_id": self.room_id,
            "client_id": self.client_id,
        }
        self.first = self.book(TEN, room_id=self.room_id)

    def book(self, start: Any, **fields: Any) -> UUID:
        return make_appointment(self.practice, self.clinician, self.client_id, self.service_id, start, **fields)

    def book_beside(self, start: Any, client_id: UUID | None = None, **fields: Any) -> UUID:
        """Book an appointment that shares no resource with the first."""
        client_id, fields = client_id or self.other_client_id, {"room_id": self.other_room_id} | fields
        return make_appointment(self.practice, self.other_clinician, client_id, self.service_id, start, **fields)

    def run(self, statement: str, **values: Any) -> None:
        with self.practice.installation.store.begin_session(self.practice.id) as db:
            db.execute(text(statement), values)

    def change(self, appointment_id: UUID, **values: Any) -> None:
        columns = ", ".join(f"{name} = :{name}" for name in values)
        self.run(
            f"update appointments set {columns} where id = :appointment_id", **values, appointment_id=appointment_id
        )


@pytest.fixture
def scene(practice: PracticeFixture) -> Scene:
    return Scene(practice)


def raises_conflict(kind: str) -> Any:
    return pytest.raises(IntegrityError, match=f"The {kind} is taken at this time")


KINDS = pytest.mark.parametrize("kind", ["clinician", "room", "client"])
STARTS = pytest.mark.parametrize("minutes", [-59, -30, 0, 30, 59])
INACTIVE = pytest.mark.parametrize("status", ["CANCELLED", "RESCHEDULED", "NO_SHOW"])


@KINDS
@STARTS
def test_an_overlapping_appointment_cannot_be_inserted(scene: Scene, kind: str, minutes: int) -> None:
    ids = {
        "clinician_id": scene.other_clinician.staff_id,
        "room_id": scene.other_room_id,
        "client_id": scene.other_client_id,
        f"{kind}_id": scene.taken[f"{kind}_id"],
    }
    insert = """
        insert into appointments (
            tenant_id, id, reference, client_id, clinician_id, service_id, room_id, starts_at, ends_at, type, status,
            created_at, booked_via, telehealth
        ) values (
            :tenant_id, :id, 'BK-2026-000001', :client_id, :clinician_id, :service_id, :room_id, :start, :end,
            'THERAPY_SESSION', 'SCHEDULED', :start, 'FRONT_DESK', false
        )
    """
    start = TEN + timedelta(minutes=minutes)
    values = {"tenant_id": scene.practice.id, "id": new_id(), "service_id": scene.service_id, **ids}
    with raises_conflict(kind):
        scene.run(insert, **values, start=start, end=start + HOUR)
    scene.run(insert, **values, start=TEN + HOUR, end=TEN + 2 * HOUR)  # one ends when the other begins


@STARTS
def test_an_appointment_cannot_be_moved_onto_another(scene: Scene, minutes: int) -> None:
    beside = scene.book_beside(TEN + 5 * HOUR, room_id=scene.room_id)
    start = TEN + timedelta(minutes=minutes)
    with raises_conflict("room"):
        scene.change(beside, starts_at=start, ends_at=start + HOUR)
    with raises_conflict("room"):
        scene.change(beside, starts_at=TEN - HOUR)  # longer, over the other
    scene.change(beside, starts_at=TEN + HOUR, ends_at=TEN + 2 * HOUR)


@KINDS
def test_an_appointment_cannot_get_a_taken_resource(scene: Scene, kind: str) -> None:
    beside = scene.book_beside(TEN)
    with raises_conflict(kind):
        scene.change(beside, **{f"{kind}_id": scene.taken[f"{kind}_id"]})


@INACTIVE
def test_a_released_time_cannot_be_reclaimed_once_booked(scene: Scene, status: str) -> None:
    given_up = scene.book(TEN, status=status, status_at=NOW)
    with raises_conflict("(clinician|room|client)"):
        scene.change(given_up, status="SCHEDULED")
    scene.change(scene.first, status=status, status_at=NOW)
    scene.change(given_up, status="CONFIRMED")


def test_several_in_one_statement_cannot_overlap_each_other(scene: Scene) -> None:
    beside = scene.book_beside(TEN + 5 * HOUR)
    third = scene.book_beside(TEN + 7 * HOUR)
    at_noon = {"start": TEN + 2 * HOUR, "end": TEN + 3 * HOUR}
    with raises_conflict("(clinician|room|client)"):
        scene.run(
            "update appointments set starts_at = :start, ends_at = :end where id = any(:ids)",
            ids=[beside, third],
            **at_noon,
        )


def test_the_models_are_rejected_too(scene: Scene) -> None:
    beside = scene.book_beside(TEN + 5 * HOUR)
    with raises_conflict("clinician"), scene.practice.installation.store.begin_session(scene.practice.id) as db:
        appointment = db.get_one(Appointment, (scene.practice.id, beside))
        appointment.clinician_id, appointment.starts_at, appointment.ends_at = scene.clinician.staff_id, TEN, TEN + HOUR
    with raises_conflict("client"):
        scene.book_beside(TEN, scene.client_id)


def make_block(scene: Scene, **resource: UUID) -> Block:
    return Block(id=new_id(), starts_at=TEN + timedelta(minutes=15), ends_at=TEN + timedelta(minutes=30), **resource)


def make_offer(scene: Scene) -> WaitlistOffer:
    entry = WaitlistEntry(id=new_id(), client_id=scene.other_client_id, created_at=NOW)
    put(scene.practice, entry)
    return WaitlistOffer(
        id=new_id(),
        entry_id=entry.id,
        clinician_id=scene.clinician.staff_id,
        service_id=scene.service_id,
        room_id=None,
        telehealth=False,
        starts_at=TEN - timedelta(minutes=15),
        ends_at=TEN + timedelta(minutes=15),
        offered_at=NOW,
        holds_until=TEN,
    )


def make_group(scene: Scene) -> GroupSession:
    return GroupSession(
        id=new_id(),
        clinician_id=scene.other_clinician.staff_id,
        service_id=scene.service_id,
        room_id=scene.room_id,
        starts_at=TEN,
        ends_at=TEN + HOUR,
        capacity=3,
    )


def add_seat(scene: Scene, group: GroupSession, client_id: UUID, **fields: Any) -> UUID:
    return scene.book_beside(group.starts_at, client_id, group_session_id=group.id, room_id=group.room_id, **fields)


OTHERS: dict[str, tuple[str, Callable[[Scene], Any]]] = {
    "a block of the room": ("room", lambda scene: put(scene.practice, make_block(scene, room_id=scene.room_id))),
    "a block of the clinician": (
        "clinician",
        lambda scene: put(scene.practice, make_block(scene, clinician_id=scene.clinician.staff_id)),
    ),
    "an offer": ("clinician", lambda scene: put(scene.practice, make_offer(scene))),
}


@pytest.mark.parametrize("case", OTHERS)
def test_blocks_and_offers_occupy_their_time(scene: Scene, case: str) -> None:
    kind, make = OTHERS[case]
    with raises_conflict(kind):
        make(scene)
    scene.change(scene.first, status="CANCELLED", status_at=NOW)
    make(scene)
    with raises_conflict(kind):
        scene.change(scene.first, status="SCHEDULED")


def test_a_block_is_checked_again_when_it_changes(scene: Scene) -> None:
    beside = make_block(scene, room_id=scene.other_room_id)
    put(scene.practice, beside)
    with raises_conflict("room"):
        scene.run("update blocks set room_id = :room where id = :id", room=scene.room_id, id=beside.id)
    scene.run("update blocks set voided_at = :now where id = :id", now=NOW, id=beside.id)
    scene.book_beside(TEN)
    with raises_conflict("room"):
        scene.run("update blocks set voided_at = null where id = :id", id=beside.id)


def test_a_group_takes_its_room_once_and_its_clients_each(scene: Scene) -> None:
    group = make_group(scene)
    put(scene.practice, group)
    with raises_conflict("room"):
        add_seat(scene, group, scene.other_client_id)
    scene.change(scene.first, room_id=scene.other_room_id)
    sitting = add_seat(scene, group, scene.other_client_id)
    with raises_conflict("client"):
        add_seat(scene, group, scene.client_id)  # has another appointment at that time
    add_seat(scene, group, make_client(scene.practice))
    with raises_conflict("clinician"):
        scene.book_beside(TEN + HOUR / 2, make_client(scene.practice))
    with pytest.raises(IntegrityError, match="A seat has the clinician, the room and the time of its group"):
        scene.change(sitting, room_id=None)
    add_seat(scene, group, make_client(scene.practice))
    with pytest.raises(IntegrityError, match="The group has no seat left"):
        add_seat(scene, group, make_client(scene.practice))


def test_a_group_frees_its_room_with_its_last_seat(scene: Scene) -> None:
    scene.change(scene.first, status="CANCELLED", status_at=NOW)
    group = make_group(scene)
    put(scene.practice, group)
    seats = [add_seat(scene, group, make_client(scene.practice)) for _ in range(2)]
    scene.change(seats[0], status="CANCELLED", status_at=NOW)
    with raises_conflict("room"):
        scene.change(scene.first, status="SCHEDULED")
    scene.change(seats[1], status="NO_SHOW", status_at=NOW)
    scene.change(scene.first, status="SCHEDULED")
    with raises_conflict("room"):
        scene.change(seats[0], status="CONFIRMED")


def test_a_seat_that_leaves_its_group_frees_the_groups_time(scene: Scene) -> None:
    scene.change(scene.first, status="CANCELLED", status_at=NOW)
    group = make_group(scene)
    put(scene.practice, group)
    last = add_seat(scene, group, make_client(scene.practice))
    scene.change(last, group_session_id=None, room_id=scene.other_room_id)
    scene.change(scene.first, status="SCHEDULED")


@KINDS
def test_imported_history_is_not_booked_over(scene: Scene, kind: str) -> None:
    """Imported appointments have no occupancies, but their times are not free."""
    past = NOW - timedelta(days=30)
    scene.book(past, room_id=scene.room_id, guarded=False)
    fields = {f"{kind}_id": scene.taken[f"{kind}_id"]}
    beside = scene.book_beside(past - 5 * HOUR)
    with raises_conflict(kind):
        scene.change(beside, starts_at=past, ends_at=past + HOUR, **fields)


@KINDS
def test_imported_history_is_guarded_once_it_changes(scene: Scene, kind: str) -> None:
    past = NOW - timedelta(days=30)
    scene.book(past, room_id=scene.room_id)
    imported = scene.book_beside(past, guarded=False)
    with raises_conflict(kind):
        scene.change(imported, **{f"{kind}_id": scene.taken[f"{kind}_id"]})
    given_up = scene.book(past, guarded=False, status="CANCELLED", status_at=NOW)
    with raises_conflict("(clinician|client)"):
        scene.change(given_up, status="COMPLETED")
    scene.change(imported, status="NO_SHOW", status_at=NOW)
    scene.change(imported, starts_at=past + HOUR, ends_at=past + 2 * HOUR, status="COMPLETED")
    with raises_conflict("clinician"):
        scene.book_beside(past + HOUR, make_client(scene.practice))


@pytest.mark.parametrize(
    "statement",
    [
        "delete from occupancies",
        "update occupancies set ends_at = starts_at + interval '1 second'",
        "insert into occupancies select * from occupancies",
        "truncate occupancies",
        "select release(tenant_id, holder_id) from occupancies",
        "select occupy(tenant_id, 'block', holder_id, '{}', '{}', starts_at, ends_at) from occupancies",
        "delete from appointments",
        "truncate appointments",
        "alter table appointments disable trigger all",
        "set session_replication_role = replica",
    ],
)
def test_the_service_cannot_disable_the_guard(scene: Scene, statement: str) -> None:
    with pytest.raises(DBAPIError, match=r"permission denied|must be owner"):
        scene.run(statement)


def test_two_practices_with_the_same_times_do_not_conflict(scene: Scene) -> None:
    other = Scene(make_practice(scene.practice.installation))
    other.book_beside(TEN)
    scene.book_beside(TEN)


@KINDS
def test_a_practice_cannot_book_another_practices_resources(scene: Scene, kind: str) -> None:
    other = Scene(make_practice(scene.practice.installation))
    appointment_id = other.book_beside(TEN + 5 * HOUR)
    with pytest.raises(IntegrityError, match="violates foreign key constraint"):
        other.change(appointment_id, **{f"{kind}_id": scene.taken[f"{kind}_id"]})
    if kind != "client":
        with pytest.raises(IntegrityError, match="violates foreign key constraint"):
            put(other.practice, make_block(other, **{f"{kind}_id": scene.taken[f"{kind}_id"]}))


def test_the_same_id_in_two_practices_is_two_rooms(scene: Scene) -> None:
    """Check two practices with equal ids, as after copying a practice."""
    other = Scene(make_practice(scene.practice.installation))
    put(other.practice, Room(id=scene.room_id, name="Blue", capacity=2))
    other.book_beside(TEN, room_id=scene.room_id)
    with raises_conflict("room"):
        other.change(other.first, room_id=scene.room_id)
