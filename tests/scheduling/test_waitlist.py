"""The waitlist: which entry is offered a freed time, how long the offer holds, and how it ends."""

from datetime import date, timedelta
from typing import Any

import pytest

from practice.people.settings import change_setting
from practice.scheduling.appointments.booking import resolve
from practice.scheduling.waitlist import offers
from tests.support.builders.schedule import make_client, make_room, make_service
from tests.support.drivers.booking import (
    DAY,
    HOUR,
    MINUTE,
    MONDAY,
    SECOND,
    BookingApi,
    assert_error,
    local,
    parse_instant,
)
from tests.support.drivers.waitlist import WaitlistScenario

TEN = local(MONDAY, 10)
HOLD = 24 * HOUR  # an offer holds for a day by default


@pytest.fixture
def waiting(booking_api: BookingApi) -> WaitlistScenario:
    return WaitlistScenario(booking_api)


def test_a_freed_time_is_offered_and_notified(booking_api: BookingApi, waiting: WaitlistScenario) -> None:
    entry = waiting.join()
    assert waiting.get_status(entry) == "WAITING"
    waiting.release()
    offer = waiting.get_open_offer(entry)
    assert (offer["clinician_id"], offer["service_code"]) == (str(booking_api.clinician.staff_id), "TALK")
    assert (parse_instant(offer["starts_at"]), parse_instant(offer["ends_at"])) == (TEN, TEN + HOUR)
    assert parse_instant(offer["holds_until"]) == booking_api.now + HOLD
    assert waiting.get_status(entry) == "OFFERED"
    [message] = booking_api.load_rows("select * from messages where kind = 'WAITLIST_OFFER'")
    assert (str(message.client_id), message.due_at, message.status) == (entry["client_id"], booking_api.now, "PLANNED")


def test_offers_go_by_priority_then_by_the_longest_wait(waiting: WaitlistScenario) -> None:
    order = [waiting.join(priority=2), waiting.join(priority=3), waiting.join(priority=1), waiting.join(priority=2)]
    waiting.release()
    for entry in (order[2], order[0], order[3], order[1]):
        assert [waiting.get_status(item) for item in order].count("OFFERED") == 1
        assert waiting.get_status(entry) == "OFFERED"
        assert waiting.answer_offer(waiting.get_open_offer(entry), "decline").status_code == 200
    assert {waiting.get_status(item) for item in order} == {"WAITING"}  # and no entry gets a second offer
    assert all(len(waiting.list_offers(item)) == 1 for item in order)


def test_an_offer_holds_the_time_until_its_deadline(booking_api: BookingApi, waiting: WaitlistScenario) -> None:
    entry = waiting.join()
    waiting.release()
    end = booking_api.now + HOLD
    for moment in (booking_api.now, end - SECOND):
        booking_api.now = moment
        assert_error(booking_api.book(TEN), "SLOT_TAKEN")
        assert_error(booking_api.book(TEN + 30 * MINUTE), "SLOT_TAKEN")
    booking_api.now = end
    assert booking_api.book(TEN).status_code == 201
    assert waiting.get_status(entry) == "WAITING"
    assert [offer["status"] for offer in waiting.list_offers(entry)] == ["EXPIRED"]
    assert len(booking_api.load_audit_entries("waitlist.offer_expired")) == 1
    assert waiting.expire_offers() == 0


def test_an_offer_never_holds_beyond_the_start(booking_api: BookingApi, waiting: WaitlistScenario) -> None:
    entry = waiting.join()
    booking_api.now = TEN - 3 * HOUR
    waiting.release()
    assert parse_instant(waiting.get_open_offer(entry)["holds_until"]) == TEN


def test_the_holding_time_is_a_setting(booking_api: BookingApi, waiting: WaitlistScenario) -> None:
    with booking_api.practice.work() as work:
        change_setting(work, "waitlist_offer_hours", 3, booking_api.now.date())
    entry = waiting.join()
    waiting.release()
    assert parse_instant(waiting.get_open_offer(entry)["holds_until"]) == booking_api.now + 3 * HOUR


