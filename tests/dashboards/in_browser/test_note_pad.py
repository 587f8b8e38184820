"""A note written in a real Chromium: saved while typing, kept over restarts and ended sessions, and signed."""

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import text

from tests.support.builders.people import Person, PracticeFixture
from tests.support.builders.sessions import SessionBuilder
from tests.support.drivers.accessibility import list_broken_rules
from tests.support.drivers.browser import Visitor, load_rows, open_visitor, run_pages, wait_until_drawn
from tests.support.drivers.server import Server, find_free_port

DAY = timedelta(days=1)
ZONE = ZoneInfo("America/New_York")  # of the practices
SECTIONS = ("Subjective", "Objective", "Assessment", "Plan")


@pytest.fixture
def clinician(practice: PracticeFixture) -> Person:
    return practice.add("clinician")


@pytest.fixture
def session(practice: PracticeFixture, clinician: Person) -> str:
    """Return a session of yesterday without a note."""
    yesterday = datetime.now(ZONE).date() - DAY
    start = datetime.combine(yesterday, time(11), ZONE).astimezone(UTC)
    return str(SessionBuilder(practice, clinician).add_session(start))


def open_pad(visitor: Visitor, session: str) -> Page:
    page = visitor.open(f"/note?session={session}")
    wait_until_drawn(page)
    page.get_by_label("Subjective", exact=True).wait_for(timeout=30_000)
    return page


def wait_until_saved(page: Page) -> None:
    expect(page.locator(".cl-pad-word").first).to_have_text("Saved", timeout=30_000)


def read_sections(server: Server, practice: PracticeFixture, clinician: Person) -> dict[str, str]:
    """Return what the API says is written in the only note."""
    import httpx2

    ((note_id,),) = load_rows(practice, "select id from notes where voided_at is null")
    headers = {"Authorization": f"Bearer {practice.token(clinician)}"}
    note = httpx2.get(f"{server.url}/api/v1/notes/{note_id}", headers=headers).json()
    return {section["title"]: section["text"] for section in note["sections"]}


def test_a_clinician_writes_a_note_and_signs_it(
    server: Server, url: str, practice: PracticeFixture, clinician: Person, session: str
) -> None:
    with open_visitor(url) as visitor:
        page = visitor.sign_in(server, clinician)
        page.get_by_role("table", name="Sessions without a signed note").get_by_role("button").click()
        page.get_by_label("Subjective", exact=True).press_sequentially("Slept better since Mönday.", delay=20)
        wait_until_saved(page)
        page.get_by_text("A draft, saved on", exact=False).wait_for(timeout=30_000)
        assert page.get_by_text("Type of note").count() == 0
        assert f"session={session}" in page.url
        assert read_sections(server, practice, clinician)["Subjective"] == "Slept better since Mönday."
        stored = "select count(*), sum(position('Slept'::bytea in content)) from note_versions"
        ((versions, found),) = load_rows(practice, stored)
        assert (versions > 1, found) == (True, 0)  # encrypted
        expect(page.get_by_text("Objective is empty.")).to_be_visible()
        page.reload()
        wait_until_drawn(page)
        expect(page.get_by_label("Subjective", exact=True)).to_have_value("Slept better since Mönday.")
        page.get_by_role("button", name="Sign", exact=True).click()
        expect(page.get_by_text("Complete the note, then sign it.")).to_be_visible(timeout=30_000)
        for title in SECTIONS[1:]:
            page.get_by_label(title, exact=True).fill(f"{title} as expected.")
        page.get_by_label("Diagnoses", exact=True).fill("f5")
        expect(page.get_by_text("Diagnosis 1 is not an ICD-10 code")).to_be_visible(timeout=30_000)
        assert read_sections(server, practice, clinician)["Plan"] == "Plan as expected."  # saved without the code
        page.get_by_label("Diagnoses", exact=True).fill("")
        wait_until_saved(page)
        page.get_by_label("Diagnoses", exact=True).fill("f51.01")
        page.get_by_label("Diagnoses", exact=True).blur()
        wait_until_saved(page)
        page.get_by_role("button", name="Sign", exact=True).click()
        page.get_by_text("Signed by", exact=False).first.wait_for(timeout=30_000)
        assert load_rows(practice, "select status from notes") == [("SIGNED",)]
        page.get_by_label("Addendum", exact=True).fill("The lab called.")
        page.get_by_label("Why it is added", exact=True).fill("Came later")
        page.get_by_role("button", name="Sign the addendum").click()
        page.get_by_text("Addendum 1").wait_for(timeout=30_000)
        assert load_rows(practice, "select status from notes") == [("AMENDED",)]
        ((note_id,),) = load_rows(practice, "select id from notes")
        assert {each for each in visitor.complaints if "422" not in each} == {f"{url}/notepad/{note_id}"}  # of "f5"


