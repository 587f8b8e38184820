"""A practice that pays: one clinician's sessions, and an admin who closes weeks."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text

from practice.payroll.completions import take_back
from practice.payroll.lines import Preview
from practice.payroll.periods import close_period, open_period, preview
from practice.payroll.rates import set_pay_rate
from tests.support.builders.people import Person, PracticeFixture
from tests.support.builders.schedule import make_service
from tests.support.builders.sessions import Sessions, make_group
from tests.support.oracles.pay_oracle import Books

WEEK, DAY, HOUR, SECOND = timedelta(days=7), timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)
LAST = date(2026, 3, 8)  # of 167 hours
CUT_OFF = datetime(2026, 3, 16, 4, tzinfo=UTC)
HELD = datetime(2026, 3, 10, 15, tzinfo=UTC)
NEXT_CUT_OFF = CUT_OFF + WEEK


class PayrollScenario:
    """A clinician with 60.50 an hour, their sessions of an hour, and an admin who closes weeks."""

    def __init__(self, practice: PracticeFixture) -> None:
        self.practice = practice
        self.clinician = practice.add("clinician")
        self.sessions = Sessions(practice, self.clinician)
        self.set_rate(6050, at=HELD - 100 * DAY)

    def set_rate(self, cents: int, at: datetime, since: date | None = None, who: Person | None = None) -> None:
        with self.practice.work(now=at) as work:
            set_pay_rate(work, (who or self.clinician).staff_id, cents, since)

    def held(self, starts_at: datetime = HELD, *, signed: bool = True, **more: Any) -> UUID:
        """Completed after an hour, and signed after two."""
        session = self.sessions.held(starts_at, **more)
        if signed:
            self.sign(session, starts_at + 2 * HOUR, more.get("clinician"))
        return session

    def group(self, starts_at: datetime = HELD, seats: int = 2) -> tuple[UUID, list[UUID]]:
        """Its seats are completed and not signed, those of the smallest id first."""
        service = make_service(self.practice, minutes=90, kind="GROUP")
        group = make_group(self.practice, self.clinician, service, starts_at)
        more: dict[str, Any] = {"service": service, "group_session_id": group, "signed": False}
        return group, sorted((self.held(starts_at, **more) for _ in range(seats)), key=str)

    def sign(self, appointment: UUID, at: datetime, by: Person | None = None) -> None:
        self.sessions.note(appointment, signed_at=at, created_at=at, clinician=by or self.clinician)

    def open(self, week: date, at: datetime) -> None:
        with self.practice.work(now=at) as work:
            open_period(work, week)

    def close(self, week: date, at: datetime) -> Preview:
        with self.practice.work(now=at) as work:
            return close_period(work, week)

    def preview(self, week: date, at: datetime, as_of: datetime | None = None) -> Preview:
        with self.practice.work(now=at) as work:
            return preview(work, week, as_of or at)

    def take_back(self, appointment: UUID, at: datetime) -> None:
        with self.practice.work(now=at) as work:
            take_back(work, appointment, "Never held")

    @property
    def books(self) -> Books:
        return Books(self.practice, ZoneInfo("America/New_York"))

    def rows(self, table: str) -> list[Any]:
        with self.practice.installation.store.session_in(self.practice.id) as db:
            return list(db.execute(text(f"select * from {table} where tenant_id = :id"), {"id": self.practice.id}))


def told(found: Preview) -> list[tuple[str, UUID, int]]:
    return [(line.kind, line.appointment_id, line.amount_cents) for line in found.lines]
