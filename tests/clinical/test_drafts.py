"""Creating, saving and voiding notes over HTTP."""

from datetime import timedelta
from typing import Any

import pytest

from practice.clinical.models.notes import NOTE_TYPES
from practice.store.ids import new_id
from tests.support.builders.notes import SOAP, fill_sections, make_note
from tests.support.builders.schedule import make_client
from tests.support.drivers.booking import assert_error
from tests.support.drivers.http import V1, assert_invalid, error_code, void
from tests.support.drivers.notes import NotesApi, import_note

NOTHING = {"notes": 0, "note_versions": 0, "note_signatures": 0, "session_locks": 0}


def test_saving_a_note_keeps_every_version(notes_api: NotesApi) -> None:
    session = notes_api.make_session()
    note = notes_api.create_note(appointment_id=session, diagnoses=["F41.1"])
    assert (note["status"], note["version"], note["clinician_id"]) == ("DRAFT", 1, str(notes_api.clinician.staff_id))
    assert [part["title"] for part in note["sections"]] == ["Subjective", "Objective", "Assessment", "Plan"]
    saved = notes_api.save(note, sections=SOAP | {"plan": "Weekly."}, diagnoses=["F43.2", "F41.1"]).json()
    assert (saved["version"], saved["sections"][3]["text"], saved["diagnoses"]) == (2, "Weekly.", ["F43.2", "F41.1"])
    versions = notes_api.read_history(note)["versions"]
    assert [(version["number"], version["sections"][3]["text"], version["diagnoses"]) for version in versions] == [
        (1, SOAP["plan"], ["F41.1"]),
        (2, "Weekly.", ["F43.2", "F41.1"]),
    ]
    assert notes_api.load_text(note) == (
        f"Subjective\n{SOAP['subjective']}\n\nObjective\n{SOAP['objective']}\n\nAssessment\n{SOAP['assessment']}\n\n"
        "Plan\nWeekly.\n\nDiagnoses\nF43.2, F41.1"
    )
    assert [row.details["version"] for row in notes_api.load_audit_entries("note.saved")] == [2]


def test_a_draft_may_be_half_empty_and_a_signed_note_may_not(notes_api: NotesApi) -> None:
    note = notes_api.create_note(sections={"subjective": "Only this."})
    assert [part["text"] for part in note["sections"]] == ["Only this.", "", "", ""]
    error = assert_error(notes_api.post_step(note, "sign"), "NOTE_INCOMPLETE")
    assert error["details"]["problems"] == ["Objective is empty.", "Assessment is empty.", "Plan is empty."]
    assert notes_api.read(note)["status"] == "DRAFT"


@pytest.mark.parametrize("sections", [{}, {"subjective": " \n ", "plan": "\t"}])
def test_an_empty_note_is_not_signed(notes_api: NotesApi, sections: dict[str, str]) -> None:
    note = notes_api.create_note(sections=sections)
    assert "The note is empty." in assert_error(notes_api.post_step(note, "sign"), "NOTE_INCOMPLETE")["message"]
    assert assert_error(notes_api.post_step(note, "submit"), "NOTE_INCOMPLETE")
    assert notes_api.count_rows() == NOTHING | {"notes": 1, "note_versions": 1}


@pytest.mark.parametrize("type", NOTE_TYPES)
def test_every_type_has_a_template_by_which_it_can_be_signed(notes_api: NotesApi, type: str) -> None:
    note = notes_api.create_note(type=type, sections=fill_sections(type))
    assert notes_api.take_step(note, "sign")["status"] == "SIGNED"


