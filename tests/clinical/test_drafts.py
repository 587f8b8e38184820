"""Beginning, saving and taking back notes over HTTP: what is kept, what is refused, and that nothing is lost."""

from datetime import timedelta
from typing import Any

import pytest

from practice.clinical.models.notes import NOTE_TYPES
from practice.store.ids import new_id
from tests.support.builders.notes import SOAP, filled_in, make_note
from tests.support.builders.schedule import make_client
from tests.support.drivers.booking import refused
from tests.support.drivers.http import code_of
from tests.support.drivers.notes import NotesApi, came_in

NOTHING = {"notes": 0, "note_versions": 0, "note_signatures": 0, "session_locks": 0}


def problems(answer: Any) -> list[str]:
    assert (answer.status_code, code_of(answer)) == (422, "VALIDATION_ERROR"), answer.text
    return answer.json()["error"]["details"]["problems"]


def test_a_note_is_begun_saved_and_every_version_stays(notes_api: NotesApi) -> None:
    session = notes_api.session()
    note = notes_api.created(appointment_id=session, diagnoses=["F41.1"])
    assert (note["status"], note["version"], note["clinician_id"]) == ("DRAFT", 1, str(notes_api.clinician.staff_id))
    assert [part["title"] for part in note["sections"]] == ["Subjective", "Objective", "Assessment", "Plan"]
    saved = notes_api.save(note, sections=SOAP | {"plan": "Weekly."}, diagnoses=["F43.2", "F41.1"]).json()
    assert (saved["version"], saved["sections"][3]["text"], saved["diagnoses"]) == (2, "Weekly.", ["F43.2", "F41.1"])
    versions = notes_api.history(note)["versions"]
    assert [(one["number"], one["sections"][3]["text"], one["diagnoses"]) for one in versions] == [
        (1, SOAP["plan"], ["F41.1"]),
        (2, "Weekly.", ["F43.2", "F41.1"]),
    ]
    assert notes_api.text_of(note) == (
        f"Subjective\n{SOAP['subjective']}\n\nObjective\n{SOAP['objective']}\n\nAssessment\n{SOAP['assessment']}\n\n"
        "Plan\nWeekly.\n\nDiagnoses\nF43.2, F41.1"
    )
    assert [row.details["version"] for row in notes_api.recorded("note.saved")] == [2]


def test_a_draft_may_be_half_empty_and_a_signed_note_may_not(notes_api: NotesApi) -> None:
    note = notes_api.created(sections={"subjective": "Only this."})
    assert [part["text"] for part in note["sections"]] == ["Only this.", "", "", ""]
    error = refused(notes_api.step(note, "sign"), "NOTE_INCOMPLETE")
    assert error["details"]["problems"] == ["Objective is empty.", "Assessment is empty.", "Plan is empty."]
    assert notes_api.read(note)["status"] == "DRAFT"


@pytest.mark.parametrize("sections", [{}, {"subjective": " \n ", "plan": "\t"}])
def test_an_empty_note_is_not_signed(notes_api: NotesApi, sections: dict[str, str]) -> None:
    note = notes_api.created(sections=sections)
    assert "The note is empty." in refused(notes_api.step(note, "sign"), "NOTE_INCOMPLETE")["message"]
    assert refused(notes_api.step(note, "submit"), "NOTE_INCOMPLETE")
    assert notes_api.counts() == NOTHING | {"notes": 1, "note_versions": 1}


@pytest.mark.parametrize("type", NOTE_TYPES)
def test_every_type_has_a_template_by_which_it_can_be_signed(notes_api: NotesApi, type: str) -> None:
    note = notes_api.created(type=type, sections=filled_in(type))
    assert notes_api.done(note, "sign")["status"] == "SIGNED"


def test_whose_client_and_session_a_note_is_about(notes_api: NotesApi) -> None:
    stranger = make_client(notes_api.practice, notes_api.colleague)
    assert problems(notes_api.create(client_id=stranger)) == [
        "client_id: there is no such client, or not one of yours."
    ]
    assert problems(notes_api.create(client_id=new_id())) == [
        "client_id: there is no such client, or not one of yours."
    ]
    mine = make_client(notes_api.practice, notes_api.clinician)
    for session in (notes_api.session(clinician=notes_api.colleague), notes_api.session(client_id=mine), new_id()):
        (problem,) = problems(notes_api.create(appointment_id=session))
        assert problem == "appointment_id: you have no such appointment with this client."
    ahead = notes_api.session(notes_api.now + timedelta(seconds=1))
    missed = notes_api.session(status="NO_SHOW", status_at=notes_api.now)
    for session in (ahead, missed):
        assert problems(notes_api.create(appointment_id=session)) == [
            "appointment_id: this session has not taken place."
        ]
    assert notes_api.create(appointment_id=notes_api.session(notes_api.now)).status_code == 201
    assert notes_api.counts()["notes"] == 1


def test_all_that_is_wrong_with_what_is_written_is_said_at_once_and_not_repeated(notes_api: NotesApi) -> None:
    wrong = SOAP | {"appendix": "Secret-Word"}
    answer = notes_api.create(sections=wrong, diagnoses=["F41.1", "F41.1", "secretword"])
    found = problems(answer)
    assert len(found) == 3
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
        assert notes_api.create(**body).status_code == 422
    assert notes_api.counts() == NOTHING


