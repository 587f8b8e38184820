"""What clients are told about their appointments: planned in the same step, taken back when it no longer holds."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.support.builders.schedule import make_client
from tests.support.drivers.booking import DAY, HOUR, MINUTE, MONDAY, FrontDesk, at, wall

TEN = wall(MONDAY, 10)
LEADS = (24 * 60, 2 * 60, 15)


def planned(desk: FrontDesk, kind: str | None = None, status: str = "PLANNED") -> list[Any]:
    query = """
        select m.*, a.starts_at, a.status as appointment_status from messages as m
        left join appointments as a on a.tenant_id = m.tenant_id and a.id = m.appointment_id
        where m.tenant_id = :tenant_id and m.status = :status and (m.kind = :kind or cast(:kind as text) is null)
        order by m.due_at, m.channel
    """
    return desk.rows(query, kind=kind, status=status)


def told(desk: FrontDesk) -> list[str]:
    return [message.kind for message in planned(desk) if message.kind != "REMINDER"]


def due(desk: FrontDesk) -> list[tuple[datetime, int]]:
    return [(message.due_at, message.lead_minutes) for message in planned(desk, "REMINDER")]


def test_a_booking_is_told_and_reminded_of_three_times(desk: FrontDesk) -> None:
    booked = desk.booked(TEN)
    assert due(desk) == [(TEN - timedelta(minutes=lead), lead) for lead in LEADS]
    for message in planned(desk):
        assert (message.channel, message.client_id, str(message.appointment_id)) == ("email", desk.client, booked["id"])
    [confirmation] = planned(desk, "BOOKED")
    assert confirmation.due_at == desk.now


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
    desk: FrontDesk, reminders: list[str], contact: dict[str, Any], channels: list[str]
) -> None:
    client = make_client(desk.practice, reminders=reminders, **contact)
    booked = desk.booked(TEN, client_id=client)
    for lead in LEADS:
        assert [m.channel for m in planned(desk, "REMINDER") if m.lead_minutes == lead] == channels
    assert [m.channel for m in planned(desk, "BOOKED")] == channels
    desk.done(booked, "cancel", reason="Ill")
    assert [m.channel for m in planned(desk, "CANCELLED")] == channels


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
def test_nobody_is_reminded_of_what_is_too_near_or_over(desk: FrontDesk, ahead: timedelta, leads: list[int]) -> None:
    desk.booked(desk.now + ahead)
    assert [lead for _, lead in due(desk)] == leads
    assert told(desk) == (["BOOKED"] if ahead > timedelta(0) else [])


def test_nothing_is_sent_of_a_cancelled_appointment_but_that_it_is(desk: FrontDesk) -> None:
    booked = desk.booked(TEN)
    desk.write("update messages set status = 'SENT', sent_at = due_at where lead_minutes = 1440")
    desk.done(booked, "cancel", reason="Ill")
    assert (told(desk), due(desk)) == (["CANCELLED"], [])
    assert [message.lead_minutes for message in planned(desk, "REMINDER", "SENT")] == [1440]
    assert [message.lead_minutes for message in planned(desk, "REMINDER", "CANCELLED")] == [120, 15]


def test_a_moved_appointment_is_told_once_and_reminded_of_at_its_new_time(desk: FrontDesk) -> None:
    booked = desk.booked(TEN)
    [new] = desk.done(booked, "reschedule", starts_at=TEN + DAY)["items"]
    assert due(desk) == [(TEN + DAY - timedelta(minutes=lead), lead) for lead in LEADS]
    assert told(desk) == ["MOVED"]
    assert {str(message.appointment_id) for message in planned(desk)} == {new["id"]}
    desk.done(new, "reschedule", starts_at=TEN)
    assert due(desk) == [(TEN - timedelta(minutes=lead), lead) for lead in LEADS]
    assert told(desk) == ["MOVED"]


def test_whoever_missed_a_visit_is_written_to(desk: FrontDesk) -> None:
    booked = desk.booked(TEN)
    desk.now = TEN + 20 * MINUTE
    desk.done(booked, "no-show")
    [message] = planned(desk)
    assert (message.kind, message.due_at) == ("NO_SHOW_FOLLOW_UP", desk.now)


@pytest.mark.parametrize("verb", ["check-in", "complete"])
def test_whoever_is_there_or_was_is_not_reminded(desk: FrontDesk, verb: str) -> None:
    booked = desk.booked(TEN)
    desk.now = TEN - HOUR if verb == "check-in" else TEN
    desk.done(booked, verb)
    assert due(desk) == []


def test_a_confirmed_visit_is_reminded_of(desk: FrontDesk) -> None:
    desk.done(desk.booked(TEN), "confirm")
    assert len(due(desk)) == 3


def test_what_was_cancelled_after_it_should_have_begun_is_not_told(desk: FrontDesk) -> None:
    booked = desk.booked(TEN)
    desk.now = TEN + HOUR
    desk.done(booked, "cancel", reason="Entered twice")
    assert planned(desk) == []


def test_of_a_series_each_is_reminded_of_and_the_whole_is_told_once(desk: FrontDesk) -> None:
    answer = desk.post("/appointments/series", **desk.wanted(TEN, rule="FREQ=WEEKLY;COUNT=4"))
    first = answer.json()["occurrences"][0]["appointment_id"]
    assert len(due(desk)) == 12
    assert told(desk) == ["BOOKED"]
    desk.done(first, "reschedule", starts_at=TEN + HOUR, which="all")
    assert (len(due(desk)), told(desk)) == (12, ["MOVED"])
    assert {
        start - timedelta(minutes=lead)
        for start, lead in [(m.starts_at, m.lead_minutes) for m in planned(desk, "REMINDER")]
    } == {moment for moment, _ in due(desk)}
    newest = desk.get("/appointments", status="SCHEDULED").json()["items"][1]
    desk.done(newest, "cancel", reason="Ill", which="following")
    assert (len(due(desk)), sorted(told(desk))) == (3, ["CANCELLED", "MOVED"])


def test_a_series_in_two_rooms_is_still_told_of_once(desk: FrontDesk) -> None:
    answer = desk.post("/appointments/series", **desk.wanted(TEN, rule="FREQ=WEEKLY;COUNT=3"))
    ids = [one["appointment_id"] for one in answer.json()["occurrences"]]
    desk.patch(f"/appointments/{ids[1]}", 1, room_id=desk.room)
    desk.done(ids[0], "reschedule", starts_at=TEN + HOUR, which="all")
    assert told(desk) == ["MOVED"]


def test_no_message_is_planned_twice(desk: FrontDesk) -> None:
    for _ in range(2):
        booked = desk.booked(TEN)
        desk.done(booked, "cancel", reason="Ill")
    assert sorted(told(desk)) == ["CANCELLED", "CANCELLED"]
    keys = [(m.appointment_id, m.kind, m.lead_minutes, m.channel) for m in planned(desk, None, "CANCELLED")]
    assert len(keys) == len(set(keys)) == 8


def test_messages_hold_no_words(desk: FrontDesk) -> None:
    """What a message says is written when it is sent; here are only references."""
    desk.booked(TEN, special_requests="Quiet")
    columns = desk.rows("select column_name from information_schema.columns where table_name = 'messages'")
    assert not {"text", "body", "subject", "address"} & {column for (column,) in columns}
    assert all(isinstance(message.appointment_id, UUID) for message in planned(desk))


def test_all_of_it_is_due_in_the_order_in_which_it_happened(desk: FrontDesk) -> None:
    booked = desk.booked(TEN)
    desk.now = TEN - 3 * HOUR
    [moved] = desk.done(booked, "reschedule", starts_at=TEN + HOUR)["items"]
    assert [message.due_at for message in planned(desk, "MOVED")] == [TEN - 3 * HOUR]
    assert [moment for moment, _ in due(desk)] == [TEN - HOUR, TEN + 45 * MINUTE]
    assert at(moved["starts_at"]) == TEN + HOUR
