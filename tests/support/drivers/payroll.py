"""A scenario for payroll tests: one clinician's sessions, and an admin who closes weeks."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text

from practice.payroll.completions import restore_completion, reverse_paid_session
from practice.payroll.lines import PayWeek
from practice.payroll.periods import close_period, open_period, preview_week
from practice.payroll.rates import set_pay_rate
from practice.security.permissions import Scope
from tests.support.builders.people import Person, PracticeFixture
from tests.support.builders.schedule import make_service
from tests.support.builders.sessions import SessionBuilder, make_group
from tests.support.oracles.pay_oracle import PayOracle

WEEK, DAY, HOUR, SECOND = timedelta(days=7), timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)
LAST_WEEK = date(2026, 3, 8)  # of 167 hours
CUT_OFF = datetime(2026, 3, 16, 4, tzinfo=UTC)
SESSION_START = datetime(2026, 3, 10, 15, tzinfo=UTC)
NEXT_CUT_OFF = CUT_OFF + WEEK


class PayrollScenario:
    """A clinician with a rate of 60.50, their one-hour sessions, and an admin who closes weeks."""

    def __init__(self, practice: PracticeFixture) -> None:
        self.practice = practice
        self.clinician = practice.add("clinician")
        self.sessions = SessionBuilder(practice, self.clinician)
        self.set_rate(6050, at=SESSION_START - 100 * DAY)

    def set_rate(self, cents: int, at: datetime, since: date | None = None, staff: Person | None = None) -> None:
        with self.practice.work(now=at) as work:
            set_pay_rate(work, (staff or self.clinician).staff_id, cents, since or date(2000, 1, 1))

    def add_session(self, starts_at: datetime = SESSION_START, *, signed: bool = True, **values: Any) -> UUID:
        """Add a session that is completed after one hour and signed after two."""
        session = self.sessions.add_session(starts_at, **values)
        if signed:
            self.sign(session, starts_at + 2 * HOUR, values.get("clinician"))
        return session

    def add_group(self, starts_at: datetime = SESSION_START, seats: int = 2) -> tuple[UUID, list[UUID]]:
        """Add a group with completed, unsigned seats, and return its id and the seats in order of their ids."""
        service = make_service(self.practice, minutes=90, kind="GROUP")
        group = make_group(self.practice, self.clinician, service, starts_at)
        appointments = [
            self.add_session(starts_at, service=service, group_session_id=group, signed=False) for _ in range(seats)
        ]
        return group, sorted(appointments, key=str)

    def sign(self, appointment: UUID, at: datetime, by: Person | None = None) -> None:
        self.sessions.add_note(appointment, signed_at=at, created_at=at, clinician=by or self.clinician)

    def open_week(self, week: date, at: datetime) -> None:
        with self.practice.work(now=at) as work:
            open_period(work, week)

    def close_week(self, week: date, at: datetime) -> PayWeek:
        with self.practice.work(now=at) as work:
            return close_period(work, week)

    def preview_week(self, week: date, at: datetime, as_of: datetime | None = None) -> PayWeek:
        with self.practice.work(now=at) as work:
            return preview_week(work, Scope.ALL, week, as_of or at)

    def reverse(self, appointment: UUID, at: datetime) -> None:
        with self.practice.work(now=at) as work:
            reverse_paid_session(work, appointment, "Never held")

    def restore(self, appointment: UUID, at: datetime) -> None:
        with self.practice.work(now=at) as work:
            restore_completion(work, Scope.ALL, appointment, "It took place")

    def load_oracle(self) -> PayOracle:
        return PayOracle(self.practice, ZoneInfo("America/New_York"))

    def load_rows(self, table: str) -> list[Any]:
        with self.practice.installation.store.begin_session(self.practice.id) as db:
            return list(db.execute(text(f"select * from {table} where tenant_id = :id"), {"id": self.practice.id}))


def list_lines(pay_week: PayWeek) -> list[tuple[str, UUID, int]]:
    return [(line.kind, line.appointment_id, line.amount_cents) for line in pay_week.lines]