def test_a_note_is_written_and_signed_by_keyboard(
    server: Server, url: str, practice: PracticeFixture, clinician: Person, session: str
) -> None:
    with open_visitor(url) as visitor:
        visitor.sign_in(server, clinician)
        page = open_pad(visitor, session)
        page.get_by_label("Subjective", exact=True).focus()
        for title in SECTIONS:
            assert page.evaluate("document.activeElement.labels[0].textContent") == title
            page.keyboard.type(f"{title} by keys.")
            page.wait_for_timeout(1500)  # saved in the meantime: the pad is drawn again, and keeps the focus
            page.keyboard.press("Tab")
        page.keyboard.type("F41.1")
        wait_until_saved(page)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Sign"
        page.keyboard.press("Enter")
        page.get_by_text("Signed by", exact=False).first.wait_for(timeout=30_000)
        assert read_sections(server, practice, clinician)["Plan"] == "Plan by keys."
        assert load_rows(practice, "select status from notes") == [("SIGNED",)]
        assert visitor.complaints == []


def test_a_note_is_written_and_signed_on_a_phone(
    server: Server, url: str, practice: PracticeFixture, clinician: Person, session: str
) -> None:
    with open_visitor(url, width=390) as visitor:
        visitor.sign_in(server, clinician)
        page = open_pad(visitor, session)
        for title in SECTIONS:
            page.get_by_label(title, exact=True).fill(f"{title} on a phone.")
        wait_until_saved(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert list_broken_rules(page) == []
        page.get_by_role("button", name="Sign", exact=True).click()
        page.get_by_text("Signed by", exact=False).first.wait_for(timeout=30_000)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert load_rows(practice, "select status from notes") == [("SIGNED",)]
        assert visitor.complaints == []


def test_text_typed_while_the_pages_restart_is_saved(
    server: Server, practice: PracticeFixture, clinician: Person, session: str, tmp_path: Path
) -> None:
    port = find_free_port()
    with open_visitor(f"http://127.0.0.1:{port}") as visitor:
        with run_pages(server, tmp_path, port=port):
            visitor.sign_in(server, clinician)
            page = open_pad(visitor, session)
            page.get_by_label("Subjective", exact=True).fill("Before the restart.")
            wait_until_saved(page)
        page.get_by_label("Objective", exact=True).press_sequentially("While nothing answers.")
        expect(page.locator(".cl-pad-word").first).to_contain_text("Not saved: Caseload cannot be reached")
        with run_pages(server, tmp_path, port=port):
            wait_until_saved(page)
            written = read_sections(server, practice, clinician)
            assert (written["Subjective"], written["Objective"]) == ("Before the restart.", "While nothing answers.")
            wait_until_drawn(page)
            expect(page.get_by_label("Objective", exact=True)).to_have_value("While nothing answers.")
            page.get_by_label("Plan", exact=True).fill("After it.")
            wait_until_saved(page)
            assert read_sections(server, practice, clinician)["Plan"] == "After it."


def test_text_typed_after_the_session_ended_waits_hidden_for_its_author(
    server: Server, url: str, practice: PracticeFixture, clinician: Person, session: str
) -> None:
    other = practice.add("clinician")
    with open_visitor(url) as visitor:
        visitor.sign_in(server, clinician)
        page = open_pad(visitor, session)
        page.get_by_label("Subjective", exact=True).fill("Before the end.")
        wait_until_saved(page)
        with server.installation.store.begin_system_session() as db:
            db.execute(text("update account_sessions set ended_at = now()"))
        page.get_by_label("Plan", exact=True).fill("After the end.")
        page.get_by_role("heading", name="Your session has ended").wait_for(timeout=30_000)
        expect(page.get_by_role("textbox")).to_have_count(0)  # what was typed is hidden, also from screen readers
        tab = visitor.sign_in(server, other)  # somebody else at the same screen
        page.wait_for_timeout(7_000)
        assert page.get_by_role("heading", name="Your session has ended").is_visible()
        tab.get_by_role("button", name="Sign out").click()
        tab.wait_for_url("**/sign-in*")
        assert read_sections(server, practice, clinician)["Plan"] == ""
        with server.installation.store.begin_system_session() as db:  # or the code of this half minute is spent
            db.execute(text("update accounts set totp_last_step = 0"))
        visitor.sign_in(server, clinician)
        expect(page.get_by_role("heading", name="Your session has ended")).to_have_count(0, timeout=60_000)
        expect(page.get_by_role("textbox", name="Plan")).to_have_value("After the end.", timeout=60_000)
        assert read_sections(server, practice, clinician)["Plan"] == "After the end."


def test_two_windows_do_not_overwrite_each_other(
    server: Server, url: str, practice: PracticeFixture, clinician: Person, session: str
) -> None:
    with open_visitor(url) as visitor:
        visitor.sign_in(server, clinician)
        first, second = open_pad(visitor, session), open_pad(visitor, session)
        first.get_by_label("Subjective", exact=True).fill("From the first.")
        wait_until_saved(first)
        second.get_by_label("Subjective", exact=True).fill("From the second.")
        word = second.locator(".cl-pad-word").first
        expect(word).to_contain_text("Not saved: This note was changed in another window", timeout=30_000)
        expect(word).not_to_contain_text("history")
        other = second.locator(".cl-pad-side .cl-pad-text")
        expect(other).to_have_text(["The other: SubjectiveFrom the first."])  # beside one's own
        expect(second.get_by_label("Subjective", exact=True)).to_have_value("From the second.")
        assert load_rows(practice, "select count(*) from notes") == [(1,)]
        assert read_sections(server, practice, clinician)["Subjective"] == "From the first."
        second.get_by_role("button", name="Save mine").click()
        wait_until_saved(second)
        assert read_sections(server, practice, clinician)["Subjective"] == "From the second."
        first.get_by_label("Plan", exact=True).fill("Weekly.")
        first.get_by_role("button", name="Use the other").wait_for(timeout=30_000)
        first.get_by_role("button", name="Use the other").click()  # the browser asks; the test answers no
        expect(first.get_by_label("Plan", exact=True)).to_have_value("Weekly.")
        first.once("dialog", lambda asked: asked.accept())
        first.get_by_role("button", name="Use the other").click()
        expect(first.get_by_label("Subjective", exact=True)).to_have_value("From the second.")


def test_a_text_that_is_too_long_is_named_and_a_wrong_draft_is_discarded(
    server: Server, url: str, practice: PracticeFixture, clinician: Person, session: str
) -> None:
    with open_visitor(url) as visitor:
        visitor.sign_in(server, clinician)
        page = open_pad(visitor, session)
        page.get_by_label("Subjective", exact=True).fill("x" * 20_001)
        word = page.locator(".cl-pad-word").first
        expect(word).to_contain_text("Subjective, as typed now, is not saved", timeout=30_000)
        page.get_by_label("Plan", exact=True).fill("Weekly.")
        page.get_by_label("Plan", exact=True).blur()
        expect(word).to_contain_text("Saved, but: Subjective", timeout=30_000)
        written = read_sections(server, practice, clinician)
        assert (written["Subjective"], written["Plan"]) == ("", "Weekly.")
        page.get_by_role("button", name="Discard this draft").click(timeout=30_000)  # answered with no
        page.wait_for_timeout(500)
        assert load_rows(practice, "select count(*) from notes where voided_at is null") == [(1,)]
        page.once("dialog", lambda asked: asked.accept(asked.default_value))
        page.get_by_role("button", name="Discard this draft").click()
        page.get_by_text("Nothing is written yet.").first.wait_for(timeout=30_000)
        assert load_rows(practice, "select void_reason from notes where voided_at is not null") == [
            ("Begun by mistake",)
        ]
        expect(page.get_by_label("Plan", exact=True)).to_have_value("")


def test_a_client_opens_from_a_list_and_their_note_from_the_client(
    server: Server, url: str, practice: PracticeFixture, clinician: Person
) -> None:
    """The client was seen two months ago, nothing is booked, and the note is locked."""
    session = SessionBuilder(practice, clinician).add_session(datetime.now(UTC) - 60 * DAY)
    with open_visitor(url) as visitor:
        page = visitor.sign_in(server, clinician)
        need = page.get_by_role("listitem").filter(has_text="1 client not seen for a month and not booked")
        need.get_by_role("button", name="Show clients").click()
        page.get_by_role("dialog").get_by_role("table").get_by_role("button").click()
        page.get_by_role("heading", name="Progress reports").wait_for(timeout=30_000)
        assert "/client?id=" in page.url
        assert page.get_by_text("nothing is booked", exact=False).first.is_visible()
        page.get_by_role("table", name="Visits").get_by_role("button").click()
        page.get_by_text("Ask a supervisor or an admin to unlock it.", exact=False).first.wait_for(timeout=30_000)
        assert f"session={session}" in page.url
        assert page.get_by_role("textbox").count() == 0  # a locked note is not written
        assert visitor.complaints == []
