"""Series over the API: the same local time for up to two years, whole or not at all."""

from datetime import date, datetime
from typing import Any

import pytest

from tests.support.builders.schedule import make_client
from tests.support.drivers.booking import DAY, HOUR, MONDAY, NEW_YORK, BookingApi, at, refused, wall

TEN = wall(MONDAY, 10)
WEEK = 7 * DAY


def book(booking_api: BookingApi, start: datetime, rule: str, **more: Any) -> Any:
    return booking_api.post("/appointments/series", **booking_api.wanted(start, rule=rule, **more))


def local_starts(answer: Any) -> list[datetime]:
    assert answer.status_code == 201, answer.text
    found = [at(one["starts_at"]) for one in answer.json()["occurrences"]]
    return [start.astimezone(NEW_YORK) for start in found]


def test_every_occurrence_is_an_appointment_with_its_reference(booking_api: BookingApi) -> None:
    answer = book(booking_api, TEN, "FREQ=WEEKLY;COUNT=3", special_requests="Quiet", room_id=booking_api.room)
    found = answer.json()
    assert [one["status"] for one in found["occurrences"]] == ["booked"] * 3
    assert len({one["reference"] for one in found["occurrences"]}) == 3
    for number, one in enumerate(found["occurrences"]):
        appointment = booking_api.get(f"/appointments/{one['appointment_id']}").json()
        assert at(appointment["starts_at"]) == at(one["starts_at"]) == TEN + number * WEEK
        assert (appointment["series_id"], appointment["special_requests"]) == (found["series_id"], "Quiet")
    assert len(booking_api.occupied()) == 9


@pytest.mark.parametrize(
    ("first", "count"),
    [(date(2026, 10, 14), 30), (date(2026, 3, 25), 45)],  # over 1 November and 14 March
)
def test_weekly_at_five_stays_at_five_over_the_changes_of_the_clock(
    booking_api: BookingApi, first: date, count: int
) -> None:
    found = local_starts(book(booking_api, wall(first, 17), f"FREQ=WEEKLY;COUNT={count}"))
    assert [start.date() for start in found] == [first + number * WEEK for number in range(count)]
    assert {(start.hour, start.minute) for start in found} == {(17, 0)}
    assert {start.utcoffset() for start in found} == {-4 * HOUR, -5 * HOUR}


def test_every_two_weeks_and_several_days_of_a_week(booking_api: BookingApi) -> None:
    found = local_starts(book(booking_api, TEN, "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH;COUNT=5"))
    assert [start.date() for start in found] == [MONDAY + n * DAY for n in (0, 3, 14, 17, 28)]


def test_monthly_on_the_31st_is_in_the_months_that_have_one(booking_api: BookingApi) -> None:
    found = local_starts(book(booking_api, wall(date(2026, 3, 31), 10), "FREQ=MONTHLY;BYMONTHDAY=31;UNTIL=20270331"))
    assert [(start.month, start.day) for start in found] == [(m, 31) for m in (3, 5, 7, 8, 10, 12, 1, 3)]
    assert {start.hour for start in found} == {10}


def test_until_is_a_local_date_and_included(booking_api: BookingApi) -> None:
    late = wall(MONDAY, 19)
    found = local_starts(book(booking_api, late, "FREQ=WEEKLY;UNTIL=20260406"))
    assert [start.date() for start in found] == [MONDAY, MONDAY + WEEK, MONDAY + 2 * WEEK]


@pytest.mark.parametrize(
    "rule",
    [
        *("FREQ=DAILY;COUNT=3", "FREQ=WEEKLY", "FREQ=WEEKLY;COUNT=106", "FREQ=WEEKLY;UNTIL=20280401", "nonsense"),
        *("FREQ=WEEKLY;COUNT=1", "FREQ=WEEKLY;BYDAY=TU;COUNT=3", "FREQ=WEEKLY;COUNT=3;UNTIL=20260501", ""),
    ],
)
def test_a_rule_that_the_practice_does_not_take_is_refused_with_a_sentence(booking_api: BookingApi, rule: str) -> None:
    refused(book(booking_api, TEN, rule), "VALIDATION_ERROR", 422)
    assert booking_api.count("appointments") == booking_api.count("series") == 0


@pytest.mark.parametrize(("rule", "count"), [("FREQ=WEEKLY;COUNT=104", 104), ("FREQ=WEEKLY;UNTIL=20280323", 105)])
def test_two_years_are_booked_at_once(booking_api: BookingApi, rule: str, count: int) -> None:
    found = local_starts(book(booking_api, TEN, rule))
    assert len(found) == count
    assert {start.hour for start in found} == {10}
    assert booking_api.count("appointments") == count
    assert len({row[0] for row in booking_api.rows("select reference from appointments")}) == count


