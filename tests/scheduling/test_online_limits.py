"""Limits of online booking, and what a client reads when a booking is refused."""

from collections.abc import Callable
from typing import Any

import pytest

from practice.people.settings import change_setting
from practice.scheduling.appointments.booking import book
from practice.scheduling.appointments.booking_request import BookingRequest
from practice.scheduling.errors import TooManyOpenVisits
from practice.security.work import Actor, Work
from tests.support.builders.people import Person
from tests.support.builders.schedule import make_service
from tests.support.drivers.booking import DAY, HOUR, MONDAY, BookingApi, assert_error, local, problem_codes
from tests.support.drivers.waiting import collide
from tests.support.drivers.waitlist import WaitlistScenario

TEN = local(MONDAY, 10)
WORDS_OF_STAFF = ("client", "readmit", "front desk", "waitlist", "block", "`room", "override", "verify")


@pytest.fixture
def me(booking_api: BookingApi) -> Person:
    return booking_api.add_portal_client()


def read_refusal(response: Any, code: str) -> str:
    """Return the message of a refusal, which says what a client can do."""
    message = assert_error(response, code)["message"]
    assert "call the practice" in message
    assert not [word for word in WORDS_OF_STAFF if word in message.lower()]
    return message


def preview(booking_api: BookingApi, me: Person, **fields: Any) -> dict[str, Any]:
    body = booking_api.booking_body(TEN + 5 * DAY, client_id=None, **fields)
    return booking_api.post("/appointments/preview", me, **body).json()


def test_a_client_has_at_most_four_open_visits(booking_api: BookingApi, me: Person) -> None:
    visits = [booking_api.book_appointment(TEN + number * DAY, me) for number in range(3)]
    booking_api.book_appointment(TEN + 3 * DAY, client_id=me.staff_id)  # by staff, which counts too
    message = read_refusal(booking_api.book(TEN + 4 * DAY, me), "TOO_MANY_OPEN_VISITS")
    assert "4 open visits" in message
    assert [problem["code"] for problem in preview(booking_api, me)["problems"]] == ["TOO_MANY_OPEN_VISITS"]
    assert booking_api.book(TEN + 5 * DAY, client_id=me.staff_id).status_code == 201  # staff have no limit
    booking_api.take_step(visits[0], "reschedule", me, starts_at=TEN + 6 * DAY)  # moving one adds none
    booking_api.take_step(visits[1], "cancel", me)
    booking_api.take_step(visits[2], "cancel", me)
    assert booking_api.book(TEN + 8 * DAY, me).status_code == 201


def test_the_number_of_open_visits_is_a_setting(booking_api: BookingApi, me: Person) -> None:
    with booking_api.practice.work() as work:
        change_setting(work, "portal_open_visits", 1, booking_api.now.date())
    booking_api.book_appointment(TEN, me)
    assert "1 open visit;" in read_refusal(booking_api.book(TEN + DAY, me), "TOO_MANY_OPEN_VISITS")
    booking_api.now = TEN + HOUR  # a visit that has begun is not ahead
    assert booking_api.book(TEN + 2 * DAY, me).status_code == 201


def test_an_offer_of_the_waitlist_is_beyond_the_limits(booking_api: BookingApi, me: Person) -> None:
    for number in range(1, 5):
        booking_api.book_appointment(TEN + number * DAY, me)
    booking_api.write("update services set bookable_online = false where code = 'TALK'")
    waiting = WaitlistScenario(booking_api)
    entry = waiting.join(me.staff_id)
    waiting.release()
    assert waiting.answer_offer(waiting.get_open_offer(entry), "take", me).status_code == 201


def test_only_services_marked_for_it_are_booked_online(booking_api: BookingApi, me: Person) -> None:
    service = {"name": "Evaluation", "kind": "ASSESSMENT", "minutes": 60, "rate": "225.00"}
    admin = booking_api.practice.admin
    added = booking_api.post("/services", admin, code="EVAL", **service, bookable_online=False).json()
    assert added["bookable_online"] is False
    assert booking_api.post("/services", admin, code="TEST", **service).json()["bookable_online"] is True
    read_refusal(booking_api.book(TEN, me, service_code="EVAL"), "NOT_BOOKABLE_ONLINE")
    assert preview(booking_api, me, service_code="EVAL")["problems"][0]["code"] == "NOT_BOOKABLE_ONLINE"
    days = {"from_": MONDAY, "to": MONDAY, "service": "EVAL"}
    for path in ("/slots", f"/clinicians/{booking_api.clinician.staff_id}/slots"):
        read_refusal(booking_api.get(path, me, **days), "NOT_BOOKABLE_ONLINE")
        assert booking_api.get(path, **days).json()["items"]
    booked = booking_api.book_appointment(TEN, client_id=me.staff_id, service_code="EVAL")
    booking_api.take_step(booked, "reschedule", me, starts_at=TEN + DAY)  # what staff booked can be moved online
    assert booking_api.patch("/services/EVAL", 1, admin, bookable_online=True).status_code == 200
    assert booking_api.book(TEN, me, service_code="EVAL").status_code == 201
    listed = booking_api.get("/services", me, bookable_online=True, fields="code").json()["items"]
    assert {item["code"] for item in listed} == {"EVAL", "TALK", "TEST"}


