"""Bad input and bad days on the pages: each says in a sentence what is wrong, and the page stays usable."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from tests.support.builders.people import Person, PracticeFixture
from tests.support.builders.sessions import SessionBuilder
from tests.support.drivers.browser import Visitor, open_visitor, wait_until_drawn
from tests.support.drivers.server import Server
from tests.support.drivers.views import open_session

HOUR = timedelta(hours=1)
FRAMEWORK = ("Streamlit", "streamlit", "Traceback", "Rerun", "Page not found", "the app's main page")


@pytest.fixture
def come_in(server: Server, url: str, folder: Path, practice: PracticeFixture) -> Any:
    def come(visitor: Visitor, person: Person, path: str) -> Any:
        visitor.come_back(open_session(server, folder, practice, person))
        page = visitor.open(path)
        wait_until_drawn(page)
        return page

    return come


def read(page: Any) -> str:
    """Return what the page says, after checking that the framework says nothing."""
    said = page.locator("body").inner_text()
    assert [word for word in FRAMEWORK if word in said] == []
    return said


@pytest.mark.parametrize("path", ["/overview", "/audit", "/payroll", "/no-such-page", "/Overview", "/my-practice/x"])
def test_a_page_that_somebody_does_not_have_leads_to_their_own(
    url: str, practice: PracticeFixture, come_in: Any, path: str
) -> None:
    with open_visitor(url) as visitor:
        page = come_in(visitor, practice.add("clinician"), path)
        assert "There is no such page for you." in read(page)
        page.get_by_role("button", name="To my first page").click()
        page.get_by_role("heading", name="Hello, Robin").wait_for(timeout=30_000)
        assert visitor.complaints == []


def test_ids_of_others_choose_nothing(url: str, practice: PracticeFixture, come_in: Any, server: Server) -> None:
    other = server.create_practice().add("clinician")
    with open_visitor(url) as visitor:
        page = come_in(visitor, practice.admin, f"/overview?person={other.staff_id}")
        assert "Practice overview" in read(page)
        for query in (f"person={uuid4()}", "person=x", "day=0001-01-01", "day=9999-12-31", "period=%00"):
            page.goto(f"{url}/overview?{query}")
            wait_until_drawn(page)
            assert "Practice overview" in read(page)
            assert page.get_by_role("alert").count() == 0
        assert visitor.complaints == []


def test_times_are_those_of_the_practice_in_every_browser(url: str, practice: PracticeFixture, come_in: Any) -> None:
    clinician, scheduler = practice.add("clinician"), practice.add("scheduler")
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - HOUR
    SessionBuilder(practice, clinician).add_session(start)
    local = start.astimezone(ZoneInfo("America/New_York"))
    clock = f"{local.hour % 12 or 12}:00 {'am' if local.hour < 12 else 'pm'}"
    with open_visitor(url, time_zone="Asia/Tokyo") as visitor:
        page = come_in(visitor, scheduler, f"/schedule?day={local.date()}")
        assert clock in read(page)


def test_long_and_unusual_names_stay_within_the_page(url: str, practice: PracticeFixture, come_in: Any) -> None:
    clinician = practice.add("clinician")
    SessionBuilder(practice, clinician).add_session(datetime.now(UTC) - HOUR)
    names = ["<script>alert(1)</script>", "W" * 100, "محمد عبد الله", "Ünïcodé 🎈"]
    for name in names:
        with practice.installation.store.begin_session(practice.id) as db:
            db.execute(text("update clients set first_name = :name, last_name = :name"), {"name": name})
        with open_visitor(url, width=390) as visitor:
            page = come_in(visitor, clinician, "/my-practice")
            assert name.split()[0] in read(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
            assert visitor.complaints == []


@pytest.mark.parametrize("role", ["admin", "supervisor", "clinician", "scheduler", "biller"])
def test_a_practice_without_records_says_so(url: str, practice: PracticeFixture, come_in: Any, role: str) -> None:
    person = practice.admin if role == "admin" else practice.add(role)
    with open_visitor(url) as visitor:
        page = come_in(visitor, person, "/")
        said = read(page)
        assert any(words in said for words in ("No ", "Nothing ", "Nobody ", "not been computed"))
        assert page.get_by_role("alert").count() == 0
        assert visitor.complaints == []
