"""A supervisor's journeys in a real Chromium: co-sign, return and unlock; the database says what the page said."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from practice.clinical.notes.drafts import save_note
from practice.clinical.notes.signing import submit_note, withdraw_note
from tests.support.builders.notes import fill_sections
from tests.support.builders.people import Person, PracticeFixture
from tests.support.builders.sessions import SessionBuilder, write_note
from tests.support.drivers.browser import load_rows, open_visitor, press_key
from tests.support.drivers.server import Server

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
DRAWN = 30_000


@pytest.fixture
def clinician(practice: PracticeFixture) -> Person:
    return practice.add("clinician", supervisor=practice.add("supervisor"))


@pytest.mark.parametrize("by_keyboard", [False, True])
@pytest.mark.parametrize("width", [1280, 390])
def test_a_supervisor_returns_a_note_and_co_signs_it_later(
    server: Server, url: str, practice: PracticeFixture, clinician: Person, width: int, by_keyboard: bool
) -> None:
    now = datetime.now(UTC)
    session = SessionBuilder(practice, clinician).add_session(now - 6 * HOUR)
    write_note(practice, clinician, session, submit=True, now=now - HOUR)
    with open_visitor(url, width) as visitor:
        page = visitor.sign_in(server, practice.people["supervisor"])
        assert page.get_by_text("1 note waits for you").first.is_visible()

        def press(name: str) -> None:
            if by_keyboard:
                press_key(page, name)
            else:
                page.get_by_role("button", name=name).first.click()

        client = page.get_by_role("table", name="Notes to co-sign").get_by_role("button").inner_text()
        press(client)
        page.get_by_text("As planned.").first.wait_for(timeout=DRAWN)
        page.get_by_label("What the author has to change").focus()
        page.keyboard.type("The plan is missing.")
        press("Return to the author")
        page.get_by_text("Nothing waits for you.").wait_for(timeout=DRAWN)
        assert load_rows(practice, "select status, returned_at is not null from notes") == [("DRAFT", True)]
        with practice.installation.store.begin_session(practice.id) as db:
            db.execute(text("update notes set status = 'IN_REVIEW', submitted_at = now()"))
        page.reload()
        page.get_by_text("1 note waits for you").first.wait_for(timeout=DRAWN)
        press(client)
        page.get_by_text("As planned.").first.wait_for(timeout=DRAWN)
        press("Co-sign")
        page.get_by_text("Nothing waits for you.").wait_for(timeout=DRAWN)
        assert load_rows(practice, "select status from notes") == [("SIGNED",)]
        assert load_rows(practice, "select signed_by_id from notes") == [(practice.people["supervisor"].staff_id,)]
        assert visitor.complaints == []


def test_a_supervisor_signs_only_what_was_shown(
    server: Server, url: str, practice: PracticeFixture, clinician: Person
) -> None:
    now = datetime.now(UTC)
    session = SessionBuilder(practice, clinician).add_session(now - 6 * HOUR)
    note_id = write_note(practice, clinician, session, submit=True, now=now - HOUR)
    with open_visitor(url) as visitor:
        page = visitor.sign_in(server, practice.people["supervisor"])
        page.get_by_role("table", name="Notes to co-sign").get_by_role("button").click()
        page.get_by_text("As planned.").first.wait_for(timeout=DRAWN)
        with practice.work(clinician) as work:
            version = withdraw_note(work, note_id).version
            sections = fill_sections("PROGRESS_NOTE", "Another text.")
            version = save_note(work, note_id, version, sections=sections).version
            submit_note(work, note_id, version)
        for button in ("Co-sign", "Return to the author"):
            page.get_by_label("What the author has to change").fill("Say more.")
            page.get_by_role("button", name=button).click()
            page.get_by_role("dialog").get_by_role("alert").first.wait_for(timeout=DRAWN)
            assert "changed" in page.get_by_role("dialog").get_by_role("alert").first.inner_text()
            assert load_rows(practice, "select status from notes") == [("IN_REVIEW",)]


@pytest.mark.parametrize("role", ["supervisor", "admin"])
def test_a_locked_session_is_unlocked_for_a_time(
    server: Server, url: str, practice: PracticeFixture, clinician: Person, role: str
) -> None:
    SessionBuilder(practice, clinician).add_session(datetime.now(UTC) - 20 * DAY)
    with open_visitor(url) as visitor:
        page = visitor.sign_in(server, practice.admin if role == "admin" else practice.people["supervisor"])
        page.get_by_role("table", name="Locked sessions").get_by_role("button").click()
        page.get_by_label("Why, for the audit log").fill("")
        page.get_by_role("button", name="Unlock", exact=True).click()
        page.get_by_role("dialog").get_by_role("alert").wait_for(timeout=DRAWN)  # a reason is required
        page.get_by_label("Why, for the audit log").fill("Was ill")
        page.get_by_role("button", name="Unlock", exact=True).click()
        page.get_by_text("No session is locked.").wait_for(timeout=DRAWN)
        assert load_rows(practice, "select kind, until - at from session_locks") == [("UNLOCKED", 48 * HOUR)]
        assert visitor.complaints == []