def test_a_note_is_about_the_author_s_own_client_and_session(notes_api: NotesApi) -> None:
    stranger = make_client(notes_api.practice, notes_api.colleague)
    assert assert_invalid(notes_api.post_note(client_id=stranger)) == [
        "client_id: There is no such client, or not one of yours."
    ]
    assert assert_invalid(notes_api.post_note(client_id=new_id())) == [
        "client_id: There is no such client, or not one of yours."
    ]
    mine = make_client(notes_api.practice, notes_api.clinician)
    for session in (
        notes_api.make_session(clinician=notes_api.colleague),
        notes_api.make_session(client_id=mine),
        new_id(),
    ):
        (problem,) = assert_invalid(notes_api.post_note(appointment_id=session))
        assert problem == "appointment_id: You have no such appointment with this client."
    ahead = notes_api.make_session(notes_api.now + timedelta(seconds=1))
    missed = notes_api.make_session(status="NO_SHOW", status_at=notes_api.now)
    for session in (ahead, missed):
        assert assert_invalid(notes_api.post_note(appointment_id=session)) == [
            "appointment_id: This session has not begun. Use one that has."
        ]
    assert notes_api.post_note(appointment_id=notes_api.make_session(notes_api.now)).status_code == 201
    assert notes_api.count_rows()["notes"] == 1


def test_all_problems_are_reported_together_without_quoting_the_content(notes_api: NotesApi) -> None:
    wrong = SOAP | {"appendix": "Secret-Word"}
    answer = notes_api.post_note(sections=wrong, diagnoses=["F41.1", "F41.1", "secretword"])
    messages = assert_invalid(answer)
    assert len(messages) == 3
    assert "secret" not in answer.text.lower()
    assert "appendix" not in answer.text
    for body in (
        {"sections": {"subjective": "x" * 20_001}},
        {"sections": {"Sub jective": "x"}},
        {"sections": {"subjective": "a\u0000b"}},
        {"sections": SOAP, "diagnoses": ["F41.1"] * 13},
        {"type": "LETTER"},
        {"sections": [SOAP]},
        {"status": "SIGNED"},
    ):
        assert notes_api.post_note(**body).status_code == 422
    assert notes_api.count_rows() == NOTHING


def test_a_stale_version_cannot_be_overwritten(notes_api: NotesApi) -> None:
    note = notes_api.create_note()
    assert notes_api.save(note, sections=SOAP | {"plan": "First."}).status_code == 200
    answer = notes_api.save(note, sections=SOAP | {"plan": "Second."})
    assert (answer.status_code, error_code(answer)) == (412, "STALE")
    url = f"/api/v1/notes/{note['id']}"
    assert notes_api.http.put(url, json={"sections": SOAP}, headers=notes_api.build_headers()).status_code == 428
    assert (notes_api.post_step(note, "sign").status_code, notes_api.post_step(note, "submit").status_code) == (
        412,
        412,
    )
    assert notes_api.read(note)["sections"][3]["text"] == "First."
    assert notes_api.count_rows() == NOTHING | {"notes": 1, "note_versions": 2}


def test_only_the_author_changes_a_note(notes_api: NotesApi) -> None:
    """A colleague with the same client gets NOT_YOUR_NOTE for signed notes and NOT_FOUND for drafts."""
    notes_api.make_session(clinician=notes_api.colleague)
    draft, signed = notes_api.create_note(), notes_api.create_signed_note()
    before = notes_api.count_rows()
    for verb, body in (("submit", {}), ("sign", {}), ("withdraw", {}), ("share", {}), ("unshare", {}),
                       ("amend", {"sections": SOAP, "reason": "Because"}),
                       ("addendum", {"text": "More.", "reason": "Because"})):  # fmt: skip
        assert assert_error(notes_api.post_step(draft, verb, notes_api.colleague, **body), "NOT_FOUND", 404)
        assert assert_error(notes_api.post_step(signed, verb, notes_api.colleague, **body), "NOT_YOUR_NOTE", 403)
    assert assert_error(notes_api.save(draft, notes_api.colleague), "NOT_FOUND", 404)
    assert assert_error(notes_api.save(signed, notes_api.colleague), "NOT_YOUR_NOTE", 403)
    for by in (notes_api.supervisor, notes_api.practice.admin):
        assert assert_error(notes_api.save(draft, by), "FORBIDDEN", 403)
    assert notes_api.count_rows() == before
    assert notes_api.read(signed)["version"] == signed["version"]