def test_clients_choose_neither_room_nor_instructions(booking_api: BookingApi, me: Person) -> None:
    for fields in ({"room_id": booking_api.room}, {"instructions": "Ring twice"}):
        assert_error(booking_api.book(TEN, me, **fields), "VALIDATION_ERROR", 422)
    booked = booking_api.book_appointment(TEN, me, special_requests="A quiet room")
    move = booking_api.post_step(booked, "reschedule", me, starts_at=TEN + DAY, room_id=booking_api.room)
    assert_error(move, "VALIDATION_ERROR", 422)
    assert booking_api.read(booked, me) == booked


def test_two_requests_of_one_client_do_not_pass_the_limit_together(booking_api: BookingApi, me: Person) -> None:
    practice = booking_api.practice
    with practice.work() as work:
        change_setting(work, "portal_open_visits", 1, booking_api.now.date())

    def book_on(day: int) -> Callable[[Work], Any]:
        def run(work: Work) -> Any:
            work.actor = Actor(practice.id, me.account_id, roles=frozenset({"client"}), client_id=me.staff_id)
            request = BookingRequest(me.staff_id, booking_api.clinician.staff_id, "TALK", TEN + day * DAY)
            return book(work, request)

        return run

    second = collide(practice, book_on(0), book_on(1))
    with pytest.raises(TooManyOpenVisits):
        second.result()
    assert booking_api.count("appointments") == 1


@pytest.mark.parametrize(
    ("cause", "code"),
    [
        ("taken", "SLOT_TAKEN"),
        ("own", "SLOT_TAKEN"),
        ("closed", "OUTSIDE_HOURS"),
        ("ended", "CLIENT_NOT_ACTIVE"),
        ("consent lapsed", "CONSENT_LAPSED"),
        ("clinician left", "CLINICIAN_NOT_ACTIVE"),
        ("not offered", "SERVICE_NOT_OFFERED"),
        ("late", "OUTSIDE_BOOKING_WINDOW"),
    ],
)
def test_a_refused_client_reads_what_they_can_do(booking_api: BookingApi, me: Person, cause: str, code: str) -> None:
    start = TEN
    match cause:
        case "taken":
            booking_api.book_appointment(TEN)
        case "own":
            booking_api.book_appointment(TEN, me, clinician_id=booking_api.add_clinician().staff_id)
        case "closed":
            booking_api.close_on(MONDAY)
        case "ended":
            booking_api.write("update clients set ended_on = '2026-03-20' where id = :id", id=me.staff_id)
        case "consent lapsed":
            booking_api.write("update consents set expires_on = '2026-03-17' where client_id = :id", id=me.staff_id)
        case "clinician left":
            booking_api.write(
                "update staff set left_on = '2026-03-20' where id = :id", id=booking_api.clinician.staff_id
            )
        case "not offered":
            booking_api.write("update services set active = false where code = 'TALK'")
        case "late":
            start = booking_api.now + HOUR
    read_refusal(booking_api.book(start, me), code)


def test_staff_still_read_their_own_words(booking_api: BookingApi, me: Person) -> None:
    booking_api.write("update clients set ended_on = '2026-03-20' where id = :id", id=me.staff_id)
    refused = booking_api.book(TEN, client_id=me.staff_id)
    assert problem_codes(refused) == {"CLIENT_NOT_ACTIVE"}
    assert "Readmit" in refused.json()["error"]["message"]


def test_other_refusals_of_clients_name_the_practice_too(booking_api: BookingApi, me: Person) -> None:
    booked = booking_api.book_appointment(TEN, me)
    booking_api.take_step(booked, "cancel", reason="Ill")
    read_refusal(booking_api.post_step(booked, "cancel", me), "WRONG_STATUS")
    other = booking_api.book_appointment(TEN, me)
    booking_api.now = TEN - HOUR
    read_refusal(booking_api.post_step(other, "cancel", me), "TOO_LATE")
    forbidden = assert_error(booking_api.post_step(other, "confirm", me), "FORBIDDEN", 403)
    assert "call the practice" in forbidden["message"]


def test_a_client_without_verified_insurance_is_warned_in_their_words(booking_api: BookingApi, me: Person) -> None:
    make_service(booking_api.practice, "OTHER")
    booking_api.write("update clients set self_pay = false where id = :id", id=me.staff_id)
    booking_api.write(
        "insert into coverages (tenant_id, id, client_id, rank, payer_id, payer_name, member_id, effective_on) "
        "values (:tenant_id, uuidv7(), :id, 1, '60054', 'Sample Health', 'M1', '2026-01-01')",
        id=me.staff_id,
    )
    response = booking_api.book(TEN, me).json()
    assert (response["payment_required"], response["amount"]) == (None, None)
    assert ["Your insurance" in response["warnings"][0], "Your copay" in response["warnings"][1]] == [True, True]
