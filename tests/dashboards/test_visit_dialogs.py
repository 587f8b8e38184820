"""The dialogs of visits in Streamlit's harness: steps, taking them back, requests to move, and times that are held."""

from datetime import datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient

from dashboards.views import schedule
from tests.support.builders.people import PracticeFixture
from tests.support.drivers.booking import DAY, MONDAY, BookingApi, local
from tests.support.drivers.pages import Browser


@pytest.fixture
def booking_api(client: TestClient, practice: PracticeFixture) -> BookingApi:
    return BookingApi(client, practice)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Return the block that is open in each grid, by the grid's key: the harness cannot press our components."""
    blocks: dict[str, str] = {}
    for page in ("schedule", "my_practice"):
        monkeypatch.setattr(f"dashboards.views.{page}.show_week", lambda key, *_: blocks.get(key))
    return blocks


def set_now(booking_api: BookingApi, at: datetime) -> None:
    booking_api.now = booking_api.practice.now = at


def press(browser: Browser, key: str) -> None:
    browser.app.button(key=key).click()
    browser.run()


def choose_task(browser: Browser, visit: dict[str, Any], task: str) -> None:
    browser.app.segmented_control(key=f"visit-{visit['id']}-task").set_value(task)
    browser.run()


def test_a_no_show_is_asked_once_and_can_be_taken_back(
    booking_api: BookingApi, open_as: Any, opened: dict[str, str]
) -> None:
    visit = booking_api.book_appointment(local(MONDAY, 10))
    set_now(booking_api, local(MONDAY, 10, 30))
    opened["week"] = visit["id"]
    browser = open_as("scheduler").run(day=str(MONDAY))
    assert "The client gets a message" in browser.read_text()
    press(browser, "step-no-show")
    assert booking_api.read(visit)["status"] == "NO_SHOW"
    press(browser, f"visit-{visit['id']}-take-back")
    assert "Write why it is a mistake" in browser.read_text()
    browser.app.text_input(key=f"visit-{visit['id']}-mistake").set_value("The client came late")
    press(browser, f"visit-{visit['id']}-take-back")
    assert booking_api.read(visit)["status"] == "SCHEDULED"
    assert browser.app.success[0].value.startswith("Taken back.")


def test_a_completion_is_taken_back_by_those_who_may_void_it(
    booking_api: BookingApi, open_as: Any, opened: dict[str, str]
) -> None:
    visit = booking_api.book_appointment(local(MONDAY, 10))
    set_now(booking_api, local(MONDAY, 11))
    booking_api.take_step(visit, "complete", booking_api.clinician)
    opened |= {"week": visit["id"], "own-week": visit["id"]}
    scheduler = open_as("scheduler").run(day=str(MONDAY))
    assert "ask the clinician, their supervisor or an admin to take it back" in scheduler.read_text()
    browser = open_as("clinician").run(week=str(MONDAY))
    browser.app.text_input(key=f"visit-{visit['id']}-mistake").set_value("Another client")
    press(browser, f"visit-{visit['id']}-take-back")
    assert booking_api.read(visit)["status"] == "SCHEDULED"


def test_a_reason_for_a_missing_consent_stays_with_its_client(
    booking_api: BookingApi, open_as: Any, opened: dict[str, str]
) -> None:
    first, second = (booking_api.book_appointment(local(MONDAY, hour)) for hour in (10, 12))
    opened["week"] = first["id"]
    browser = open_as("scheduler").run(day=str(MONDAY))
    browser.app.text_input[-1].set_value("The guardian signs tomorrow")
    browser.run()
    assert browser.app.text_input[-1].value == "The guardian signs tomorrow"
    opened["week"] = second["id"]
    assert browser.run().app.text_input[-1].value == ""


def test_a_check_in_says_each_open_item_on_a_line_and_shows_the_next_steps(
    booking_api: BookingApi, open_as: Any, opened: dict[str, str]
) -> None:
    visit = booking_api.book_appointment(local(MONDAY, 10))
    booking_api.write("update clients set address = null where tenant_id = :tenant_id")
    booking_api.write("update consents set revoked_at = '2026-03-20' where tenant_id = :tenant_id")
    set_now(booking_api, local(MONDAY, 9, 50))
    opened["week"] = visit["id"]
    browser = open_as("scheduler").run(day=str(MONDAY))
    browser.app.text_input(key=f"visit-{visit['id']}-override").set_value("Signs after the visit")
    press(browser, "step-check-in")
    lines = [warning.value for warning in browser.app.warning]
    assert len(lines) > 1
    assert all(line.startswith("Still to obtain") and not line.endswith("..") for line in lines)
    assert {button.key for button in browser.app.button} & {"step-check-in", "step-start"} == {"step-start"}


def test_a_booking_begins_on_the_day_that_is_looked_at(booking_api: BookingApi, open_as: Any) -> None:
    browser = open_as("scheduler").run(day=str(MONDAY))
    press(browser, "book")
    assert browser.app.date_input(key="book-day").value == MONDAY


