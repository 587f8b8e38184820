"""A practice's pay under random steps against the real database, in three time zones.

Sessions are booked, completed, signed, amended, voided and reversed, some late; completions, voids and notes are taken
back; rates, multipliers and services change; weeks are closed as time passes. After every step the next weeks must
match the oracle, and closed weeks and previews of earlier instants must be unchanged. In the end every session has been
paid what it is worth.
"""

from datetime import date, datetime
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

from hypothesis.stateful import invariant

from practice.clinical.deadlines.locking import unlock_session
from practice.clinical.notes.entered_in_error import mark_entered_in_error
from practice.clinical.notes.signing import sign_note
from practice.payroll.completions import restore_completion, reverse_paid_session
from practice.payroll.periods import close_period, open_period, preview_week
from practice.payroll.rates import set_multiplier, set_pay_rate
from practice.people.staff import deactivate_staff
from practice.scheduling.catalog.services import change_service
from practice.security.installation import Installation
from practice.security.permissions import Scope
from practice.sessions.corrections import revert_appointment
from tests.support.drivers.booking import DAY, HOUR, SECOND
from tests.support.drivers.pay_state_machine import SessionMachine
from tests.support.drivers.pay_steps import BEGINNINGS, steps
from tests.support.harness.steps import LONG, print_counts, run_with_hypothesis
from tests.support.oracles.pay_oracle import WEEK, ExpectedWeek, Period, normalize_week

EXAMPLES, STEPS = (40, 50) if LONG else (6, 20)
RANDOM_RUNS, RANDOM_STEPS = (20, 200) if LONG else (4, 100)


