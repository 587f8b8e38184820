"""Builder: a practice whose clinician is paid 80 an hour, and its weeks of pay."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from practice.notes.notes import create_note
from practice.notes.signing import sign_note
from practice.pay.completions import complete_session, take_back
from practice.pay.lines import Preview
from practice.pay.periods import close_period, open_period, preview
from practice.pay.rates import set_pay_rate
from practice.security.permissions import Scope
from tests.support.people import House, Person
from tests.support.sessions import HOUR, PROGRESS, Sessions
from tests.support.slow_close import Books


class Payroll(Sessions):
    def __init__(self, practice: House, zone: str = "America/New_York") -> None:
        super().__init__(practice, practice.add("clinician"))
        self.zone = ZoneInfo(zone)
        self.set_rate(self.clinician, 8000, None)

    @property
    def books(self) -> Books:
        return Books(self.practice, self.zone)

    def set_rate(self, who: Person, cents: int, since: date | None, now: datetime | None = None) -> None:
        with self.practice.work(now=now) as work:
            set_pay_rate(work, who.staff_id, cents, since)

    def met(self, starts_at: datetime, **more: Any) -> UUID:
        """Completed and signed an hour after its end."""
        return self.held(starts_at, **{"signed_at": starts_at + 2 * HOUR} | more)

    def count(self, appointment: UUID, now: datetime | None = None) -> None:
        with self.practice.work(now=now) as work:
            complete_session(work, appointment)

    def sign(self, appointment: UUID, now: datetime, client: UUID | None = None) -> UUID:
        about = {"client_id": client or self.client, "type": "PROGRESS_NOTE", "appointment_id": appointment}
        with self.practice.work(self.clinician, now) as work:
            note = create_note(work, Scope.OWN, **about, sections=PROGRESS)
            work.db.flush()
            return sign_note(work, note.id).id

    def take_back(self, appointment: UUID, now: datetime) -> None:
        with self.practice.work(now=now) as work:
            take_back(work, appointment, "It was another client")

    def open(self, week: date, now: datetime) -> None:
        with self.practice.work(now=now) as work:
            open_period(work, week)

    def close(self, week: date, now: datetime | None = None) -> Preview:
        """At once after its cut-off, unless told otherwise."""
        with self.practice.work(now=now or self.books.cut_off(week)) as work:
            return close_period(work, week)

    def preview(self, week: date, as_of: datetime) -> Preview:
        with self.practice.work(now=as_of) as work:
            return preview(work, week, as_of)


def amounts(found: Preview) -> list[tuple[str, UUID, int]]:
    return [(line.kind, line.session_id, line.amount_cents) for line in found.lines]


def standing_by(found: Preview) -> list[tuple[UUID, int]]:
    return [(line.session_id, line.amount_cents) for line in found.standby]


def days_after(week: date, days: int, books: Books, hours: float = 10) -> datetime:
    """An instant of a week, on the clock on the wall (but on the days on which it changes)."""
    return books.midnight(week + timedelta(days=days)) + hours * HOUR
