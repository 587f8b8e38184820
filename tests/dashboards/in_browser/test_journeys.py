"""Journeys in a real Chromium against the running stack; after each, the database says what the page said."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from practice.payroll.rates import set_pay_rate
from tests.support.builders.people import Person, PracticeFixture
from tests.support.builders.sessions import SessionBuilder, write_note
from tests.support.drivers.browser import load_rows, open_visitor, wait_until_drawn
from tests.support.drivers.server import Server
from tests.warehouse.conftest import be_quiet
from warehouse.refresh import refresh_practice

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
ZONE = ZoneInfo("America/New_York")  # of the practices


def find_yesterday() -> date:
    return datetime.now(ZONE).date() - DAY


def choose_start_today() -> datetime:
    """Return a start in ten minutes or, just before midnight, one that is a little past."""
    now = datetime.now(ZONE)
    start = now + 10 * MINUTE
    return (start if start.date() == now.date() else now - 5 * MINUTE).astimezone(UTC)


@pytest.fixture
def clinician(practice: PracticeFixture) -> Person:
    """Add a clinician with two sessions whose notes are drafts."""
    clinician = practice.add("clinician")
    now = datetime.now(UTC)
    with practice.work(now=now - 30 * DAY) as work:
        set_pay_rate(work, clinician.staff_id, 6000, (now - 30 * DAY).date())
    builder = SessionBuilder(practice, clinician)
    for hour in (11, 13):
        session = builder.add_session(datetime.combine(find_yesterday(), time(hour), ZONE).astimezone(UTC))
        write_note(practice, clinician, session, now=now - HOUR)
    return clinician


def test_a_clinician_signs_all_drafts_and_stays_signed_in(
    server: Server, url: str, practice: PracticeFixture, clinician: Person
) -> None:
    with open_visitor(url) as visitor:
        page = visitor.sign_in(server, clinician)
        assert page.get_by_text("2 notes wait for your signature").first.is_visible()
        page.get_by_role("button", name="Sign all 2 drafts").click()
        page.get_by_text("All signed.").wait_for(timeout=30_000)
        assert load_rows(practice, "select count(*) from notes where status = 'SIGNED'") == [(2,)]
        page.reload()
        wait_until_drawn(page)
        assert page.get_by_text("All signed.").first.is_visible()
        tab = visitor.open("/account")
        wait_until_drawn(tab)
        assert tab.get_by_text("This one").is_visible()
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url("**/sign-in*")
        tab.wait_for_url("**/sign-in*", timeout=5_000)
        page.goto(f"{url}/my-practice")
        assert "/sign-in" in page.url
        assert visitor.complaints == []
        assert visitor.hosts - {""} == {"127.0.0.1"}  # data URLs have none
        cookies = {cookie["name"]: cookie for cookie in visitor.context.cookies()}
        assert "__Host-caseload" not in cookies


def test_the_front_desk_checks_a_client_in(server: Server, url: str, practice: PracticeFixture) -> None:
    clinician, scheduler = practice.add("clinician"), practice.add("scheduler")
    builder = SessionBuilder(practice, clinician)
    visit = builder.add_session(choose_start_today(), status="CONFIRMED", status_at=None)
    with open_visitor(url) as visitor:
        page = visitor.sign_in(server, scheduler)
        page.get_by_role("table").get_by_role("button").first.click()
        page.get_by_role("button", name="Check in", exact=True).click()
        page.get_by_text("Checked in", exact=False).first.wait_for(timeout=30_000)
        assert load_rows(practice, "select id, status from appointments") == [(visit, "CHECKED_IN")]
        assert visitor.complaints == []


@pytest.mark.parametrize("role", ["admin", "supervisor", "clinician", "scheduler"])
def test_no_page_is_wider_than_a_phone(server: Server, url: str, practice: PracticeFixture, role: str) -> None:
    person = practice.admin if role == "admin" else practice.add(role)
    with open_visitor(url, width=390) as visitor:
        page = visitor.sign_in(server, person)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert visitor.complaints == []


def test_a_figure_opens_the_rows_behind_it(
    server: Server, url: str, practice: PracticeFixture, clinician: Person
) -> None:
    folder, now = server.installation.settings.warehouse, datetime.now(UTC)
    refresh_practice(server.installation.store, folder, practice.id, now, "duckdb", be_quiet)
    with open_visitor(url) as visitor:
        visitor.sign_in(server, practice.admin)
        page = visitor.open(f"/overview?period=month&day={find_yesterday()}")
        wait_until_drawn(page)
        page.get_by_role("button").filter(has_text="Kept visit rate").first.click()
        page.get_by_text("They add up to").wait_for(timeout=30_000)
        assert page.get_by_text("They add up to 2 of 2.").is_visible()
        with page.expect_download() as download:
            page.get_by_text("All rows as CSV").click()
        assert download.value.suggested_filename.startswith("kept_visit_rate-")
        assert len(Path(download.value.path()).read_text().splitlines()) == 3
        assert visitor.complaints == []


def test_an_admin_changes_a_rule_from_a_day(server: Server, url: str, practice: PracticeFixture) -> None:
    with open_visitor(url) as visitor:
        visitor.sign_in(server, practice.admin)
        page = visitor.open("/settings")
        wait_until_drawn(page)
        page.get_by_label("Search").fill("rebooked")
        page.get_by_label("Search").press("Enter")
        row = page.get_by_role("button", name="Days after a session within which its client counts as rebooked.")
        row.click()
        page.get_by_label("New value").fill("21")
        page.get_by_role("button", name="Change", exact=True).click()
        page.get_by_role("cell", name="21").wait_for(timeout=30_000)
        query = "select key, value::text, effective_on from rule_settings"
        assert load_rows(practice, query) == [("rebook_days", "21", datetime.now(ZONE).date())]
        page.goto(f"{url}/audit")
        wait_until_drawn(page)
        page.get_by_role("button", name="setting.changed").first.click()
        page.get_by_role("dialog").get_by_text("rebook_days").wait_for(timeout=30_000)
        assert visitor.complaints == []
