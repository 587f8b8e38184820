"""The dialogs of visits in Streamlit's harness: steps, taking them back, requests to move, and times that are held."""

from datetime import datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.support.builders.people import PracticeFixture
from tests.support.drivers.booking import MONDAY, BookingApi, local
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
    desk = open_as("scheduler").run(day=str(MONDAY))
    assert "ask the clinician, their supervisor or an admin to take it back" in desk.read_text()
    browser = open_as("clinician").run(week=str(MONDAY))
    browser.app.text_input(key=f"visit-{visit['id']}-mistake").set_value("Another client")
    press(browser, f"visit-{visit['id']}-take-back")
    assert booking_api.read(visit)["status"] == "SCHEDULED"
