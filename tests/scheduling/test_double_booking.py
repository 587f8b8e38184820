"""No way of writing leads to two at a time of one clinician, room or client: not SQL by hand, not the models, whatever
kind of thing takes the time. The service's own login writes here, past all verbs."""

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
    """An appointment at ten, and everybody and everything for another."""

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

    def book(self, start: Any, **more: Any) -> UUID:
        return make_appointment(self.practice, self.clinician, self.client_id, self.service_id, start, **more)

    def book_beside(self, start: Any, client_id: UUID | None = None, **more: Any) -> UUID:
        """With nothing in common with the first."""
        whom, more = client_id or self.other_client_id, {"room_id": self.other_room_id} | more
        return make_appointment(self.practice, self.other_clinician, whom, self.service_id, start, **more)

    def run(self, statement: str, **values: Any) -> None:
        with self.practice.installation.store.session_in(self.practice.id) as db:
            db.execute(text(statement), values)

    def change(self, appointment_id: UUID, **values: Any) -> None:
        columns = ", ".join(f"{name} = :{name}" for name in values)
        self.run(
            f"update appointments set {columns} where id = :appointment_id", **values, appointment_id=appointment_id
        )


@pytest.fixture
def scene(practice: PracticeFixture) -> Scene:
    return Scene(practice)


def refused(kind: str) -> Any:
    return pytest.raises(IntegrityError, match=f"The {kind} is taken at this time")


KINDS = pytest.mark.parametrize("kind", ["clinician", "room", "client"])
STARTS = pytest.mark.parametrize("minutes", [-59, -30, 0, 30, 59])
INACTIVE = pytest.mark.parametrize("status", ["CANCELLED", "RESCHEDULED", "NO_SHOW"])


@KINDS
@STARTS
def test_what_overlaps_cannot_be_inserted(scene: Scene, kind: str, minutes: int) -> None:
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
    with refused(kind):
        scene.run(insert, **values, start=start, end=start + HOUR)
    scene.run(insert, **values, start=TEN + HOUR, end=TEN + 2 * HOUR)  # one ends as the other begins


@STARTS
def test_one_appointment_cannot_be_put_onto_another(scene: Scene, minutes: int) -> None:
    beside = scene.book_beside(TEN + 5 * HOUR, room_id=scene.room_id)
    start = TEN + timedelta(minutes=minutes)
    with refused("room"):
        scene.change(beside, starts_at=start, ends_at=start + HOUR)
    with refused("room"):
        scene.change(beside, starts_at=TEN - HOUR)  # longer, over the other
    scene.change(beside, starts_at=TEN + HOUR, ends_at=TEN + 2 * HOUR)


@KINDS
def test_an_appointment_cannot_be_given_somebody_who_is_taken(scene: Scene, kind: str) -> None:
    beside = scene.book_beside(TEN)
    with refused(kind):
        scene.change(beside, **{f"{kind}_id": scene.taken[f"{kind}_id"]})


@INACTIVE
def test_what_was_given_up_cannot_be_taken_back_once_it_is_booked(scene: Scene, status: str) -> None:
    given_up = scene.book(TEN, status=status, status_at=NOW)
    with refused("(clinician|room|client)"):
        scene.change(given_up, status="SCHEDULED")
    scene.change(scene.first, status=status, status_at=NOW)
    scene.change(given_up, status="CONFIRMED")


def test_several_in_one_statement_cannot_overlap_each_other(scene: Scene) -> None:
    beside = scene.book_beside(TEN + 5 * HOUR)
    third = scene.book_beside(TEN + 7 * HOUR)
    at_noon = {"start": TEN + 2 * HOUR, "end": TEN + 3 * HOUR}
    with refused("(clinician|room|client)"):
        scene.run(
            "update appointments set starts_at = :start, ends_at = :end where id = any(:ids)",
            ids=[beside, third],
            **at_noon,
        )


def test_the_models_meet_the_same_wall(scene: Scene) -> None:
    beside = scene.book_beside(TEN + 5 * HOUR)
    with refused("clinician"), scene.practice.installation.store.session_in(scene.practice.id) as db:
        found = db.get_one(Appointment, (scene.practice.id, beside))
        found.clinician_id, found.starts_at, found.ends_at = scene.clinician.staff_id, TEN, TEN + HOUR
    with refused("client"):
        scene.book_beside(TEN, scene.client_id)


def block(scene: Scene, **of: UUID) -> Block:
    return Block(id=new_id(), starts_at=TEN + timedelta(minutes=15), ends_at=TEN + timedelta(minutes=30), **of)


def offer(scene: Scene) -> WaitlistOffer:
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


def group(scene: Scene) -> GroupSession:
    return GroupSession(
        id=new_id(),
        clinician_id=scene.other_clinician.staff_id,
        service_id=scene.service_id,
        room_id=scene.room_id,
        starts_at=TEN,
        ends_at=TEN + HOUR,
        capacity=3,
    )


def seat(scene: Scene, of: GroupSession, client_id: UUID, **more: Any) -> UUID:
    return scene.book_beside(of.starts_at, client_id, group_session_id=of.id, room_id=of.room_id, **more)


OTHERS: dict[str, tuple[str, Callable[[Scene], Any]]] = {
    "a block of the room": ("room", lambda scene: put(scene.practice, block(scene, room_id=scene.room_id))),
    "a block of the clinician": (
        "clinician",
        lambda scene: put(scene.practice, block(scene, clinician_id=scene.clinician.staff_id)),
    ),
    "an offer": ("clinician", lambda scene: put(scene.practice, offer(scene))),
}


