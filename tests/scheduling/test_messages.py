"""What clients are told about their appointments: planned in the same step, taken back when it no longer holds."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.support.builders.schedule import make_client
from tests.support.drivers.booking import DAY, HOUR, MINUTE, MONDAY, BookingApi, at, wall

TEN = wall(MONDAY, 10)
LEADS = (24 * 60, 2 * 60, 15)


def planned(booking_api: BookingApi, kind: str | None = None, status: str = "PLANNED") -> list[Any]:
    query = """
        select m.*, a.starts_at, a.status as appointment_status from messages as m
        left join appointments as a on a.tenant_id = m.tenant_id and a.id = m.appointment_id
        where m.tenant_id = :tenant_id and m.status = :status and (m.kind = :kind or cast(:kind as text) is null)
        order by m.due_at, m.channel
    """
    return booking_api.rows(query, kind=kind, status=status)


def told(booking_api: BookingApi) -> list[str]:
    return [message.kind for message in planned(booking_api) if message.kind != "REMINDER"]


def due(booking_api: BookingApi) -> list[tuple[datetime, int]]:
    return [(message.due_at, message.lead_minutes) for message in planned(booking_api, "REMINDER")]


def test_a_booking_is_told_and_reminded_of_three_times(booking_api: BookingApi) -> None:
    booked = booking_api.booked(TEN)
    assert due(booking_api) == [(TEN - timedelta(minutes=lead), lead) for lead in LEADS]
    for message in planned(booking_api):
        assert (message.channel, message.client_id, str(message.appointment_id)) == (
            "email",
            booking_api.client,
            booked["id"],
        )
    [confirmation] = planned(booking_api, "BOOKED")
    assert confirmation.due_at == booking_api.now


@pytest.mark.parametrize(
    ("reminders", "contact", "channels"),
    [
        (["email"], {}, ["email"]),
        (["sms"], {}, ["sms"]),
        (["email", "sms"], {}, ["email", "sms"]),
        ([], {}, []),
        (["email", "sms"], {"phone": None}, ["email"]),
        (["sms"], {"phone": None}, []),
        (["email"], {"email": None}, []),
    ],
)
def test_clients_are_told_as_they_wish_and_can_be(
    booking_api: BookingApi, reminders: list[str], contact: dict[str, Any], channels: list[str]
) -> None:
    client = make_client(booking_api.practice, reminders=reminders, **contact)
    booked = booking_api.booked(TEN, client_id=client)
    for lead in LEADS:
        assert [m.channel for m in planned(booking_api, "REMINDER") if m.lead_minutes == lead] == channels
    assert [m.channel for m in planned(booking_api, "BOOKED")] == channels
    booking_api.done(booked, "cancel", reason="Ill")
    assert [m.channel for m in planned(booking_api, "CANCELLED")] == channels


@pytest.mark.parametrize(
    ("ahead", "leads"),
    [
        (24 * HOUR + MINUTE, [1440, 120, 15]),
        (24 * HOUR, [120, 15]),
        (2 * HOUR, [15]),
        (16 * MINUTE, [15]),
        (15 * MINUTE, []),
        (MINUTE, []),
        (-DAY, []),
    ],
)
def test_nobody_is_reminded_of_what_is_too_near_or_over(
    booking_api: BookingApi, ahead: timedelta, leads: list[int]
) -> None:
    booking_api.booked(booking_api.now + ahead)
    assert [lead for _, lead in due(booking_api)] == leads
    assert told(booking_api) == (["BOOKED"] if ahead > timedelta(0) else [])


def test_nothing_is_sent_of_a_cancelled_appointment_but_that_it_is(booking_api: BookingApi) -> None:
    booked = booking_api.booked(TEN)
    booking_api.write("update messages set status = 'SENT', sent_at = due_at where lead_minutes = 1440")
    booking_api.done(booked, "cancel", reason="Ill")
    assert (told(booking_api), due(booking_api)) == (["CANCELLED"], [])
    assert [message.lead_minutes for message in planned(booking_api, "REMINDER", "SENT")] == [1440]
    assert [message.lead_minutes for message in planned(booking_api, "REMINDER", "CANCELLED")] == [120, 15]


def test_a_moved_appointment_is_told_once_and_reminded_of_at_its_new_time(booking_api: BookingApi) -> None:
    booked = booking_api.booked(TEN)
    [new] = booking_api.done(booked, "reschedule", starts_at=TEN + DAY)["items"]
    assert due(booking_api) == [(TEN + DAY - timedelta(minutes=lead), lead) for lead in LEADS]
    assert told(booking_api) == ["MOVED"]
    assert {str(message.appointment_id) for message in planned(booking_api)} == {new["id"]}
    booking_api.done(new, "reschedule", starts_at=TEN)
    assert due(booking_api) == [(TEN - timedelta(minutes=lead), lead) for lead in LEADS]
    assert told(booking_api) == ["MOVED"]


def test_whoever_missed_a_visit_is_written_to(booking_api: BookingApi) -> None:
    booked = booking_api.booked(TEN)
    booking_api.now = TEN + 20 * MINUTE
    booking_api.done(booked, "no-show")
    [message] = planned(booking_api)
    assert (message.kind, message.due_at) == ("NO_SHOW_FOLLOW_UP", booking_api.now)


@pytest.mark.parametrize("verb", ["check-in", "complete"])
def test_whoever_is_there_or_was_is_not_reminded(booking_api: BookingApi, verb: str) -> None:
    booked = booking_api.booked(TEN)
    booking_api.now = TEN - HOUR if verb == "check-in" else TEN
    booking_api.done(booked, verb)
    assert due(booking_api) == []


def test_a_confirmed_visit_is_reminded_of(booking_api: BookingApi) -> None:
    booking_api.done(booking_api.booked(TEN), "confirm")
    assert len(due(booking_api)) == 3


def test_what_was_cancelled_after_it_should_have_begun_is_not_told(booking_api: BookingApi) -> None:
    booked = booking_api.booked(TEN)
    booking_api.now = TEN + HOUR
    booking_api.done(booked, "cancel", reason="Entered twice")
    assert planned(booking_api) == []


def test_of_a_series_each_is_reminded_of_and_the_whole_is_told_once(booking_api: BookingApi) -> None:
    answer = booking_api.post("/appointments/series", **booking_api.wanted(TEN, rule="FREQ=WEEKLY;COUNT=4"))
    first = answer.json()["occurrences"][0]["appointment_id"]
    assert len(due(booking_api)) == 12
    assert told(booking_api) == ["BOOKED"]
    booking_api.done(first, "reschedule", starts_at=TEN + HOUR, which="all")
    assert (len(due(booking_api)), told(booking_api)) == (12, ["MOVED"])
    assert {
        start - timedelta(minutes=lead)
        for start, lead in [(m.starts_at, m.lead_minutes) for m in planned(booking_api, "REMINDER")]
    } == {moment for moment, _ in due(booking_api)}
    newest = booking_api.get("/appointments", status="SCHEDULED").json()["items"][1]
    booking_api.done(newest, "cancel", reason="Ill", which="following")
    assert (len(due(booking_api)), sorted(told(booking_api))) == (3, ["CANCELLED", "MOVED"])


def test_a_series_in_two_rooms_is_still_told_of_once(booking_api: BookingApi) -> None:
    answer = booking_api.post("/appointments/series", **booking_api.wanted(TEN, rule="FREQ=WEEKLY;COUNT=3"))
    ids = [one["appointment_id"] for one in answer.json()["occurrences"]]
    booking_api.patch(f"/appointments/{ids[1]}", 1, room_id=booking_api.room)
    booking_api.done(ids[0], "reschedule", starts_at=TEN + HOUR, which="all")
    assert told(booking_api) == ["MOVED"]


def test_no_message_is_planned_twice(booking_api: BookingApi) -> None:
    for _ in range(2):
        booked = booking_api.booked(TEN)
        booking_api.done(booked, "cancel", reason="Ill")
    assert sorted(told(booking_api)) == ["CANCELLED", "CANCELLED"]
    keys = [(m.appointment_id, m.kind, m.lead_minutes, m.channel) for m in planned(booking_api, None, "CANCELLED")]
    assert len(keys) == len(set(keys)) == 8


def test_messages_hold_no_words(booking_api: BookingApi) -> None:
    """What a message says is written when it is sent; here are only references."""
    booking_api.booked(TEN, special_requests="Quiet")
    columns = booking_api.rows("select column_name from information_schema.columns where table_name = 'messages'")
    assert not {"text", "body", "subject", "address"} & {column for (column,) in columns}
    assert all(isinstance(message.appointment_id, UUID) for message in planned(booking_api))


def test_all_of_it_is_due_in_the_order_in_which_it_happened(booking_api: BookingApi) -> None:
    booked = booking_api.booked(TEN)
    booking_api.now = TEN - 3 * HOUR
    [moved] = booking_api.done(booked, "reschedule", starts_at=TEN + HOUR)["items"]
    assert [message.due_at for message in planned(booking_api, "MOVED")] == [TEN - 3 * HOUR]
    assert [moment for moment, _ in due(booking_api)] == [TEN - HOUR, TEN + 45 * MINUTE]
    assert at(moved["starts_at"]) == TEN + HOUR
