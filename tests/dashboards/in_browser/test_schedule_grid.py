"""The schedule in a real Chromium: visits are moved, booked, cancelled and offered; the database says what was said."""

from contextlib import ExitStack
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page

from practice.scheduling.models.waitlist import WaitlistEntry
from practice.store.ids import new_id
from tests.support.builders.people import Person, PracticeFixture
from tests.support.builders.schedule import (
    make_appointment,
    make_client,
    make_room,
    make_service,
    open_hours,
    put,
)
from tests.support.drivers.accessibility import list_broken_rules
from tests.support.drivers.browser import go_to, load_rows, open_visitor, wait_until_drawn
from tests.support.drivers.server import Server

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
ZONE = ZoneInfo("America/New_York")  # of the practices


class ScheduleScenario:
    """A practice with a visit tomorrow at ten, of a clinician who sees clients from nine to five."""

    def __init__(self, server: Server) -> None:
        self.practice: PracticeFixture = server.create_practice()
        self.practice.now = datetime.now(UTC)
        self.scheduler, self.clinician = self.practice.add("scheduler"), self.practice.add("clinician")
        open_hours(self.practice, self.clinician, time(9), time(17))
        self.service, self.room = make_service(self.practice, "TALK"), make_room(self.practice)
        self.client = self.add_client("Casey", "Elm")
        self.visit = self.add_visit(self.client, 10)

    @property
    def day(self) -> date:
        return datetime.now(ZONE).date() + DAY

    def add_client(self, first_name: str, last_name: str) -> UUID:
        return make_client(self.practice, self.clinician, first_name=first_name, last_name=last_name)

    def add_visit(self, client: UUID, hour: int, **values: Any) -> UUID:
        return make_appointment(self.practice, self.clinician, client, self.service, self.at(hour), **values)

    def at(self, hour: int) -> datetime:
        return datetime.combine(self.day, time(hour), ZONE).astimezone(UTC)

    def list_visits(self) -> list[tuple[str, int]]:
        """Return the status and the local hour of each visit."""
        rows = load_rows(self.practice, "select status, starts_at from appointments order by created_at, starts_at, id")
        return [(status, starts_at.astimezone(ZONE).hour) for status, starts_at in rows]


@pytest.fixture
def scenario(server: Server) -> ScheduleScenario:
    return ScheduleScenario(server)


def open_day(visitor: Any, server: Server, person: Person, scenario: ScheduleScenario) -> Page:
    """Sign in and open the schedule of the day of the visit."""
    page = visitor.sign_in(server, person)
    page.goto(f"{visitor.url}/schedule?day={scenario.day}")
    wait_until_drawn(page)
    return page


def open_visit(page: Page, name: str = "Casey Elm") -> None:
    page.get_by_role("group", name="Schedule").get_by_role("button", name=name).click()
    page.get_by_role("dialog").get_by_text(name).wait_for(timeout=30_000)


def choose(page: Page, name: str) -> None:
    """Press a choice or button of the dialog."""
    page.get_by_role("dialog").get_by_text(name, exact=True).first.click()


def press_button(page: Page, name: str) -> None:
    page.get_by_role("dialog").get_by_role("button", name=name).last.click()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_the_front_desk_moves_a_visit_into_a_free_time(
    server: Server, url: str, scenario: ScheduleScenario, width: int, scheme: Any
) -> None:
    with open_visitor(url, width, scheme) as visitor:
        page = open_day(visitor, server, scenario.scheduler, scenario)
        assert list_broken_rules(page) == []
        open_visit(page)
        choose(page, "Move")
        choose(page, "2:00 pm")
        page.wait_for_timeout(500)
        assert list_broken_rules(page) == []
        press_button(page, "Move")
        page.get_by_text("Moved to").wait_for(timeout=30_000)
        assert scenario.list_visits() == [("RESCHEDULED", 10), ("SCHEDULED", 14)]
        block = page.get_by_role("group", name="Schedule").get_by_role("button", name="Casey Elm")
        assert block.inner_text().startswith("2:00–3:00 pm")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert visitor.complaints == []


def test_the_front_desk_moves_a_visit_by_keyboard_alone(server: Server, url: str, scenario: ScheduleScenario) -> None:
    with open_visitor(url) as visitor:
        page = open_day(visitor, server, scenario.scheduler, scenario)
        go_to(page, "10:00–11:00 am")
        page.keyboard.press("Enter")
        page.get_by_role("dialog").get_by_text("Casey Elm").wait_for(timeout=30_000)
        for label, steps in (("Next step", 1), ("9:00 am", 3), ("Move", 0)):
            go_to(page, label)
            for _ in range(steps):
                page.keyboard.press("ArrowRight")
            page.keyboard.press("Enter")
            page.wait_for_timeout(1500)
        page.get_by_text("Moved to").wait_for(timeout=30_000)
        assert scenario.list_visits() == [("RESCHEDULED", 10), ("SCHEDULED", 12)]
        assert visitor.complaints == []