def test_visits_that_are_over_and_open_are_listed_and_lead_to_their_day(
    booking_api: BookingApi, open_as: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit = booking_api.book_appointment(local(MONDAY, 10))
    set_now(booking_api, local(MONDAY + 2 * DAY, 9))
    monkeypatch.setattr("dashboards.views.schedule.show_needs", lambda *_: "still_open")
    browser = open_as("scheduler").run()
    [table] = [
        data
        for data in browser.read_components()
        if isinstance(data, dict) and data.get("caption") == "1 visit over and still open"
    ]
    [row] = table["rows"]
    assert (row["id"], row["when"]) == (visit["id"], "Monday, March 23, 2026, 10:00 am")
    assert row["client"] == visit["client_name"]
    show_table = schedule.show_table
    chosen = {"need-visits": visit["id"]}
    monkeypatch.setattr(schedule, "show_table", lambda key, *more: chosen.pop(key, None) or show_table(key, *more))
    assert "Monday, March 23" in browser.run().read_text()
    assert str(MONDAY) in browser.app.query_params["day"]


def list_requests(booking_api: BookingApi) -> list[Any]:
    return booking_api.load_rows("select status, starts_at from reschedule_requests order by id")


def test_a_clinician_asks_to_move_a_visit_and_the_front_desk_approves(
    booking_api: BookingApi, open_as: Any, opened: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    visit, new = booking_api.book_appointment(local(MONDAY, 10)), local(MONDAY, 14)
    opened["own-week"] = visit["id"]
    clinician = open_as("clinician").run(week=str(MONDAY))
    [times] = [group for group in clinician.app.pills if group.key.startswith(f"ask-{visit['id']}")]
    times.set_value(next(option for option in times.options if option == "2:00 pm"))
    clinician.run()
    press(clinician, f"ask-{visit['id']}-send")
    assert "Write why it should move" in clinician.read_text()
    clinician.app.text_input(key=f"ask-{visit['id']}-reason").set_value("A training")
    press(clinician, f"ask-{visit['id']}-send")
    assert list_requests(booking_api) == [("PENDING", new)]
    monkeypatch.setattr("dashboards.views.schedule.show_needs", lambda _, needs: needs[0]["key"])
    scheduler = open_as("scheduler").run()
    assert "A training" in scheduler.read_text()
    request_id = booking_api.load_rows("select id from reschedule_requests")[0].id
    press(scheduler, f"request-{request_id}-reject")
    assert "Write why it is not moved" in scheduler.read_text()
    monkeypatch.setattr("dashboards.views.schedule.show_needs", lambda *_: "move_requests")
    press(scheduler, f"request-{request_id}-approve")
    assert list_requests(booking_api) == [("APPROVED", new)]
    assert booking_api.read(visit)["status"] == "RESCHEDULED"


def test_a_clinician_withdraws_a_request(booking_api: BookingApi, open_as: Any, opened: dict[str, str]) -> None:
    visit = booking_api.book_appointment(local(MONDAY, 10))
    asked = {"appointment_id": visit["id"], "starts_at": local(MONDAY, 14), "reason": "A training"}
    request = booking_api.post("/reschedule-requests", booking_api.clinician, **asked).json()
    opened["own-week"] = visit["id"]
    press(open_as("clinician").run(week=str(MONDAY)), f"request-{request['id']}-withdraw")
    assert list_requests(booking_api) == [("WITHDRAWN", local(MONDAY, 14))]


@pytest.mark.parametrize(("answer", "status"), [("take", "TAKEN"), ("decline", "DECLINED")])
def test_a_held_time_says_for_whom_and_is_answered_for_them(
    booking_api: BookingApi, open_as: Any, opened: dict[str, str], answer: str, status: str
) -> None:
    entry = booking_api.post("/waitlist", client_id=booking_api.client).json()
    time = {"clinician_id": booking_api.clinician.staff_id, "service_code": "TALK", "starts_at": local(MONDAY, 10)}
    offer = booking_api.post(f"/waitlist/{entry['id']}/offers", **time).json()
    opened["week"] = offer["id"]
    browser = open_as("scheduler").run(day=str(MONDAY))
    assert entry["client_name"] in browser.read_text()
    assert "held until" in browser.read_text()
    browser.app.toggle(key="hide_names").set_value(True)
    assert entry["client_name"] not in browser.run().read_text()
    press(browser, f"hold-{answer}")
    assert booking_api.load_rows("select status from waitlist_offers") == [(status,)]
    assert booking_api.count("appointments") == int(answer == "take")


def test_the_block_of_a_held_time_opens(booking_api: BookingApi, open_as: Any) -> None:
    entry = booking_api.post("/waitlist", client_id=booking_api.client).json()
    time = {"clinician_id": booking_api.clinician.staff_id, "service_code": "TALK", "starts_at": local(MONDAY, 10)}
    offer = booking_api.post(f"/waitlist/{entry['id']}/offers", **time).json()
    grids = [data for data in open_as("scheduler").run(day=str(MONDAY)).read_components() if "columns" in data]
    assert offer["id"] in [item["id"] for column in grids[0]["columns"] for item in column["items"]]
