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
from tests.support.drivers.notes import Ward, came_in

NOTHING = {"notes": 0, "note_versions": 0, "note_signatures": 0, "session_locks": 0}


def problems(answer: Any) -> list[str]:
    assert (answer.status_code, code_of(answer)) == (422, "VALIDATION_ERROR"), answer.text
    return answer.json()["error"]["details"]["problems"]


def test_a_note_is_begun_saved_and_every_version_stays(ward: Ward) -> None:
    session = ward.session()
    note = ward.created(appointment_id=session, diagnoses=["F41.1"])
    assert (note["status"], note["version"], note["clinician_id"]) == ("DRAFT", 1, str(ward.clinician.staff_id))
    assert [part["title"] for part in note["sections"]] == ["Subjective", "Objective", "Assessment", "Plan"]
    saved = ward.save(note, sections=SOAP | {"plan": "Weekly."}, diagnoses=["F43.2", "F41.1"]).json()
    assert (saved["version"], saved["sections"][3]["text"], saved["diagnoses"]) == (2, "Weekly.", ["F43.2", "F41.1"])
    versions = ward.history(note)["versions"]
    assert [(one["number"], one["sections"][3]["text"], one["diagnoses"]) for one in versions] == [
        (1, SOAP["plan"], ["F41.1"]),
        (2, "Weekly.", ["F43.2", "F41.1"]),
    ]
    assert ward.text_of(note) == (
        f"Subjective\n{SOAP['subjective']}\n\nObjective\n{SOAP['objective']}\n\nAssessment\n{SOAP['assessment']}\n\n"
        "Plan\nWeekly.\n\nDiagnoses\nF43.2, F41.1"
    )
    assert [row.details["version"] for row in ward.recorded("note.saved")] == [2]


def test_a_draft_may_be_half_empty_and_a_signed_note_may_not(ward: Ward) -> None:
    note = ward.created(sections={"subjective": "Only this."})
    assert [part["text"] for part in note["sections"]] == ["Only this.", "", "", ""]
    error = refused(ward.step(note, "sign"), "NOTE_INCOMPLETE")
    assert error["details"]["problems"] == ["Objective is empty.", "Assessment is empty.", "Plan is empty."]
    assert ward.read(note)["status"] == "DRAFT"


@pytest.mark.parametrize("sections", [{}, {"subjective": " \n ", "plan": "\t"}])
def test_an_empty_note_is_not_signed(ward: Ward, sections: dict[str, str]) -> None:
    note = ward.created(sections=sections)
    assert "The note is empty." in refused(ward.step(note, "sign"), "NOTE_INCOMPLETE")["message"]
    assert refused(ward.step(note, "submit"), "NOTE_INCOMPLETE")
    assert ward.counts() == NOTHING | {"notes": 1, "note_versions": 1}


@pytest.mark.parametrize("type", NOTE_TYPES)
def test_every_type_has_a_template_by_which_it_can_be_signed(ward: Ward, type: str) -> None:
    note = ward.created(type=type, sections=filled_in(type))
    assert ward.done(note, "sign")["status"] == "SIGNED"


def test_whose_client_and_session_a_note_is_about(ward: Ward) -> None:
    stranger = make_client(ward.practice, ward.colleague)
    assert problems(ward.create(client_id=stranger)) == ["client_id: there is no such client, or not one of yours."]
    assert problems(ward.create(client_id=new_id())) == ["client_id: there is no such client, or not one of yours."]
    mine = make_client(ward.practice, ward.clinician)
    for session in (ward.session(clinician=ward.colleague), ward.session(client_id=mine), new_id()):
        (problem,) = problems(ward.create(appointment_id=session))
        assert problem == "appointment_id: you have no such appointment with this client."
    ahead = ward.session(ward.now + timedelta(seconds=1))
    missed = ward.session(status="NO_SHOW", status_at=ward.now)
    for session in (ahead, missed):
        assert problems(ward.create(appointment_id=session)) == ["appointment_id: this session has not taken place."]
    assert ward.create(appointment_id=ward.session(ward.now)).status_code == 201
    assert ward.counts()["notes"] == 1


def test_all_that_is_wrong_with_what_is_written_is_said_at_once_and_not_repeated(ward: Ward) -> None:
    wrong = SOAP | {"appendix": "Secret-Word"}
    answer = ward.create(sections=wrong, diagnoses=["F41.1", "F41.1", "secretword"])
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
        assert ward.create(**body).status_code == 422
    assert ward.counts() == NOTHING


def test_nobody_overwrites_what_they_have_not_read(ward: Ward) -> None:
    note = ward.created()
    assert ward.save(note, sections=SOAP | {"plan": "First."}).status_code == 200
    answer = ward.save(note, sections=SOAP | {"plan": "Second."})
    assert (answer.status_code, code_of(answer)) == (412, "STALE")
    url = f"/api/v1/notes/{note['id']}"
    assert ward.http.put(url, json={"sections": SOAP}, headers=ward.headers()).status_code == 428
    assert (ward.step(note, "sign").status_code, ward.step(note, "submit").status_code) == (412, 412)
    assert ward.read(note)["sections"][3]["text"] == "First."
    assert ward.counts() == NOTHING | {"notes": 1, "note_versions": 2}


