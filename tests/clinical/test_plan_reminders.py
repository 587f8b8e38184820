"""What the staff is told about plans and supervision: once each, by the practice's clock, nothing of long ago."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text, update

from practice.clinical.models.plans import TreatmentPlanReview
from practice.clinical.models.supervision import SupervisionSession
from practice.clinical.reminders import CATCH_UP, plan_due
from practice.local_time import instant
from practice.people.models.practices import Practice, Staff
from practice.security.installation import Installation
from practice.store.ids import new_id
from tests.support.builders.people import Person, PracticeFixture, make_practice
from tests.support.builders.schedule import make_client, put
from tests.support.drivers.booking import NEW_YORK

DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)
REVIEWED = date(2026, 1, 5)


def morning(day: date) -> datetime:
    return instant(day, time(9), NEW_YORK)


REMIND, ALERT, OVERDUE = (morning(REVIEWED + days * DAY) for days in (80, 90, 91))


class Told:
    """A practice since a year, with a supervisor, a clinician of theirs, and an admin."""

    def __init__(self, practice: PracticeFixture) -> None:
        self.practice = practice
        self.supervisor = practice.add("supervisor")
        self.clinician = practice.add("clinician", supervisor=self.supervisor)
        self.here_since(datetime(2025, 1, 6, tzinfo=UTC))

    def here_since(self, at: datetime) -> None:
        with self.practice.installation.store.system_session() as db:
            db.execute(update(Practice).where(Practice.id == self.practice.id).values(created_at=at))

    def set(self, person: Person, **about: Any) -> None:
        with self.practice.installation.store.session_in(self.practice.id) as db:
            db.execute(update(Staff).where(Staff.id == person.staff_id).values(**about))

    def client(self, reviewed_on: date | None = REVIEWED, clinician: Person | None = None, **more: Any) -> UUID:
        client_id = make_client(self.practice, clinician or self.clinician, **more)
        if reviewed_on is not None:
            self.review(client_id, reviewed_on)
        return client_id

    def review(self, client_id: UUID, day: date, **more: Any) -> None:
        about = {"clinician_id": self.clinician.staff_id, "created_at": self.practice.now}
        put(self.practice, TreatmentPlanReview(id=new_id(), client_id=client_id, reviewed_on=day, **about | more))

    def supervise(self, person: Person, held_at: datetime, hours: str) -> None:
        about = {"supervisee_id": person.staff_id, "supervisor_id": self.supervisor.staff_id}
        row = SupervisionSession(id=new_id(), held_at=held_at, hours=Decimal(hours), kind="INDIVIDUAL", **about)
        put(self.practice, row)

    def run(self, now: datetime) -> int:
        with self.practice.work(now=now) as work:
            return plan_due(work)

    @property
    def messages(self) -> list[tuple[str, datetime, UUID, UUID]]:
        query = text("""
            select kind, due_at, staff_id, about_id from messages
            where tenant_id = :id and about_id is not null order by due_at, kind, staff_id
        """)
        with self.practice.installation.store.session_in(self.practice.id) as db:
            return [tuple(row) for row in db.execute(query, {"id": self.practice.id})]


@pytest.fixture
def told(practice: PracticeFixture) -> Told:
    return Told(practice)


def test_a_plan_is_told_of_on_days_80_90_and_91_once_each(told: Told) -> None:
    client_id = told.client()
    clinician, supervisor = told.clinician.staff_id, told.supervisor.staff_id
    expected = []
    for kind, at, whom in (
        ("PLAN_REMINDER", REMIND, clinician),
        ("PLAN_ALERT", ALERT, supervisor),
        ("PLAN_OVERDUE", OVERDUE, supervisor),
    ):
        assert told.run(at - SECOND) == 0
        assert told.messages == expected
        assert (told.run(at), told.run(at), told.run(at + HOUR)) == (1, 0, 0)
        expected.append((kind, at, whom, client_id))
        assert told.messages == expected
    assert told.run(OVERDUE + 300 * DAY) == 0


def test_a_review_in_time_ends_it(told: Told) -> None:
    client_id = told.client()
    assert told.run(REMIND) == 1
    told.review(client_id, REVIEWED + 85 * DAY)
    assert [told.run(at) for at in (ALERT, OVERDUE)] == [0, 0]
    assert told.run(morning(REVIEWED + 165 * DAY)) == 1


def test_what_was_missed_is_caught_up_for_some_days(told: Told) -> None:
    told.client()
    assert told.run(REMIND + CATCH_UP + SECOND) == 0
    assert told.run(ALERT + CATCH_UP) == 2
    assert [kind for kind, *_ in told.messages] == ["PLAN_ALERT", "PLAN_OVERDUE"]


def test_a_practice_that_moves_in_with_its_history_hears_of_nothing_from_before(told: Told) -> None:
    for gone in range(60, 120):
        told.client(date(2026, 3, 18) - gone * DAY)
    noon = instant(date(2026, 3, 18), time(12), NEW_YORK)
    told.here_since(noon)
    assert told.run(noon + HOUR) == 0
    assert told.run(morning(date(2026, 3, 19))) == 3  # those who are at days 80, 90 and 91 then


def test_only_the_last_review_of_active_clients_counts(told: Told) -> None:
    told.client(ended_on=date(2026, 3, 1))
    renewed = told.client()
    told.review(renewed, REVIEWED + 40 * DAY)
    taken_back = told.client()
    told.review(taken_back, REVIEWED + 40 * DAY, voided_at=told.practice.now)
    told.client(None)
    assert told.run(REMIND) == 1
    assert told.messages[0][3] == taken_back


def test_somebody_who_works_here_is_told(told: Told) -> None:
    """The clinician where there is no supervisor; the supervisor of one who left; else the admins."""
    alone = told.practice.add("clinician")
    gone = told.practice.add("clinician", supervisor=told.supervisor)
    told.set(gone, left_on=date(2026, 3, 1))
    lost = told.practice.add("clinician")
    told.set(lost, deactivated_at=told.practice.now)
    whose = {told.client(clinician=one): one for one in (alone, gone, lost)}
    nobodys = told.client()
    with told.practice.installation.store.session_in(told.practice.id) as db:
        db.execute(text("update clients set primary_clinician_id = null where id = :id"), {"id": nobodys})
    told.run(REMIND)
    told.run(ALERT)
    heard = {(kind, about): staff for kind, _, staff, about in told.messages}
    admin = told.practice.admin.staff_id
    for client_id, person in whose.items():
        reminded = alone.staff_id if person is alone else admin
        alerted = {alone.staff_id: alone.staff_id, gone.staff_id: told.supervisor.staff_id}.get(person.staff_id, admin)
        assert (heard["PLAN_REMINDER", client_id], heard["PLAN_ALERT", client_id]) == (reminded, alerted)
    assert heard["PLAN_REMINDER", nobodys] == told.clinician.staff_id  # who reviewed it
    assert heard["PLAN_ALERT", nobodys] == told.supervisor.staff_id


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Asia/Kolkata"])
def test_the_morning_is_the_practices_own(installation: Installation, zone: str) -> None:
    practice = make_practice(installation, time_zone=zone)
    told = Told(practice)
    told.client()
    with practice.work() as work:
        there = work.db.get_one(Practice, practice.id).time_zone
    assert there == zone
    hour = {"America/Los_Angeles": 16, "Asia/Kolkata": 3}[zone]
    minute = {"America/Los_Angeles": 0, "Asia/Kolkata": 30}[zone]
    at = datetime(2026, 3, 26, hour, minute, tzinfo=UTC)
    assert (told.run(at - SECOND), told.run(at)) == (0, 1)


# Supervision


LAST_WEEK = morning(date(2026, 3, 25))
APRIL = morning(date(2026, 4, 1))


def test_whoever_lacks_hours_is_told_in_the_last_week_and_so_is_their_supervisor(told: Told) -> None:
    told.set(told.clinician, license_type="LPC")
    done = told.practice.add("clinician", supervisor=told.supervisor)
    told.set(done, license_type="LMSW")
    told.supervise(done, LAST_WEEK - 3 * DAY, "4.00")
    new = told.practice.add("clinician", supervisor=told.supervisor)
    told.set(new, license_type="LPC", hired_on=date(2026, 3, 2))
    told.practice.add("clinician", supervisor=told.supervisor)  # without a licence that asks for hours
    told.supervise(told.clinician, LAST_WEEK - 3 * DAY, "1.50")
    assert told.run(LAST_WEEK - SECOND) == 0
    assert (told.run(LAST_WEEK), told.run(LAST_WEEK + DAY)) == (2, 0)
    both = {told.clinician.staff_id, told.supervisor.staff_id}
    assert {staff for _, _, staff, _ in told.messages} == both
    assert {(kind, at, about) for kind, at, _, about in told.messages} == {
        ("SUPERVISION_REMINDER", LAST_WEEK, told.clinician.staff_id)
    }


def test_a_month_that_is_over_is_reported_to_supervisors_and_admins(told: Told) -> None:
    told.set(told.clinician, license_type="LPC")
    told.supervise(told.clinician, LAST_WEEK - DAY, "2.00")
    told.practice.add("supervisor")  # of nobody
    assert told.run(APRIL - SECOND) == 0
    assert (told.run(APRIL), told.run(APRIL + DAY)) == (2, 0)
    people = (told.supervisor.staff_id, told.practice.admin.staff_id)
    assert sorted(told.messages) == sorted(("SUPERVISION_REPORT", APRIL, one, one) for one in people)
    assert told.run(APRIL + CATCH_UP) == 0
    assert told.run(morning(date(2026, 5, 1)) + CATCH_UP) == 2


def test_where_nobody_needs_hours_nothing_is_said_of_them(told: Told) -> None:
    told.set(told.clinician, license_type="LCSW")
    assert told.run(LAST_WEEK) == told.run(APRIL) == 0


def test_a_practice_hears_of_no_month_that_ended_before_it_was_here(told: Told) -> None:
    told.set(told.clinician, license_type="LPC")
    told.here_since(APRIL + HOUR)
    assert told.run(APRIL + DAY) == 0
