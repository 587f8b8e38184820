"""Weeks of pay: opened and closed in their order, written down for good, corrected by the next."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from practice.errors import Invalid
from practice.local_time import cut_off, instant
from practice.payroll.completions import void_completion, worth_of
from practice.payroll.periods import BeforePayBegan, CutOffAhead, OutOfOrder, WeekAhead, open_period, preview
from practice.people.staff import deactivate_staff
from practice.security.installation import Installation
from practice.security.permissions import Scope
from tests.support.builders.people import make_practice
from tests.support.drivers.payroll import (
    CUT_OFF,
    DAY,
    HELD,
    HOUR,
    LAST,
    NEXT_CUT_OFF,
    SECOND,
    WEEK,
    PayrollScenario,
    told,
)

# Opening and closing


def test_pay_begins_with_a_week_that_has_begun_and_goes_on_from_there(payroll: PayrollScenario) -> None:
    def opening(week: date) -> UUID:
        with payroll.practice.work() as work:  # on Wednesday the 18th
            return open_period(work, week).id

    with pytest.raises(WeekAhead):
        opening(date(2026, 3, 22))
    with pytest.raises(Invalid, match="begins on a Sunday"):
        opening(date(2026, 3, 16))
    first = opening(date(2026, 3, 1))
    assert opening(date(2026, 3, 1)) == first
    with pytest.raises(OutOfOrder, match="2026-03-08 first"):
        opening(date(2026, 3, 15))
    with pytest.raises(BeforePayBegan, match="2026-03-01"):
        opening(date(2026, 2, 22))
    assert opening(LAST) != first
    assert [row.week for row in payroll.rows("pay_periods")] == [date(2026, 3, 1), LAST]


def test_a_week_is_closed_from_its_cut_off_on_and_not_a_second_before(payroll: PayrollScenario) -> None:
    one = payroll.held()
    with pytest.raises(CutOffAhead, match="2026-03-16 00:00"):
        payroll.close(LAST, CUT_OFF - SECOND)
    assert payroll.rows("pay_periods") == payroll.rows("pay_lines") == []
    found = payroll.close(LAST, CUT_OFF)
    assert (found.status, found.closed_at, told(found)) == ("CLOSED", CUT_OFF, [("regular", one, 6050)])


def test_weeks_are_closed_in_their_order(payroll: PayrollScenario) -> None:
    with payroll.practice.work() as work:
        open_period(work, date(2026, 3, 1))
    with pytest.raises(OutOfOrder, match="2026-03-01 first"):
        payroll.close(LAST, CUT_OFF)
    with pytest.raises(BeforePayBegan):
        payroll.close(date(2026, 2, 22), CUT_OFF)
    payroll.close(date(2026, 3, 1), CUT_OFF)
    assert payroll.close(LAST, CUT_OFF).status == "CLOSED"


def test_closing_again_changes_nothing_and_answers_the_same(payroll: PayrollScenario) -> None:
    payroll.held()
    payroll.held(HELD + DAY, signed=False)
    first = payroll.close(LAST, CUT_OFF)
    before = payroll.rows("pay_lines"), payroll.rows("pay_periods"), payroll.rows("audit_log")
    payroll.set_rate(9000, CUT_OFF + HOUR)
    assert payroll.close(LAST, CUT_OFF + 3 * DAY) == first
    assert (payroll.rows("pay_lines"), payroll.rows("pay_periods")) == before[:2]
    (entry,) = [row for row in payroll.rows("audit_log") if row.action == "pay_period.closed"]
    assert entry.details["lines"] == entry.details["standby"] == 1
    assert entry.details["total_cents"] == 6050


def test_whose_clock_is_behind_closes_after_the_one_before(payroll: PayrollScenario) -> None:
    """They were asked at the same moment; the week before was closed while the second waited."""
    one = payroll.held(HELD - WEEK)
    payroll.close(LAST - WEEK, CUT_OFF + HOUR)
    found = payroll.close(LAST, CUT_OFF + HOUR - 5 * SECOND)
    assert found.lines == []
    assert found.closed_at == CUT_OFF + HOUR
    assert [row.appointment_id for row in payroll.rows("pay_lines")] == [one]


# What it pays


def test_what_is_unsigned_stands_by_and_is_paid_late(payroll: PayrollScenario) -> None:
    one = payroll.held(signed=False)
    closed = payroll.close(LAST, CUT_OFF)
    assert (closed.lines, [line.amount_cents for line in closed.standby]) == ([], [6050])
    payroll.sign(one, CUT_OFF)
    assert told(payroll.preview(LAST + WEEK, CUT_OFF + DAY)) == [("late", one, 6050)]
    assert told(payroll.close(LAST + WEEK, NEXT_CUT_OFF)) == [("late", one, 6050)]
    assert payroll.close(LAST + 2 * WEEK, NEXT_CUT_OFF + WEEK).lines == []


def test_what_was_signed_in_the_last_second_and_seen_too_late_is_paid_by_the_next(payroll: PayrollScenario) -> None:
    one = payroll.held(signed=False)
    payroll.close(LAST, CUT_OFF)
    payroll.sign(one, CUT_OFF - SECOND)  # its transaction ended after the closing had looked
    assert told(payroll.close(LAST + WEEK, NEXT_CUT_OFF)) == [("late", one, 6050)]


def test_what_stood_by_is_paid_also_where_its_signature_turns_out_to_be_older(payroll: PayrollScenario) -> None:
    """As when a note that was written and signed without its appointment is put to it afterwards."""
    one = payroll.held(HELD - WEEK, signed=False)
    payroll.close(LAST, CUT_OFF)
    payroll.sign(one, HELD - WEEK + 2 * HOUR)
    assert told(payroll.close(LAST + WEEK, NEXT_CUT_OFF)) == [("late", one, 6050)]


def test_what_was_completed_late_and_seen_too_late_is_paid_by_the_next(payroll: PayrollScenario) -> None:
    payroll.close(LAST, CUT_OFF)
    old = payroll.held(HELD - 3 * WEEK, status_at=CUT_OFF - SECOND)
    new = payroll.held(HELD, status_at=CUT_OFF - SECOND)
    found = payroll.close(LAST + WEEK, NEXT_CUT_OFF)
    assert told(found) == [("late", old, 6050), ("late", new, 6050)]
    later = payroll.held(HELD - 3 * WEEK, status_at=NEXT_CUT_OFF)
    assert told(payroll.close(LAST + 2 * WEEK, NEXT_CUT_OFF + WEEK)) == [("late", later, 6050)]


def test_what_lies_before_the_first_week_is_paid_elsewhere(payroll: PayrollScenario) -> None:
    old = payroll.held(HELD - WEEK)
    waiting = payroll.held(HELD - WEEK + HOUR, signed=False)
    other = payroll.practice.add("clinician")
    payroll.held(HELD - WEEK, clinician=other)
    found = payroll.close(LAST, CUT_OFF)
    assert (found.lines, [line.appointment_id for line in found.standby]) == ([], [waiting])
    assert told(payroll.preview(LAST - WEEK, CUT_OFF)) == [("regular", old, 6050)]  # worked out, never paid
    payroll.sign(waiting, CUT_OFF + HOUR)
    payroll.set_rate(7000, CUT_OFF + HOUR, who=other)
    assert told(payroll.close(LAST + WEEK, NEXT_CUT_OFF)) == [("late", waiting, 6050)]


def test_a_rate_that_comes_late_is_paid_late_also_after_the_week_was_closed(payroll: PayrollScenario) -> None:
    other = payroll.practice.add("clinician")
    one = payroll.held(clinician=other)
    unsigned = payroll.held(HELD + HOUR, clinician=other, signed=False)
    for week in (LAST, LAST + WEEK):
        found = payroll.close(week, CUT_OFF + (week - LAST))
        assert (found.lines, found.standby) == ([], [])
        assert [problem.partition(".")[0] for problem in found.problems] == [
            f"{other.staff_id} has sessions and no base rate"
        ]
    payroll.set_rate(7000, NEXT_CUT_OFF + HOUR, date(2026, 3, 1), other)
    found = payroll.close(LAST + 2 * WEEK, NEXT_CUT_OFF + WEEK)
    assert told(found) == [("late", one, 7000)]
    assert [line.appointment_id for line in found.standby] == [unsigned]
    assert found.problems == []


@pytest.mark.parametrize("here", ["Etc/GMT+12", "Pacific/Kiritimati"])  # where a date begins last, and first
def test_who_had_no_rate_before_a_date_had_none_until_it_began_there(installation: Installation, here: str) -> None:
    practice = make_practice(installation, time_zone=here)
    payroll, zone = PayrollScenario(practice), ZoneInfo(here)
    other, begins = practice.add("clinician"), instant(LAST, time.min, zone)
    payroll.set_rate(7000, begins - WEEK, LAST, other)
    before, since = (payroll.held(begins + at, clinician=other) for at in (-SECOND, timedelta(0)))
    for week in (LAST - WEEK, LAST):
        found = payroll.close(week, cut_off(week, zone))
        assert [problem.split()[0] for problem in found.problems] == [str(other.staff_id)]
    assert told(found) == [("regular", since, 7000)]
    for asks in ("Etc/GMT+12", "UTC", "Pacific/Kiritimati"):
        with practice.work(now=cut_off(LAST + WEEK, zone)) as work:
            work.db.execute(text("select set_config('timezone', :asks, true)"), {"asks": asks})
            assert len(preview(work, LAST + WEEK, work.now).problems) == 1
    payroll.set_rate(5000, cut_off(LAST, zone) + HOUR, who=other)
    assert told(payroll.close(LAST + WEEK, cut_off(LAST + WEEK, zone))) == [("late", before, 5000)]


def test_a_voided_session_is_not_paid(payroll: PayrollScenario) -> None:
    for one in (payroll.held(), payroll.held(HELD + HOUR, signed=False)):
        with payroll.practice.work(now=CUT_OFF - HOUR) as work:
            void_completion(work, Scope.ALL, one, "Twice")
    found = payroll.close(LAST, CUT_OFF)
    assert (found.lines, found.standby) == ([], [])


def test_whoever_has_left_is_paid(payroll: PayrollScenario) -> None:
    one = payroll.held()
    with payroll.practice.work() as work:
        deactivate_staff(work, payroll.clinician.staff_id, date(2026, 3, 12))
    assert told(payroll.close(LAST, CUT_OFF)) == [("regular", one, 6050)]


@pytest.mark.parametrize(
    ("week", "end"),
    [
        (date(2026, 3, 8), datetime(2026, 3, 16, 4, tzinfo=UTC)),  # 167 hours
        (date(2025, 11, 2), datetime(2025, 11, 10, 5, tzinfo=UTC)),  # 169 hours
    ],
)
def test_weeks_of_the_clock_changes(payroll: PayrollScenario, week: date, end: datetime) -> None:
    payroll.set_rate(6050, datetime(2025, 1, 1, tzinfo=UTC))
    first = datetime(week.year, week.month, week.day, 5 if week.month == 3 else 4, 5, tzinfo=UTC)  # 00:05 on the wall
    last = end - DAY - HOUR  # Saturday, 23:00
    before, early, late, after = (
        payroll.held(at, signed=False, status_at=at + timedelta(minutes=30))
        for at in (first - 10 * timedelta(minutes=1), first, last, last + HOUR)
    )
    for one in (before, early, after):
        payroll.sign(one, end - SECOND)
    payroll.sign(late, end)
    with pytest.raises(CutOffAhead):
        payroll.close(week, end - SECOND)
    found = payroll.close(week, end)
    assert told(found) == [("late", before, 6050), ("regular", early, 6050)]
    assert [line.appointment_id for line in found.standby] == [late]
    assert told(payroll.close(week + WEEK, end + WEEK + HOUR)) == [("late", late, 6050), ("regular", after, 6050)]


# Groups


def test_a_group_is_paid_once_under_its_smallest_seat_and_keeps_it(payroll: PayrollScenario) -> None:
    group, (first, second) = payroll.group()
    payroll.sign(first, HELD + 2 * HOUR)
    assert payroll.close(LAST, CUT_OFF).lines == []
    payroll.sign(second, CUT_OFF + HOUR)
    found = payroll.close(LAST + WEEK, NEXT_CUT_OFF)
    assert told(found) == [("late", first, 13613)]  # 60.50 x 1.5 x 1.5 hours
    assert found.lines[0].session_id == group
    service = found.lines[0]
    late = payroll.held(
        HELD, signed=False, service=payroll.rows("group_sessions")[0].service_id, group_session_id=group,
        status_at=NEXT_CUT_OFF + HOUR, external_id="0",
    )  # fmt: skip
    after = payroll.close(LAST + 2 * WEEK, NEXT_CUT_OFF + WEEK)
    assert (after.lines, after.standby) == ([], [])
    with payroll.practice.work(now=NEXT_CUT_OFF + WEEK) as work:
        worth = worth_of(work, [first, second, late], work.now)
    assert [worth[one].amount_cents for one in (first, second, late)] == [13613, 0, 0]
    assert {one.paid for one in worth.values()} == {LAST + WEEK}
    assert service.minutes == 90


def test_a_group_without_its_unsigned_seat_is_done_when_that_was_voided(payroll: PayrollScenario) -> None:
    _, (first, second) = payroll.group()
    payroll.sign(second, HELD + 2 * HOUR)
    payroll.close(LAST, CUT_OFF)
    with payroll.practice.work(now=CUT_OFF + HOUR) as work:
        void_completion(work, Scope.ALL, first, "Was not there")
    assert payroll.preview(LAST + WEEK, CUT_OFF + DAY, as_of=CUT_OFF).lines == []
    assert told(payroll.close(LAST + WEEK, NEXT_CUT_OFF)) == [("late", second, 13613)]


def test_a_void_does_not_move_a_group_into_a_week_that_is_over(payroll: PayrollScenario) -> None:
    _, (first, second) = payroll.group()
    payroll.sign(second, HELD + 2 * HOUR)
    with payroll.practice.work(now=CUT_OFF + HOUR) as work:
        void_completion(work, Scope.ALL, first, "Was not there")
    assert payroll.preview(LAST, CUT_OFF + DAY).lines == []
    assert told(payroll.preview(LAST + WEEK, CUT_OFF + DAY)) == [("late", second, 13613)]


def test_a_group_counts_while_a_signed_seat_stands_and_again_when_one_is_added(payroll: PayrollScenario) -> None:
    group, (first, second) = payroll.group()
    for seat in (first, second):
        payroll.sign(seat, HELD + 2 * HOUR)
    payroll.close(LAST, CUT_OFF)
    payroll.take_back(first, CUT_OFF + HOUR)
    assert payroll.close(LAST + WEEK, NEXT_CUT_OFF).lines == []
    payroll.take_back(second, NEXT_CUT_OFF + HOUR)
    after = NEXT_CUT_OFF + WEEK
    assert told(payroll.close(LAST + 2 * WEEK, after)) == [("adjustment", first, -13613)]
    service = payroll.rows("group_sessions")[0].service_id
    third = payroll.held(HELD, signed=False, service=service, group_session_id=group, status_at=after + HOUR)
    assert payroll.close(LAST + 3 * WEEK, after + WEEK).lines == []  # it is not signed
    payroll.sign(third, after + WEEK + HOUR)
    found = payroll.close(LAST + 4 * WEEK, after + 2 * WEEK)
    assert [(line.kind, line.reason, line.amount_cents) for line in found.lines] == [
        ("adjustment", "COUNTS_AGAIN", 13613)
    ]
    assert payroll.close(LAST + 5 * WEEK, after + 3 * WEEK).lines == []


def test_a_group_that_was_paid_nothing_and_given_up_is_paid_once_it_counts_again(payroll: PayrollScenario) -> None:
    """No adjustment says that it was given up, for there was nothing to take back."""
    payroll.set_rate(0, HELD)
    group, (first, second) = payroll.group()
    for seat in (first, second):
        payroll.sign(seat, HELD + 2 * HOUR)
    assert told(payroll.close(LAST, CUT_OFF)) == [("regular", first, 0)]
    for seat in (first, second):
        payroll.take_back(seat, CUT_OFF + HOUR)
    service = payroll.rows("group_sessions")[0].service_id
    third = payroll.held(signed=False, service=service, group_session_id=group, status_at=CUT_OFF + HOUR)
    payroll.set_rate(6050, CUT_OFF + 2 * HOUR)
    assert payroll.close(LAST + WEEK, NEXT_CUT_OFF).lines == []
    after = NEXT_CUT_OFF + WEEK
    assert payroll.close(LAST + 2 * WEEK, after).lines == []
    payroll.sign(third, after + HOUR)
    assert told(payroll.close(LAST + 3 * WEEK, after + WEEK)) == [("adjustment", first, 13613)]


# What was known


def test_a_preview_uses_what_was_known_then_also_of_what_was_closed(payroll: PayrollScenario) -> None:
    one = payroll.held()
    payroll.open(LAST, HELD + DAY)
    open_then = payroll.preview(LAST, CUT_OFF)
    closed = payroll.close(LAST, CUT_OFF + HOUR)
    payroll.set_rate(9900, CUT_OFF + 2 * HOUR)
    later = CUT_OFF + 3 * HOUR
    assert payroll.preview(LAST, later, as_of=CUT_OFF) == open_then
    assert (open_then.status, told(open_then)) == ("OPEN", [("regular", one, 6050)])
    assert payroll.preview(LAST, later, as_of=CUT_OFF + HOUR) == payroll.preview(LAST, later) == closed
    assert payroll.preview(LAST + WEEK, later, as_of=CUT_OFF + HOUR).lines == []
    assert [line.kind for line in payroll.preview(LAST + WEEK, later).lines] == ["adjustment"]
    assert payroll.preview(LAST + 2 * WEEK, later).lines == []  # the next week corrects it
