"""Access to notes, in lists and one by one, and its audit entries."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.builders.notes import SOAP
from tests.support.builders.people import NOW, Person
from tests.support.builders.schedule import make_client
from tests.support.drivers.booking import assert_error
from tests.support.drivers.notes import NotesApi

WHY = "A complaint to look into"


def list_note_ids(notes_api: NotesApi, by: Person | None = None, reason: str | None = None, **query: Any) -> list[str]:
    answer = notes_api.get("/notes", by, reason, **query)
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


@pytest.fixture
def notes(notes_api: NotesApi) -> dict[str, dict[str, Any]]:
    """Create notes of the clinician, and drafts of a colleague about the same and another client."""
    notes_api.make_session(clinician=notes_api.colleague)
    return {
        "draft": notes_api.create_note(),
        "signed": notes_api.create_signed_note(),
        "colleague's": notes_api.create_note(notes_api.colleague),
        "elsewhere": notes_api.create_note(
            notes_api.colleague, client_id=make_client(notes_api.practice, notes_api.colleague)
        ),
    }


def test_drafts_and_signed_notes_have_different_readers(notes_api: NotesApi, notes: dict[str, dict[str, Any]]) -> None:
    """Drafts are visible to author and supervisor, signed notes to everybody with the client."""
    stranger, other = notes_api.practice.add("clinician"), notes_api.practice.add("supervisor")
    sees = {
        "clinician": (notes_api.clinician, {"draft", "signed"}),
        "supervisor": (notes_api.supervisor, {"draft", "signed"}),
        "colleague": (notes_api.colleague, {"signed", "colleague's", "elsewhere"}),
        "stranger": (stranger, set()),
        "another supervisor": (other, set()),
    }
    for name, (person, expected) in sees.items():
        assert set(list_note_ids(notes_api, person)) == {notes[key]["id"] for key in expected}, name
        for key, note in notes.items():
            for part in ("", "/history", "/verification"):
                status = notes_api.get(f"/notes/{note['id']}{part}", person).status_code
                assert status == (200 if key in expected else 404), (name, key, part)


def test_an_admin_needs_a_reason_that_is_recorded(notes_api: NotesApi, notes: dict[str, dict[str, Any]]) -> None:
    path = f"/notes/{notes['draft']['id']}"
    for url in ("/notes", path, f"{path}/history", f"{path}/verification"):
        assert assert_error(notes_api.get(url, notes_api.practice.admin), "REASON_MISSING", 403)
    assert assert_error(notes_api.post("/notes/search", notes_api.practice.admin, query="sleep"), "REASON_MISSING", 403)
    assert notes_api.load_audit_entries("note.read") == []
    assert len(list_note_ids(notes_api, notes_api.practice.admin, WHY)) == 4
    assert notes_api.get(path, notes_api.practice.admin, WHY).json()["sections"][0]["text"] == SOAP["subjective"]
    assert notes_api.get(f"{path}/history", notes_api.practice.admin, WHY).status_code == 200
    for action in ("notes.listed", "note.read", "note.history_read"):
        assert notes_api.load_audit_entries(action)[-1].details["reason"] == WHY
    for role in ("scheduler", "biller", "analyst"):
        assert assert_error(notes_api.get(path, notes_api.practice.add(role), WHY), "FORBIDDEN", 403)


def test_every_access_is_recorded_for_the_client(notes_api: NotesApi, notes: dict[str, dict[str, Any]]) -> None:
    note_id = notes["signed"]["id"]
    for path, action in (("", "note.read"), ("/history", "note.history_read"), ("/verification", "note.verified")):
        before = len(notes_api.load_audit_entries(action))
        assert notes_api.get(f"/notes/{note_id}{path}", notes_api.colleague).status_code == 200
        entry = notes_api.load_audit_entries(action)[before]
        assert (entry.subject_id, entry.details["note_id"]) == (notes_api.client, note_id)
        assert entry.account_id == notes_api.colleague.account_id
    list_note_ids(notes_api, client_id=notes_api.client)
    assert notes_api.load_audit_entries("client.read")[-1].details == {"part": "notes"}


def test_lists_are_filtered_and_contain_no_content(notes_api: NotesApi) -> None:
    other = make_client(notes_api.practice, notes_api.clinician)
    soap = notes_api.create_signed_note(appointment_id=notes_api.make_session())
    notes_api.now = NOW + timedelta(days=1)
    plan = notes_api.create_note(type="SAFETY_PLAN", sections={"coping": "Walks."}, client_id=other)
    for query, expected in (
        ({"type": "SOAP_NOTE"}, [soap]),
        ({"status": "DRAFT"}, [plan]),
        ({"client_id": other}, [plan]),
        ({"appointment_id": soap["appointment_id"]}, [soap]),
        ({"clinician_id": notes_api.clinician.staff_id}, [plan, soap]),
        ({"clinician_id": notes_api.colleague.staff_id}, []),
        ({"from": "2026-03-19"}, [plan]),
        ({"to": "2026-03-18"}, [soap]),
        ({"from": "2026-03-18", "to": "2026-03-19", "sort": "created_at"}, [soap, plan]),
        ({"limit": 1}, [plan]),
    ):
        assert list_note_ids(notes_api, **query) == [note["id"] for note in expected], query
    answer = notes_api.get("/notes")
    assert "sections" not in answer.text
    assert "Walks" not in answer.text
    assert notes_api.get("/notes", sort="text").status_code == 422
    first = notes_api.get("/notes", limit=1, fields="id,status", count="true").json()
    assert first["items"] == [{"id": plan["id"], "status": "DRAFT"}]
    assert first["total"] == 2
    assert list_note_ids(notes_api, limit=1, cursor=first["next_cursor"]) == [soap["id"]]


def test_day_filters_use_the_practice_s_time_zone(notes_api: NotesApi) -> None:
    notes_api.now = NOW.replace(hour=3, minute=30) + timedelta(days=1)  # 23:30 of the 18th
    note = notes_api.create_note()
    assert list_note_ids(notes_api, from_="2026-03-18", to="2026-03-18") == [note["id"]]
    assert list_note_ids(notes_api, from_="2026-03-19") == []
