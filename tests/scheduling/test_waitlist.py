"""The waitlist: who is offered a time that becomes free, for how long, and what becomes of the offer."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from practice.people.settings import set_rule
from practice.scheduling.appointments.booking import understand
from practice.scheduling.waitlist import offers
from practice.scheduling.waitlist.offers import expire_offers
from tests.support.builders.schedule import make_client, make_room, make_service
from tests.support.drivers.booking import DAY, HOUR, MINUTE, MONDAY, SECOND, BookingApi, at, refused, wall

TEN = wall(MONDAY, 10)
FOREVER = 24 * HOUR  # an offer holds for a day where nothing else is set


class Waiting:
    """An appointment, and those who wait for it."""

    def __init__(self, booking_api: BookingApi, start: Any = TEN, **more: Any) -> None:
        self.booking_api = booking_api
        self.booked = booking_api.booked(start, **more)

    def wait(self, client_id: UUID | None = None, **wish: Any) -> dict[str, Any]:
        whom = client_id or make_client(self.booking_api.practice)
        answer = self.booking_api.post("/waitlist", client_id=whom, **wish)
        assert answer.status_code == 201, answer.text
        self.booking_api.now += SECOND  # whoever comes later has waited less long
        return answer.json()

    def free(self) -> None:
        self.booking_api.done(self.booked, "cancel", reason="Ill")

    def offers(self, entry: dict[str, Any]) -> list[dict[str, Any]]:
        return self.booking_api.get(f"/waitlist/{entry['id']}/offers").json()["items"]

    def offer(self, entry: dict[str, Any]) -> dict[str, Any]:
        [offer] = [offer for offer in self.offers(entry) if offer["status"] == "OPEN"]
        return offer

    def status(self, entry: dict[str, Any]) -> str:
        return self.booking_api.get(f"/waitlist/{entry['id']}").json()["status"]

    def answer(self, offer: dict[str, Any], verb: str, by: Any = None) -> Any:
        path = f"/api/v1/waitlist/offers/{offer['id']}/{verb}"
        return self.booking_api.http.post(path, headers=self.booking_api.headers(by))

    def expire(self) -> int:
        with self.booking_api.practice.work(now=self.booking_api.now) as work:
            return expire_offers(work)


@pytest.fixture
def waiting(booking_api: BookingApi) -> Waiting:
    return Waiting(booking_api)


def test_a_time_that_becomes_free_is_offered_and_told(booking_api: BookingApi, waiting: Waiting) -> None:
    entry = waiting.wait()
    assert waiting.status(entry) == "WAITING"
    waiting.free()
    offer = waiting.offer(entry)
    assert (offer["clinician_id"], offer["service_id"]) == (
        str(booking_api.clinician.staff_id),
        str(booking_api.service),
    )
    assert (at(offer["starts_at"]), at(offer["ends_at"])) == (TEN, TEN + HOUR)
    assert at(offer["holds_until"]) == booking_api.now + FOREVER
    assert waiting.status(entry) == "OFFERED"
    [message] = booking_api.rows("select * from messages where kind = 'WAITLIST_OFFER'")
    assert (str(message.client_id), message.due_at, message.status) == (entry["client_id"], booking_api.now, "PLANNED")


def test_first_by_priority_then_by_who_has_waited_longest(waiting: Waiting) -> None:
    order = [waiting.wait(priority=2), waiting.wait(priority=3), waiting.wait(priority=1), waiting.wait(priority=2)]
    waiting.free()
    for entry in (order[2], order[0], order[3], order[1]):
        assert [waiting.status(one) for one in order].count("OFFERED") == 1
        assert waiting.status(entry) == "OFFERED"
        assert waiting.answer(waiting.offer(entry), "decline").status_code == 200
    assert {waiting.status(one) for one in order} == {"WAITING"}  # and nobody is asked a second time
    assert all(len(waiting.offers(one)) == 1 for one in order)


def test_the_offer_keeps_the_time_until_its_end_and_not_after(booking_api: BookingApi, waiting: Waiting) -> None:
    entry = waiting.wait()
    waiting.free()
    end = booking_api.now + FOREVER
    for moment in (booking_api.now, end - SECOND):
        booking_api.now = moment
        refused(booking_api.book(TEN), "SLOT_TAKEN")
        refused(booking_api.book(TEN + 30 * MINUTE), "SLOT_TAKEN")
    booking_api.now = end
    assert booking_api.book(TEN).status_code == 201
    assert waiting.status(entry) == "WAITING"
    assert [offer["status"] for offer in waiting.offers(entry)] == ["EXPIRED"]
    assert len(booking_api.recorded("waitlist.offer_expired")) == 1
    assert waiting.expire() == 0


def test_an_offer_never_holds_beyond_the_start(booking_api: BookingApi, waiting: Waiting) -> None:
    entry = waiting.wait()
    booking_api.now = TEN - 3 * HOUR
    waiting.free()
    assert at(waiting.offer(entry)["holds_until"]) == TEN


def test_how_long_an_offer_holds_is_the_practices_own(booking_api: BookingApi, waiting: Waiting) -> None:
    with booking_api.practice.work() as work:
        set_rule(work, "waitlist_offer_hours", 3, booking_api.now.date())
    entry = waiting.wait()
    waiting.free()
    assert at(waiting.offer(entry)["holds_until"]) == booking_api.now + 3 * HOUR


def test_a_room_that_was_kept_too_long_is_free_as_well(booking_api: BookingApi) -> None:
    waiting = Waiting(booking_api, room_id=booking_api.room)
    waiting.wait()
    waiting.free()
    other = {"clinician_id": booking_api.add_clinician().staff_id, "room_id": booking_api.room}
    refused(booking_api.book(TEN, **other), "SLOT_TAKEN")
    free = {"from": TEN, "to": TEN + HOUR}
    assert booking_api.get("/rooms/availability", **free).json()["items"] == []
    booking_api.now += FOREVER
    assert [room["id"] for room in booking_api.get("/rooms/availability", **free).json()["items"]] == [
        str(booking_api.room)
    ]
    later = booking_api.booked(TEN + HOUR, clinician_id=other["clinician_id"])
    assert booking_api.patch(f"/appointments/{later['id']}", 1, room_id=booking_api.room).status_code == 200
    assert booking_api.book(TEN, **other).status_code == 201


@pytest.mark.parametrize("what", ["room", "clinician"])
def test_what_was_kept_too_long_can_be_blocked(booking_api: BookingApi, what: str) -> None:
    waiting = Waiting(booking_api, room_id=booking_api.room)
    entry = waiting.wait()
    waiting.free()
    path = (
        f"/rooms/{booking_api.room}/blocks"
        if what == "room"
        else f"/clinicians/{booking_api.clinician.staff_id}/blocks"
    )
    block = {"starts_at": TEN - HOUR, "ends_at": TEN + 30 * MINUTE, "reason": "Maintenance"}
    refused(booking_api.post(path, **block), "SLOT_TAKEN")
    booking_api.now += FOREVER
    assert booking_api.post(path, **block).status_code == 201
    assert waiting.status(entry) == "WAITING"


def test_a_lapsed_offer_of_another_time_still_goes_to_the_next(booking_api: BookingApi, waiting: Waiting) -> None:
    first, second = waiting.wait(), waiting.wait()
    waiting.free()
    booking_api.now += FOREVER
    booking_api.booked(TEN + HOUR)  # with the same clinician
    assert waiting.expire() == 1
    assert (waiting.status(first), waiting.status(second)) == ("WAITING", "OFFERED")
    assert [offer["status"] for offer in waiting.offers(first)] == ["EXPIRED"]
    booking_api.now += FOREVER
    assert waiting.expire() == 1
    assert waiting.expire() == 0
    assert len(waiting.offers(first)) == len(waiting.offers(second)) == 1


def test_taking_it_books_it(booking_api: BookingApi) -> None:
    waiting = Waiting(booking_api, room_id=booking_api.room)
    me = booking_api.portal()
    entry = waiting.wait(me.staff_id)
    waiting.free()
    offer = waiting.offer(entry)
    answer = waiting.answer(offer, "take", me)
    assert answer.status_code == 201, answer.text
    booked = answer.json()["appointment"]
    assert (booked["client_id"], booked["booked_via"]) == (str(me.staff_id), "PORTAL")
    assert (at(booked["starts_at"]), booked["room_id"]) == (TEN, str(booking_api.room))
    assert waiting.status(entry) == "BOOKED"
    assert waiting.offers(entry)[0]["status"] == "TAKEN"
    for verb in ("take", "decline"):
        refused(waiting.answer(offer, verb, me), "OFFER_CLOSED")
    assert {kind for kind, _, _ in booking_api.occupied()} == {"clinician", "room", "client"}


def test_a_client_may_take_on_short_notice_what_the_practice_offers(booking_api: BookingApi, waiting: Waiting) -> None:
    me = booking_api.portal()
    entry = waiting.wait(me.staff_id)
    booking_api.now = TEN - 3 * HOUR
    waiting.free()
    assert waiting.answer(waiting.offer(entry), "take", me).status_code == 201


@pytest.mark.parametrize("verb", ["take", "decline"])
def test_after_its_end_an_offer_is_no_longer_answered(booking_api: BookingApi, waiting: Waiting, verb: str) -> None:
    entry = waiting.wait()
    waiting.free()
    offer = waiting.offer(entry)
    booking_api.now += FOREVER
    refused(waiting.answer(offer, verb), "OFFER_CLOSED")


def test_what_speaks_against_booking_leaves_the_offer_open(booking_api: BookingApi, waiting: Waiting) -> None:
    entry = waiting.wait()
    waiting.free()
    offer = waiting.offer(entry)
    booking_api.away(MONDAY)
    refused(waiting.answer(offer, "take"), "OUTSIDE_HOURS")
    assert (waiting.status(entry), waiting.offer(entry)) == ("OFFERED", offer)
    assert len(booking_api.occupied()) == 1


def test_an_answer_is_for_the_one_who_was_asked(booking_api: BookingApi, waiting: Waiting) -> None:
    me, other = booking_api.portal(), booking_api.portal()
    entry = waiting.wait(me.staff_id)
    waiting.free()
    offer = waiting.offer(entry)
    for verb in ("take", "decline"):
        refused(waiting.answer(offer, verb, other), "NOT_FOUND", 404)
        refused(waiting.answer(offer, verb, booking_api.clinician), "FORBIDDEN", 403)
    assert [one["id"] for one in booking_api.get(f"/waitlist/{entry['id']}/offers", me).json()["items"]] == [
        offer["id"]
    ]
    refused(booking_api.get(f"/waitlist/{entry['id']}/offers", other), "NOT_FOUND", 404)
    assert [one["id"] for one in booking_api.get("/waitlist", me).json()["items"]] == [entry["id"]]


def test_whoever_withdraws_leaves_the_offer_to_the_next(booking_api: BookingApi, waiting: Waiting) -> None:
    first, second = waiting.wait(), waiting.wait()
    waiting.free()
    path = "/api/v1/waitlist/{}/withdraw"
    assert (
        booking_api.http.post(path.format(first["id"]), headers=booking_api.headers()).json()["status"] == "WITHDRAWN"
    )
    assert waiting.status(second) == "OFFERED"
    refused(booking_api.http.post(path.format(first["id"]), headers=booking_api.headers()), "WRONG_STATUS")
    booking_api.http.post(path.format(second["id"]), headers=booking_api.headers())
    assert booking_api.occupied() == set()
    assert booking_api.book(TEN).status_code == 201


# Whom it suits


@pytest.mark.parametrize(
    ("wish", "suits"),
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
def test_the_days_and_times_have_to_suit(waiting: Waiting, wish: dict[str, Any], suits: bool) -> None:
    entry = waiting.wait(**wish)
    waiting.free()
    assert waiting.status(entry) == ("OFFERED" if suits else "WAITING")


def test_the_clinician_and_the_service_have_to_suit(booking_api: BookingApi, waiting: Waiting) -> None:
    other, service = booking_api.add_clinician(), make_service(booking_api.practice)
    for wish in ({"clinician_ids": [other.staff_id]}, {"service_ids": [service]}):
        waiting.wait(priority=1, **wish)
    named = waiting.wait(
        clinician_ids=[other.staff_id, booking_api.clinician.staff_id], service_ids=[booking_api.service, service]
    )
    waiting.free()
    assert waiting.status(named) == "OFFERED"


def test_whoever_gives_a_time_up_is_not_offered_it(booking_api: BookingApi, waiting: Waiting) -> None:
    mine = waiting.wait(booking_api.client, priority=1)
    other = waiting.wait()
    [new] = booking_api.done(waiting.booked, "reschedule", starts_at=TEN + DAY)["items"]
    assert (waiting.status(mine), waiting.status(other)) == ("WAITING", "OFFERED")
    booking_api.done(new, "cancel", reason="Ill")
    assert waiting.status(mine) == "WAITING"


def test_who_could_not_be_booked_is_passed_over(booking_api: BookingApi, waiting: Waiting) -> None:
    left = waiting.wait(make_client(booking_api.practice, ended_on=date(2026, 3, 20)), priority=1)
    busy = waiting.wait(make_client(booking_api.practice), priority=1)
    booking_api.booked(
        TEN + 30 * MINUTE, client_id=busy["client_id"], clinician_id=booking_api.add_clinician().staff_id
    )
    revoked = waiting.wait(make_client(booking_api.practice), priority=1)
    booking_api.write(
        "update consents set revoked_at = signed_at + interval '1 day' where client_id = :id", id=revoked["client_id"]
    )
    good = waiting.wait(priority=3)
    waiting.free()
    assert [waiting.status(one) for one in (left, busy, revoked, good)] == [*["WAITING"] * 3, "OFFERED"]


@pytest.mark.parametrize("why", ["closed", "away", "left"])
def test_a_time_at_which_nobody_is_there_is_offered_to_nobody(
    booking_api: BookingApi, waiting: Waiting, why: str
) -> None:
    entry = waiting.wait()
    match why:
        case "closed":
            booking_api.close_on(MONDAY)
        case "away":
            booking_api.away(MONDAY)
        case "left":
            booking_api.write(
                "update staff set left_on = '2026-03-20' where id = :id", id=booking_api.clinician.staff_id
            )
    waiting.free()
    assert waiting.status(entry) == "WAITING"
    assert booking_api.occupied() == set()


def test_what_has_begun_is_offered_to_nobody(booking_api: BookingApi, waiting: Waiting) -> None:
    entry = waiting.wait()
    booking_api.now = TEN
    waiting.free()
    assert waiting.status(entry) == "WAITING"


def test_a_client_far_ahead_can_give_up_a_time_that_is_offered(booking_api: BookingApi) -> None:
    me = booking_api.portal()
    waiting = Waiting(booking_api, TEN + 60 * DAY, client_id=me.staff_id)
    entry = waiting.wait()
    booking_api.done(waiting.booked, "cancel", me)
    assert waiting.status(entry) == "OFFERED"


def test_of_a_cancelled_series_each_waiting_gets_one(booking_api: BookingApi) -> None:
    answer = booking_api.post("/appointments/series", **booking_api.wanted(TEN, rule="FREQ=WEEKLY;COUNT=3")).json()
    waiting = Waiting(booking_api, TEN + HOUR)
    first, second = waiting.wait(), waiting.wait()
    booking_api.done(answer["occurrences"][0]["appointment_id"], "cancel", reason="Moved away", which="all")
    assert [at(waiting.offer(entry)["starts_at"]) for entry in (first, second)] == [TEN, TEN + timedelta(days=7)]


def test_of_a_series_that_moves_by_a_week_only_the_first_time_is_free(booking_api: BookingApi) -> None:
    answer = booking_api.post("/appointments/series", **booking_api.wanted(TEN, rule="FREQ=WEEKLY;COUNT=3")).json()
    waiting = Waiting(booking_api, TEN + HOUR)
    first, second = waiting.wait(), waiting.wait()
    start = TEN + timedelta(days=7)
    booking_api.done(answer["occurrences"][0]["appointment_id"], "reschedule", starts_at=start, which="all")
    assert at(waiting.offer(first)["starts_at"]) == TEN
    assert waiting.status(second) == "WAITING"


# The entries


def test_an_entry_is_changed_by_those_who_read_it_last(booking_api: BookingApi, waiting: Waiting) -> None:
    entry = waiting.wait(time_from="09:00", weekdays=[1, 2])
    changed = booking_api.patch(f"/waitlist/{entry['id']}", 1, priority=1, time_to="12:30").json()
    assert (changed["priority"], changed["time_from"], changed["time_to"]) == (1, "09:00", "12:30")
    assert (changed["weekdays"], changed["version"]) == ([1, 2], 2)
    refused(booking_api.patch(f"/waitlist/{entry['id']}", 1, priority=3), "STALE", 412)
    refused(booking_api.patch(f"/waitlist/{entry['id']}", 2, time_to="08:00"), "VALIDATION_ERROR", 422)


def test_a_wish_that_cannot_be_is_refused_all_at_once(booking_api: BookingApi) -> None:
    nobody = "01890000-0000-7000-8000-000000000000"
    wish = {"clinician_ids": [nobody], "service_ids": [nobody], "time_from": "12:00", "time_to": "11:00"}
    error = refused(booking_api.post("/waitlist", client_id=nobody, **wish), "VALIDATION_ERROR", 422)
    assert len(error["details"]["problems"]) == 4
    for wrong in ({"time_from": "10:00+02:00"}, {"weekdays": [7]}, {"priority": 0}, {"time_to": "25:00"}):
        refused(booking_api.post("/waitlist", client_id=booking_api.client, **wrong), "VALIDATION_ERROR", 422)


def test_the_list_shows_who_waits(booking_api: BookingApi, waiting: Waiting) -> None:
    entries = [waiting.wait(priority=priority) for priority in (3, 1, 2)]
    waiting.free()
    listed = booking_api.get("/waitlist", sort="priority").json()["items"]
    assert [one["priority"] for one in listed] == [1, 2, 3]
    assert [one["id"] for one in booking_api.get("/waitlist", status="OFFERED").json()["items"]] == [entries[1]["id"]]
    assert booking_api.get("/waitlist", booking_api.clinician).json()["items"] == []  # none of them is theirs


def test_a_room_that_is_no_longer_in_use_is_not_offered(booking_api: BookingApi) -> None:
    room = make_room(booking_api.practice)
    waiting = Waiting(booking_api, room_id=room)
    entry = waiting.wait()
    booking_api.write("update rooms set active = false where id = :id", id=room)
    waiting.free()
    assert waiting.status(entry) == "WAITING"


def test_a_wish_that_changes_while_a_time_becomes_free_is_not_offered_what_it_no_longer_wants(
    booking_api: BookingApi, waiting: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = waiting.wait()

    def meanwhile(*args: Any, **more: Any) -> Any:
        changed = booking_api.patch(f"/waitlist/{entry['id']}", entry["version"], weekdays=[3])
        assert changed.status_code == 200, changed.text
        return understand(*args, **more)

    monkeypatch.setattr(offers, "understand", meanwhile)
    waiting.free()
    assert waiting.offers(entry) == []
    assert waiting.status(entry) == "WAITING"
