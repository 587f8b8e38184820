"""Pay periods: opened and closed in order, stored for good, corrected by the next."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from practice.errors import Invalid
from practice.local_time import cut_off, to_instant
from practice.payroll.completions import load_session_values, void_completion
from practice.payroll.periods import BeforePayBegan, CutOffAhead, OutOfOrder, WeekAhead, open_period, preview_week
from practice.people.staff import deactivate_staff
from practice.security.installation import Installation
from practice.security.permissions import Scope
from tests.support.builders.people import make_practice
from tests.support.drivers.payroll import (
    CUT_OFF,
    DAY,
    HOUR,
    LAST_WEEK,
    NEXT_CUT_OFF,
    SECOND,
    SESSION_START,
    WEEK,
    PayrollScenario,
    list_lines,
)

# Opening and closing


def test_a_week_before_the_first_says_that_it_is_paid_elsewhere(payroll: PayrollScenario) -> None:
    before = payroll.add_session(SESSION_START - WEEK)
    assert payroll.preview_week(LAST_WEEK - WEEK, CUT_OFF).status == "OPEN"
    payroll.close_week(LAST_WEEK, CUT_OFF)
    pay_week = payroll.preview_week(LAST_WEEK - WEEK, CUT_OFF + HOUR)
    assert (pay_week.status, list_lines(pay_week)) == ("PAID_ELSEWHERE", [("regular", before, 6050)])
    with pytest.raises(BeforePayBegan):
        payroll.close_week(LAST_WEEK - WEEK, CUT_OFF + HOUR)


def test_a_week_names_its_visits_that_are_over_and_still_open(payroll: PayrollScenario) -> None:
    missed, seen = (payroll.add_session(SESSION_START + hours * HOUR, status="CONFIRMED") for hours in (0, 1))
    payroll.add_session(SESSION_START + WEEK, status="CONFIRMED")
    done = payroll.add_session(SESSION_START + 2 * HOUR)
    assert [visit.id for visit in payroll.preview_week(LAST_WEEK, SESSION_START + HOUR).open_visits] == [missed]
    closed = payroll.close_week(LAST_WEEK, CUT_OFF)
    assert [line.appointment_id for line in closed.lines] == [done]
    for week in (closed, payroll.close_week(LAST_WEEK, CUT_OFF), payroll.preview_week(LAST_WEEK, CUT_OFF)):
        assert [(visit.id, visit.starts_at) for visit in week.open_visits] == [
            (missed, SESSION_START),
            (seen, SESSION_START + HOUR),
        ]
    assert {visit.clinician_id for visit in closed.open_visits} == {payroll.clinician.staff_id}


def test_the_first_week_must_have_begun_and_the_others_follow_it(payroll: PayrollScenario) -> None:
    def open_week(week: date) -> UUID:
        with payroll.practice.work() as work:  # on Wednesday the 18th
            return open_period(work, week).id

    with pytest.raises(WeekAhead):
        open_week(date(2026, 3, 22))
    with pytest.raises(Invalid, match="begins on a Sunday"):
        open_week(date(2026, 3, 16))
    first = open_week(date(2026, 3, 1))
    assert open_week(date(2026, 3, 1)) == first
    with pytest.raises(OutOfOrder, match="2026-03-08 first"):
        open_week(date(2026, 3, 15))
    with pytest.raises(BeforePayBegan, match="2026-03-01"):
        open_week(date(2026, 2, 22))
    assert open_week(LAST_WEEK) != first
    assert [row.week for row in payroll.load_rows("pay_periods")] == [date(2026, 3, 1), LAST_WEEK]


def test_a_week_is_closed_from_its_cut_off_on_and_not_a_second_before(payroll: PayrollScenario) -> None:
    session = payroll.add_session()
    with pytest.raises(CutOffAhead, match="2026-03-16 00:00"):
        payroll.close_week(LAST_WEEK, CUT_OFF - SECOND)
    assert payroll.load_rows("pay_periods") == payroll.load_rows("pay_lines") == []
    pay_week = payroll.close_week(LAST_WEEK, CUT_OFF)
    assert (pay_week.status, pay_week.closed_at, list_lines(pay_week)) == (
        "CLOSED",
        CUT_OFF,
        [("regular", session, 6050)],
    )


def test_weeks_are_closed_in_their_order(payroll: PayrollScenario) -> None:
    with payroll.practice.work() as work:
        open_period(work, date(2026, 3, 1))
    with pytest.raises(OutOfOrder, match="2026-03-01 first"):
        payroll.close_week(LAST_WEEK, CUT_OFF)
    with pytest.raises(BeforePayBegan):
        payroll.close_week(date(2026, 2, 22), CUT_OFF)
    payroll.close_week(date(2026, 3, 1), CUT_OFF)
    assert payroll.close_week(LAST_WEEK, CUT_OFF).status == "CLOSED"


def test_closing_again_changes_nothing_and_returns_the_same(payroll: PayrollScenario) -> None:
    payroll.add_session()
    payroll.add_session(SESSION_START + DAY, signed=False)
    first = payroll.close_week(LAST_WEEK, CUT_OFF)
    before = payroll.load_rows("pay_lines"), payroll.load_rows("pay_periods"), payroll.load_rows("audit_log")
    payroll.set_rate(9000, CUT_OFF + HOUR)
    assert payroll.close_week(LAST_WEEK, CUT_OFF + 3 * DAY) == first
    assert (payroll.load_rows("pay_lines"), payroll.load_rows("pay_periods")) == before[:2]
    (entry,) = [row for row in payroll.load_rows("audit_log") if row.action == "pay_period.closed"]
    assert entry.details["lines"] == entry.details["standby"] == 1
    assert entry.details["total_cents"] == 6050


def test_a_week_is_never_closed_at_an_instant_before_the_previous_closing(payroll: PayrollScenario) -> None:
    """Two requests arrive together on servers with different clocks, and the second waits for the first."""
    session = payroll.add_session(SESSION_START - WEEK)
    payroll.close_week(LAST_WEEK - WEEK, CUT_OFF + HOUR)
    pay_week = payroll.close_week(LAST_WEEK, CUT_OFF + HOUR - 5 * SECOND)
    assert pay_week.lines == []
    assert pay_week.closed_at == CUT_OFF + HOUR
    assert [row.appointment_id for row in payroll.load_rows("pay_lines")] == [session]


# Lines


def test_an_unsigned_session_is_pending_and_paid_late(payroll: PayrollScenario) -> None:
    session = payroll.add_session(signed=False)
    closed = payroll.close_week(LAST_WEEK, CUT_OFF)
    assert (closed.lines, [line.amount_cents for line in closed.pending]) == ([], [6050])
    payroll.sign(session, CUT_OFF)
    assert list_lines(payroll.preview_week(LAST_WEEK + WEEK, CUT_OFF + DAY)) == [("late", session, 6050)]
    assert list_lines(payroll.close_week(LAST_WEEK + WEEK, NEXT_CUT_OFF)) == [("late", session, 6050)]
    assert payroll.close_week(LAST_WEEK + 2 * WEEK, NEXT_CUT_OFF + WEEK).lines == []


def test_a_signature_that_the_closing_missed_is_paid_by_the_next_week(payroll: PayrollScenario) -> None:
    session = payroll.add_session(signed=False)
    payroll.close_week(LAST_WEEK, CUT_OFF)
    payroll.sign(session, CUT_OFF - SECOND)  # its transaction ended after the closing had looked
    assert list_lines(payroll.close_week(LAST_WEEK + WEEK, NEXT_CUT_OFF)) == [("late", session, 6050)]


def test_a_pending_session_is_paid_even_if_its_signature_is_older(payroll: PayrollScenario) -> None:
    """A note that was signed without an appointment can be linked later."""
    session = payroll.add_session(SESSION_START - WEEK, signed=False)
    payroll.close_week(LAST_WEEK, CUT_OFF)
    payroll.sign(session, SESSION_START - WEEK + 2 * HOUR)
    assert list_lines(payroll.close_week(LAST_WEEK + WEEK, NEXT_CUT_OFF)) == [("late", session, 6050)]


def test_a_late_completion_that_the_closing_missed_is_paid_by_the_next_week(payroll: PayrollScenario) -> None:
    payroll.close_week(LAST_WEEK, CUT_OFF)
    old = payroll.add_session(SESSION_START - 3 * WEEK, status_at=CUT_OFF - SECOND)
    new = payroll.add_session(SESSION_START, status_at=CUT_OFF - SECOND)
    pay_week = payroll.close_week(LAST_WEEK + WEEK, NEXT_CUT_OFF)
    assert list_lines(pay_week) == [("late", old, 6050), ("late", new, 6050)]
    later = payroll.add_session(SESSION_START - 3 * WEEK, status_at=NEXT_CUT_OFF)
    assert list_lines(payroll.close_week(LAST_WEEK + 2 * WEEK, NEXT_CUT_OFF + WEEK)) == [("late", later, 6050)]


def test_sessions_before_the_first_week_are_paid_elsewhere(payroll: PayrollScenario) -> None:
    old = payroll.add_session(SESSION_START - WEEK)
    waiting = payroll.add_session(SESSION_START - WEEK + HOUR, signed=False)
    other = payroll.practice.add("clinician")
    payroll.add_session(SESSION_START - WEEK, clinician=other)
    pay_week = payroll.close_week(LAST_WEEK, CUT_OFF)
    assert (pay_week.lines, [line.appointment_id for line in pay_week.pending]) == ([], [waiting])
    assert list_lines(payroll.preview_week(LAST_WEEK - WEEK, CUT_OFF)) == [
        ("regular", old, 6050)
    ]  # computed but never paid
    payroll.sign(waiting, CUT_OFF + HOUR)
    payroll.set_rate(7000, CUT_OFF + HOUR, staff=other)
    assert list_lines(payroll.close_week(LAST_WEEK + WEEK, NEXT_CUT_OFF)) == [("late", waiting, 6050)]


def test_sessions_without_a_rate_are_paid_late_once_a_rate_is_set(payroll: PayrollScenario) -> None:
    other = payroll.practice.add("clinician")
    session = payroll.add_session(clinician=other)
    unsigned = payroll.add_session(SESSION_START + HOUR, clinician=other, signed=False)
    for week in (LAST_WEEK, LAST_WEEK + WEEK):
        pay_week = payroll.close_week(week, CUT_OFF + (week - LAST_WEEK))
        assert (pay_week.lines, pay_week.pending) == ([], [])
        assert [problem.partition(".")[0] for problem in pay_week.problems] == [
            f"{other.staff_id} has sessions and no base rate"
        ]
    payroll.set_rate(7000, NEXT_CUT_OFF + HOUR, date(2026, 3, 1), other)
    pay_week = payroll.close_week(LAST_WEEK + 2 * WEEK, NEXT_CUT_OFF + WEEK)
    assert list_lines(pay_week) == [("late", session, 7000)]
    assert [line.appointment_id for line in pay_week.pending] == [unsigned]
    assert pay_week.problems == []


@pytest.mark.parametrize("time_zone", ["Etc/GMT+12", "Pacific/Kiritimati"])  # where a date begins last, and first
def test_a_rate_applies_from_the_first_instant_of_its_local_date(installation: Installation, time_zone: str) -> None:
    practice = make_practice(installation, time_zone=time_zone)
    payroll, zone = PayrollScenario(practice), ZoneInfo(time_zone)
    other, begins = practice.add("clinician"), to_instant(LAST_WEEK, time.min, zone)
    payroll.set_rate(7000, begins - WEEK, LAST_WEEK, other)
    before, since = (payroll.add_session(begins + at, clinician=other) for at in (-SECOND, timedelta(0)))
    for week in (LAST_WEEK - WEEK, LAST_WEEK):
        pay_week = payroll.close_week(week, cut_off(week, zone))
        assert [problem.split()[0] for problem in pay_week.problems] == [str(other.staff_id)]
    assert list_lines(pay_week) == [("regular", since, 7000)]
    for database_zone in ("Etc/GMT+12", "UTC", "Pacific/Kiritimati"):
        with practice.work(now=cut_off(LAST_WEEK + WEEK, zone)) as work:
            work.db.execute(text("select set_config('timezone', :zone, true)"), {"zone": database_zone})
            assert len(preview_week(work, Scope.ALL, LAST_WEEK + WEEK, work.now).problems) == 1
    payroll.set_rate(5000, cut_off(LAST_WEEK, zone) + HOUR, staff=other)
    assert list_lines(payroll.close_week(LAST_WEEK + WEEK, cut_off(LAST_WEEK + WEEK, zone))) == [("late", before, 5000)]


def test_a_voided_session_is_not_paid(payroll: PayrollScenario) -> None:
    for session in (payroll.add_session(), payroll.add_session(SESSION_START + HOUR, signed=False)):
        with payroll.practice.work(now=CUT_OFF - HOUR) as work:
            void_completion(work, Scope.ALL, session, "Twice")
    pay_week = payroll.close_week(LAST_WEEK, CUT_OFF)
    assert (pay_week.lines, pay_week.pending) == ([], [])


def test_staff_who_have_left_are_paid(payroll: PayrollScenario) -> None:
    session = payroll.add_session()
    with payroll.practice.work() as work:
        deactivate_staff(work, payroll.clinician.staff_id, date(2026, 3, 12))
    assert list_lines(payroll.close_week(LAST_WEEK, CUT_OFF)) == [("regular", session, 6050)]


@pytest.mark.parametrize(
    ("week", "end"),
    [
        (date(2026, 3, 8), datetime(2026, 3, 16, 4, tzinfo=UTC)),  # 167 hours
        (date(2025, 11, 2), datetime(2025, 11, 10, 5, tzinfo=UTC)),  # 169 hours
    ],
)
def test_weeks_of_the_clock_changes(payroll: PayrollScenario, week: date, end: datetime) -> None:
    payroll.set_rate(6050, datetime(2025, 1, 1, tzinfo=UTC))
    first = datetime(week.year, week.month, week.day, 5 if week.month == 3 else 4, 5, tzinfo=UTC)  # 00:05 local time
    last = end - DAY - HOUR  # Saturday, 23:00
    before, early, late, after = (
        payroll.add_session(at, signed=False, status_at=at + timedelta(minutes=30))
        for at in (first - 10 * timedelta(minutes=1), first, last, last + HOUR)
    )
    for session in (before, early, after):
        payroll.sign(session, end - SECOND)
    payroll.sign(late, end)
    with pytest.raises(CutOffAhead):
        payroll.close_week(week, end - SECOND)
    pay_week = payroll.close_week(week, end)
    assert list_lines(pay_week) == [("late", before, 6050), ("regular", early, 6050)]
    assert [line.appointment_id for line in pay_week.pending] == [late]
    assert list_lines(payroll.close_week(week + WEEK, end + WEEK + HOUR)) == [
        ("late", late, 6050),
        ("regular", after, 6050),
    ]


# Groups


def test_a_group_is_paid_once_at_its_smallest_seat_and_keeps_it(payroll: PayrollScenario) -> None:
    group, (first, second) = payroll.add_group()
    payroll.sign(first, SESSION_START + 2 * HOUR)
    assert payroll.close_week(LAST_WEEK, CUT_OFF).lines == []
    payroll.sign(second, CUT_OFF + HOUR)
    pay_week = payroll.close_week(LAST_WEEK + WEEK, NEXT_CUT_OFF)
    assert list_lines(pay_week) == [("late", first, 13613)]  # 60.50 x 1.5 x 1.5 hours
    assert (pay_week.lines[0].session_id, pay_week.lines[0].minutes) == (group, 90)
    late = payroll.add_session(
        SESSION_START,
        signed=False,
        service=payroll.load_rows("group_sessions")[0].service_id,
        group_session_id=group,
        status_at=NEXT_CUT_OFF + HOUR,
        external_id="0",
    )
    after = payroll.close_week(LAST_WEEK + 2 * WEEK, NEXT_CUT_OFF + WEEK)
    assert (after.lines, after.pending) == ([], [])
    with payroll.practice.work(now=NEXT_CUT_OFF + WEEK) as work:
        values = load_session_values(work, [first, second, late], work.now)
    assert [values[seat].amount_cents for seat in (first, second, late)] == [13613, 0, 0]
    assert {value.paid_week for value in values.values()} == {LAST_WEEK + WEEK}


def test_a_group_is_paid_once_its_unsigned_seat_is_voided(payroll: PayrollScenario) -> None:
    _, (first, second) = payroll.add_group()
    payroll.sign(second, SESSION_START + 2 * HOUR)
    payroll.close_week(LAST_WEEK, CUT_OFF)
    with payroll.practice.work(now=CUT_OFF + HOUR) as work:
        void_completion(work, Scope.ALL, first, "Was not there")
    assert payroll.preview_week(LAST_WEEK + WEEK, CUT_OFF + DAY, as_of=CUT_OFF).lines == []
    assert list_lines(payroll.close_week(LAST_WEEK + WEEK, NEXT_CUT_OFF)) == [("late", second, 13613)]


def test_a_void_does_not_move_a_group_into_a_week_that_is_over(payroll: PayrollScenario) -> None:
    _, (first, second) = payroll.add_group()
    payroll.sign(second, SESSION_START + 2 * HOUR)
    with payroll.practice.work(now=CUT_OFF + HOUR) as work:
        void_completion(work, Scope.ALL, first, "Was not there")
    assert payroll.preview_week(LAST_WEEK, CUT_OFF + DAY).lines == []
    assert list_lines(payroll.preview_week(LAST_WEEK + WEEK, CUT_OFF + DAY)) == [("late", second, 13613)]


def test_a_group_counts_while_it_has_a_signed_seat_and_again_when_one_is_added(payroll: PayrollScenario) -> None:
    group, (first, second) = payroll.add_group()
    for seat in (first, second):
        payroll.sign(seat, SESSION_START + 2 * HOUR)
    payroll.close_week(LAST_WEEK, CUT_OFF)
    payroll.reverse(first, CUT_OFF + HOUR)
    assert payroll.close_week(LAST_WEEK + WEEK, NEXT_CUT_OFF).lines == []
    payroll.reverse(second, NEXT_CUT_OFF + HOUR)
    after = NEXT_CUT_OFF + WEEK
    assert list_lines(payroll.close_week(LAST_WEEK + 2 * WEEK, after)) == [("adjustment", first, -13613)]
    service = payroll.load_rows("group_sessions")[0].service_id
    third = payroll.add_session(
        SESSION_START, signed=False, service=service, group_session_id=group, status_at=after + HOUR
    )
    assert payroll.close_week(LAST_WEEK + 3 * WEEK, after + WEEK).lines == []  # it is not signed
    payroll.sign(third, after + WEEK + HOUR)
    pay_week = payroll.close_week(LAST_WEEK + 4 * WEEK, after + 2 * WEEK)
    assert [(line.kind, line.reason, line.amount_cents) for line in pay_week.lines] == [
        ("adjustment", "COUNTS_AGAIN", 13613)
    ]
    assert payroll.close_week(LAST_WEEK + 5 * WEEK, after + 3 * WEEK).lines == []


def test_a_reversed_group_that_was_paid_nothing_is_paid_once_it_counts_again(payroll: PayrollScenario) -> None:
    """There is no adjustment for the reversal, since nothing had been paid."""
    payroll.set_rate(0, SESSION_START)
    group, (first, second) = payroll.add_group()
    for seat in (first, second):
        payroll.sign(seat, SESSION_START + 2 * HOUR)
    assert list_lines(payroll.close_week(LAST_WEEK, CUT_OFF)) == [("regular", first, 0)]
    for seat in (first, second):
        payroll.reverse(seat, CUT_OFF + HOUR)
    service = payroll.load_rows("group_sessions")[0].service_id
    third = payroll.add_session(signed=False, service=service, group_session_id=group, status_at=CUT_OFF + HOUR)
    payroll.set_rate(6050, CUT_OFF + 2 * HOUR)
    assert payroll.close_week(LAST_WEEK + WEEK, NEXT_CUT_OFF).lines == []
    after = NEXT_CUT_OFF + WEEK
    assert payroll.close_week(LAST_WEEK + 2 * WEEK, after).lines == []
    payroll.sign(third, after + HOUR)
    assert list_lines(payroll.close_week(LAST_WEEK + 3 * WEEK, after + WEEK)) == [("adjustment", first, 13613)]


# Previews of earlier instants


def test_a_preview_uses_only_what_was_known_at_its_instant(payroll: PayrollScenario) -> None:
    session = payroll.add_session()
    payroll.open_week(LAST_WEEK, SESSION_START + DAY)
    open_week = payroll.preview_week(LAST_WEEK, CUT_OFF)
    closed = payroll.close_week(LAST_WEEK, CUT_OFF + HOUR)
    payroll.set_rate(9900, CUT_OFF + 2 * HOUR)
    later = CUT_OFF + 3 * HOUR
    assert payroll.preview_week(LAST_WEEK, later, as_of=CUT_OFF) == open_week
    assert (open_week.status, list_lines(open_week)) == ("OPEN", [("regular", session, 6050)])
    assert (
        payroll.preview_week(LAST_WEEK, later, as_of=CUT_OFF + HOUR) == payroll.preview_week(LAST_WEEK, later) == closed
    )
    assert payroll.preview_week(LAST_WEEK + WEEK, later, as_of=CUT_OFF + HOUR).lines == []
    assert [line.kind for line in payroll.preview_week(LAST_WEEK + WEEK, later).lines] == ["adjustment"]
    assert payroll.preview_week(LAST_WEEK + 2 * WEEK, later).lines == []  # the next week corrects it
