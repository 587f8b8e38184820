"""Journeys on the page of compliance in a real Chromium; after each, the database says what the page said."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.support.builders.people import Person, PracticeFixture
from tests.support.builders.schedule import make_client
from tests.support.drivers.browser import load_rows, open_visitor, wait_until_drawn
from tests.support.drivers.server import Server

ZONE = ZoneInfo("America/New_York")  # of the practices
DRAWN = 30_000


@pytest.fixture
def clinician(practice: PracticeFixture) -> Person:
    return practice.add("clinician", supervisor=practice.add("supervisor"))


def add_client_at_risk(practice: PracticeFixture, clinician: Person, name: str) -> Any:
    """Add a client at high risk, without a safety plan, and with an address that is missing."""
    since = datetime.now(ZONE).date() - timedelta(days=20)
    return make_client(practice, clinician, first_name=name, last_name="Elm", high_risk_since=since, address=None)


def test_an_admin_sends_a_reminder(server: Server, url: str, practice: PracticeFixture, clinician: Person) -> None:
    client = add_client_at_risk(practice, clinician, "Casey")
    with open_visitor(url) as visitor:
        visitor.sign_in(server, practice.admin)
        page = visitor.open("/compliance?check=safety_plan")
        wait_until_drawn(page)
        page.get_by_role("button", name="Casey Elm").click()
        page.get_by_role("dialog").get_by_role("button", name="Remind").click()
        page.get_by_text("1 message on the way to").wait_for(timeout=DRAWN)
        messages = load_rows(practice, "select kind, staff_id, about_id, status from messages")
        assert messages == [("COMPLIANCE_SAFETY_PLAN", clinician.staff_id, client, "PLANNED")]
        page.reload()
        wait_until_drawn(page)
        page.get_by_role("button", name="Casey Elm").click()
        page.get_by_text("A reminder was sent today").wait_for(timeout=DRAWN)
        assert page.get_by_role("dialog").get_by_role("button", name="Remind").count() == 0
        assert "Casey" not in page.url
        assert visitor.complaints == []


def test_a_supervisor_sees_the_team_alone(
    server: Server, url: str, practice: PracticeFixture, clinician: Person
) -> None:
    supervisor, other = practice.people["supervisor"], practice.add("clinician", supervisor=practice.add("supervisor"))
    mine = add_client_at_risk(practice, clinician, "Casey")
    add_client_at_risk(practice, other, "Beyond")
    with open_visitor(url, width=390) as visitor:
        visitor.sign_in(server, supervisor)
        page = visitor.open("/compliance?check=safety_plan")
        wait_until_drawn(page)
        assert page.get_by_text("Casey Elm").first.is_visible()
        assert page.get_by_text("Beyond").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.get_by_role("button", name="Remind", exact=True).first.click()
        page.get_by_text("1 message on the way to").wait_for(timeout=DRAWN)
        assert load_rows(practice, "select about_id from messages") == [(mine,)]
        assert visitor.complaints == []


def test_an_admin_completes_a_record_and_records_a_training(
    server: Server, url: str, practice: PracticeFixture, clinician: Person
) -> None:
    client = add_client_at_risk(practice, clinician, "Casey")
    today = datetime.now(UTC).astimezone(ZONE).date()
    with open_visitor(url) as visitor:
        visitor.sign_in(server, practice.admin)
        page = visitor.open("/compliance?check=demographics")
        wait_until_drawn(page)
        page.get_by_role("button", name="Casey Elm").click()
        page.get_by_label("Address").fill("1 Elm Street")
        page.get_by_label("Address").press("Tab")
        page.get_by_role("button", name="Complete the record").click()
        page.get_by_text("None: nothing is late").wait_for(timeout=DRAWN)
        assert load_rows(practice, "select id, address from clients") == [(client, "1 Elm Street")]
        page.goto(f"{url}/compliance?check=hipaa_training&clinician_id={clinician.staff_id}")
        wait_until_drawn(page)
        page.get_by_role("button", name="Robin Tester").click()
        page.get_by_role("button", name="Record the training").click()
        page.get_by_text("None: nothing is late").wait_for(timeout=DRAWN)
        trainings = load_rows(practice, "select staff_id, kind, completed_on from trainings")
        assert trainings == [(clinician.staff_id, "HIPAA", today)]
        assert visitor.complaints == []


def test_an_admin_mends_what_is_wrong_in_the_records(
    server: Server, url: str, practice: PracticeFixture, clinician: Person
) -> None:
    with open_visitor(url) as visitor:
        visitor.sign_in(server, practice.admin)
        page = visitor.open("/data-quality?check=clinicians_without_rate")
        wait_until_drawn(page)
        page.get_by_role("button", name="Robin Tester").click()
        page.get_by_label("Base rate for an hour").fill("82.50")
        page.get_by_label("Base rate for an hour").press("Enter")
        page.get_by_text("Nothing is wrong here.").wait_for(timeout=DRAWN)
        rates = load_rows(practice, "select staff_id, rate_cents, effective_on::text from pay_rates")
        assert rates == [(clinician.staff_id, 8250, "2025-01-06")]
        page.goto(f"{url}/data-quality?check=clinicians_without_license")
        wait_until_drawn(page)
        page.get_by_role("button", name="Robin Tester").click()
        page.get_by_label("License").click()
        page.get_by_role("option", name="LCSW").click()
        page.get_by_role("button", name="Save").click()
        page.get_by_text("Nothing is wrong here.").wait_for(timeout=DRAWN)
        people = load_rows(practice, "select license_type from staff where license_type is not null")
        assert people == [("LCSW",)]
        assert visitor.complaints == []