def test_nobody_overwrites_what_they_have_not_read(notes_api: NotesApi) -> None:
    note = notes_api.created()
    assert notes_api.save(note, sections=SOAP | {"plan": "First."}).status_code == 200
    answer = notes_api.save(note, sections=SOAP | {"plan": "Second."})
    assert (answer.status_code, code_of(answer)) == (412, "STALE")
    url = f"/api/v1/notes/{note['id']}"
    assert notes_api.http.put(url, json={"sections": SOAP}, headers=notes_api.headers()).status_code == 428
    assert (notes_api.step(note, "sign").status_code, notes_api.step(note, "submit").status_code) == (412, 412)
    assert notes_api.read(note)["sections"][3]["text"] == "First."
    assert notes_api.counts() == NOTHING | {"notes": 1, "note_versions": 2}


def test_a_note_is_changed_by_its_author_alone(notes_api: NotesApi) -> None:
    """A colleague with the same client is told so once it is signed, and before that of no note at all."""
    notes_api.session(clinician=notes_api.colleague)
    draft, signed = notes_api.created(), notes_api.signed()
    before = notes_api.counts()
    for verb, body in (("submit", {}), ("sign", {}), ("withdraw", {}), ("share", {}), ("unshare", {}),
                       ("amend", {"sections": SOAP, "reason": "Because"}),
                       ("addendum", {"text": "More.", "reason": "Because"})):  # fmt: skip
        assert refused(notes_api.step(draft, verb, notes_api.colleague, **body), "NOT_FOUND", 404)
        assert refused(notes_api.step(signed, verb, notes_api.colleague, **body), "NOT_YOUR_NOTE", 403)
    assert refused(notes_api.save(draft, notes_api.colleague), "NOT_FOUND", 404)
    assert refused(notes_api.save(signed, notes_api.colleague), "NOT_YOUR_NOTE", 403)
    for by in (notes_api.supervisor, notes_api.practice.admin):
        assert refused(notes_api.save(draft, by), "FORBIDDEN", 403)
    assert notes_api.counts() == before
    assert notes_api.read(signed)["version"] == signed["version"]


def test_a_draft_that_nobody_signed_is_taken_back_and_stays_on_record(notes_api: NotesApi) -> None:
    note, signed = notes_api.created(), notes_api.signed()

    def void(one: dict[str, Any]) -> Any:
        return notes_api.http.delete(
            f"/api/v1/notes/{one['id']}", params={"reason": "Begun twice"}, headers=notes_api.headers()
        )

    assert refused(void(signed), "NOTE_SIGNED")
    assert void(note).status_code == 204
    assert notes_api.get(f"/notes/{note['id']}").status_code == 404
    assert refused(notes_api.save(note), "NOT_FOUND", 404)
    assert [one["id"] for one in notes_api.get("/notes").json()["items"]] == [signed["id"]]
    items = {one["id"]: one for one in notes_api.get("/notes", voided=True).json()["items"]}
    assert items[note["id"]]["void_reason"] == "Begun twice"
    assert notes_api.counts()["note_versions"] == 2

    returned = notes_api.done(notes_api.done(notes_api.created(), "submit"), "withdraw")
    assert refused(void(returned), "NOTE_SIGNED")  # it was, when it was handed in


def test_a_note_that_came_in_keeps_what_it_said_as_its_first_version(notes_api: NotesApi) -> None:
    note_id = came_in(notes_api, "Wrote by hand:\n  two lines.")
    note = notes_api.get(f"/notes/{note_id}").json()
    assert [part["text"] for part in note["sections"]] == ["Wrote by hand:\n  two lines."]
    notes_api.save(note, sections={"text": "Wrote by hand: one line."})
    saved = notes_api.save(notes_api.read(note)).json()
    assert [one["number"] for one in notes_api.history(note)["versions"]] == [1, 2, 3]
    first, second, _ = notes_api.history(note)["versions"]
    assert (first["sections"][0]["text"], first["written_by_id"]) == ("Wrote by hand:\n  two lines.", None)
    assert second["sections"][0]["text"] == "Wrote by hand: one line."
    assert refused(notes_api.save(saved, sections={"text": "Back to one."}), "VALIDATION_ERROR", 422)
    assert notes_api.done(saved, "sign")["status"] == "SIGNED"
    assert notes_api.verification(note)["problems"] == []


def test_a_draft_that_came_in_is_signed_as_it_came(notes_api: NotesApi) -> None:
    note = notes_api.get(f"/notes/{came_in(notes_api, 'As it came.')}").json()
    assert notes_api.done(note, "sign")["status"] == "SIGNED"
    assert notes_api.text_of(note) == "As it came."
    (signature,) = notes_api.history(note)["signatures"]
    assert (signature["version_number"], signature["kind"]) == (1, "AUTHOR")
    empty = notes_api.get(f"/notes/{came_in(notes_api, None)}").json()
    assert refused(notes_api.step(empty, "sign"), "NOTE_INCOMPLETE")


def test_the_same_request_repeated_is_one_note(notes_api: NotesApi) -> None:
    body = {"client_id": str(notes_api.client), "type": "SOAP_NOTE", "sections": SOAP}
    headers = notes_api.headers(Idempotency_Key="a-note-of-today")
    answers = [notes_api.http.post("/api/v1/notes", json=body, headers=headers) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert notes_api.counts()["notes"] == 1


def test_a_note_by_the_verbs_is_a_note_over_http(notes_api: NotesApi) -> None:
    note_id = make_note(notes_api.practice, notes_api.clinician, notes_api.client, status="SIGNED")
    assert notes_api.get(f"/notes/{note_id}").json()["status"] == "SIGNED"