def test_with_one_conflict_in_two_years_nothing_is_booked_and_each_occurrence_is_listed(
    booking_api: BookingApi,
) -> None:
    taken = wall(MONDAY + 50 * WEEK, 10)
    booking_api.booked(taken, client_id=make_client(booking_api.practice))
    closed = MONDAY + 10 * WEEK
    booking_api.close_on(closed)
    before = (booking_api.count("appointments"), booking_api.count("messages"), booking_api.occupied())
    error = refused(book(booking_api, TEN, "FREQ=WEEKLY;COUNT=104"), "SLOT_TAKEN")
    listed = error["details"]["occurrences"]
    assert len(listed) == 104
    blocked = {at(one["starts_at"]): one["problems"] for one in listed if not one["free"]}
    assert set(blocked) == {taken, wall(closed, 10)}
    assert "clinician has another appointment" in blocked[taken][0]
    assert "closed" in blocked[wall(closed, 10)][0]
    assert before == (booking_api.count("appointments"), booking_api.count("messages"), booking_api.occupied())
    assert booking_api.count("series") == 0
    # instead of the first that cannot be had
    around = {at(one["starts_at"]).astimezone(NEW_YORK).date() for one in error["details"]["alternatives"]}
    assert around
    assert all(abs((day - closed).days) <= 7 for day in around)


def test_with_conflicts_skipped_the_rest_is_booked(booking_api: BookingApi) -> None:
    taken = wall(MONDAY + 50 * WEEK, 10)
    booking_api.booked(taken, client_id=make_client(booking_api.practice))
    answer = book(booking_api, TEN, "FREQ=WEEKLY;COUNT=104", skip_conflicts=True)
    found = answer.json()["occurrences"]
    assert len(found) == 104
    [skipped] = [one for one in found if one["status"] == "skipped"]
    assert (at(skipped["starts_at"]), skipped["appointment_id"], skipped["reference"]) == (taken, None, None)
    assert [problem["code"] for problem in skipped["problems"]] == ["SLOT_TAKEN"]
    assert all(one["problems"] == [] for one in found if one is not skipped)
    assert booking_api.count("appointments") == 104  # one of them was there before


def test_where_nothing_is_left_nothing_is_booked(booking_api: BookingApi) -> None:
    booking_api.away(MONDAY)
    booking_api.away(MONDAY + WEEK)
    refused(book(booking_api, TEN, "FREQ=WEEKLY;COUNT=2", skip_conflicts=True), "OUTSIDE_HOURS")
    assert booking_api.count("series") == 0


def test_every_occurrence_is_judged_by_its_own_day(booking_api: BookingApi) -> None:
    booking_api.write("update clients set ended_on = '2026-04-06' where id = :id", id=booking_api.client)
    booking_api.write("update staff set left_on = '2026-04-12' where id = :id", id=booking_api.clinician.staff_id)
    error = refused(book(booking_api, TEN, "FREQ=WEEKLY;COUNT=4"), "CLIENT_NOT_ACTIVE")
    codes = {problem["code"] for problem in error["details"]["problems"]}
    assert codes == {"CLIENT_NOT_ACTIVE", "CLINICIAN_NOT_ACTIVE"}
    assert [one["free"] for one in error["details"]["occurrences"]] == [True, True, False, False]
    found = book(booking_api, TEN, "FREQ=WEEKLY;COUNT=4", skip_conflicts=True).json()["occurrences"]
    assert [one["status"] for one in found] == ["booked", "booked", "skipped", "skipped"]


def test_what_speaks_against_the_client_speaks_against_all(booking_api: BookingApi) -> None:
    booking_api.write(
        "update consents set revoked_at = signed_at + interval '1 day' where client_id = :id", id=booking_api.client
    )
    error = refused(book(booking_api, TEN, "FREQ=WEEKLY;COUNT=3", skip_conflicts=True), "CONSENT_REVOKED")
    assert len(error["details"]["problems"]) == 1  # said once
    assert [one["free"] for one in error["details"]["occurrences"]] == [False] * 3


def test_a_series_is_for_the_desk(booking_api: BookingApi) -> None:
    refused(
        booking_api.post(
            "/appointments/series",
            booking_api.portal(),
            **booking_api.wanted(TEN, client_id=None, rule="FREQ=WEEKLY;COUNT=2"),
        ),
        "FORBIDDEN",
        403,
    )


def test_a_time_that_the_clock_skips_moves_forward_and_back(booking_api: BookingApi) -> None:
    booking_api.write("update availability_windows set start_time = '00:00'")
    sunday = date(2027, 2, 28)
    found = local_starts(
        book(booking_api, wall(sunday, 2, 30), "FREQ=WEEKLY;COUNT=4")
    )  # the clock is put on on 14 March
    assert [(start.hour, start.minute) for start in found] == [(2, 30), (2, 30), (3, 30), (2, 30)]
