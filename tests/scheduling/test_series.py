"""Series over the API: the same local time for up to two years, all or nothing."""

from datetime import date, datetime
from typing import Any

import pytest

from tests.support.builders.schedule import make_client
from tests.support.drivers.booking import DAY, HOUR, MONDAY, NEW_YORK, BookingApi, assert_error, local, parse_instant

TEN = local(MONDAY, 10)
WEEK = 7 * DAY


def book_series(booking_api: BookingApi, start: datetime, rule: str, **fields: Any) -> Any:
    return booking_api.post("/appointments/series", **booking_api.booking_body(start, rule=rule, **fields))


def local_starts(response: Any) -> list[datetime]:
    assert response.status_code == 201, response.text
    starts = [parse_instant(occurrence["starts_at"]) for occurrence in response.json()["occurrences"]]
    return [start.astimezone(NEW_YORK) for start in starts]


def test_every_occurrence_is_an_appointment_with_its_reference(booking_api: BookingApi) -> None:
    response = book_series(booking_api, TEN, "FREQ=WEEKLY;COUNT=3", special_requests="Quiet", room_id=booking_api.room)
    series = response.json()
    assert [occurrence["status"] for occurrence in series["occurrences"]] == ["booked"] * 3
    assert len({occurrence["reference"] for occurrence in series["occurrences"]}) == 3
    for number, occurrence in enumerate(series["occurrences"]):
        appointment = booking_api.get(f"/appointments/{occurrence['appointment_id']}").json()
        assert parse_instant(appointment["starts_at"]) == parse_instant(occurrence["starts_at"]) == TEN + number * WEEK
        assert (appointment["series_id"], appointment["special_requests"]) == (series["series_id"], "Quiet")
    assert len(booking_api.list_occupancies()) == 9


@pytest.mark.parametrize(
    ("first", "count"),
    [(date(2026, 10, 14), 30), (date(2026, 3, 25), 45)],  # over 1 November and 14 March
)
def test_a_weekly_series_keeps_its_local_time_across_clock_changes(
    booking_api: BookingApi, first: date, count: int
) -> None:
    starts = local_starts(book_series(booking_api, local(first, 17), f"FREQ=WEEKLY;COUNT={count}"))
    assert [start.date() for start in starts] == [first + number * WEEK for number in range(count)]
    assert {(start.hour, start.minute) for start in starts} == {(17, 0)}
    assert {start.utcoffset() for start in starts} == {-4 * HOUR, -5 * HOUR}


def test_every_two_weeks_and_several_days_of_a_week(booking_api: BookingApi) -> None:
    starts = local_starts(book_series(booking_api, TEN, "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH;COUNT=5"))
    assert [start.date() for start in starts] == [MONDAY + n * DAY for n in (0, 3, 14, 17, 28)]


def test_monthly_on_the_31st_is_in_the_months_that_have_one(booking_api: BookingApi) -> None:
    starts = local_starts(
        book_series(booking_api, local(date(2026, 3, 31), 10), "FREQ=MONTHLY;BYMONTHDAY=31;UNTIL=20270331")
    )
    assert [(start.month, start.day) for start in starts] == [(m, 31) for m in (3, 5, 7, 8, 10, 12, 1, 3)]
    assert {start.hour for start in starts} == {10}


def test_until_is_a_local_date_and_included(booking_api: BookingApi) -> None:
    late = local(MONDAY, 19)
    starts = local_starts(book_series(booking_api, late, "FREQ=WEEKLY;UNTIL=20260406"))
    assert [start.date() for start in starts] == [MONDAY, MONDAY + WEEK, MONDAY + 2 * WEEK]


@pytest.mark.parametrize(
    "rule",
    [
        *("FREQ=DAILY;COUNT=3", "FREQ=WEEKLY", "FREQ=WEEKLY;COUNT=106", "FREQ=WEEKLY;UNTIL=20280401", "nonsense"),
        *("FREQ=WEEKLY;COUNT=1", "FREQ=WEEKLY;BYDAY=TU;COUNT=3", "FREQ=WEEKLY;COUNT=3;UNTIL=20260501", ""),
    ],
)
def test_an_unsupported_rule_is_refused(booking_api: BookingApi, rule: str) -> None:
    assert_error(book_series(booking_api, TEN, rule), "VALIDATION_ERROR", 422)
    assert booking_api.count("appointments") == booking_api.count("series") == 0


@pytest.mark.parametrize(("rule", "count"), [("FREQ=WEEKLY;COUNT=104", 104), ("FREQ=WEEKLY;UNTIL=20280323", 105)])
def test_two_years_are_booked_together(booking_api: BookingApi, rule: str, count: int) -> None:
    starts = local_starts(book_series(booking_api, TEN, rule))
    assert len(starts) == count
    assert {start.hour for start in starts} == {10}
    assert booking_api.count("appointments") == count
    assert len({row[0] for row in booking_api.load_rows("select reference from appointments")}) == count