def test_the_room_of_an_expired_offer_is_free_too(booking_api: BookingApi) -> None:
    waiting = WaitlistScenario(booking_api, room_id=booking_api.room)
    waiting.join()
    waiting.release()
    other = {"clinician_id": booking_api.add_clinician().staff_id, "room_id": booking_api.room}
    assert_error(booking_api.book(TEN, **other), "SLOT_TAKEN")
    free = {"starts_at": TEN, "ends_at": TEN + HOUR}
    assert booking_api.get("/rooms/availability", **free).json()["items"] == []
    booking_api.now += HOLD
    assert [room["id"] for room in booking_api.get("/rooms/availability", **free).json()["items"]] == [
        str(booking_api.room)
    ]
    later = booking_api.book_appointment(TEN + HOUR, clinician_id=other["clinician_id"])
    assert booking_api.patch(f"/appointments/{later['id']}", 1, room_id=booking_api.room).status_code == 200
    assert booking_api.book(TEN, **other).status_code == 201


@pytest.mark.parametrize("kind", ["room", "clinician"])
def test_the_time_of_an_expired_offer_can_be_blocked(booking_api: BookingApi, kind: str) -> None:
    waiting = WaitlistScenario(booking_api, room_id=booking_api.room)
    entry = waiting.join()
    waiting.release()
    path = (
        f"/rooms/{booking_api.room}/blocks"
        if kind == "room"
        else f"/clinicians/{booking_api.clinician.staff_id}/blocks"
    )
    block = {"starts_at": TEN - HOUR, "ends_at": TEN + 30 * MINUTE, "reason": "Maintenance"}
    assert_error(booking_api.post(path, **block), "SLOT_TAKEN")
    booking_api.now += HOLD
    assert booking_api.post(path, **block).status_code == 201
    assert waiting.get_status(entry) == "WAITING"


def test_an_expired_offer_of_another_time_still_goes_to_the_next_entry(
    booking_api: BookingApi, waiting: WaitlistScenario
) -> None:
    first, second = waiting.join(), waiting.join()
    waiting.release()
    booking_api.now += HOLD
    booking_api.book_appointment(TEN + HOUR)  # with the same clinician
    assert waiting.expire_offers() == 1
    assert (waiting.get_status(first), waiting.get_status(second)) == ("WAITING", "OFFERED")
    assert [offer["status"] for offer in waiting.list_offers(first)] == ["EXPIRED"]
    booking_api.now += HOLD
    assert waiting.expire_offers() == 1
    assert waiting.expire_offers() == 0
    assert len(waiting.list_offers(first)) == len(waiting.list_offers(second)) == 1


def test_taking_an_offer_books_the_time(booking_api: BookingApi) -> None:
    waiting = WaitlistScenario(booking_api, room_id=booking_api.room)
    me = booking_api.add_portal_client()
    entry = waiting.join(me.staff_id)
    waiting.release()
    offer = waiting.get_open_offer(entry)
    response = waiting.answer_offer(offer, "take", me)
    assert response.status_code == 201, response.text
    booked = response.json()["appointment"]
    assert (booked["client_id"], booked["booked_via"]) == (str(me.staff_id), "PORTAL")
    assert (parse_instant(booked["starts_at"]), booked["room_id"]) == (TEN, str(booking_api.room))
    assert waiting.get_status(entry) == "BOOKED"
    assert waiting.list_offers(entry)[0]["status"] == "TAKEN"
    for action in ("take", "decline"):
        assert_error(waiting.answer_offer(offer, action, me), "OFFER_CLOSED")
    assert {kind for kind, _, _ in booking_api.list_occupancies()} == {"clinician", "room", "client"}