def test_the_second_of_two_who_move_one_visit_sees_why_not(
    server: Server, url: str, scenario: ScheduleScenario
) -> None:
    with open_visitor(url) as first, ExitStack() as stack:
        one = open_day(first, server, scenario.scheduler, scenario)
        other_context = first.context.browser.new_context(viewport={"width": 1280, "height": 1000})
        stack.callback(other_context.close)
        second = type(first)(url, other_context)
        two = open_day(second, server, scenario.practice.admin, scenario)
        for page, at in ((one, "2:00 pm"), (two, "3:00 pm")):
            open_visit(page)
            choose(page, "Move")
            choose(page, at)
            page.wait_for_timeout(500)
        press_button(one, "Move")
        one.get_by_text("Moved to").wait_for(timeout=30_000)
        press_button(two, "Move")
        two.get_by_role("dialog").get_by_text("already rescheduled").wait_for(timeout=30_000)
        assert scenario.list_visits() == [("RESCHEDULED", 10), ("SCHEDULED", 14)]
        two.keyboard.press("Escape")
        block = two.get_by_role("group", name="Schedule").get_by_role("button", name="2:00–3:00 pm")
        block.wait_for(timeout=30_000)


def test_a_refusal_offers_alternatives_that_are_taken_by_a_button(
    server: Server, url: str, scenario: ScheduleScenario
) -> None:
    with open_visitor(url) as visitor:
        page = open_day(visitor, server, scenario.scheduler, scenario)
        open_visit(page)
        choose(page, "Move")
        choose(page, "2:00 pm")
        page.wait_for_timeout(500)
        scenario.add_visit(scenario.add_client("Robin", "Oak"), 14)
        press_button(page, "Move")
        page.get_by_text("The clinician has another appointment at this time.").wait_for(timeout=30_000)
        page.get_by_role("dialog").get_by_role("button", name="1:00 pm").last.click()
        page.get_by_text("Moved to").wait_for(timeout=30_000)
        assert sorted(scenario.list_visits()) == [("RESCHEDULED", 10), ("SCHEDULED", 13), ("SCHEDULED", 14)]


def test_a_free_time_is_booked_and_the_visit_cancelled_again(
    server: Server, url: str, scenario: ScheduleScenario
) -> None:
    scenario.add_client("Robin", "Oak")
    with open_visitor(url) as visitor:
        page = open_day(visitor, server, scenario.scheduler, scenario)
        page.get_by_role("group", name="Schedule").get_by_role("button", name="11:00 am–5:00 pm").click()
        search = page.get_by_role("dialog").get_by_label("Client")
        search.fill("robin o")
        search.press("Enter")
        found = page.get_by_role("dialog").get_by_role("combobox", name="Who")
        found.wait_for(timeout=30_000)
        assert found.input_value() == "Robin Oak, born May 17, 1990"
        press_button(page, "Book")
        page.get_by_text("Booked: ").wait_for(timeout=30_000)
        assert scenario.list_visits() == [("SCHEDULED", 10), ("SCHEDULED", 11)]
        open_visit(page, "Robin Oak")
        choose(page, "Cancel")
        page.get_by_role("dialog").get_by_label("Why it is cancelled").fill("Ill")
        page.get_by_role("dialog").get_by_label("Why it is cancelled").press("Enter")
        page.wait_for_timeout(500)
        press_button(page, "Cancel the visit")
        page.get_by_text("Cancelled.").wait_for(timeout=30_000)
        query = "select cancellation_reason from appointments where status = 'CANCELLED'"
        assert load_rows(scenario.practice, query) == [("Ill",)]
        assert visitor.complaints == []


def test_a_free_time_is_offered_to_the_waitlist(server: Server, url: str, scenario: ScheduleScenario) -> None:
    waiting = scenario.add_client("Robin", "Oak")
    put(
        scenario.practice,
        WaitlistEntry(id=new_id(), client_id=waiting, created_at=scenario.practice.now, status="WAITING"),
    )
    with open_visitor(url) as visitor:
        page = open_day(visitor, server, scenario.scheduler, scenario)
        page.get_by_role("group", name="Schedule").get_by_role("button", name="11:00 am–5:00 pm").click()
        choose(page, "Offer to the waitlist")
        page.get_by_role("dialog").get_by_text("Robin Oak").wait_for(timeout=30_000)
        press_button(page, "Offer")
        page.get_by_text("The time is held until").wait_for(timeout=30_000)
        offers = load_rows(scenario.practice, "select starts_at, status from waitlist_offers")
        assert offers == [(scenario.at(11), "OPEN")]
        assert page.get_by_text("Held for the waitlist").is_visible()
        assert visitor.complaints == []


def test_view_and_person_are_kept_in_the_address(server: Server, url: str, scenario: ScheduleScenario) -> None:
    with open_visitor(url) as visitor:
        page = open_day(visitor, server, scenario.scheduler, scenario)
        page.get_by_text("Week", exact=True).click()
        page.wait_for_url("**view=week*")
        wait_until_drawn(page)
        assert page.locator(".cl-day").count() == 7
        page.get_by_text("By room", exact=True).click()
        page.wait_for_url("**by=room*")
        page.reload()
        wait_until_drawn(page)
        assert page.locator(".cl-day").count() == 7
        assert page.get_by_role("group", name="Schedule").get_by_role("button", name="Casey Elm").count() == 0
        assert "Casey" not in page.url
        assert visitor.complaints == []