def test_with_one_conflict_in_two_years_nothing_is_booked_and_each_occurrence_is_listed(
    booking_api: BookingApi,
) -> None:
    taken = local(MONDAY + 50 * WEEK, 10)
    booking_api.book_appointment(taken, client_id=make_client(booking_api.practice))
    closed = MONDAY + 10 * WEEK
    booking_api.close_on(closed)
    before = (booking_api.count("appointments"), booking_api.count("messages"), booking_api.list_occupancies())
    error = assert_error(book_series(booking_api, TEN, "FREQ=WEEKLY;COUNT=104"), "SLOT_TAKEN")
    listed = error["details"]["occurrences"]
    assert len(listed) == 104
    blocked = {
        parse_instant(occurrence["starts_at"]): occurrence["problems"]
        for occurrence in listed
        if not occurrence["free"]
    }
    assert set(blocked) == {taken, local(closed, 10)}
    assert "clinician has another appointment" in blocked[taken][0]
    assert "closed" in blocked[local(closed, 10)][0]
    assert before == (booking_api.count("appointments"), booking_api.count("messages"), booking_api.list_occupancies())
    assert booking_api.count("series") == 0
    # for the first start that is not free
    around = {
        parse_instant(occurrence["starts_at"]).astimezone(NEW_YORK).date()
        for occurrence in error["details"]["alternatives"]
    }
    assert around
    assert all(abs((day - closed).days) <= 7 for day in around)


def test_with_conflicts_skipped_the_rest_is_booked(booking_api: BookingApi) -> None:
    taken = local(MONDAY + 50 * WEEK, 10)
    booking_api.book_appointment(taken, client_id=make_client(booking_api.practice))
    response = book_series(booking_api, TEN, "FREQ=WEEKLY;COUNT=104", skip_conflicts=True)
    occurrences = response.json()["occurrences"]
    assert len(occurrences) == 104
    [skipped] = [occurrence for occurrence in occurrences if occurrence["status"] == "skipped"]
    assert (parse_instant(skipped["starts_at"]), skipped["appointment_id"], skipped["reference"]) == (taken, None, None)
    assert [problem["code"] for problem in skipped["problems"]] == ["SLOT_TAKEN"]
    assert all(occurrence["problems"] == [] for occurrence in occurrences if occurrence is not skipped)
    assert booking_api.count("appointments") == 104  # one of them existed before


def test_nothing_is_booked_if_every_occurrence_has_a_conflict(booking_api: BookingApi) -> None:
    booking_api.add_exception(MONDAY)
    booking_api.add_exception(MONDAY + WEEK)
    assert_error(book_series(booking_api, TEN, "FREQ=WEEKLY;COUNT=2", skip_conflicts=True), "OUTSIDE_HOURS")
    assert booking_api.count("series") == 0


def test_each_occurrence_is_checked_for_its_own_day(booking_api: BookingApi) -> None:
    booking_api.write("update clients set ended_on = '2026-04-06' where id = :id", id=booking_api.client)
    booking_api.write("update staff set left_on = '2026-04-12' where id = :id", id=booking_api.clinician.staff_id)
    error = assert_error(book_series(booking_api, TEN, "FREQ=WEEKLY;COUNT=4"), "CLIENT_NOT_ACTIVE")
    codes = {problem["code"] for problem in error["details"]["problems"]}
    assert codes == {"CLIENT_NOT_ACTIVE", "CLINICIAN_NOT_ACTIVE"}
    assert [occurrence["free"] for occurrence in error["details"]["occurrences"]] == [True, True, False, False]
    occurrences = book_series(booking_api, TEN, "FREQ=WEEKLY;COUNT=4", skip_conflicts=True).json()["occurrences"]
    assert [occurrence["status"] for occurrence in occurrences] == ["booked", "booked", "skipped", "skipped"]


def test_a_problem_of_the_client_applies_to_all_occurrences(booking_api: BookingApi) -> None:
    booking_api.write(
        "update consents set revoked_at = signed_at + interval '1 day' where client_id = :id", id=booking_api.client
    )
    error = assert_error(book_series(booking_api, TEN, "FREQ=WEEKLY;COUNT=3", skip_conflicts=True), "CONSENT_REVOKED")
    assert len(error["details"]["problems"]) == 1  # reported once
    assert [occurrence["free"] for occurrence in error["details"]["occurrences"]] == [False] * 3


def test_series_are_booked_by_staff(booking_api: BookingApi) -> None:
    assert_error(
        booking_api.post(
            "/appointments/series",
            booking_api.add_portal_client(),
            **booking_api.booking_body(TEN, client_id=None, rule="FREQ=WEEKLY;COUNT=2"),
        ),
        "FORBIDDEN",
        403,
    )


def test_a_time_that_the_clock_skips_moves_forward_and_back(booking_api: BookingApi) -> None:
    booking_api.write("update availability_windows set start_time = '00:00'")
    sunday = date(2027, 2, 28)
    starts = local_starts(
        book_series(booking_api, local(sunday, 2, 30), "FREQ=WEEKLY;COUNT=4")
    )  # the clock is put on on 14 March
    assert [(start.hour, start.minute) for start in starts] == [(2, 30), (2, 30), (3, 30), (2, 30)]
