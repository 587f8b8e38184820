"""The page of a note over HTTP: what it shows, what its reader may do, and what prevents a signature."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from tests.support.builders.people import Person, PracticeFixture
from tests.support.builders.sessions import PROGRESS, SessionBuilder, write_note
from tests.support.drivers.http import V1, assert_ok, auth_headers
from tests.support.drivers.notes import set_license

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


class Pad:
    """The page, as people of a practice open it."""

    def __init__(self, client: TestClient, practice: PracticeFixture) -> None:
        self.client, self.practice = client, practice
        self.supervisor = practice.add("supervisor")
        self.clinician = practice.add("clinician", supervisor=self.supervisor)
        self.sessions = SessionBuilder(practice, self.clinician)

    def get(self, by: Person | None = None, **query: Any) -> Any:
        headers = auth_headers(self.practice, by or self.clinician)
        return self.client.get(f"{V1}/dashboards/note", params=query, headers=headers)

    def open(self, by: Person | None = None, **query: Any) -> dict[str, Any]:
        return assert_ok(self.get(by, **query))

    def post(self, path: str, by: Person | None = None, body: Any = None, **headers: str) -> Any:
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers |= auth_headers(self.practice, by or self.clinician)
        return self.client.post(f"{V1}{path}", json=body or {}, headers=headers)


@pytest.fixture
def pad(client: TestClient, practice: PracticeFixture) -> Pad:
    return Pad(client, practice)


def test_a_session_without_a_note_shows_the_sections_to_fill_in(pad: Pad) -> None:
    session = pad.sessions.add_session(pad.practice.now - 2 * HOUR)
    page = pad.open(appointment_id=session)
    assert (page["note"], page["type"], page["may"], page["problems"]) == (None, "SOAP_NOTE", ["write", "sign"], [])
    assert [section["missing"] for section in page["sections"]][:2] == ["Subjective is empty.", "Objective is empty."]
    assert page["appointment"]["id"] == str(session)
    assert page["brief"][0] == "Nothing is written yet."
    other = pad.open(appointment_id=session, type="PROGRESS_NOTE")
    assert other["sections"][0]["title"] == "Focus of the session"
    assert "TREATMENT_PLAN" not in other["types"]


def test_the_page_of_a_session_shows_the_draft_that_was_begun(pad: Pad) -> None:
    session = pad.sessions.add_session(pad.practice.now - 2 * HOUR)
    note = write_note(pad.practice, pad.clinician, session)
    page = pad.open(appointment_id=session)
    assert (page["note"]["id"], page["note"]["status"], page["may"]) == (
        str(note),
        "DRAFT",
        ["write", "sign", "discard"],
    )
    assert {section["key"]: section["text"] for section in page["sections"]} == PROGRESS
    assert pad.open(note_id=note) == page


def test_notes_of_the_supervised_are_submitted_and_withdrawn(pad: Pad) -> None:
    set_license(pad.practice, pad.clinician, "APC")
    note = write_note(pad.practice, pad.clinician, pad.sessions.add_session(pad.practice.now - 2 * HOUR))
    page = pad.open(note_id=note)
    assert page["may"] == ["write", "submit", "discard"]
    assert page["supervisor_id"] == str(pad.supervisor.staff_id)
    assert_ok(pad.post(f"/notes/{note}/submit", If_Match=f'"{page["note"]["version"]}"'))
    page = pad.open(note_id=note)
    assert page["may"] == ["withdraw"]
    assert page["brief"][0].startswith("This note waits for the supervisor's signature. The supervisor is ")
    assert pad.open(pad.supervisor, note_id=note)["may"] == []


def test_a_signed_note_takes_an_addendum_only(pad: Pad) -> None:
    note = write_note(pad.practice, pad.clinician, pad.sessions.add_session(pad.practice.now - 2 * HOUR))
    assert_ok(pad.post(f"/notes/{note}/sign", If_Match='"1"'))
    page = pad.open(note_id=note)
    assert (page["may"], page["problems"]) == (["add"], [])
    assert page["brief"][0].startswith("Signed on ")
    assert_ok(pad.post(f"/notes/{note}/addendum", body={"text": "The lab called.", "reason": "Came later"}))
    assert [addendum["text"] for addendum in pad.open(note_id=note)["note"]["addenda"]] == ["The lab called."]


def test_a_locked_session_says_who_unlocks_it(pad: Pad) -> None:
    session = pad.sessions.add_session(pad.practice.now - 15 * DAY)
    page = pad.open(appointment_id=session)
    assert page["may"] == []
    (problem,) = page["problems"]
    assert "Ask a supervisor or an admin to unlock it. The supervisor is " in problem
    note = write_note(pad.practice, pad.clinician, session, now=pad.practice.now - 14 * DAY)
    page = pad.open(note_id=note)
    assert (page["may"], page["problems"]) == ([], [problem])


def test_a_note_in_review_of_a_locked_session_is_not_withdrawn(pad: Pad) -> None:
    set_license(pad.practice, pad.clinician, "APC")
    session = pad.sessions.add_session(pad.practice.now - 2 * HOUR)
    note = write_note(pad.practice, pad.clinician, session)
    assert_ok(pad.post(f"/notes/{note}/submit", If_Match='"1"'))
    assert_ok(pad.post(f"/notes/{note}/lock", pad.supervisor, {"reason": "Under review"}))
    page = pad.open(note_id=note)
    assert page["may"] == []
    (problem,) = page["problems"]
    assert "This session was locked by hand. Ask a supervisor or an admin to unlock it. The supervisor is " in problem


def test_a_session_to_come_has_no_note_yet(pad: Pad) -> None:
    session = pad.sessions.add_session(pad.practice.now + HOUR, status="SCHEDULED", status_at=None)
    page = pad.open(appointment_id=session)
    assert (page["may"], page["problems"]) == (
        [],
        ["This session has not begun. Its note can be written from then on."],
    )


def test_a_draft_of_a_session_that_was_missed_says_so(pad: Pad) -> None:
    session = pad.sessions.add_session(pad.practice.now - 2 * HOUR)
    note = write_note(pad.practice, pad.clinician, session)
    with pad.practice.installation.store.begin_session(pad.practice.id) as db:
        db.execute(text("update appointments set status = 'NO_SHOW' where id = :id"), {"id": session})
    assert "has not taken place" in pad.open(note_id=note)["problems"][0]
    refused = pad.post(f"/notes/{note}/sign", If_Match='"1"')
    assert refused.json()["error"]["code"] == "SESSION_NOT_HELD"


def test_the_page_is_for_those_who_may_read_the_note(pad: Pad) -> None:
    session = pad.sessions.add_session(pad.practice.now - 2 * HOUR)
    stranger = pad.practice.add("clinician")
    assert pad.get(stranger, appointment_id=session).status_code == 404
    unwritten = pad.open(pad.supervisor, appointment_id=session)
    assert (unwritten["note"], unwritten["may"]) == (None, [])
    note = write_note(pad.practice, pad.clinician, session)
    for query in ({"appointment_id": session}, {"note_id": note}):
        assert pad.get(stranger, **query).status_code == 404
        assert pad.open(pad.supervisor, **query)["may"] == []
    assert pad.get().status_code == 422


def test_opening_the_page_is_recorded_as_access_to_the_chart(pad: Pad) -> None:
    session = pad.sessions.add_session(pad.practice.now - 2 * HOUR)
    query = "select action, details ->> 'part' from audit_log where subject_id = :id and account_id = :by order by seq"
    values = {"id": pad.sessions.client, "by": pad.clinician.account_id}
    pad.open(appointment_id=session)
    note = write_note(pad.practice, pad.clinician, session)
    pad.open(note_id=note)
    with pad.practice.installation.store.begin_session(pad.practice.id) as db:
        rows = [tuple(row) for row in db.execute(text(query), values)]
    assert (rows[0], rows[-1]) == (("client.read", "note pad"), ("note.read", None))