@pytest.mark.parametrize("what", OTHERS)
def test_whatever_takes_a_time_takes_it_from_all(scene: Scene, what: str) -> None:
    kind, make = OTHERS[what]
    with refused(kind):
        make(scene)
    scene.change(scene.first, status="CANCELLED", status_at=NOW)
    make(scene)
    with refused(kind):
        scene.change(scene.first, status="SCHEDULED")


def test_a_block_that_is_moved_or_renewed_is_looked_at_again(scene: Scene) -> None:
    beside = block(scene, room_id=scene.other_room_id)
    put(scene.practice, beside)
    with refused("room"):
        scene.run("update blocks set room_id = :room where id = :id", room=scene.room_id, id=beside.id)
    scene.run("update blocks set voided_at = :now where id = :id", now=NOW, id=beside.id)
    scene.book_beside(TEN)
    with refused("room"):
        scene.run("update blocks set voided_at = null where id = :id", id=beside.id)


def test_a_group_takes_its_room_once_and_its_clients_each(scene: Scene) -> None:
    of = group(scene)
    put(scene.practice, of)
    with refused("room"):
        seat(scene, of, scene.other_client_id)
    scene.change(scene.first, room_id=scene.other_room_id)
    sitting = seat(scene, of, scene.other_client_id)
    with refused("client"):
        seat(scene, of, scene.client_id)  # who is with somebody else at that time
    seat(scene, of, make_client(scene.practice))
    with refused("clinician"):
        scene.book_beside(TEN + HOUR / 2, make_client(scene.practice))
    with pytest.raises(IntegrityError, match="A seat has the clinician, the room and the time of its group"):
        scene.change(sitting, room_id=None)
    seat(scene, of, make_client(scene.practice))
    with pytest.raises(IntegrityError, match="The group has no seat left"):
        seat(scene, of, make_client(scene.practice))


def test_a_group_gives_its_room_back_with_its_last_seat(scene: Scene) -> None:
    scene.change(scene.first, status="CANCELLED", status_at=NOW)
    of = group(scene)
    put(scene.practice, of)
    seats = [seat(scene, of, make_client(scene.practice)) for _ in range(2)]
    scene.change(seats[0], status="CANCELLED", status_at=NOW)
    with refused("room"):
        scene.change(scene.first, status="SCHEDULED")
    scene.change(seats[1], status="NO_SHOW", status_at=NOW)
    scene.change(scene.first, status="SCHEDULED")
    with refused("room"):
        scene.change(seats[0], status="CONFIRMED")


def test_a_seat_that_leaves_its_group_leaves_nothing_taken(scene: Scene) -> None:
    scene.change(scene.first, status="CANCELLED", status_at=NOW)
    of = group(scene)
    put(scene.practice, of)
    last = seat(scene, of, make_client(scene.practice))
    scene.change(last, group_session_id=None, room_id=scene.other_room_id)
    scene.change(scene.first, status="SCHEDULED")


@KINDS
def test_history_that_came_in_is_not_booked_over(scene: Scene, kind: str) -> None:
    """It was looked at where it came in, and takes nothing; but a time that it has is not free."""
    past = NOW - timedelta(days=30)
    scene.book(past, room_id=scene.room_id, guarded=False)
    more = {f"{kind}_id": scene.taken[f"{kind}_id"]}
    beside = scene.book_beside(past - 5 * HOUR)
    with refused(kind):
        scene.change(beside, starts_at=past, ends_at=past + HOUR, **more)


@KINDS
def test_history_that_is_changed_is_guarded_from_then_on(scene: Scene, kind: str) -> None:
    past = NOW - timedelta(days=30)
    scene.book(past, room_id=scene.room_id)
    came = scene.book_beside(past, guarded=False)
    with refused(kind):
        scene.change(came, **{f"{kind}_id": scene.taken[f"{kind}_id"]})
    given_up = scene.book(past, guarded=False, status="CANCELLED", status_at=NOW)
    with refused("(clinician|client)"):
        scene.change(given_up, status="COMPLETED")
    scene.change(came, status="NO_SHOW", status_at=NOW)
    scene.change(came, starts_at=past + HOUR, ends_at=past + 2 * HOUR, status="COMPLETED")
    with refused("clinician"):
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
def test_the_service_cannot_put_the_guard_aside(scene: Scene, statement: str) -> None:
    with pytest.raises(DBAPIError, match=r"permission denied|must be owner"):
        scene.run(statement)


def test_two_practices_with_the_same_times_do_not_hinder_each_other(scene: Scene) -> None:
    other = Scene(make_practice(scene.practice.installation))
    other.book_beside(TEN)
    scene.book_beside(TEN)


@KINDS
def test_a_practice_cannot_take_the_time_of_anothers_people(scene: Scene, kind: str) -> None:
    other = Scene(make_practice(scene.practice.installation))
    mine = other.book_beside(TEN + 5 * HOUR)
    with pytest.raises(IntegrityError, match="violates foreign key constraint"):
        other.change(mine, **{f"{kind}_id": scene.taken[f"{kind}_id"]})
    if kind != "client":
        with pytest.raises(IntegrityError, match="violates foreign key constraint"):
            put(other.practice, block(other, **{f"{kind}_id": scene.taken[f"{kind}_id"]}))


def test_the_same_id_in_two_practices_is_two_rooms(scene: Scene) -> None:
    """As when a practice was copied."""
    other = Scene(make_practice(scene.practice.installation))
    put(other.practice, Room(id=scene.room_id, name="Blue", capacity=2))
    other.book_beside(TEN, room_id=scene.room_id)
    with refused("room"):
        other.change(other.first, room_id=scene.room_id)
