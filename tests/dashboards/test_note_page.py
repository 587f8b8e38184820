"""The page of a note as Streamlit draws it, and the routes by which its pad saves what is typed."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from dashboards import navigation
from dashboards.signed_in import Answer
from dashboards.views import team
from dashboards.views.note import build_model
from tests.support.builders.people import NOW, PracticeFixture
from tests.support.builders.sessions import SessionBuilder, write_note
from tests.support.drivers.pages import OWN, Pages

HOUR = timedelta(hours=1)


@pytest.fixture
def sessions(practice: PracticeFixture) -> SessionBuilder:
    return SessionBuilder(practice, practice.add("clinician", supervisor=practice.add("supervisor")))


@pytest.fixture
def open_note(open_as: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that opens the page as a role; the harness opens the first page of the navigation only."""
    entry = next(entry for entry in navigation.PAGES if entry.path == "note")
    monkeypatch.setattr(navigation, "PAGES", (replace(entry, is_listed=True),))
    return lambda role, **query: open_as(role).run(**query)


def test_a_draft_is_shown_to_be_written(open_note: Any, sessions: SessionBuilder) -> None:
    session = sessions.add_session(NOW - 2 * HOUR)
    write_note(sessions.practice, sessions.clinician, session)
    page = open_note("clinician", session=str(session))
    assert page.list_calls() == ["GET /auth/me", "GET /dashboards/note"]
    (pad,) = page.read_components()
    assert (pad["may"], [step["label"] for step in pad["steps"]]) == (
        ["write", "sign", "discard"],
        ["Sign", "Discard this draft"],
    )
    assert {section["text"] for section in pad["sections"]} == {"As planned."}
    assert "<h1>Progress note</h1>" in page.read_text()
    assert "A draft, saved on" in page.read_text()


def test_the_supervisor_reads_a_draft_and_nobody_else_does(
    open_note: Any, sessions: SessionBuilder, practice: PracticeFixture
) -> None:
    note = write_note(practice, sessions.clinician, sessions.add_session(NOW - 2 * HOUR))
    (pad,) = open_note("supervisor", note=str(note)).read_components()
    assert (pad["may"], pad["steps"], pad["sections"][0]["text"]) == ([], [], "As planned.")
    practice.people["clinician"] = practice.add("clinician")
    page = open_note("clinician", note=str(note))
    assert "does not exist, or you may not see it" in page.read_text()
    assert "As planned." not in page.read_text()


def test_the_client_of_a_note_can_be_hidden(
    open_note: Any, sessions: SessionBuilder, practice: PracticeFixture
) -> None:
    with practice.installation.store.begin_session(practice.id) as db:
        db.execute(text("update clients set first_name = 'Canaria', last_name = 'Featherstone'"))
    page = open_note("clinician", session=str(sessions.add_session(NOW - 2 * HOUR)))
    assert "Canaria Featherstone" in page.read_text()
    page.app.toggle(key="hide_names").set_value(True)
    page.run()
    assert "Canaria" not in page.read_text()


def test_a_page_without_a_note_says_where_they_are(open_note: Any, sessions: SessionBuilder) -> None:
    assert "Open a note from My practice" in open_note("clinician").read_text()


RETURN = {"by_name": "Ada Whitfield", "reason": "The plan is missing.", "at": "2026-03-18T15:00:00Z"}


def test_a_returned_note_says_why() -> None:
    note: dict[str, Any] = {"id": "1", "version": 3, "status": "DRAFT", "signatures": [], "addenda": []}
    note |= {"in_review": None, "review_returns": [RETURN]}
    page = {"note": note, "appointment": None, "client_name": "Casey Elm", "client_id": "2", "type": "SOAP_NOTE"}
    page |= {"types": [], "sections": [], "diagnoses": [], "problems": [], "brief": [], "notes_begun": 0}
    model = build_model(page | {"may": ["write"]}, ZoneInfo("America/New_York"), account_id="3", hide_names=False)
    assert model.returned == "Returned by Ada Whitfield: The plan is missing."
    signer = {"kind": "AUTHOR", "signed_by_name": "Robin Vale"}
    for signed_at, said in (("2026-03-18T14:00:00Z", model.returned), ("2026-03-18T16:00:00Z", "")):
        page["note"] = note | {"signatures": [signer | {"signed_at": signed_at}]}
        again = build_model(page | {"may": ["write"]}, ZoneInfo("America/New_York"), account_id="3", hide_names=False)
        assert again.returned == said  # submitted and withdrawn again after the return