def test_a_client_may_take_an_offer_on_short_notice(booking_api: BookingApi, waiting: WaitlistScenario) -> None:
    me = booking_api.add_portal_client()
    entry = waiting.join(me.staff_id)
    booking_api.now = TEN - 3 * HOUR
    waiting.release()
    assert waiting.answer_offer(waiting.get_open_offer(entry), "take", me).status_code == 201


@pytest.mark.parametrize("action", ["take", "decline"])
def test_an_expired_offer_cannot_be_answered(booking_api: BookingApi, waiting: WaitlistScenario, action: str) -> None:
    entry = waiting.join()
    waiting.release()
    offer = waiting.get_open_offer(entry)
    booking_api.now += HOLD
    assert_error(waiting.answer_offer(offer, action), "OFFER_CLOSED")


def test_a_refused_booking_leaves_the_offer_open(booking_api: BookingApi, waiting: WaitlistScenario) -> None:
    entry = waiting.join()
    waiting.release()
    offer = waiting.get_open_offer(entry)
    booking_api.add_exception(MONDAY)
    assert_error(waiting.answer_offer(offer, "take"), "OUTSIDE_HOURS")
    assert (waiting.get_status(entry), waiting.get_open_offer(entry)) == ("OFFERED", offer)
    assert len(booking_api.list_occupancies()) == 1


def test_only_the_client_of_the_entry_answers_the_offer(booking_api: BookingApi, waiting: WaitlistScenario) -> None:
    me, other = booking_api.add_portal_client(), booking_api.add_portal_client()
    entry = waiting.join(me.staff_id)
    waiting.release()
    offer = waiting.get_open_offer(entry)
    for action in ("take", "decline"):
        assert_error(waiting.answer_offer(offer, action, other), "NOT_FOUND", 404)
        assert_error(waiting.answer_offer(offer, action, booking_api.clinician), "FORBIDDEN", 403)
    assert [item["id"] for item in booking_api.get(f"/waitlist/{entry['id']}/offers", me).json()["items"]] == [
        offer["id"]
    ]
    assert_error(booking_api.get(f"/waitlist/{entry['id']}/offers", other), "NOT_FOUND", 404)
    assert [item["id"] for item in booking_api.get("/waitlist", me).json()["items"]] == [entry["id"]]


def test_withdrawing_passes_the_offer_to_the_next_entry(booking_api: BookingApi, waiting: WaitlistScenario) -> None:
    first, second = waiting.join(), waiting.join()
    waiting.release()
    path = "/api/v1/waitlist/{}/withdraw"
    assert (
        booking_api.http.post(path.format(first["id"]), headers=booking_api.build_headers()).json()["status"]
        == "WITHDRAWN"
    )
    assert waiting.get_status(second) == "OFFERED"
    assert_error(booking_api.http.post(path.format(first["id"]), headers=booking_api.build_headers()), "WRONG_STATUS")
    booking_api.http.post(path.format(second["id"]), headers=booking_api.build_headers())
    assert booking_api.list_occupancies() == set()
    assert booking_api.book(TEN).status_code == 201


# Matching


@pytest.mark.parametrize(
    ("preferences", "suits"),
    [
        ({"weekdays": [1]}, True),
        ({"weekdays": [0, 2, 6]}, False),
        ({"time_from": "10:00", "time_to": "11:00"}, True),
        ({"time_from": "10:01"}, False),
        ({"time_to": "10:59"}, False),
        ({"until_on": MONDAY}, True),
        ({"until_on": MONDAY - DAY}, False),
    ],
)
def test_days_and_times_must_match(waiting: WaitlistScenario, preferences: dict[str, Any], suits: bool) -> None:
    entry = waiting.join(**preferences)
    waiting.release()
    assert waiting.get_status(entry) == ("OFFERED" if suits else "WAITING")


