"""Who reads which notes, in lists and one by one, and that every look is on the audit trail."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.builders.notes import SOAP
from tests.support.builders.people import NOW, Person
from tests.support.builders.schedule import make_client
from tests.support.drivers.booking import refused
from tests.support.drivers.notes import Ward

WHY = "A complaint to look into"


def listed(ward: Ward, by: Person | None = None, reason: str | None = None, **query: Any) -> list[str]:
    answer = ward.get("/notes", by, reason, **query)
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


@pytest.fixture
def notes(ward: Ward) -> dict[str, dict[str, Any]]:
    """The clinician's draft and signed note about a client whom the colleague sees too, who has a draft as well."""
    ward.session(clinician=ward.colleague)
    return {
        "draft": ward.created(),
        "signed": ward.signed(),
        "colleague's": ward.created(ward.colleague),
        "elsewhere": ward.created(ward.colleague, client_id=make_client(ward.practice, ward.colleague)),
    }


def test_who_reads_what(ward: Ward, notes: dict[str, dict[str, Any]]) -> None:
    """Drafts are read by their author and the author's supervisor, what is signed by all who have the client."""
    stranger, other = ward.practice.add("clinician"), ward.practice.add("supervisor")
    sees = {
        "clinician": (ward.clinician, {"draft", "signed"}),
        "supervisor": (ward.supervisor, {"draft", "signed"}),
        "colleague": (ward.colleague, {"signed", "colleague's", "elsewhere"}),
        "stranger": (stranger, set()),
        "another supervisor": (other, set()),
    }
    for name, (person, expected) in sees.items():
        assert set(listed(ward, person)) == {notes[one]["id"] for one in expected}, name
        for one, note in notes.items():
            for part in ("", "/history", "/verification"):
                status = ward.get(f"/notes/{note['id']}{part}", person).status_code
                assert status == (200 if one in expected else 404), (name, one, part)


def test_an_admin_reads_for_a_reason_that_is_kept(ward: Ward, notes: dict[str, dict[str, Any]]) -> None:
    path = f"/notes/{notes['draft']['id']}"
    for one in ("/notes", path, f"{path}/history", f"{path}/verification"):
        assert refused(ward.get(one, ward.practice.admin), "REASON_MISSING", 403)
    assert refused(ward.post("/notes/search", ward.practice.admin, query="sleep"), "REASON_MISSING", 403)
    assert ward.recorded("note.read") == []
    assert len(listed(ward, ward.practice.admin, WHY)) == 4
    assert ward.get(path, ward.practice.admin, WHY).json()["sections"][0]["text"] == SOAP["subjective"]
    assert ward.get(f"{path}/history", ward.practice.admin, WHY).status_code == 200
    for action in ("notes.listed", "note.read", "note.history_read"):
        assert ward.recorded(action)[-1].details["reason"] == WHY
    for role in ("scheduler", "biller", "analyst"):
        assert refused(ward.get(path, ward.practice.add(role), WHY), "FORBIDDEN", 403)


def test_every_look_is_recorded_with_the_client(ward: Ward, notes: dict[str, dict[str, Any]]) -> None:
    note_id = notes["signed"]["id"]
    for path, action in (("", "note.read"), ("/history", "note.history_read"), ("/verification", "note.verified")):
        before = len(ward.recorded(action))
        assert ward.get(f"/notes/{note_id}{path}", ward.colleague).status_code == 200
        entry = ward.recorded(action)[before]
        assert (entry.subject_id, entry.details["note_id"]) == (ward.client, note_id)
        assert entry.account_id == ward.colleague.account_id
    listed(ward, client_id=ward.client)
    assert ward.recorded("client.read")[-1].details == {"part": "notes"}


def test_a_list_is_filtered_and_says_nothing_of_what_is_written(ward: Ward) -> None:
    other = make_client(ward.practice, ward.clinician)
    soap = ward.signed(appointment_id=ward.session())
    ward.now = NOW + timedelta(days=1)
    plan = ward.created(type="SAFETY_PLAN", sections={"coping": "Walks."}, client_id=other)
    for query, expected in (
        ({"type": "SOAP_NOTE"}, [soap]),
        ({"status": "DRAFT"}, [plan]),
        ({"client_id": other}, [plan]),
        ({"appointment_id": soap["appointment_id"]}, [soap]),
        ({"clinician_id": ward.clinician.staff_id}, [plan, soap]),
        ({"clinician_id": ward.colleague.staff_id}, []),
        ({"from": "2026-03-19"}, [plan]),
        ({"to": "2026-03-18"}, [soap]),
        ({"from": "2026-03-18", "to": "2026-03-19", "sort": "created_at"}, [soap, plan]),
        ({"limit": 1}, [plan]),
    ):
        assert listed(ward, **query) == [one["id"] for one in expected], query
    answer = ward.get("/notes")
    assert "sections" not in answer.text
    assert "Walks" not in answer.text
    assert ward.get("/notes", sort="text").status_code == 422
    first = ward.get("/notes", limit=1, fields="id,status", count="true").json()
    assert first["items"] == [{"id": plan["id"], "status": "DRAFT"}]
    assert first["total"] == 2
    assert listed(ward, limit=1, cursor=first["next_cursor"]) == [soap["id"]]


def test_a_day_is_the_practice_s_own(ward: Ward) -> None:
    ward.now = NOW.replace(hour=3, minute=30) + timedelta(days=1)  # 23:30 of the 18th
    note = ward.created()
    assert listed(ward, from_="2026-03-18", to="2026-03-18") == [note["id"]]
    assert listed(ward, from_="2026-03-19") == []