def test_voiding_an_unsigned_draft_keeps_its_rows(notes_api: NotesApi) -> None:
    note, signed = notes_api.create_note(), notes_api.create_signed_note()

    def void_note(target: dict[str, Any]) -> Any:
        return void(notes_api.http, f"{V1}/notes/{target['id']}", notes_api.build_headers(), "Begun twice")

    assert assert_error(void_note(signed), "NOTE_SIGNED")
    assert void_note(note).status_code == 204
    assert notes_api.get(f"/notes/{note['id']}").status_code == 404
    assert assert_error(notes_api.save(note), "NOT_FOUND", 404)
    assert [item["id"] for item in notes_api.get("/notes").json()["items"]] == [signed["id"]]
    items = {item["id"]: item for item in notes_api.get("/notes", voided=True).json()["items"]}
    assert items[note["id"]]["void_reason"] == "Begun twice"
    assert notes_api.count_rows()["note_versions"] == 2

    returned = notes_api.take_step(notes_api.take_step(notes_api.create_note(), "submit"), "withdraw")
    assert assert_error(void_note(returned), "NOTE_SIGNED")  # it was signed when it was submitted


def test_an_imported_note_keeps_its_text_as_the_first_version(notes_api: NotesApi) -> None:
    note_id = import_note(notes_api, "Wrote by hand:\n  two lines.")
    note = notes_api.get(f"/notes/{note_id}").json()
    assert [part["text"] for part in note["sections"]] == ["Wrote by hand:\n  two lines."]
    notes_api.save(note, sections={"text": "Wrote by hand: one line."})
    saved = notes_api.save(notes_api.read(note)).json()
    assert [version["number"] for version in notes_api.read_history(note)["versions"]] == [1, 2, 3]
    first, second, _ = notes_api.read_history(note)["versions"]
    assert (first["sections"][0]["text"], first["written_by_id"]) == ("Wrote by hand:\n  two lines.", None)
    assert second["sections"][0]["text"] == "Wrote by hand: one line."
    assert assert_error(notes_api.save(saved, sections={"text": "Back to one."}), "VALIDATION_ERROR", 422)
    assert notes_api.take_step(saved, "sign")["status"] == "SIGNED"
    assert notes_api.verify(note)["problems"] == []


def test_an_imported_draft_is_signed_unchanged(notes_api: NotesApi) -> None:
    note = notes_api.get(f"/notes/{import_note(notes_api, 'As it came.')}").json()
    assert notes_api.take_step(note, "sign")["status"] == "SIGNED"
    assert notes_api.load_text(note) == "As it came."
    (signature,) = notes_api.read_history(note)["signatures"]
    assert (signature["version_number"], signature["kind"]) == (1, "AUTHOR")
    empty = notes_api.get(f"/notes/{import_note(notes_api, None)}").json()
    assert assert_error(notes_api.post_step(empty, "sign"), "NOTE_INCOMPLETE")


def test_a_repeated_request_creates_one_note(notes_api: NotesApi) -> None:
    body = {"client_id": str(notes_api.client), "type": "SOAP_NOTE", "sections": SOAP}
    headers = notes_api.build_headers(Idempotency_Key="a-note-of-today")
    answers = [notes_api.http.post("/api/v1/notes", json=body, headers=headers) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert notes_api.count_rows()["notes"] == 1


def test_a_note_from_the_service_functions_is_visible_over_http(notes_api: NotesApi) -> None:
    note_id = make_note(notes_api.practice, notes_api.clinician, notes_api.client, status="SIGNED")
    assert notes_api.get(f"/notes/{note_id}").json()["status"] == "SIGNED"
