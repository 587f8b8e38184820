"""The journey of a report in a real Chromium: an admin builds, shares and schedules it, and a supervisor opens it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page
from sqlalchemy import text

from tests.support.builders.people import PracticeFixture
from tests.support.builders.sessions import SessionBuilder
from tests.support.drivers.browser import load_rows, open_visitor, wait_until_drawn
from tests.support.drivers.server import Server
from tests.warehouse.conftest import be_quiet
from warehouse.refresh import refresh_practice

DAY = timedelta(days=1)
ZONE = ZoneInfo("America/New_York")  # of the practices


@pytest.fixture
def practice(server: Server) -> PracticeFixture:
    """Publish the metrics of a supervised clinician with a kept and a missed visit, and of another with a kept one."""
    practice = server.create_practice()
    supervisor = practice.add("supervisor")
    member, other = practice.add("clinician", supervisor=supervisor), practice.add("clinician")
    with practice.installation.store.begin_session(practice.id) as db:
        db.execute(
            text("update staff set first_name = 'Mara', last_name = 'Member' where id = :id"), {"id": member.staff_id}
        )
        db.execute(
            text("update staff set first_name = 'Otto', last_name = 'Other' where id = :id"), {"id": other.staff_id}
        )
    noon = datetime.now(ZONE).replace(hour=0, minute=30).astimezone(UTC) - timedelta(hours=6)
    builder = SessionBuilder(practice, member)
    builder.add_session(noon)
    builder.add_session(noon - timedelta(hours=2), status="NO_SHOW")
    builder.add_session(noon, clinician=other)
    installation = server.installation
    refresh_practice(
        installation.store, installation.settings.warehouse, practice.id, datetime.now(UTC), "duckdb", be_quiet
    )
    return practice


def choose(page: Page, label: str, option: str) -> None:
    """Choose an option of a list in the open dialog."""
    page.get_by_role("dialog").get_by_label(label, exact=False).last.click()
    page.get_by_role("option", name=option, exact=True).click()
    page.keyboard.press("Tab")  # the open list hides everything else from readers
    page.wait_for_timeout(500)


def read_lines(page: Page) -> dict[str, str]:
    """Return the first value of each line of the report by name."""
    rows = page.get_by_role("table", name="Kept visits of the month").locator("tbody tr")
    return {row.locator("th").inner_text().split("\n")[0]: row.locator("td").first.inner_text() for row in rows.all()}


def test_an_admin_shares_a_report_that_a_supervisor_opens(server: Server, url: str, practice: PracticeFixture) -> None:
    ((supervisor_name,),) = load_rows(
        practice, "select first_name || ' ' || last_name from staff where 'supervisor' = any(roles)"
    )
    yesterday = (datetime.now(ZONE) - DAY).date()
    with open_visitor(url) as visitor:
        visitor.sign_in(server, practice.admin)
        page = visitor.open(f"/reports?report=productivity&day={yesterday}")
        wait_until_drawn(page)
        page.get_by_role("button", name="New report").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Name").fill("Kept visits of the month")
        dialog.get_by_label("Name").press("Tab")
        dialog.get_by_role("button", name="Save", exact=True).click()
        page.get_by_role("heading", name="Kept visits of the month").first.wait_for(timeout=30_000)
        wait_until_drawn(page)
        assert read_lines(page) == {"Mara Member": "50 %", "Otto Other": "100 %", "Total": "66.67 %"}
        page.get_by_role("button", name="Share and send").click()
        choose(page, "Share with", "Supervisor")
        choose(page, "Send its link by email", "Every month")
        dialog.get_by_label("On day").wait_for(timeout=30_000)
        choose(page, "To", supervisor_name)
        dialog.get_by_role("button", name="Save", exact=True).click()
        dialog.wait_for(state="hidden", timeout=30_000)
        (saved,) = load_rows(practice, "select id, name, shared_with, definition ->> 'group' from report_definitions")
        assert saved[1:] == ("Kept visits of the month", ["supervisor"], "clinician")
        sent = load_rows(practice, "select send_every, send_hour, staff_id from report_definitions, report_recipients")
        assert sent == [("month", 7, practice.people["supervisor"].staff_id)]
        with page.expect_download() as download:
            page.get_by_role("link", name="CSV").click()
        assert "Mara Member,50.00" in Path(download.value.path()).read_text()
        assert visitor.complaints == []
    with open_visitor(url) as visitor:
        visitor.sign_in(server, practice.people["supervisor"])
        page = visitor.open("/reports")
        wait_until_drawn(page)
        page.get_by_role("button", name="Kept visits of the month").click()
        page.get_by_role("heading", name="Kept visits of the month").first.wait_for(timeout=30_000)
        wait_until_drawn(page)
        page.goto(f"{page.url}&day={yesterday}")
        wait_until_drawn(page)
        assert str(saved[0]) in page.url
        assert read_lines(page) == {"Mara Member": "50 %", "Total": "50 %"}
        page.get_by_role("button", name="Mara Member").click()
        page.get_by_text("They add up to 1 of 2.").wait_for(timeout=30_000)
        assert "Otto" not in page.content()
        assert visitor.complaints == []


@pytest.mark.parametrize("role", ["admin", "clinician"])
def test_reports_fit_on_a_phone(server: Server, url: str, practice: PracticeFixture, role: str) -> None:
    person = practice.admin if role == "admin" else practice.people["clinician"]
    with open_visitor(url, width=390) as visitor:
        visitor.sign_in(server, person)
        page = visitor.open("/reports?report=productivity")
        wait_until_drawn(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert visitor.complaints == []