class PayMachine(SessionMachine):
    """The steps of rates, multipliers, services and pay weeks."""

    @invariant()
    def check_next_weeks(self) -> None:
        week = self.find_next_to_close() or self.oracle.week_of(self.now)
        for next_week in (week, week + WEEK):
            assert self.preview(next_week, self.now) == self.expect_week(next_week, self.now), (next_week, self.now)

    def teardown(self) -> None:
        if hasattr(self, "oracle"):
            self.finish()

    # Corrections, reversals, rates and services

    @steps
    def restore(self, number: int) -> None:
        seat = self.pick_seat(number, lambda seat: seat.status == "COMPLETED" and self.is_voided(seat))
        seat = seat or self.pick_seat(number, lambda seat: seat.status == "COMPLETED")
        if seat is not None:
            self.attempt(
                "restore",
                lambda work: restore_completion(work, Scope.ALL, seat.id, "It took place") and None,
                expected=self.is_voided(seat),
            )

    @steps
    def take_back(self, number: int) -> None:
        """Take back a completion; the appointment can be completed again."""
        if seat := self.pick_seat(number, lambda seat: seat.status == "COMPLETED"):
            self.attempt(
                "take back",
                lambda work: revert_appointment(work, Scope.ALL, seat.id, "COMPLETED", "A mistake") and None,
                expected=not self.is_paid(seat),
            )

    @steps
    def strike(self, number: int) -> None:
        if note := self.pick_note(number, "DRAFT", "IN_REVIEW", "SIGNED", "AMENDED"):
            self.attempt(
                "strike",
                lambda work: mark_entered_in_error(work, note.id, "Another client") and None,
                self.get_clinician(self.oracle.seat_of[note.appointment_id]),
                expected=True,
            )

    @steps
    def reverse_group(self, number: int) -> None:
        """Reverse all seats of a paid group, and add another seat whose note is missing."""
        paid_seat = self.pick_seat(
            number, lambda seat: seat.group_session_id and seat.status == "COMPLETED" and self.is_paid(seat)
        )
        if paid_seat is None:
            return
        group_id = paid_seat.group_session_id
        for seat in [seat for seat in self.oracle.seats if seat.group_session_id == group_id]:
            if seat.status == "COMPLETED" and not self.is_voided(seat):
                self.attempt(
                    "reverse",
                    lambda work, id=seat.id: reverse_paid_session(work, id, "Nobody came") and None,
                    expected=True,
                )
        clinician = [person.staff_id for person in self.clinicians].index(paid_seat.clinician_id)
        self.book(clinician, 0, "CIRCLE", paid_seat.starts_at, group_session_id=group_id)
        self.complete(0, with_completion=True)

    @steps
    def set_rate(self, clinician: int, cents: int, days: int, always: bool) -> None:
        since = date(2000, 1, 1) if always and days < -20 else self.oracle.date_of(self.now) + days * DAY
        staff_id = self.clinicians[clinician].staff_id
        self.attempt("rate", lambda work: set_pay_rate(work, staff_id, cents, since) and None, expected=True)
        assert (staff_id, cents, since) in [
            (row.staff_id, row.rate_cents, row.effective_on) for row in self.oracle.rates if row.set_at == self.now
        ]

    @steps
    def set_multiplier(self, clinician: int, kind: str, multiplier: str, days: int, own: bool) -> None:
        values = {
            "kind": kind,
            "multiplier": Decimal(multiplier),
            "effective_on": self.oracle.date_of(self.now) + days * DAY,
            "staff_id": self.clinicians[clinician].staff_id if own else None,
        }
        self.attempt("multiplier", lambda work: set_multiplier(work, **values) and None, expected=True)
        assert values in [
            {name: getattr(row, name) for name in values} for row in self.oracle.multipliers if row.set_at == self.now
        ]

    @steps
    def change_service(self, code: str, minutes: int, other_kind: bool) -> None:
        service = next(row for row in self.oracle.services if row.code == code)
        changes: dict[str, Any] = {"kind": "FAMILY"} if other_kind else {"minutes": minutes}
        if minutes == 90:
            changes = {"kind": service.kind, "minutes": service.minutes}  # as it is already
        booked = any(seat.service_id == service.id for seat in self.oracle.seats)
        self.attempt(
            "service",
            lambda work: change_service(work, code, service.version, changes) and None,
            expected=not booked or all(getattr(service, name) == value for name, value in changes.items()),
        )

    @steps
    def deactivate_clinician(self, number: int) -> None:
        """Deactivate a clinician, rarely."""
        if number % 10 == 0:
            staff_id = self.clinicians[number // 10 % 3].staff_id
            left_on = self.oracle.date_of(self.now)
            self.attempt("leave", lambda work: deactivate_staff(work, staff_id, left_on) and None, expected=True)

    # Weeks

    @steps
    def open_week(self, shift: int) -> None:
        week = (self.find_next_to_open() or self.oracle.week_of(self.now)) + shift * WEEK
        weeks = [row.week for row in self.oracle.periods]
        expected = week <= self.oracle.week_of(self.now) if not weeks else week in (*weeks, weeks[-1] + WEEK)
        self.attempt("open", lambda work: open_period(work, week) and None, expected=expected)

    @steps
    def close_next_week(self, shift: int, at_cut_off: bool) -> None:
        """Close the next week, or try one that is closed or cannot be closed yet. With `at_cut_off`, try at and just
        before the cut-off."""
        week = (self.find_next_to_close() or self.oracle.week_of(self.now) - 2 * WEEK) + shift * WEEK
        end = self.oracle.cut_off(week)
        if at_cut_off and shift == 0 and self.now < end:
            self.now = end - SECOND
            self.close_week(week)
            self.now = end
        self.close_week(week)

    def close_week(self, week: date) -> ExpectedWeek | None:
        before, end = self.oracle, self.oracle.cut_off(week)
        period = next((row for row in before.periods if row.week == week), None)
        if period is not None and period.closed_at is not None:
            pay_week = self.attempt("close again", lambda work: close_period(work, week), expected=True)
            assert before.rows == self.oracle.rows
            assert normalize_week(pay_week) == before.load_closed_week(week)
            return None
        can_close = end <= self.now and week == (self.find_next_to_close() or week)
        opened = [] if period else [Period(None, week, self.now, None)]
        expected = before.compute_week(week, self.now, opened) if can_close else None
        pay_week = self.attempt("close", lambda work: close_period(work, week), expected=can_close)
        if expected is not None:
            assert self.oracle.load_closed_week(week) == expected, (week, self.now)
            assert normalize_week(pay_week) == expected
            assert (pay_week.status, pay_week.closed_at) == ("CLOSED", self.now)
            for line in expected.lines:
                SessionMachine.counts[f"{line.kind} {line.reason}".strip()] += 1
            SessionMachine.counts["standby"] += len(expected.pending)
            SessionMachine.counts["problem"] += len(expected.problems)
        return expected

    def preview(self, week: date, at: datetime) -> ExpectedWeek:
        with self.practice.work(now=self.now) as work:
            pay_week = preview_week(work, Scope.ALL, week, at)
        assert pay_week.cut_off == self.oracle.cut_off(week)
        return normalize_week(pay_week)

    def expect_week(self, week: date, at: datetime) -> ExpectedWeek:
        closed = [row.week for row in self.oracle.periods if row.closed_at and row.closed_at <= at]
        return self.oracle.load_closed_week(week) if week in closed else self.oracle.compute_week(week, at)

    @steps
    def preview_and_remember(self, shift: int, number: int) -> None:
        """Preview a week now, and remember the result for `preview_earlier_instant`."""
        week = (self.find_next_to_close() or self.oracle.week_of(self.now)) + (shift + number % 2) * WEEK
        preview = self.preview(week, self.now)
        assert preview == self.expect_week(week, self.now), (week, self.now)
        SessionMachine.counts["preview"] += 1
        self.previews.append((week, self.now, preview))
        self.now += SECOND  # later steps were not known at that instant

    @steps
    def preview_earlier_instant(self, number: int, hours_back: int) -> None:
        """Preview a week as of an earlier instant: one that was previewed then, and any other."""
        if self.previews:
            week, at, preview = self.previews[number % len(self.previews)]
            assert self.preview(week, at) == preview, (week, at)
            SessionMachine.counts["preview again"] += 1
        at = self.now - hours_back * HOUR
        week = self.oracle.week_of(at) - number % 3 * WEEK
        assert self.preview(week, at) == self.expect_week(week, at), (week, at)
        SessionMachine.counts["preview of the past"] += 1

    # The end

    def finish(self) -> None:
        """Sign all notes but a few and close weeks until all is paid; then reverse some sessions and correct rates."""
        if not self.seats:
            self.add_appointment(0, 0, "TALK", 1)
        for index, seat in enumerate([self.oracle.seat_of[id] for id in self.seats]):
            if index % 4 and seat.starts_at <= self.now and not self.is_signed(seat):
                self.ensure_signed(seat.id)
        if not self.oracle.periods:
            self.open_week(-1)
        self.close_remaining_weeks()
        for number in (0, 10, 25):
            self.reverse(number)
        self.close_following_week()
        since = self.oracle.periods[0].week + 9 * DAY
        for cents, person in enumerate(self.clinicians[:2], start=9009):
            self.attempt(
                "rate",
                lambda work, id=person.staff_id, cents=cents: set_pay_rate(work, id, cents, since) and None,
            )
        self.reverse_group(0)
        self.close_remaining_weeks()
        last_seat = self.oracle.seat_of[self.seats[-1]]
        if last_seat.starts_at <= self.now and not self.is_signed(last_seat):
            self.ensure_signed(self.seats[-1])
            self.close_remaining_weeks()
        assert self.oracle.sum_paid_cents() == self.oracle.compute_final_cents(self.now)
        for week, at, preview in self.previews[-5:]:
            assert self.preview(week, at) == preview, (week, at)
        SessionMachine.counts["runs"] += 1
        SessionMachine.counts["sessions"] += len(self.oracle.seats)

    def close_remaining_weeks(self) -> None:
        """Close weeks until two in a row after the current one pay nothing."""
        current_week, empty_weeks = self.oracle.week_of(self.now), 0
        while empty_weeks < 2:
            week, expected = self.close_following_week()
            empty_weeks = empty_weeks + 1 if week > current_week and not expected.lines else 0

    def close_following_week(self) -> tuple[date, ExpectedWeek]:
        week = self.find_next_to_close()
        assert week is not None
        self.now = max(self.now, self.oracle.cut_off(week))
        expected = self.close_week(week)
        assert expected is not None
        return week, expected

    def ensure_signed(self, seat_id: UUID) -> None:
        seat = self.oracle.seat_of[seat_id]
        if self.is_locked(seat):
            self.attempt(
                "unlock", lambda work: unlock_session(work, Scope.ALL, seat.id, "Was ill") and None, expected=True
            )
        notes = self.list_notes(seat)
        if not notes and not self.has_left(self.get_clinician(seat)):
            self.write_note(seat, expected=True)
            notes = self.list_notes(seat)
        for note in notes:
            if note.status == "IN_REVIEW":
                self.attempt("cosign", lambda work, id=note.id: sign_note(work, id) and None, self.supervisor, True)


def test_short_sequences_of_steps_pay_correctly(installation: Installation) -> None:
    SessionMachine.installation = installation
    run_with_hypothesis(PayMachine, EXAMPLES, STEPS)
    print_counts(SessionMachine.counts)


def test_long_random_sequences_of_steps_pay_correctly(installation: Installation) -> None:
    SessionMachine.installation = installation
    SessionMachine.counts.clear()
    for seed in range(RANDOM_RUNS):
        random, machine = Random(seed), PayMachine()  # noqa: S311
        machine.set_up(*BEGINNINGS[seed % len(BEGINNINGS)])
        for _ in steps.run_randomly(machine, random, RANDOM_STEPS):
            machine.check_next_weeks()
        machine.finish()
    print_counts(SessionMachine.counts)
    outcomes = {name for name in SessionMachine.counts if SessionMachine.counts[name]}
    refused_steps = {name.removesuffix(" refused") for name in outcomes if name.endswith(" refused")}
    assert {name for name in refused_steps if not SessionMachine.counts[f"{name} done"]} == set()
    assert {"regular", "late", "standby", "problem", "preview again", "close refused", "close again done"} <= outcomes
    assert SessionMachine.counts["close done"] > 10
    assert SessionMachine.counts["reverse done"] > 3
    assert {f"adjustment {reason}" for reason in ("RATE_CHANGED", "VOIDED", "COUNTS_AGAIN")} <= outcomes