def test_a_note_is_changed_by_its_author_alone(ward: Ward) -> None:
    """A colleague with the same client is told so once it is signed, and before that of no note at all."""
    ward.session(clinician=ward.colleague)
    draft, signed = ward.created(), ward.signed()
    before = ward.counts()
    for verb, body in (("submit", {}), ("sign", {}), ("withdraw", {}), ("share", {}), ("unshare", {}),
                       ("amend", {"sections": SOAP, "reason": "Because"}),
                       ("addendum", {"text": "More.", "reason": "Because"})):  # fmt: skip
        assert refused(ward.step(draft, verb, ward.colleague, **body), "NOT_FOUND", 404)
        assert refused(ward.step(signed, verb, ward.colleague, **body), "NOT_YOUR_NOTE", 403)
    assert refused(ward.save(draft, ward.colleague), "NOT_FOUND", 404)
    assert refused(ward.save(signed, ward.colleague), "NOT_YOUR_NOTE", 403)
    for by in (ward.supervisor, ward.practice.admin):
        assert refused(ward.save(draft, by), "FORBIDDEN", 403)
    assert ward.counts() == before
    assert ward.read(signed)["version"] == signed["version"]


def test_a_draft_that_nobody_signed_is_taken_back_and_stays_on_record(ward: Ward) -> None:
    note, signed = ward.created(), ward.signed()

    def void(one: dict[str, Any]) -> Any:
        return ward.http.delete(f"/api/v1/notes/{one['id']}", params={"reason": "Begun twice"}, headers=ward.headers())

    assert refused(void(signed), "NOTE_SIGNED")
    assert void(note).status_code == 204
    assert ward.get(f"/notes/{note['id']}").status_code == 404
    assert refused(ward.save(note), "NOT_FOUND", 404)
    assert [one["id"] for one in ward.get("/notes").json()["items"]] == [signed["id"]]
    items = {one["id"]: one for one in ward.get("/notes", voided=True).json()["items"]}
    assert items[note["id"]]["void_reason"] == "Begun twice"
    assert ward.counts()["note_versions"] == 2

    returned = ward.done(ward.done(ward.created(), "submit"), "withdraw")
    assert refused(void(returned), "NOTE_SIGNED")  # it was, when it was handed in


def test_a_note_that_came_in_keeps_what_it_said_as_its_first_version(ward: Ward) -> None:
    note_id = came_in(ward, "Wrote by hand:\n  two lines.")
    note = ward.get(f"/notes/{note_id}").json()
    assert [part["text"] for part in note["sections"]] == ["Wrote by hand:\n  two lines."]
    ward.save(note, sections={"text": "Wrote by hand: one line."})
    saved = ward.save(ward.read(note)).json()
    assert [one["number"] for one in ward.history(note)["versions"]] == [1, 2, 3]
    first, second, _ = ward.history(note)["versions"]
    assert (first["sections"][0]["text"], first["written_by_id"]) == ("Wrote by hand:\n  two lines.", None)
    assert second["sections"][0]["text"] == "Wrote by hand: one line."
    assert refused(ward.save(saved, sections={"text": "Back to one."}), "VALIDATION_ERROR", 422)
    assert ward.done(saved, "sign")["status"] == "SIGNED"
    assert ward.verification(note)["problems"] == []


def test_a_draft_that_came_in_is_signed_as_it_came(ward: Ward) -> None:
    note = ward.get(f"/notes/{came_in(ward, 'As it came.')}").json()
    assert ward.done(note, "sign")["status"] == "SIGNED"
    assert ward.text_of(note) == "As it came."
    (signature,) = ward.history(note)["signatures"]
    assert (signature["version_number"], signature["kind"]) == (1, "AUTHOR")
    empty = ward.get(f"/notes/{came_in(ward, None)}").json()
    assert refused(ward.step(empty, "sign"), "NOTE_INCOMPLETE")


def test_the_same_request_repeated_is_one_note(ward: Ward) -> None:
    body = {"client_id": str(ward.client), "type": "SOAP_NOTE", "sections": SOAP}
    headers = ward.headers(Idempotency_Key="a-note-of-today")
    answers = [ward.http.post("/api/v1/notes", json=body, headers=headers) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert ward.counts()["notes"] == 1


def test_a_note_by_the_verbs_is_a_note_over_http(ward: Ward) -> None:
    note_id = make_note(ward.practice, ward.clinician, ward.client, status="SIGNED")
    assert ward.get(f"/notes/{note_id}").json()["status"] == "SIGNED"