def test_clinician_and_service_must_match(booking_api: BookingApi, waiting: WaitlistScenario) -> None:
    other = booking_api.add_clinician()
    make_service(booking_api.practice, "OTHER")
    for preferences in ({"clinician_ids": [other.staff_id]}, {"service_codes": ["OTHER"]}):
        waiting.join(priority=1, **preferences)
    named = waiting.join(
        clinician_ids=[other.staff_id, booking_api.clinician.staff_id], service_codes=["TALK", "OTHER"]
    )
    assert named["service_codes"] == ["OTHER", "TALK"]
    waiting.release()
    assert waiting.get_status(named) == "OFFERED"


def test_a_client_is_not_offered_the_time_they_released(booking_api: BookingApi, waiting: WaitlistScenario) -> None:
    releasing = waiting.join(booking_api.client, priority=1)
    other = waiting.join()
    [new] = booking_api.take_step(waiting.booked, "reschedule", starts_at=TEN + DAY)["items"]
    assert (waiting.get_status(releasing), waiting.get_status(other)) == ("WAITING", "OFFERED")
    booking_api.take_step(new, "cancel", reason="Ill")
    assert waiting.get_status(releasing) == "WAITING"


def test_clients_who_cannot_be_booked_are_skipped(booking_api: BookingApi, waiting: WaitlistScenario) -> None:
    left = waiting.join(make_client(booking_api.practice, ended_on=date(2026, 3, 20)), priority=1)
    busy = waiting.join(make_client(booking_api.practice), priority=1)
    booking_api.book_appointment(
        TEN + 30 * MINUTE, client_id=busy["client_id"], clinician_id=booking_api.add_clinician().staff_id
    )
    revoked = waiting.join(make_client(booking_api.practice), priority=1)
    booking_api.write(
        "update consents set revoked_at = signed_at + interval '1 day' where client_id = :id", id=revoked["client_id"]
    )
    good = waiting.join(priority=3)
    waiting.release()
    assert [waiting.get_status(entry) for entry in (left, busy, revoked, good)] == [*["WAITING"] * 3, "OFFERED"]


@pytest.mark.parametrize("why", ["closed", "away", "left"])
def test_a_time_without_a_clinician_is_not_offered(
    booking_api: BookingApi, waiting: WaitlistScenario, why: str
) -> None:
    entry = waiting.join()
    match why:
        case "closed":
            booking_api.close_on(MONDAY)
        case "away":
            booking_api.add_exception(MONDAY)
        case "left":
            booking_api.write(
                "update staff set left_on = '2026-03-20' where id = :id", id=booking_api.clinician.staff_id
            )
    waiting.release()
    assert waiting.get_status(entry) == "WAITING"
    assert booking_api.list_occupancies() == set()


def test_a_time_that_has_started_is_not_offered(booking_api: BookingApi, waiting: WaitlistScenario) -> None:
    entry = waiting.join()
    booking_api.now = TEN
    waiting.release()
    assert waiting.get_status(entry) == "WAITING"


def test_a_client_far_ahead_can_give_up_a_time_that_is_offered(booking_api: BookingApi) -> None:
    me = booking_api.add_portal_client()
    waiting = WaitlistScenario(booking_api, TEN + 60 * DAY, client_id=me.staff_id)
    entry = waiting.join()
    booking_api.take_step(waiting.booked, "cancel", me)
    assert waiting.get_status(entry) == "OFFERED"


def test_a_cancelled_series_gives_each_entry_one_offer(booking_api: BookingApi) -> None:
    series = booking_api.post(
        "/appointments/series", **booking_api.booking_body(TEN, rule="FREQ=WEEKLY;COUNT=3")
    ).json()
    waiting = WaitlistScenario(booking_api, TEN + HOUR)
    first, second = waiting.join(), waiting.join()
    booking_api.take_step(series["occurrences"][0]["appointment_id"], "cancel", reason="Moved away", series_scope="all")
    assert [parse_instant(waiting.get_open_offer(entry)["starts_at"]) for entry in (first, second)] == [
        TEN,
        TEN + timedelta(days=7),
    ]


