"""The waitlist: a client whose treatment ends waits no longer, and times held for them go to the next in line."""

import threading
from datetime import date

import pytest
from sqlalchemy import update

from api import jobs
from practice.people.models.clients import Client
from tests.support.builders.schedule import make_client
from tests.support.drivers.booking import DAY, MONDAY, BookingApi, local
from tests.support.drivers.waitlist import WaitlistScenario

YESTERDAY = date(2026, 3, 17)


@pytest.fixture
def waiting(booking_api: BookingApi) -> WaitlistScenario:
    return WaitlistScenario(booking_api)


@pytest.mark.parametrize("status", ["DISCHARGED", "INACTIVE"])
def test_the_time_held_for_a_discharged_client_is_offered_to_the_next(
    booking_api: BookingApi, waiting: WaitlistScenario, status: str
) -> None:
    client = make_client(booking_api.practice)
    offered, second = waiting.join(client), waiting.join(client, time_from="18:00")
    other = waiting.join()
    waiting.release()
    offer = waiting.get_open_offer(offered)
    ended = booking_api.post(f"/clients/{client}/status", status=status)
    assert ended.status_code == 200, ended.text
    closed = ended.json()["withdrawn_waitlist_entries"]
    assert [(entry["id"], entry["status"]) for entry in closed] == [
        (offered["id"], "WITHDRAWN"),
        (second["id"], "WITHDRAWN"),
    ]
    assert [waiting.get_status(entry) for entry in (offered, second, other)] == ["WITHDRAWN", "WITHDRAWN", "OFFERED"]
    assert waiting.list_offers(offered)[0]["status"] == "DECLINED"
    assert waiting.answer_offer(offer, "take").status_code == 409
    assert waiting.answer_offer(waiting.get_open_offer(other), "take").status_code == 201


def test_a_held_time_that_nobody_else_waits_for_can_be_booked_again(
    booking_api: BookingApi, waiting: WaitlistScenario
) -> None:
    client = make_client(booking_api.practice)
    waiting.join(client)
    waiting.release()
    start = local(MONDAY, 10)
    assert booking_api.book(start).status_code == 409
    booking_api.post(f"/clients/{client}/status", status="DISCHARGED")
    assert booking_api.book(start).status_code == 201


def test_a_client_who_leaves_later_waits_until_that_day(booking_api: BookingApi, waiting: WaitlistScenario) -> None:
    client = make_client(booking_api.practice)
    entry = waiting.join(client)
    ended = booking_api.post(f"/clients/{client}/status", status="DISCHARGED", effective_on=MONDAY)
    assert ended.json()["withdrawn_waitlist_entries"] == []
    for now, status in ((local(MONDAY - DAY, 23), "WAITING"), (local(MONDAY, 0), "WITHDRAWN")):
        jobs.run_practice_jobs(booking_api.practice.installation, now, threading.Event(), recent=True)
        assert waiting.get_status(entry) == status


def test_a_redacted_client_waits_no_longer(booking_api: BookingApi, waiting: WaitlistScenario) -> None:
    client = make_client(booking_api.practice)
    entry, other = waiting.join(client), waiting.join()
    waiting.release()
    with booking_api.practice.work() as work:  # an end that withdrew no entries, such as an imported one
        work.db.execute(update(Client).where(Client.id == client).values(ended_on=YESTERDAY, end_reason="DISCHARGED"))
    admin = booking_api.practice.admin
    request = booking_api.post("/deletion-requests", admin, client_id=client).json()
    booking_api.post(f"/deletion-requests/{request['id']}/review", admin, approved=True)
    redacted = booking_api.post(f"/deletion-requests/{request['id']}/redact", admin)
    assert redacted.json()["status"] == "REDACTED", redacted.text
    assert [waiting.get_status(item) for item in (entry, other)] == ["WITHDRAWN", "OFFERED"]


def test_a_former_client_does_not_join(booking_api: BookingApi) -> None:
    client = make_client(booking_api.practice, ended_on=YESTERDAY, end_reason="DISCHARGED")
    refused = booking_api.post("/waitlist", client_id=client)
    assert refused.status_code == 422
    assert "treatment has ended" in refused.text
    assert booking_api.post("/waitlist", client_id=make_client(booking_api.practice)).status_code == 201
