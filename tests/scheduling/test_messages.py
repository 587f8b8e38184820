"""Messages to clients about their appointments: queued with each step, cancelled when obsolete."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from practice.scheduling.appointments.notifications import UNREACHABLE
from tests.support.builders.schedule import ADULT, make_client
from tests.support.drivers.booking import DAY, HOUR, MINUTE, MONDAY, BookingApi, local, parse_instant
from tests.support.drivers.http import V1

TEN = local(MONDAY, 10)
LEADS = (24 * 60, 2 * 60, 15)
CHILD = date(2014, 9, 1)


def load_messages(booking_api: BookingApi, kind: str | None = None, status: str = "PLANNED") -> list[Any]:
    query = """
        select m.*, a.starts_at, a.status as appointment_status from messages as m
        left join appointments as a on a.tenant_id = m.tenant_id and a.id = m.appointment_id
        where m.tenant_id = :tenant_id and m.status = :status and (m.kind = :kind or cast(:kind as text) is null)
        order by m.due_at, m.channel
    """
    return booking_api.load_rows(query, kind=kind, status=status)


def queued_messages(booking_api: BookingApi) -> list[str]:
    return [message.kind for message in load_messages(booking_api) if message.kind != "REMINDER"]


def list_reminders(booking_api: BookingApi) -> list[tuple[datetime, int]]:
    return [(message.due_at, message.lead_minutes) for message in load_messages(booking_api, "REMINDER")]


def test_a_booking_queues_a_confirmation_and_three_reminders(booking_api: BookingApi) -> None:
    booked = booking_api.book_appointment(TEN)
    assert list_reminders(booking_api) == [(TEN - timedelta(minutes=lead), lead) for lead in LEADS]
    for message in load_messages(booking_api):
        assert (message.channel, message.client_id, str(message.appointment_id)) == (
            "email",
            booking_api.client,
            booked["id"],
        )
    [confirmation] = load_messages(booking_api, "BOOKED")
    assert confirmation.due_at == booking_api.now


@pytest.mark.parametrize(
    ("reminders", "contact", "channels", "news"),
    [
        (["email"], {}, ["email"], ["email"]),
        (["sms"], {}, ["sms"], ["email"]),
        (["email", "sms"], {}, ["email", "sms"], ["email"]),
        ([], {}, [], ["email"]),
        (["email", "sms"], {"phone": None}, ["email"], ["email"]),
        (["sms"], {"phone": None}, [], ["email"]),
        (["email"], {"email": None}, [], ["sms"]),
        ([], {"email": None}, [], ["sms"]),
        (["email", "sms"], {"email": None, "phone": None}, [], []),
    ],
)
def test_clients_choose_the_channels_of_reminders_only(
    booking_api: BookingApi, reminders: list[str], contact: dict[str, Any], channels: list[str], news: list[str]
) -> None:
    client = make_client(booking_api.practice, reminders=reminders, **contact)
    booked = booking_api.book_appointment(TEN, client_id=client)
    for lead in LEADS:
        assert [m.channel for m in load_messages(booking_api, "REMINDER") if m.lead_minutes == lead] == channels
    assert [m.channel for m in load_messages(booking_api, "BOOKED")] == news
    booking_api.take_step(booked, "cancel", reason="Ill")
    assert [m.channel for m in load_messages(booking_api, "CANCELLED")] == news


def set_preferences(booking_api: BookingApi, *reminders: str) -> None:
    path = f"/clients/{booking_api.client}/notification-preferences"
    headers = booking_api.build_headers(if_match=booking_api.get(path).headers["etag"])
    response = booking_api.http.put(V1 + path, json={"reminders": list(reminders)}, headers=headers)
    assert response.status_code == 200, response.text


def change_client(booking_api: BookingApi, path: str = "", **fields: Any) -> None:
    version = booking_api.get(f"/clients/{booking_api.client}").json()["version"]
    response = booking_api.patch(f"/clients/{booking_api.client}{path}", version, **fields)
    assert response.status_code == 200, response.text


def list_planned(booking_api: BookingApi) -> set[tuple[str, int]]:
    return {(message.channel, message.lead_minutes) for message in load_messages(booking_api, "REMINDER")}


def test_a_change_of_preferences_replans_the_reminders(booking_api: BookingApi) -> None:
    for start in (TEN, TEN + DAY):
        booking_api.book_appointment(start)
    booking_api.write("update messages set status = 'SENT', sent_at = due_at where lead_minutes = 1440")
    set_preferences(booking_api, "sms")
    assert list_planned(booking_api) == {("sms", lead) for lead in LEADS}
    set_preferences(booking_api)
    assert list_planned(booking_api) == set()
    set_preferences(booking_api, "email", "sms")
    assert list_planned(booking_api) == {("sms", lead) for lead in LEADS} | {("email", 120), ("email", 15)}
    assert [message.channel for message in load_messages(booking_api, "BOOKED")] == ["email", "email"]


def test_reminders_overdue_on_a_channel_that_stays_are_still_sent(booking_api: BookingApi) -> None:
    booking_api.book_appointment(TEN)
    booking_api.now = TEN - HOUR  # two are overdue
    set_preferences(booking_api, "email", "sms")
    assert list_planned(booking_api) == {("email", 1440), ("email", 120), ("email", 15), ("sms", 15)}
    set_preferences(booking_api, "sms")
    assert list_planned(booking_api) == {("sms", 15)}


@pytest.mark.parametrize("path", ["", "/contact"])
def test_a_new_address_gets_the_reminders(booking_api: BookingApi, path: str) -> None:
    booking_api.client = make_client(booking_api.practice, booking_api.clinician, email=None, reminders=["email"])
    booking_api.book_appointment(TEN)
    assert list_planned(booking_api) == set()
    change_client(booking_api, path, email="new@example.com")
    assert list_planned(booking_api) == {("email", lead) for lead in LEADS}


def test_visits_without_reminders_get_none_from_a_change(booking_api: BookingApi) -> None:
    cancelled, booked = booking_api.book_appointment(TEN + DAY), booking_api.book_appointment(TEN)
    booking_api.take_step(cancelled, "cancel", reason="Ill")
    booking_api.now = TEN - HOUR
    booking_api.take_step(booked, "check-in")
    set_preferences(booking_api, "sms")
    assert list_planned(booking_api) == set()


@pytest.mark.parametrize(
    ("birth_date", "fields"),
    [(ADULT, {}), (CHILD, {"guardian_name": "Pat"})],
)
def test_visits_of_clients_whom_no_message_reaches_are_warned_of(
    booking_api: BookingApi, birth_date: date, fields: dict[str, Any]
) -> None:
    contact = {"email": None, "phone": None, "birth_date": birth_date} | fields
    client = make_client(booking_api.practice, booking_api.clinician, **contact)
    booked = booking_api.book(TEN, client_id=client).json()
    assert [warning for warning in booked["warnings"] if warning.startswith("No message can be sent")]
    moved = booking_api.take_step(booked["appointment"], "reschedule", starts_at=TEN + HOUR)
    cancelled = booking_api.take_step(moved["items"][0], "cancel", reason="Ill")
    for answer in (moved, cancelled):
        assert answer["warnings"] == [UNREACHABLE[0]]
    reachable = booking_api.take_step(booking_api.book_appointment(TEN), "cancel", reason="Ill")
    assert reachable["warnings"] == []
    past = booking_api.take_step(booking_api.book_appointment(booking_api.now - DAY), "cancel", reason="Twice")
    assert past["warnings"] == []


@pytest.mark.parametrize(
    ("reminders", "contact", "channels", "news"),
    [
        (["email"], {"email": None, "phone": None, "guardian_email": "pat@example.com"}, ["email"], ["email"]),
        (["sms"], {"email": None, "phone": None, "guardian_phone": "404-555-0102"}, ["sms"], ["sms"]),
        (["email"], {"guardian_phone": "404-555-0102"}, [], ["sms"]),
        # to the guardian alone: a child's own phone is not used
        (["email", "sms"], {"guardian_email": "pat@example.com"}, ["email"], ["email"]),
        ([], {"guardian_email": "pat@example.com"}, [], ["email"]),
        # a guardian without contact details is reached through those of the record
        (["email"], {}, ["email"], ["email"]),
        # an emancipated minor has no guardian
        (["email"], {"emancipated": True, "email": None, "guardian_email": "pat@example.com"}, [], ["sms"]),
    ],
)
def test_a_minors_messages_go_to_the_guardian(
    booking_api: BookingApi, reminders: list[str], contact: dict[str, Any], channels: list[str], news: list[str]
) -> None:
    child = make_client(booking_api.practice, reminders=reminders, birth_date=CHILD, **contact)
    booked = booking_api.book_appointment(TEN, client_id=child)
    [moved] = booking_api.take_step(booked, "reschedule", starts_at=TEN + HOUR)["items"]
    for lead in LEADS:
        assert [m.channel for m in load_messages(booking_api, "REMINDER") if m.lead_minutes == lead] == channels
    assert [m.channel for m in load_messages(booking_api, "MOVED")] == news
    booking_api.now = TEN + 2 * HOUR
    booking_api.take_step(moved, "no-show")
    assert [m.channel for m in load_messages(booking_api, "NO_SHOW_FOLLOW_UP")] == news


def test_reminders_go_to_the_client_from_the_day_of_majority(booking_api: BookingApi) -> None:
    fields = {"birth_date": date(2008, 3, 23), "email": None, "guardian_email": "pat@example.com"}
    young = make_client(booking_api.practice, reminders=["email", "sms"], **fields)
    booking_api.book_appointment(TEN, client_id=young)  # on the 18th birthday
    by_lead = {message.lead_minutes: message.channel for message in load_messages(booking_api, "REMINDER")}
    assert by_lead == {1440: "email", 120: "sms", 15: "sms"}


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
def test_past_reminders_are_not_queued(booking_api: BookingApi, ahead: timedelta, leads: list[int]) -> None:
    booking_api.book_appointment(booking_api.now + ahead)
    assert [lead for _, lead in list_reminders(booking_api)] == leads
    assert queued_messages(booking_api) == (["BOOKED"] if ahead > timedelta(0) else [])


def test_a_cancelled_appointment_queues_only_the_cancellation(booking_api: BookingApi) -> None:
    booked = booking_api.book_appointment(TEN)
    booking_api.write("update messages set status = 'SENT', sent_at = due_at where lead_minutes = 1440")
    booking_api.take_step(booked, "cancel", reason="Ill")
    assert (queued_messages(booking_api), list_reminders(booking_api)) == (["CANCELLED"], [])
    assert [message.lead_minutes for message in load_messages(booking_api, "REMINDER", "SENT")] == [1440]
    assert [message.lead_minutes for message in load_messages(booking_api, "REMINDER", "CANCELLED")] == [120, 15]


def test_a_move_queues_one_message_and_reminders_of_the_new_time(booking_api: BookingApi) -> None:
    booked = booking_api.book_appointment(TEN)
    [new] = booking_api.take_step(booked, "reschedule", starts_at=TEN + DAY)["items"]
    assert list_reminders(booking_api) == [(TEN + DAY - timedelta(minutes=lead), lead) for lead in LEADS]
    assert queued_messages(booking_api) == ["MOVED"]
    assert {str(message.appointment_id) for message in load_messages(booking_api)} == {new["id"]}
    booking_api.take_step(new, "reschedule", starts_at=TEN)
    assert list_reminders(booking_api) == [(TEN - timedelta(minutes=lead), lead) for lead in LEADS]
    assert queued_messages(booking_api) == ["MOVED"]


def test_a_no_show_queues_a_follow_up(booking_api: BookingApi) -> None:
    booked = booking_api.book_appointment(TEN)
    booking_api.now = TEN + 20 * MINUTE
    booking_api.take_step(booked, "no-show")
    [message] = load_messages(booking_api)
    assert (message.kind, message.due_at) == ("NO_SHOW_FOLLOW_UP", booking_api.now)


@pytest.mark.parametrize("action", ["check-in", "complete"])
def test_clients_who_came_are_not_reminded(booking_api: BookingApi, action: str) -> None:
    booked = booking_api.book_appointment(TEN)
    booking_api.now = TEN - HOUR if action == "check-in" else TEN
    booking_api.take_step(booked, action)
    assert list_reminders(booking_api) == []


@pytest.mark.parametrize("steps", [["check-in"], ["confirm", "check-in"], ["no-show"]])
def test_a_status_taken_back_brings_the_reminders_ahead_back(booking_api: BookingApi, steps: list[str]) -> None:
    booked = booking_api.book_appointment(TEN)
    booking_api.write("update messages set status = 'SENT', sent_at = due_at where lead_minutes = 1440")
    booking_api.now = TEN - HOUR if "check-in" in steps else TEN
    for step in steps:
        booking_api.take_step(booked, step)
    assert list_reminders(booking_api) == []
    booking_api.now = TEN - HOUR  # a clock that was ahead: no-shows are recorded from the start on
    status = "CHECKED_IN" if "check-in" in steps else "NO_SHOW"
    booking_api.take_step(booked, "revert", from_status=status, reason="Another client")
    assert list_reminders(booking_api) == [(TEN - 15 * MINUTE, 15)]
    assert [message.lead_minutes for message in load_messages(booking_api, "REMINDER", "SENT")] == [1440]


def test_a_start_taken_back_brings_no_reminders(booking_api: BookingApi) -> None:
    booked = booking_api.book_appointment(TEN)
    booking_api.now = TEN - 10 * MINUTE
    booking_api.take_step(booked, "check-in")
    booking_api.take_step(booked, "start")
    booking_api.now = TEN - 20 * MINUTE
    booking_api.take_step(booked, "revert", from_status="IN_PROGRESS", reason="Another client")
    assert list_reminders(booking_api) == []


def test_a_confirmed_visit_still_has_reminders(booking_api: BookingApi) -> None:
    booking_api.take_step(booking_api.book_appointment(TEN), "confirm")
    assert len(list_reminders(booking_api)) == 3


def test_a_cancellation_after_the_start_is_not_sent(booking_api: BookingApi) -> None:
    booked = booking_api.book_appointment(TEN)
    booking_api.now = TEN + HOUR
    booking_api.take_step(booked, "cancel", reason="Entered twice")
    assert load_messages(booking_api) == []


def test_a_series_has_reminders_for_each_and_one_confirmation(booking_api: BookingApi) -> None:
    response = booking_api.post("/appointments/series", **booking_api.booking_body(TEN, rule="FREQ=WEEKLY;COUNT=4"))
    first = response.json()["occurrences"][0]["appointment_id"]
    assert len(list_reminders(booking_api)) == 12
    assert queued_messages(booking_api) == ["BOOKED"]
    booking_api.take_step(first, "reschedule", starts_at=TEN + HOUR, series_scope="all")
    assert (len(list_reminders(booking_api)), queued_messages(booking_api)) == (12, ["MOVED"])
    assert {
        start - timedelta(minutes=lead)
        for start, lead in [(m.starts_at, m.lead_minutes) for m in load_messages(booking_api, "REMINDER")]
    } == {moment for moment, _ in list_reminders(booking_api)}
    newest = booking_api.get("/appointments", status="SCHEDULED").json()["items"][1]
    booking_api.take_step(newest, "cancel", reason="Ill", series_scope="this_and_following")
    assert (len(list_reminders(booking_api)), sorted(queued_messages(booking_api))) == (3, ["CANCELLED", "MOVED"])


def test_a_series_in_two_rooms_has_one_message(booking_api: BookingApi) -> None:
    response = booking_api.post("/appointments/series", **booking_api.booking_body(TEN, rule="FREQ=WEEKLY;COUNT=3"))
    ids = [occurrence["appointment_id"] for occurrence in response.json()["occurrences"]]
    booking_api.patch(f"/appointments/{ids[1]}", 1, room_id=booking_api.room)
    booking_api.take_step(ids[0], "reschedule", starts_at=TEN + HOUR, series_scope="all")
    assert queued_messages(booking_api) == ["MOVED"]


def test_no_message_is_queued_twice(booking_api: BookingApi) -> None:
    for _ in range(2):
        booked = booking_api.book_appointment(TEN)
        booking_api.take_step(booked, "cancel", reason="Ill")
    assert sorted(queued_messages(booking_api)) == ["CANCELLED", "CANCELLED"]
    keys = [
        (m.appointment_id, m.kind, m.lead_minutes, m.channel) for m in load_messages(booking_api, None, "CANCELLED")
    ]
    assert len(keys) == len(set(keys)) == 8


def test_messages_hold_no_text(booking_api: BookingApi) -> None:
    """Check that queued messages hold references only; the text is rendered on sending."""
    booking_api.book_appointment(TEN, special_requests="Quiet")
    columns = booking_api.load_rows("select column_name from information_schema.columns where table_name = 'messages'")
    assert not {"text", "body", "subject", "address"} & {column for (column,) in columns}
    assert all(isinstance(message.appointment_id, UUID) for message in load_messages(booking_api))


def test_messages_are_due_in_order(booking_api: BookingApi) -> None:
    booked = booking_api.book_appointment(TEN)
    booking_api.now = TEN - 3 * HOUR
    [moved] = booking_api.take_step(booked, "reschedule", starts_at=TEN + HOUR)["items"]
    assert [message.due_at for message in load_messages(booking_api, "MOVED")] == [TEN - 3 * HOUR]
    assert [moment for moment, _ in list_reminders(booking_api)] == [TEN - HOUR, TEN + 45 * MINUTE]
    assert parse_instant(moved["starts_at"]) == TEN + HOUR