def test_a_supervisor_is_told_that_a_return_unlocks_the_session(
    open_as: Any, sessions: SessionBuilder, practice: PracticeFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = Answer(200, {"unlocked_until": "2026-03-20T16:00:00Z"})
    monkeypatch.setattr(team, "call_api", lambda *_, **__: answer)
    said: list[str] = []
    monkeypatch.setattr(team, "say_next", said.append)
    team.return_note("1", "A plan, please", ZoneInfo("America/New_York"))
    assert "Its session was locked and is unlocked for it until March 20, 2026, 12:00 pm." in said[0]
    page = open_as("supervisor")
    page.app.session_state["said"] = (said[0], [])
    page.run()
    assert "The note is returned to its author" in "".join(element.value for element in page.app.success)


def test_a_note_to_co_sign_says_when_its_session_was(
    sessions: SessionBuilder, practice: PracticeFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(team, "load", lambda path: {"/appointments/7": {"starts_at": "2025-12-30T16:00:00Z"}}[path])
    note, zone = {"appointment_id": "7", "created_at": "2026-01-02T16:00:00Z"}, ZoneInfo("America/New_York")
    assert team.describe_time(note, zone) == "session of December 30, 2025, 11:00 am"
    assert team.describe_time(note | {"appointment_id": None}, zone) == "begun on January 2, 2026, 11:00 am"


# The routes of the pad


class Typist:
    """A clinician's browser that sends what the pad sends."""

    def __init__(self, pages: Pages, sessions: SessionBuilder) -> None:
        self.practice = sessions.practice
        self.browser: TestClient = pages.sign_in(sessions.practice, sessions.clinician)
        self.browser.headers["accept"] = "*/*"  # as scripts send it
        session = sessions.add_session(NOW - 2 * HOUR)
        self.note = {"client_id": str(sessions.client), "type": "SOAP_NOTE", "appointment_id": str(session)}

    def begin(self) -> Any:
        document = {"key": "note-of-the-session", "note": self.note | {"sections": {}}}
        return self.browser.post("/notepad", json=document, headers=OWN)

    def save(self, note_id: str, version: int, headers: dict[str, str] = OWN, **sections: str) -> Any:
        content = {"sections": sections, "diagnoses": []}
        document = {"version": version, "content": content}
        return self.browser.put(f"/notepad/{note_id}", json=document, headers=headers)

    def count_notes(self) -> int:
        with self.practice.installation.store.begin_session(self.practice.id) as db:
            return db.scalar(text("select count(*) from notes")) or 0


@pytest.fixture
def typist(pages: Pages, sessions: SessionBuilder) -> Typist:
    return Typist(pages, sessions)


def test_a_note_is_begun_once_and_saved(typist: Typist) -> None:
    begun = typist.begin().json()
    assert typist.begin().json() == begun == {"id": begun["id"], "version": 1}
    assert typist.count_notes() == 1
    saved = typist.save(begun["id"], 1, subjective="Slept better.")
    assert (saved.status_code, saved.json()["version"]) == (200, 2)


def test_a_stale_save_is_answered_with_what_is_stored(typist: Typist) -> None:
    note = typist.begin().json()["id"]
    typist.save(note, 1, subjective="From elsewhere.")
    stale = typist.save(note, 1, subjective="From here.")
    assert stale.status_code == 412
    current = stale.json()["current"]
    assert (current["version"], current["sections"]["subjective"]) == (2, "From elsewhere.")


def test_what_is_refused_says_why_and_where(typist: Typist) -> None:
    note = typist.begin().json()["id"]
    refused = typist.save(note, 1, subjective="x" * 20_001)
    assert refused.status_code == 422
    assert (
        refused.json()["fields"],
        "20,000" in refused.json()["problem"] or "20000" in refused.json()["problem"],
    ) == (
        ["sections.subjective"],
        True,
    )
    assert typist.save(str(UUID(int=1)), 1).status_code == 404
    too_long = b'{"version": 1, "content": {"sections": {"subjective": "' + b"x" * 1_000_001 + b'"}}}'
    for content in (b"no JSON", b"[]", b'{"version": 1}'):
        answer = typist.browser.put(f"/notepad/{note}", content=content, headers=OWN)
        assert (answer.status_code, "Load the page again" in answer.json()["problem"]) == (400, True)
    answer = typist.browser.put(f"/notepad/{note}", content=too_long, headers=OWN)
    assert (answer.status_code, "too long" in answer.json()["problem"]) == (413, True)


def test_only_own_pages_save_and_only_for_the_signed_in(typist: Typist) -> None:
    note = typist.begin().json()["id"]
    assert typist.save(note, 1, {"Origin": "https://other.example"}, subjective="Forged.").status_code == 403
    assert typist.save(note, 1, {}, subjective="Forged.").status_code == 403
    typist.browser.cookies.clear()
    assert typist.save(note, 1, subjective="Forged.").status_code == 401


def test_text_of_somebody_whose_session_ended_is_refused_as_such(typist: Typist) -> None:
    note = typist.begin().json()["id"]
    with typist.practice.installation.store.begin_system_session() as db:
        db.execute(text("update account_sessions set ended_at = now()"))
    assert typist.save(note, 1, subjective="Too late.").status_code == 401
