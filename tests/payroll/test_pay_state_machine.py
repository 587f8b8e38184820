"""A practice's pay lived at random against the real database, in three time zones: sessions are held, completed,
signed, amended, voided and taken back, some seen too late; rates, multipliers and services change; weeks are closed
while time goes on. After every step what the next weeks would pay is held against pay worked out the long way, and
what closed weeks have paid stays as it was; so does every preview of an earlier instant; and in the end every
session has come to what it deserves."""

from datetime import date, datetime
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

from hypothesis.stateful import invariant

from practice.clinical.deadlines.locking import unlock_session
from practice.clinical.notes.signing import sign_note
from practice.payroll.completions import take_back
from practice.payroll.periods import close_period, open_period, preview
from practice.payroll.rates import set_multiplier, set_pay_rate
from practice.people.staff import deactivate_staff
from practice.scheduling.catalog.services import change_service
from practice.security.installation import Installation
from practice.security.permissions import Scope
from tests.support.drivers.booking import DAY, HOUR, SECOND
from tests.support.drivers.pay_state_machine import BEGINNINGS, Life, choosing
from tests.support.harness.steps import LONG, live_shortly, tell
from tests.support.oracles.pay_oracle import WEEK, Due, Period, told

LIVES, STEPS = (40, 50) if LONG else (6, 20)
BUSY_PRACTICES, BUSY_STEPS = (20, 200) if LONG else (4, 100)


