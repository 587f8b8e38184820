"""Staff messages about plans and supervision: once each, in the practice's time zone, never about the distant past."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text, update

from practice.clinical.models.plans import TreatmentPlanReview
from practice.clinical.models.supervision import SupervisionSession
from practice.clinical.reminders import CATCH_UP, queue_reminders
from practice.local_time import to_instant
from practice.people.models.practices import Practice, Staff
from practice.security.installation import Installation
from practice.store.ids import new_id
from tests.support.builders.people import Person, PracticeFixture, make_practice
from tests.support.builders.schedule import make_client, put
from tests.support.drivers.booking import NEW_YORK

DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)
REVIEWED = date(2026, 1, 5)


def get_morning(day: date) -> datetime:
    return to_instant(day, time(9), NEW_YORK)


REMIND, ALERT, OVERDUE = (get_morning(REVIEWED + days * DAY) for days in (80, 90, 91))


class ReminderScene:
    """A practice created a year ago with a supervisor, a supervised clinician and an admin."""

    def __init__(self, practice: PracticeFixture) -> None:
        self.practice = practice
        self.supervisor = practice.add("supervisor")
        self.clinician = practice.add("clinician", supervisor=self.supervisor)
        self.set_created_at(datetime(2025, 1, 6, tzinfo=UTC))

    def set_created_at(self, at: datetime) -> None:
        with self.practice.installation.store.begin_system_session() as db:
            db.execute(update(Practice).where(Practice.id == self.practice.id).values(created_at=at))

    def update_staff(self, person: Person, **values: Any) -> None:
        with self.practice.installation.store.begin_session(self.practice.id) as db:
            db.execute(update(Staff).where(Staff.id == person.staff_id).values(**values))

    def add_client(self, reviewed_on: date | None = REVIEWED, clinician: Person | None = None, **columns: Any) -> UUID:
        client_id = make_client(self.practice, clinician or self.clinician, **columns)
        if reviewed_on is not None:
            self.add_review(client_id, reviewed_on)
        return client_id

    def add_review(self, client_id: UUID, day: date, **columns: Any) -> None:
        defaults = {"clinician_id": self.clinician.staff_id, "created_at": self.practice.now}
        put(self.practice, TreatmentPlanReview(id=new_id(), client_id=client_id, reviewed_on=day, **defaults | columns))

    def add_supervision(self, person: Person, held_at: datetime, hours: str) -> None:
        people = {"supervisee_id": person.staff_id, "supervisor_id": self.supervisor.staff_id}
        row = SupervisionSession(id=new_id(), held_at=held_at, hours=Decimal(hours), kind="INDIVIDUAL", **people)
        put(self.practice, row)

    def run(self, now: datetime) -> int:
        with self.practice.work(now=now) as work:
            return queue_reminders(work)

    @property
    def messages(self) -> list[tuple[str, datetime, UUID, UUID]]:
        query = text("""
            select kind, due_at, staff_id, about_id from messages
            where tenant_id = :id and about_id is not null order by due_at, kind, staff_id
        """)
        with self.practice.installation.store.begin_session(self.practice.id) as db:
            return [tuple(row) for row in db.execute(query, {"id": self.practice.id})]


@pytest.fixture
def scene(practice: PracticeFixture) -> ReminderScene:
    return ReminderScene(practice)


def test_plan_messages_are_queued_once_on_days_80_90_and_91(scene: ReminderScene) -> None:
    client_id = scene.add_client()
    clinician, supervisor = scene.clinician.staff_id, scene.supervisor.staff_id
    expected = []
    for kind, at, recipient_id in (
        ("PLAN_REMINDER", REMIND, clinician),
        ("PLAN_ALERT", ALERT, supervisor),
        ("PLAN_OVERDUE", OVERDUE, supervisor),
    ):
        assert scene.run(at - SECOND) == 0
        assert scene.messages == expected
        assert (scene.run(at), scene.run(at), scene.run(at + HOUR)) == (1, 0, 0)
        expected.append((kind, at, recipient_id, client_id))
        assert scene.messages == expected
    assert scene.run(OVERDUE + 300 * DAY) == 0


def test_a_timely_review_stops_further_messages(scene: ReminderScene) -> None:
    client_id = scene.add_client()
    assert scene.run(REMIND) == 1
    scene.add_review(client_id, REVIEWED + 85 * DAY)
    assert [scene.run(at) for at in (ALERT, OVERDUE)] == [0, 0]
    assert scene.run(get_morning(REVIEWED + 165 * DAY)) == 1


def test_missed_messages_are_caught_up_for_some_days(scene: ReminderScene) -> None:
    scene.add_client()
    assert scene.run(REMIND + CATCH_UP + SECOND) == 0
    assert scene.run(ALERT + CATCH_UP) == 2
    assert [kind for kind, *_ in scene.messages] == ["PLAN_ALERT", "PLAN_OVERDUE"]


def test_imported_history_queues_no_old_messages(scene: ReminderScene) -> None:
    for gone in range(60, 120):
        scene.add_client(date(2026, 3, 18) - gone * DAY)
    noon = to_instant(date(2026, 3, 18), time(12), NEW_YORK)
    scene.set_created_at(noon)
    assert scene.run(noon + HOUR) == 0
    assert scene.run(get_morning(date(2026, 3, 19))) == 3  # those who are at days 80, 90 and 91 then


def test_only_the_last_review_of_active_clients_counts(scene: ReminderScene) -> None:
    scene.add_client(ended_on=date(2026, 3, 1))
    renewed = scene.add_client()
    scene.add_review(renewed, REVIEWED + 40 * DAY)
    taken_back = scene.add_client()
    scene.add_review(taken_back, REVIEWED + 40 * DAY, voided_at=scene.practice.now)
    scene.add_client(None)
    assert scene.run(REMIND) == 1
    assert scene.messages[0][3] == taken_back


def test_messages_go_to_somebody_who_still_works_here(scene: ReminderScene) -> None:
    """The clinician if there is no supervisor, the supervisor of somebody who left, or else the admins."""
    alone = scene.practice.add("clinician")
    gone = scene.practice.add("clinician", supervisor=scene.supervisor)
    scene.update_staff(gone, left_on=date(2026, 3, 1))
    lost = scene.practice.add("clinician")
    scene.update_staff(lost, deactivated_at=scene.practice.now)
    clients = {scene.add_client(clinician=person): person for person in (alone, gone, lost)}
    unassigned = scene.add_client()
    with scene.practice.installation.store.begin_session(scene.practice.id) as db:
        db.execute(text("update clients set primary_clinician_id = null where id = :id"), {"id": unassigned})
    scene.run(REMIND)
    scene.run(ALERT)
    recipients = {(kind, subject_id): staff for kind, _, staff, subject_id in scene.messages}
    admin = scene.practice.admin.staff_id
    for client_id, person in clients.items():
        reminded = alone.staff_id if person is alone else admin
        alerted = {alone.staff_id: alone.staff_id, gone.staff_id: scene.supervisor.staff_id}.get(person.staff_id, admin)
        assert (recipients["PLAN_REMINDER", client_id], recipients["PLAN_ALERT", client_id]) == (reminded, alerted)
    assert recipients["PLAN_REMINDER", unassigned] == scene.clinician.staff_id  # who reviewed it
    assert recipients["PLAN_ALERT", unassigned] == scene.supervisor.staff_id


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Asia/Kolkata"])
def test_messages_are_due_in_the_practice_s_morning(installation: Installation, zone: str) -> None:
    practice = make_practice(installation, time_zone=zone)
    scene = ReminderScene(practice)
    scene.add_client()
    with practice.work() as work:
        stored_zone = work.db.get_one(Practice, practice.id).time_zone
    assert stored_zone == zone
    hour = {"America/Los_Angeles": 16, "Asia/Kolkata": 3}[zone]
    minute = {"America/Los_Angeles": 0, "Asia/Kolkata": 30}[zone]
    at = datetime(2026, 3, 26, hour, minute, tzinfo=UTC)
    assert (scene.run(at - SECOND), scene.run(at)) == (0, 1)


# Supervision


LAST_WEEK = get_morning(date(2026, 3, 25))
APRIL = get_morning(date(2026, 4, 1))


def test_missing_hours_are_reported_to_supervisee_and_supervisor_in_the_last_week(scene: ReminderScene) -> None:
    scene.update_staff(scene.clinician, license_type="LPC")
    done = scene.practice.add("clinician", supervisor=scene.supervisor)
    scene.update_staff(done, license_type="LMSW")
    scene.add_supervision(done, LAST_WEEK - 3 * DAY, "4.00")
    new = scene.practice.add("clinician", supervisor=scene.supervisor)
    scene.update_staff(new, license_type="LPC", hired_on=date(2026, 3, 2))
    scene.practice.add("clinician", supervisor=scene.supervisor)  # without a license that requires hours
    scene.add_supervision(scene.clinician, LAST_WEEK - 3 * DAY, "1.50")
    assert scene.run(LAST_WEEK - SECOND) == 0
    assert (scene.run(LAST_WEEK), scene.run(LAST_WEEK + DAY)) == (2, 0)
    both = {scene.clinician.staff_id, scene.supervisor.staff_id}
    assert {staff for _, _, staff, _ in scene.messages} == both
    assert {(kind, at, subject_id) for kind, at, _, subject_id in scene.messages} == {
        ("SUPERVISION_REMINDER", LAST_WEEK, scene.clinician.staff_id)
    }


def test_a_finished_month_is_reported_to_supervisors_and_admins(scene: ReminderScene) -> None:
    scene.update_staff(scene.clinician, license_type="LPC")
    scene.add_supervision(scene.clinician, LAST_WEEK - DAY, "2.00")
    scene.practice.add("supervisor")  # of nobody
    assert scene.run(APRIL - SECOND) == 0
    assert (scene.run(APRIL), scene.run(APRIL + DAY)) == (2, 0)
    people = (scene.supervisor.staff_id, scene.practice.admin.staff_id)
    assert sorted(scene.messages) == sorted(("SUPERVISION_REPORT", APRIL, person_id, person_id) for person_id in people)
    assert scene.run(APRIL + CATCH_UP) == 0
    assert scene.run(get_morning(date(2026, 5, 1)) + CATCH_UP) == 2


def test_no_messages_where_nobody_needs_hours(scene: ReminderScene) -> None:
    scene.update_staff(scene.clinician, license_type="LCSW")
    assert scene.run(LAST_WEEK) == scene.run(APRIL) == 0


def test_no_report_on_a_month_before_the_practice_existed(scene: ReminderScene) -> None:
    scene.update_staff(scene.clinician, license_type="LPC")
    scene.set_created_at(APRIL + HOUR)
    assert scene.run(APRIL + DAY) == 0