def test_only_the_first_time_is_freed_by_a_series_that_moves_by_a_week(booking_api: BookingApi) -> None:
    series = booking_api.post(
        "/appointments/series", **booking_api.booking_body(TEN, rule="FREQ=WEEKLY;COUNT=3")
    ).json()
    waiting = WaitlistScenario(booking_api, TEN + HOUR)
    first, second = waiting.join(), waiting.join()
    start = TEN + timedelta(days=7)
    booking_api.take_step(series["occurrences"][0]["appointment_id"], "reschedule", starts_at=start, series_scope="all")
    assert parse_instant(waiting.get_open_offer(first)["starts_at"]) == TEN
    assert waiting.get_status(second) == "WAITING"


# Entries


def test_a_stale_change_of_an_entry_is_refused(booking_api: BookingApi, waiting: WaitlistScenario) -> None:
    entry = waiting.join(time_from="09:00", weekdays=[1, 2])
    changed = booking_api.patch(f"/waitlist/{entry['id']}", 1, priority=1, time_to="12:30").json()
    assert (changed["priority"], changed["time_from"], changed["time_to"]) == (1, "09:00", "12:30")
    assert (changed["weekdays"], changed["version"]) == ([1, 2], 2)
    assert_error(booking_api.patch(f"/waitlist/{entry['id']}", 1, priority=3), "STALE", 412)
    assert_error(booking_api.patch(f"/waitlist/{entry['id']}", 2, time_to="08:00"), "VALIDATION_ERROR", 422)


def test_all_problems_of_an_entry_are_reported_together(booking_api: BookingApi) -> None:
    nobody = "01890000-0000-7000-8000-000000000000"
    preferences = {"clinician_ids": [nobody], "service_codes": ["NONE"], "time_from": "12:00", "time_to": "11:00"}
    error = assert_error(booking_api.post("/waitlist", client_id=nobody, **preferences), "VALIDATION_ERROR", 422)
    assert len(error["details"]) == 4
    for wrong in ({"time_from": "10:00+02:00"}, {"weekdays": [7]}, {"priority": 0}, {"time_to": "25:00"}):
        assert_error(booking_api.post("/waitlist", client_id=booking_api.client, **wrong), "VALIDATION_ERROR", 422)


def test_the_list_is_sorted_and_filtered(booking_api: BookingApi, waiting: WaitlistScenario) -> None:
    entries = [waiting.join(priority=priority) for priority in (3, 1, 2)]
    waiting.release()
    listed = booking_api.get("/waitlist", sort="priority").json()["items"]
    assert [entry["priority"] for entry in listed] == [1, 2, 3]
    assert [entry["id"] for entry in booking_api.get("/waitlist", status="OFFERED").json()["items"]] == [
        entries[1]["id"]
    ]
    assert booking_api.get("/waitlist", booking_api.clinician).json()["items"] == []  # none of the clients is theirs


def test_a_room_that_is_no_longer_in_use_is_not_offered(booking_api: BookingApi) -> None:
    room = make_room(booking_api.practice)
    waiting = WaitlistScenario(booking_api, room_id=room)
    entry = waiting.join()
    booking_api.write("update rooms set active = false where id = :id", id=room)
    waiting.release()
    assert waiting.get_status(entry) == "WAITING"


def test_an_entry_that_changes_meanwhile_is_not_offered_the_time(
    booking_api: BookingApi, waiting: WaitlistScenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = waiting.join()

    def change_and_resolve(*args: Any, **fields: Any) -> Any:
        changed = booking_api.patch(f"/waitlist/{entry['id']}", entry["version"], weekdays=[3])
        assert changed.status_code == 200, changed.text
        return resolve(*args, **fields)

    monkeypatch.setattr(offers, "resolve", change_and_resolve)
    waiting.release()
    assert waiting.list_offers(entry) == []
    assert waiting.get_status(entry) == "WAITING"