class Pay(Life):
    @invariant()
    def the_next_weeks_are_as_the_long_way_has_them(self) -> None:
        week = self.next_week() or self.books.week_of(self.now)
        for one in (week, week + WEEK):
            assert self.ask(one, self.now) == self.expected(one, self.now), (one, self.now)

    def teardown(self) -> None:
        if hasattr(self, "books"):
            self.come_to_an_end()

    # What is paid

    @choosing
    def give_up_a_group(self, number: int) -> None:
        """All of its seats that were paid; and somebody else was there, whose note is still to come."""
        seat = self.seat(number, lambda one: one.group_session_id and one.status == "COMPLETED" and self.is_paid(one))
        if seat is None:
            return
        for one in [one for one in self.books.seats if one.group_session_id == seat.group_session_id]:
            if one.status == "COMPLETED" and not self.is_voided(one):
                self.do("take back", lambda work, id=one.id: take_back(work, id, "Nobody came") and None, expected=True)
        who = next(at for at, one in enumerate(self.clinicians) if one.staff_id == seat.clinician_id)
        self.book(who, 0, "CIRCLE", seat.starts_at, group_session_id=seat.group_session_id)
        self.complete(0, row=True)

    @choosing
    def set_rate(self, who: int, cents: int, on: int, ever: bool) -> None:
        since = None if ever and on < -20 else self.books.date_of(self.now) + on * DAY
        whose = self.clinicians[who].staff_id
        self.do("rate", lambda work: set_pay_rate(work, whose, cents, since) and None, expected=True)
        assert (whose, cents, since) in [
            (row.staff_id, row.rate_cents, row.effective_on) for row in self.books.rates if row.set_at == self.now
        ]

    @choosing
    def set_multiplier(self, who: int, kind: str, factor: str, on: int, own: bool) -> None:
        since, whose = self.books.date_of(self.now) + on * DAY, self.clinicians[who].staff_id if own else None
        values = {"kind": kind, "multiplier": Decimal(factor), "effective_on": since, "staff_id": whose}
        self.do("multiplier", lambda work: set_multiplier(work, **values) and None, expected=True)
        assert values in [
            {name: getattr(row, name) for name in values} for row in self.books.multipliers if row.set_at == self.now
        ]

    @choosing
    def change_service(self, code: str, minutes: int, other_kind: bool) -> None:
        service = next(row for row in self.books.services if row.code == code)
        changes: dict[str, Any] = {"kind": "FAMILY"} if other_kind else {"minutes": minutes}
        booked = any(seat.service_id == service.id for seat in self.books.seats)
        self.do(
            "service",
            lambda work: change_service(work, code, service.version, changes) and None,
            expected=not (other_kind and booked and service.kind != "FAMILY"),
        )
        if any(seat.service_id == service.id and seat.id not in self.books.completion_of for seat in self.books.seats):
            self.asked.clear()  # sessions without a row have the minutes of now

    @choosing
    def leave(self, number: int) -> None:
        """One in many may go."""
        if number % 10 == 0:
            who = self.clinicians[number // 10 % 3]
            last_day = self.books.date_of(self.now)
            self.do("leave", lambda work: deactivate_staff(work, who.staff_id, last_day) and None, expected=True)

    # Weeks

    @choosing
    def open_week(self, shift: int) -> None:
        week = (self.week_after() or self.books.week_of(self.now)) + shift * WEEK
        known = [row.week for row in self.books.periods]
        first = week <= self.books.week_of(self.now) if not known else week in (*known, known[-1] + WEEK)
        self.do("open", lambda work: open_period(work, week) and None, expected=first)

    @choosing
    def close_next(self, shift: int, hurry: bool) -> None:
        """The next one, mostly; or one that is closed already, or not to be closed yet. Who is in a hurry tries a
        second before the cut-off, and at it."""
        week = (self.next_week() or self.books.week_of(self.now) - 2 * WEEK) + shift * WEEK
        end = self.books.cut_off(week)
        if hurry and shift == 0 and self.now < end:
            self.now = end - SECOND
            self.close(week)
            self.now = end
        self.close(week)

    def close(self, week: date) -> Due | None:
        before, end = self.books, self.books.cut_off(week)
        period = next((row for row in before.periods if row.week == week), None)
        if period is not None and period.closed_at is not None:
            found = self.do("close again", lambda work: close_period(work, week), expected=True)
            assert before.rows == self.books.rows
            assert told(found) == before.written(week)
            return None
        may = end <= self.now and week == (self.next_week() or week)
        opened = [] if period else [Period(None, week, self.now, None)]
        due = before.due(week, self.now, opened) if may else None
        found = self.do("close", lambda work: close_period(work, week), expected=may)
        if due is not None:
            assert self.books.written(week) == due, (week, self.now)
            assert told(found) == due
            assert (found.status, found.closed_at) == ("CLOSED", self.now)
            for line in due.lines:
                Life.done[f"{line.kind} {line.reason}".strip()] += 1
            Life.done["standby"] += len(due.standby)
            Life.done["problem"] += len(due.problems)
        return due

    def ask(self, week: date, at: datetime) -> Due:
        with self.practice.work(now=self.now) as work:
            found = preview(work, week, at)
        assert found.cut_off == self.books.cut_off(week)
        return told(found)

    def expected(self, week: date, at: datetime) -> Due:
        closed = [row.week for row in self.books.periods if row.closed_at and row.closed_at <= at]
        return self.books.written(week) if week in closed else self.books.due(week, at)

    @choosing
    def look(self, shift: int, number: int) -> None:
        """At a week now; remembered, with what is seen."""
        week = (self.next_week() or self.books.week_of(self.now)) + (shift + number % 2) * WEEK
        seen = self.ask(week, self.now)
        assert seen == self.expected(week, self.now), (week, self.now)
        Life.done["look"] += 1
        self.asked.append((week, self.now, seen))
        self.now += SECOND  # what comes now, was not known then

    @choosing
    def look_back(self, number: int, back: int) -> None:
        """As of an earlier instant: one that was looked at then, and any other."""
        if self.asked:
            week, at, seen = self.asked[number % len(self.asked)]
            assert self.ask(week, at) == seen, (week, at)
            Life.done["look again"] += 1
        at = self.now - back * HOUR
        week = self.books.week_of(at) - number % 3 * WEEK
        assert self.ask(week, at) == self.expected(week, at), (week, at)
        Life.done["look back"] += 1

    # The end

    def come_to_an_end(self) -> None:
        """Whatever can still be signed is, but for a few, and all is paid; then some is taken back, and rates are put
        right."""
        if not self.seats:
            self.hold(0, 0, "TALK", 1)
        for at, seat in enumerate([self.books.seat_of[id] for id in self.seats]):
            if at % 4 and seat.starts_at <= self.now and not self.signed(seat):
                self.make_signed(seat.id)
        if not self.books.periods:
            self.open_week(-1)
        self.close_until_nothing_happens()
        for number in (0, 10, 25):
            self.take_back(number)
        self.close_another()
        since = self.books.periods[0].week + 9 * DAY
        for number, who in enumerate(self.clinicians[:2]):
            cents = 9009 + number
            self.do("rate", lambda work, who=who, cents=cents: set_pay_rate(work, who.staff_id, cents, since) and None)
        self.give_up_a_group(0)
        self.close_until_nothing_happens()
        last = self.books.seat_of[self.seats[-1]]
        if last.starts_at <= self.now and not self.signed(last):
            self.make_signed(self.seats[-1])
            self.close_until_nothing_happens()
        assert self.books.paid_cents() == self.books.final_cents(self.now)
        for week, at, seen in self.asked[-5:]:
            assert self.ask(week, at) == seen, (week, at)
        Life.done["lives"] += 1
        Life.done["sessions"] += len(self.books.seats)

    def close_until_nothing_happens(self) -> None:
        last, quiet = self.books.week_of(self.now), 0
        while quiet < 2:
            week, due = self.close_another()
            quiet = quiet + 1 if week > last and not due.lines else 0

    def close_another(self) -> tuple[date, Due]:
        week = self.next_week()
        assert week is not None
        self.now = max(self.now, self.books.cut_off(week))
        due = self.close(week)
        assert due is not None
        return week, due

    def make_signed(self, seat_id: UUID) -> None:
        seat = self.books.seat_of[seat_id]
        if self.is_locked(seat):
            self.do("unlock", lambda work: unlock_session(work, Scope.ALL, seat.id, "Was ill") and None, expected=True)
        who, notes = self.clinician_of(seat), self.books.notes_of[seat.id]
        if not notes and not self.has_left(who):
            self.write_up(seat, expected=True)
            notes = self.books.notes_of[seat.id]
        for note in notes:
            if note.status == "IN_REVIEW":
                self.do("co-sign", lambda work, id=note.id: sign_note(work, id) and None, self.supervisor, True)


def test_no_short_life_goes_wrong(installation: Installation) -> None:
    Life.installation = installation
    live_shortly(Pay, LIVES, STEPS)
    tell(Life.done)


def test_no_busy_practice_goes_wrong(installation: Installation) -> None:
    Life.installation = installation
    Life.done.clear()
    for seed in range(BUSY_PRACTICES):
        random, practice = Random(seed), Pay()  # noqa: S311
        practice.open(*BEGINNINGS[seed % len(BEGINNINGS)])
        for _ in choosing.live(practice, random, BUSY_STEPS):
            practice.the_next_weeks_are_as_the_long_way_has_them()
        practice.come_to_an_end()
    tell(Life.done)
    seen = {name for name in Life.done if Life.done[name]}
    tried = {name.removesuffix(" refused") for name in seen if name.endswith(" refused")}
    assert {name for name in tried if not Life.done[f"{name} done"]} == set()
    assert {"regular", "late", "standby", "problem", "look again", "close refused", "close again done"} <= seen
    assert Life.done["close done"] > 10
    assert Life.done["take back done"] > 3
    assert {f"adjustment {reason}" for reason in ("RATE_CHANGED", "VOIDED", "COUNTS_AGAIN")} <= seen
