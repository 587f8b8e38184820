"""Who reads which notes, in lists and one by one, and that every look is on the audit trail."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.builders.notes import SOAP
from tests.support.builders.people import NOW, Person
from tests.support.builders.schedule import make_client
from tests.support.drivers.booking import refused
from tests.support.drivers.notes import NotesApi

WHY = "A complaint to look into"


def listed(notes_api: NotesApi, by: Person | None = None, reason: str | None = None, **query: Any) -> list[str]:
    answer = notes_api.get("/notes", by, reason, **query)
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


@pytest.fixture
def notes(notes_api: NotesApi) -> dict[str, dict[str, Any]]:
    """The clinician's draft and signed note about a client whom the colleague sees too, who has a draft as well."""
    notes_api.session(clinician=notes_api.colleague)
    return {
        "draft": notes_api.created(),
        "signed": notes_api.signed(),
        "colleague's": notes_api.created(notes_api.colleague),
        "elsewhere": notes_api.created(
            notes_api.colleague, client_id=make_client(notes_api.practice, notes_api.colleague)
        ),
    }


def test_who_reads_what(notes_api: NotesApi, notes: dict[str, dict[str, Any]]) -> None:
    """Drafts are read by their author and the author's supervisor, what is signed by all who have the client."""
    stranger, other = notes_api.practice.add("clinician"), notes_api.practice.add("supervisor")
    sees = {
        "clinician": (notes_api.clinician, {"draft", "signed"}),
        "supervisor": (notes_api.supervisor, {"draft", "signed"}),
        "colleague": (notes_api.colleague, {"signed", "colleague's", "elsewhere"}),
        "stranger": (stranger, set()),
        "another supervisor": (other, set()),
    }
    for name, (person, expected) in sees.items():
        assert set(listed(notes_api, person)) == {notes[one]["id"] for one in expected}, name
        for one, note in notes.items():
            for part in ("", "/history", "/verification"):
                status = notes_api.get(f"/notes/{note['id']}{part}", person).status_code
                assert status == (200 if one in expected else 404), (name, one, part)


def test_an_admin_reads_for_a_reason_that_is_kept(notes_api: NotesApi, notes: dict[str, dict[str, Any]]) -> None:
    path = f"/notes/{notes['draft']['id']}"
    for one in ("/notes", path, f"{path}/history", f"{path}/verification"):
        assert refused(notes_api.get(one, notes_api.practice.admin), "REASON_MISSING", 403)
    assert refused(notes_api.post("/notes/search", notes_api.practice.admin, query="sleep"), "REASON_MISSING", 403)
    assert notes_api.recorded("note.read") == []
    assert len(listed(notes_api, notes_api.practice.admin, WHY)) == 4
    assert notes_api.get(path, notes_api.practice.admin, WHY).json()["sections"][0]["text"] == SOAP["subjective"]
    assert notes_api.get(f"{path}/history", notes_api.practice.admin, WHY).status_code == 200
    for action in ("notes.listed", "note.read", "note.history_read"):
        assert notes_api.recorded(action)[-1].details["reason"] == WHY
    for role in ("scheduler", "biller", "analyst"):
        assert refused(notes_api.get(path, notes_api.practice.add(role), WHY), "FORBIDDEN", 403)


def test_every_look_is_recorded_with_the_client(notes_api: NotesApi, notes: dict[str, dict[str, Any]]) -> None:
    note_id = notes["signed"]["id"]
    for path, action in (("", "note.read"), ("/history", "note.history_read"), ("/verification", "note.verified")):
        before = len(notes_api.recorded(action))
        assert notes_api.get(f"/notes/{note_id}{path}", notes_api.colleague).status_code == 200
        entry = notes_api.recorded(action)[before]
        assert (entry.subject_id, entry.details["note_id"]) == (notes_api.client, note_id)
        assert entry.account_id == notes_api.colleague.account_id
    listed(notes_api, client_id=notes_api.client)
    assert notes_api.recorded("client.read")[-1].details == {"part": "notes"}


def test_a_list_is_filtered_and_says_nothing_of_what_is_written(notes_api: NotesApi) -> None:
    other = make_client(notes_api.practice, notes_api.clinician)
    soap = notes_api.signed(appointment_id=notes_api.session())
    notes_api.now = NOW + timedelta(days=1)
    plan = notes_api.created(type="SAFETY_PLAN", sections={"coping": "Walks."}, client_id=other)
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
        assert listed(notes_api, **query) == [one["id"] for one in expected], query
    answer = notes_api.get("/notes")
    assert "sections" not in answer.text
    assert "Walks" not in answer.text
    assert notes_api.get("/notes", sort="text").status_code == 422
    first = notes_api.get("/notes", limit=1, fields="id,status", count="true").json()
    assert first["items"] == [{"id": plan["id"], "status": "DRAFT"}]
    assert first["total"] == 2
    assert listed(notes_api, limit=1, cursor=first["next_cursor"]) == [soap["id"]]


def test_a_day_is_the_practice_s_own(notes_api: NotesApi) -> None:
    notes_api.now = NOW.replace(hour=3, minute=30) + timedelta(days=1)  # 23:30 of the 18th
    note = notes_api.created()
    assert listed(notes_api, from_="2026-03-18", to="2026-03-18") == [note["id"]]
    assert listed(notes_api, from_="2026-03-19") == []
